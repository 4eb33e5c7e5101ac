"""Vzenith 臻识 HTTP push, bytes <-> values (HTTP protocol 1.8/1.9; Alphadigi units speak the same). No I/O."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from typing import Any
from urllib.parse import parse_qsl

from domain.plate import PlateColour
from drivers.base import BadFrameError, Box

MAX_BODY = 6 * 1024 * 1024
MAX_IMAGE = 4 * 1024 * 1024
MAX_HEARTBEAT = 64 * 1024
MAX_SERIAL_DATA = 4096  # RS-485 pass-through; the boards behind it speak in frames of at most 255 bytes
MAX_TEXT = 128
NO_PLATE = "_无_"
JPEG = b"\xff\xd8"

COLOURS: Mapping[int, PlateColour] = {
    0: PlateColour.UNKNOWN,
    1: PlateColour.BLUE,
    2: PlateColour.YELLOW,
    3: PlateColour.WHITE,
    4: PlateColour.BLACK,
    5: PlateColour.GREEN,
    6: PlateColour.YELLOW_GREEN,
}


@dataclass(frozen=True, slots=True)
class PlateType:
    """One row of the maker's plate table; *colour* stands in when the camera sends colour 0."""

    kind: str
    colour: PlateColour = PlateColour.UNKNOWN


PLATE_TYPES: Mapping[int, PlateType] = {  # OEM tables differ: a lot may pass its own to parse_push
    0: PlateType("unknown"),
    1: PlateType("blue", PlateColour.BLUE),
    2: PlateType("black", PlateColour.BLACK),
    3: PlateType("yellow", PlateColour.YELLOW),
    4: PlateType("yellow_two_lines", PlateColour.YELLOW),
    5: PlateType("police", PlateColour.WHITE),
    6: PlateType("armed_police", PlateColour.WHITE),
    8: PlateType("army", PlateColour.WHITE),
    9: PlateType("army_two_lines", PlateColour.WHITE),
    10: PlateType("embassy", PlateColour.BLACK),
    11: PlateType("hong_kong", PlateColour.BLACK),
    14: PlateType("macao", PlateColour.BLACK),
    18: PlateType("aviation", PlateColour.GREEN),
    19: PlateType("new_energy_small", PlateColour.GREEN),
    20: PlateType("new_energy_large", PlateColour.YELLOW_GREEN),
    21: PlateType("emergency", PlateColour.WHITE),
    22: PlateType("consulate", PlateColour.BLACK),
    29: PlateType("fake"),
    31: PlateType("none"),
}
UNKNOWN_TYPE = PlateType("unknown")
FAKE_TYPE = 29


@dataclass(frozen=True, slots=True)
class PlateResult:
    """``AlarmInfoPlate``. *plate* is "" for a car without one; *other_places*: its Hong Kong and Macao numbers."""

    serial: str
    plate_id: int | None
    record: str  # the same for every resend of one record
    plate: str
    other_places: tuple[str, ...]
    confidence: int
    colour: PlateColour
    kind: str
    direction: int  # 0 ?, 1 left, 2 right, 3 up, 4 down
    trigger: int  # 1 auto, 2 input, 4 software, 8 virtual loop, 64 stays, 65 stays over, 66 turned back
    offline: bool
    fake: bool
    taken_wall_ms: int | None
    box: Box | None
    image: bytes = field(repr=False)
    crop: bytes = field(repr=False)
    address: str = ""  # its own, as it says


@dataclass(frozen=True, slots=True)
class GioIn:
    """``AlarmGioIn``: a dry contact of the camera went to *value*."""

    serial: str
    source: int
    value: int


