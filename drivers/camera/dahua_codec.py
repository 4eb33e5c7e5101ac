"""Dahua ITSAPI pushes, bytes <-> values (TollgateInfo and KeepAlive, JSON or XML). No I/O."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from domain.plate import PlateColour
from drivers.base import BadFrameError
from drivers.trees import confidence_in, object_in, text_in, tree_in

MAX_BODY = 16 * 1024 * 1024  # up to three pictures in base64
MAX_IMAGE = 4 * 1024 * 1024
JPEG = b"\xff\xd8"
UNREAD = frozenset({"", "unknown", "noplate", "no plate", "无车牌", "无牌车", "_无_"})
ANSWER = json.dumps({"Result": True, "result": True, "Message": "Success", "RspTime": ""}).encode()

COLOURS: Mapping[str, PlateColour] = {
    "blue": PlateColour.BLUE,
    "yellow": PlateColour.YELLOW,
    "white": PlateColour.WHITE,
    "black": PlateColour.BLACK,
    "green": PlateColour.GREEN,
    "shadowgreen": PlateColour.GREEN,
    "yellowgreen": PlateColour.YELLOW_GREEN,
}


@dataclass(frozen=True, slots=True)
class TollgateInfo:
    """A vehicle as the camera believes it. *plate* "" when it has none; *taken_wall_ms* None without a time."""

    device: str
    record: str
    plate: str
    confidence: int
    colour: PlateColour
    taken_wall_ms: int | None
    image: bytes = field(repr=False)
    crop: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """The camera lives."""

    device: str


def parse_push(body: bytes, utc_offset_min: int) -> TollgateInfo | KeepAlive:
    """One push; its times carry no zone, so *utc_offset_min* says which is meant. Raises BadFrameError."""
    tree = tree_in(body, "camera push", MAX_BODY)
    if len(tree) == 1 and "picture" not in tree:  # XML firmware wraps it once more
        tree = next((value for value in tree.values() if isinstance(value, dict)), tree)
    if "picture" in tree:
        return _tollgate(object_in(tree, "picture"), utc_offset_min)
    if "active" in tree:
        return KeepAlive(text_in(tree, "deviceid"))
    raise BadFrameError("camera push has neither Picture nor Active")


def _tollgate(picture: Mapping[str, Any], utc_offset_min: int) -> TollgateInfo:
    plate, snap = object_in(picture, "plate"), object_in(picture, "snapinfo")
    number = text_in(plate, "platenumber")
    exists = text_in(plate, "isexist").lower() != "false"
    moment = text_in(snap, "accuratetime") or text_in(snap, "snaptime")
    device = text_in(snap, "deviceid")
    image = _image(picture, "normalpic") or _image(picture, "vehiclepic")
    return TollgateInfo(
        device=device,
        record=f"{device}:{hashlib.sha256(f'{moment}|{number}'.encode()).hexdigest()[:32]}",
        plate=number if exists and number.lower() not in UNREAD else "",
        confidence=confidence_in(plate, "confidence"),
        colour=COLOURS.get(text_in(plate, "platecolor").lower(), PlateColour.UNKNOWN),
        taken_wall_ms=_moment(moment, utc_offset_min),
        image=image,
        crop=_image(picture, "cutoutpic"),
    )


def _image(picture: Mapping[str, Any], name: str) -> bytes:
    """A picture; one that is none is left out, for refusing the push would make the camera send it for ever."""
    text = "".join(text_in(object_in(picture, name), "content", (MAX_IMAGE + 2) // 3 * 4 + 4096).split())
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return data if data.startswith(JPEG) else b""


def _moment(text: str, utc_offset_min: int) -> int | None:
    try:
        taken = datetime.fromisoformat(text).replace(tzinfo=timezone(timedelta(minutes=utc_offset_min)))
        return int(taken.timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
