"""Vzenith 臻识 over MQTT, bytes <-> values (MQTT protocol 1.1). No I/O.

What the camera says is what it pushes over HTTP, in an envelope, with plates and pictures in base64 under other names.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from drivers.base import BadFrameError, ListedCar
from drivers.camera.vzenith_codec import (
    JPEG,
    MAX_BODY,
    MAX_IMAGE,
    GioIn,
    Heartbeat,
    PlateResult,
    SerialData,
    integer_of,
    json_object,
    object_of,
    push_of,
    text_of,
)
from drivers.camera.vzenith_reply import IoControl, listed_row

TOPICS = "device/{sn}/message"  # firmware since 2024; before that "{sn}/device/message"
RESULT, QUICK_RESULT, KEEP_ALIVE, INPUT, SERIAL, SNAPSHOT = (
    "ivs_result", "quick_ivs_result", "keep_alive", "gpio_in", "serial_data", "snapshot",
)  # fmt: skip
OUTPUT, TRIGGER, SET_TIME, LIST = "gpio_out", "ivs_trigger", "set_time", "white_list_operator"
TAKEN = 200
SHORTEST_MS, LONGEST_MS = 500, 5000  # what an output may be pulsed for


@dataclass(frozen=True, slots=True)
class Picture:
    """The answer to ``snapshot``, which comes as a message of its own."""

    image: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Taken:
    """The camera's word on command *id*: *code* 200, or why not."""

    id: str
    code: int
    values: Mapping[str, Any] = field(default_factory=dict)


def parse_up(name: str, body: bytes, sn: str) -> PlateResult | GioIn | Heartbeat | Picture | None:
    """What the camera *sn* said under *name*; None for what nobody here needs. Raises BadFrameError."""
    if name not in (RESULT, KEEP_ALIVE, INPUT, SNAPSHOT):
        return None  # a quick result is the same car without its picture, a moment before
    payload = _payload(body, sn)
    if name == KEEP_ALIVE:
        return Heartbeat(sn)
    if name == SNAPSHOT:
        return Picture(_picture(payload))
    said = push_of(_as_http(payload, sn))
    return said if isinstance(said, PlateResult | GioIn) else None


def parse_reply(body: bytes) -> Taken:
    """What came under ``…/reply``. Raises BadFrameError."""
    message = _envelope(body)
    payload = message.get("payload")
    inner = payload.get("body", payload) if isinstance(payload, dict) else {}
    code = integer_of(message, "code", None)
    return Taken(text_of(message, "id"), -1 if code is None else code, inner if isinstance(inner, dict) else {})


def command(sn: str, name: str, body: Mapping[str, Any], message_id: str, at_s: int) -> bytes:
    """One order, as it is published under ``…/down/NAME``."""
    payload = {"type": name, "body": dict(body)}
    message = {"id": message_id, "sn": sn, "name": name, "version": "1.0", "timestamp": at_s, "payload": payload}
    return json.dumps(message, ensure_ascii=False).encode()


def output_body(control: IoControl) -> dict[str, int]:
    """``gpio_out``."""
    return {"io": control.io, "value": control.value, "delay": min(max(control.delay_ms, SHORTEST_MS), LONGEST_MS)}


def serial_body(items: tuple[SerialData, ...]) -> dict[str, Any]:
    """``serial_data``: *items* one after the other, 50 ms apart."""
    return {
        "interval": 50,
        "serialData": [
            {
                "serialChannel": item.channel,
                "data": base64.b64encode(item.data).decode("ascii"),
                "dataLen": len(item.data),
            }
            for item in items
        ],
    }


def time_body(now: datetime) -> dict[str, str]:
    """``set_time``: the camera's wall clock, as *now* reads in its own zone."""
    return {
        "year": f"{now:%Y}", "month": f"{now:%m}", "day": f"{now:%d}",
        "hour": f"{now:%H}", "min": f"{now:%M}", "sec": f"{now:%S}",
    }  # fmt: skip


def listed_body(car: ListedCar) -> dict[str, Any]:
    """``white_list_operator``: write or renew one car."""
    row = listed_row(car) | {"create_time": f"{car.begins:%Y-%m-%d %H:%M:%S}", "time_seg_enable": 0}
    return {"operator_type": "update_or_add", "dldb_rec": row}


def struck_body(plate: str) -> dict[str, Any]:
    """``white_list_operator``: strike one plate out. Raises ValueError for "", which would strike out all."""
    if not plate:
        raise ValueError("an empty plate would strike out the whole list")
    return {"operator_type": "delete", "plate": plate}


def asked_body(plate: str) -> dict[str, Any]:
    """``white_list_operator``: is it there?"""
    return {"operator_type": "select", "sub_type": "plate", "plate": plate}


def is_listed(taken: Taken, plate: str) -> bool:
    """Whether the answer to :func:`asked_body` has *plate*."""
    rows = taken.values.get("dldb_rec", ())
    return isinstance(rows, list) and any(isinstance(row, dict) and row.get("plate") == plate for row in rows)


def _envelope(body: bytes) -> dict[str, Any]:
    if len(body) > MAX_BODY:
        raise BadFrameError(f"camera message of {len(body)} bytes; at most {MAX_BODY} are taken")
    return json_object(body)


def _payload(body: bytes, sn: str) -> dict[str, Any]:
    message = _envelope(body)
    if text_of(message, "sn") != sn:
        raise BadFrameError("camera message that names another camera than its topic")
    payload = message.get("payload")
    return payload if isinstance(payload, dict) else {}


def _as_http(payload: dict[str, Any], sn: str) -> dict[str, Any]:
    """*payload* as the same camera would push it over HTTP."""
    inner = payload.get("body", payload)
    if not isinstance(inner, dict):
        raise BadFrameError("camera message without a body")
    if "AlarmInfoPlate" not in inner:
        return inner
    alarm = object_of(inner, "AlarmInfoPlate")
    result = object_of(object_of(alarm, "result"), "PlateResult")
    plain = result | {
        "license": _decoded(text_of(result, "license")),
        "imageFile": result.get("full_image_content", ""),
        "imageFragmentFile": result.get("small_image_content", ""),
    }
    return {"AlarmInfoPlate": alarm | {"serialno": sn, "result": {"PlateResult": plain}}}


def _decoded(text: str) -> str:
    """Texts are base64 here; one that is none is taken as it is."""
    try:
        decoded = base64.b64decode(text, validate=True).decode("utf-8")
    except ValueError:
        return text
    return decoded if decoded.isprintable() else text


def _picture(payload: dict[str, Any]) -> bytes:
    inner = payload.get("body", payload)
    text = inner.get("image_content", "") if isinstance(inner, dict) else ""
    if not isinstance(text, str) or len(text) > MAX_IMAGE * 4 // 3 + 4:
        raise BadFrameError("camera snapshot that is no picture of a size it may have")
    try:
        image = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as exc:
        raise BadFrameError("camera snapshot that is not base64") from exc
    if not image.startswith(JPEG):
        raise BadFrameError("camera snapshot that is not a JPEG picture; set its pictures to travel in the message")
    return image