@dataclass(frozen=True, slots=True)
class SerialData:
    """Bytes that came in on, or shall go out of, an RS-485 port of the camera."""

    channel: int
    data: bytes
    serial: str = ""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The camera lives. Its user and password, sent in clear, are dropped while parsing."""

    serial: str
    device_name: str = ""


VzenithPush = PlateResult | GioIn | SerialData | Heartbeat


def parse_push(body: bytes, content_type: str, types: Mapping[int, PlateType] = PLATE_TYPES) -> VzenithPush:
    """One push as a value. Raises BadFrameError with a sentence that never quotes the body."""
    if len(body) > MAX_BODY:
        raise BadFrameError(f"camera push of {len(body)} bytes; at most {MAX_BODY} are taken")
    media = content_type.partition(";")[0].strip().lower()
    if media == "multipart/form-data":
        return _heartbeat(_multipart_fields(body, content_type))
    if media == "application/x-www-form-urlencoded" and not body.lstrip().startswith(b"{"):
        return _heartbeat(_form_fields(body))
    return push_of(json_object(body), types)


def json_object(body: bytes) -> dict[str, Any]:
    """The object that *body* is. Raises BadFrameError."""
    try:
        message = json.loads(body.decode("utf-8-sig"))
    except UnicodeDecodeError as exc:
        raise BadFrameError("camera push is not UTF-8") from exc
    except (ValueError, RecursionError) as exc:
        raise BadFrameError("camera push is not JSON") from exc
    if not isinstance(message, dict):
        raise BadFrameError("camera push is not a JSON object")
    return message


def push_of(message: dict[str, Any], types: Mapping[int, PlateType] = PLATE_TYPES) -> VzenithPush:
    """What *message* says, by whichever way it came. Raises BadFrameError."""
    if "AlarmInfoPlate" in message:
        return _plate_result(object_of(message, "AlarmInfoPlate"), types)
    if "AlarmGioIn" in message:
        return _gio_in(object_of(message, "AlarmGioIn"))
    if "SerialData" in message:
        outer = object_of(message, "SerialData")
        return serial_data_of(outer, text_of(outer, "serialno"))
    if "heartbeat" in message:
        inner = object_of(message, "heartbeat")
        return Heartbeat(text_of(inner, "serialno"), text_of(inner, "deviceName"))
    raise BadFrameError("camera push has none of AlarmInfoPlate, AlarmGioIn, SerialData, heartbeat")


def _plate_result(alarm: dict[str, Any], types: Mapping[int, PlateType]) -> PlateResult:
    result = object_of(object_of(alarm, "result"), "PlateResult")
    serial = text_of(alarm, "serialno")
    plate_id = integer_of(result, "plateid", None)
    taken = _taken(result)
    plate, other_places = _license(result)
    type_number = integer_of(result, "type", 0) or 0
    plate_type = types.get(type_number, UNKNOWN_TYPE)
    colour = COLOURS.get(integer_of(result, "colorType", 0) or 0, PlateColour.UNKNOWN)
    return PlateResult(
        serial=serial,
        plate_id=plate_id,
        record=_record_name(serial, plate_id, taken, result),
        plate=plate,
        other_places=other_places,
        confidence=min(max(integer_of(result, "confidence", 0) or 0, 0), 100),
        colour=plate_type.colour if colour is PlateColour.UNKNOWN else colour,
        kind=plate_type.kind,
        direction=integer_of(result, "direction", 0) or 0,
        trigger=integer_of(result, "triggerType", 0) or 0,
        offline=bool(integer_of(result, "isoffline", 0)),
        fake=type_number == FAKE_TYPE or bool(integer_of(result, "is_fake_plate", 0)),
        taken_wall_ms=taken,
        box=_box(result),
        image=_image(result, "imageFile"),
        crop=_image(result, "imageFragmentFile"),
        address=text_of(alarm, "ipaddr"),
    )


def _record_name(serial: str, plate_id: int | None, taken: int | None, result: dict[str, Any]) -> str:
    """Serial number, plate id and the camera's second: a plate id alone starts again when the camera does."""
    if plate_id is not None:
        return f"{serial}:{plate_id}:{(taken or 0) // 1000}"
    whole = json.dumps({key: value for key, value in result.items() if key != "isoffline"}, sort_keys=True)
    return f"{serial}:{hashlib.sha256(whole.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def _license(result: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    text = _unwrapped(text_of(result, "license"))
    if text in ("", NO_PLATE):
        return "", ()
    first, *others = (part.strip() for part in text.split("|"))
    return first, tuple(part for part in others if part)


def _unwrapped(text: str) -> str:
    """Some firmware sends the licence in base64: told from a plate by decoding to text with a Chinese character."""
    if len(text) < 8 or len(text) % 4 or not text.isascii():
        return text
    try:
        decoded = base64.b64decode(text, validate=True).decode("utf-8")
    except ValueError:
        return text
    return decoded if any("\u4e00" <= letter <= "\u9fff" for letter in decoded) else text


def _taken(result: dict[str, Any]) -> int | None:
    stamp = result.get("timeStamp")
    value = stamp.get("Timeval") if isinstance(stamp, dict) else None
    if not isinstance(value, dict):
        return None
    seconds = integer_of(value, "sec", 0) or 0
    return seconds * 1000 + (integer_of(value, "usec", 0) or 0) // 1000 if 0 < seconds < 1 << 33 else None


