"""Hikvision ISAPI events, bytes <-> values (EventNotificationAlert in XML or JSON, any namespace). No I/O."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.plate import PlateColour, PlateVerdict
from drivers.base import BadFrameError, PlateCandidate, PlateRead
from drivers.xml import local_name, parse_xml, tree_of

MAX_BODY = 12 * 1024 * 1024  # the event and up to three pictures
MAX_EVENT = 1024 * 1024
MAX_TEXT = 128
MOST_PICTURES = 8
JPEG = b"\xff\xd8"
UNREAD = frozenset({"", "unknown", "none", "noplate", "无车牌", "未识别", "_无_"})

COLOURS: Mapping[str, PlateColour] = {
    "blue": PlateColour.BLUE,
    "yellow": PlateColour.YELLOW,
    "white": PlateColour.WHITE,
    "black": PlateColour.BLACK,
    "green": PlateColour.GREEN,
    "newenergygreen": PlateColour.GREEN,
    "newenergyyellowgreen": PlateColour.YELLOW_GREEN,
    "yellowgreen": PlateColour.YELLOW_GREEN,
}


@dataclass(frozen=True, slots=True)
class PlateEvent:
    """A plate as the camera believes it. *more*: the same event comes again complete; *pictures*: how many follow."""

    record: str  # the same for every copy of one event
    plate: str
    confidence: int
    colour: PlateColour
    direction: str
    live: bool
    more: bool
    pictures: int
    taken_wall_ms: int | None = None

    def read(self, camera: str, pictures: Mapping[str, bytes]) -> PlateRead:
        """The lane's view, with what came of its *pictures* by file name."""
        frame, crop = _frame_and_crop(pictures)
        verdict = PlateVerdict.ACCEPT if self.plate else PlateVerdict.ASK
        candidate = PlateCandidate(self.plate, self.confidence, self.colour, verdict=verdict)
        return PlateRead(self.record, camera, (candidate,), self.live, frame, crop, self.taken_wall_ms)


@dataclass(frozen=True, slots=True)
class InputEvent:
    """A dry contact of the camera, numbered as the camera does."""

    source: int
    active: bool


@dataclass(frozen=True, slots=True)
class OtherEvent:
    """The camera lives: its heartbeat (``videoloss``, ``inactive``) and everything a lane has no use for."""

    kind: str = ""


HikvisionEvent = PlateEvent | InputEvent | OtherEvent


def parse_event(data: bytes) -> HikvisionEvent:
    """One event in XML or JSON. Raises BadFrameError with a sentence that quotes no plate."""
    if len(data) > MAX_EVENT:
        raise BadFrameError(f"camera event of {len(data)} bytes; at most {MAX_EVENT} are taken")
    if data.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"{":
        alert: Mapping[str, Any] = _json_tree(data)
        listed = 0
    else:
        root = parse_xml(data, "camera event")
        alert = tree_of(root)
        listed = sum(local_name(element) == "pictureinfo" for element in root.iter())
    alert = _object(alert, "eventnotificationalert") or alert
    kind = _text(alert, "eventtype").lower()
    if "anpr" in alert:
        return _plate_event(alert, _object(alert, "anpr"), listed)
    if kind == "io":
        source = _number(_text(alert, "inputioportid") or _text(alert, "inputportid"))
        if source is None:
            raise BadFrameError("camera event of an input that does not say which")
        return InputEvent(int(source), _text(alert, "eventstate").lower() == "active")
    return OtherEvent(kind)


def _plate_event(alert: Mapping[str, Any], anpr: Mapping[str, Any], listed: int) -> PlateEvent:
    plate = _text(anpr, "licenseplate")
    said = _number(_text(alert, "picnum"))
    past = _text(alert, "isdataretransmission") == "true" or _text(anpr, "alarmdatatype") == "1"
    return PlateEvent(
        record=_record(alert, anpr),
        plate="" if plate.lower() in UNREAD else plate,
        confidence=min(max(int(_number(_text(anpr, "confidencelevel")) or 0), 0), 100),
        colour=COLOURS.get(_text(anpr, "platecolor").lower(), PlateColour.UNKNOWN),
        direction=_text(_object(anpr, "entranceinfo"), "direction") or _text(anpr, "direction"),
        live=not past,
        more=_text(alert, "hasmoredata") == "true" or _text(anpr, "hasmoredata") == "true",
        pictures=min(int(said) if said is not None else listed, MOST_PICTURES),
        taken_wall_ms=_moment(_text(alert, "datetime")),
    )


def _record(alert: Mapping[str, Any], anpr: Mapping[str, Any]) -> str:
    """Device and UUID; firmware without UUIDs is told apart by what does not change over copies."""
    device = _text(alert, "macaddress") or _text(alert, "ipaddress")
    uuid = _text(alert, "uuid") or _text(anpr, "uuid")
    if uuid:
        return f"{device}:{uuid}"
    parts = [_text(alert, "channelid"), _text(alert, "datetime"), _text(anpr, "licenseplate"), _text(anpr, "line")]
    return f"{device}:{hashlib.sha256('|'.join(parts).encode()).hexdigest()[:32]}"


def _frame_and_crop(pictures: Mapping[str, bytes]) -> tuple[bytes, bytes]:
    """By their names (spelled in more than one way), else the largest is the frame and the smallest the plate."""
    jpegs = {name.lower(): data for name, data in pictures.items() if data.startswith(JPEG)}
    crops = [data for name, data in jpegs.items() if "plate" in name]
    frames = [data for name, data in jpegs.items() if "detection" in name]
    frames += [data for name, data in jpegs.items() if "plate" not in name]
    by_size = sorted(jpegs.values(), key=len)
    frame = frames[0] if frames else (by_size[-1] if by_size else b"")
    crop = crops[0] if crops else (by_size[0] if len(by_size) > 1 else b"")
    return frame, b"" if crop is frame else crop


def _json_tree(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as exc:
        raise BadFrameError("camera event is not JSON") from exc
    lowered = _lowered(value)
    if not isinstance(lowered, dict):
        raise BadFrameError("camera event is not a JSON object")
    return lowered


def _lowered(value: Any, depth: int = 0) -> Any:
    """Names in lower case and plain values as text, as in XML; of a list its first object."""
    if depth > 16:
        raise BadFrameError("camera event nested too deep")
    if isinstance(value, dict):
        return {str(name).lower(): _lowered(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list):
        return _lowered(value[0], depth + 1) if value else ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _object(tree: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = tree.get(name)
    return value if isinstance(value, dict) else {}


def _text(tree: Mapping[str, Any], name: str) -> str:
    value = tree.get(name, "")
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise BadFrameError(f"{name} is not text of at most {MAX_TEXT} characters")
    return value.strip()


def _number(text: str) -> float | None:
    """Firmware writes 98, 98.0 and nothing at all."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < 1_000_000 else None


def _moment(text: str) -> int | None:
    """Milliseconds by the wall clock; None without a zone, for then nobody knows which hour is meant."""
    try:
        taken = datetime.fromisoformat(text)
        return int(taken.timestamp() * 1000) if taken.tzinfo else None
    except (ValueError, OverflowError):
        return None