def _box(result: dict[str, Any]) -> Box | None:
    location = result.get("location")
    rect = location.get("RECT") if isinstance(location, dict) else None
    if not isinstance(rect, dict):
        return None
    left, top, right, bottom = (integer_of(rect, side, 0) or 0 for side in ("left", "top", "right", "bottom"))
    return Box(left, top, right, bottom) if 0 <= left < right and 0 <= top < bottom else None


def _image(result: dict[str, Any], key: str) -> bytes:
    text = result.get(key, "")
    if not isinstance(text, str):
        raise BadFrameError(f"{key} is not text")
    data = _from_base64("".join(text.split()), key, MAX_IMAGE)
    if data and not data.startswith(JPEG):
        raise BadFrameError(f"{key} is not a JPEG picture")
    return data


def _gio_in(alarm: dict[str, Any]) -> GioIn:
    trigger = object_of(object_of(alarm, "result"), "TriggerResult")
    source, value = integer_of(trigger, "source", None), integer_of(trigger, "value", None)
    if source is None or value is None:
        raise BadFrameError("TriggerResult lacks source or value")
    return GioIn(text_of(alarm, "serialno"), source, value)


def serial_data_of(table: dict[str, Any], serial: str = "") -> SerialData:
    """``dataLen`` is the decoded length in the manual and the base64 length in the field: either is believed."""
    text = text_of(table, "data", limit=MAX_SERIAL_DATA * 2)
    data = _from_base64(text, "serial data", MAX_SERIAL_DATA)
    said = integer_of(table, "dataLen", None)
    if said is not None and said not in (len(data), len(text)):
        raise BadFrameError(f"serial data says {said} bytes and carries {len(data)}")
    return SerialData(integer_of(table, "serialChannel", 0) or 0, data, serial)


def _heartbeat(fields: Mapping[str, str]) -> Heartbeat:
    serial = fields.get("serialno", "")
    if not serial:
        raise BadFrameError("camera heartbeat without serialno")
    return Heartbeat(serial[:MAX_TEXT], fields.get("device_name", "")[:MAX_TEXT])


def _multipart_fields(body: bytes, content_type: str) -> dict[str, str]:
    if len(body) > MAX_HEARTBEAT:
        raise BadFrameError(f"camera heartbeat of {len(body)} bytes; at most {MAX_HEARTBEAT} are taken")
    if any(ord(letter) < 32 or ord(letter) > 126 for letter in content_type):
        raise BadFrameError("camera heartbeat with a strange content type")
    head = f"Content-Type: {content_type}\r\n\r\n".encode("ascii")
    try:
        message = BytesParser().parsebytes(head + body)
    except RecursionError as exc:
        raise BadFrameError("camera heartbeat with too many parts within parts") from exc
    parts = message.get_payload()
    if not isinstance(parts, list):
        raise BadFrameError("camera heartbeat is not multipart as it says")
    fields = {}
    for part in (item for item in parts if isinstance(item, Message)):
        name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(payload, bytes):
            fields[name] = payload.decode("utf-8", "replace").strip()
    return fields


def _form_fields(body: bytes) -> dict[str, str]:
    if len(body) > MAX_HEARTBEAT:
        raise BadFrameError(f"camera heartbeat of {len(body)} bytes; at most {MAX_HEARTBEAT} are taken")
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=64))
    except ValueError as exc:
        raise BadFrameError("camera heartbeat with too many fields") from exc


def object_of(table: dict[str, Any], key: str) -> dict[str, Any]:
    value = table.get(key)
    if not isinstance(value, dict):
        raise BadFrameError(f"{key} is missing or not an object")
    return value


def text_of(table: dict[str, Any], key: str, limit: int = MAX_TEXT) -> str:
    value = table.get(key, "")
    if not isinstance(value, str) or len(value) > limit:
        raise BadFrameError(f"{key} is not text of at most {limit} characters")
    return value.strip()


def integer_of(table: dict[str, Any], key: str, default: int | None) -> int | None:
    """A whole number; firmware that quotes its numbers is believed too."""
    value = table.get(key, default)
    if isinstance(value, str) and len(value) <= 20 and value.strip().lstrip("-").isdecimal() and value.isascii():
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is not None and (not isinstance(value, int) or abs(value) >= 1 << 63):
        raise BadFrameError(f"{key} is not a whole number")
    return value


def _from_base64(text: str, what: str, limit: int) -> bytes:
    if len(text) > (limit + 2) // 3 * 4:
        raise BadFrameError(f"{what} is larger than {limit} bytes")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise BadFrameError(f"{what} is not base64") from exc
