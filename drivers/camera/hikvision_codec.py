"""Hikvision ISAPI events, bytes <-> values (EventNotificationAlert in XML or JSON, any namespace). No I/O."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.plate import PlateColour, PlateVerdict
from drivers.base import BadFrameError, PlateCandidate, PlateRead
from drivers.trees import confidence_in, is_json, json_tree, number_in, object_in, text_in
from drivers.xml import local_name, parse_xml, tree_of

MAX_BODY = 12 * 1024 * 1024  # the event and up to three pictures
MAX_EVENT = 1024 * 1024
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
    if is_json(data):
        alert = json_tree(data, "camera event")
        listed = 0
    else:
        root = parse_xml(data, "camera event")
        alert = tree_of(root)
        listed = sum(local_name(element) == "pictureinfo" for element in root.iter())
    alert = object_in(alert, "eventnotificationalert") or alert
    kind = text_in(alert, "eventtype").lower()
    if "anpr" in alert:
        return _plate_event(alert, object_in(alert, "anpr"), listed)
    if kind == "io":
        source = number_in(alert, "inputioportid")
        source = number_in(alert, "inputportid") if source is None else source
        if source is None:
            raise BadFrameError("camera event of an input that does not say which")
        return InputEvent(int(source), text_in(alert, "eventstate").lower() == "active")
    return OtherEvent(kind)


def _plate_event(alert: Mapping[str, Any], anpr: Mapping[str, Any], listed: int) -> PlateEvent:
    plate = text_in(anpr, "licenseplate")
    said = number_in(alert, "picnum")
    past = text_in(alert, "isdataretransmission") == "true" or text_in(anpr, "alarmdatatype") == "1"
    return PlateEvent(
        record=_record(alert, anpr),
        plate="" if plate.lower() in UNREAD else plate,
        confidence=confidence_in(anpr, "confidencelevel"),
        colour=COLOURS.get(text_in(anpr, "platecolor").lower(), PlateColour.UNKNOWN),
        direction=text_in(object_in(anpr, "entranceinfo"), "direction") or text_in(anpr, "direction"),
        live=not past,
        more=text_in(alert, "hasmoredata") == "true" or text_in(anpr, "hasmoredata") == "true",
        pictures=min(int(said) if said is not None else listed, MOST_PICTURES),
        taken_wall_ms=_moment(text_in(alert, "datetime")),
    )


def _record(alert: Mapping[str, Any], anpr: Mapping[str, Any]) -> str:
    """Device and UUID; firmware without UUIDs is told apart by what does not change over copies."""
    device = text_in(alert, "macaddress") or text_in(alert, "ipaddress")
    uuid = text_in(alert, "uuid") or text_in(anpr, "uuid")
    if uuid:
        return f"{device}:{uuid}"
    parts = [
        text_in(alert, "channelid"),
        text_in(alert, "datetime"),
        text_in(anpr, "licenseplate"),
        text_in(anpr, "line"),
    ]
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


def _moment(text: str) -> int | None:
    """Milliseconds by the wall clock; None without a zone, for then nobody knows which hour is meant."""
    try:
        taken = datetime.fromisoformat(text)
        return int(taken.timestamp() * 1000) if taken.tzinfo else None
    except (ValueError, OverflowError):
        return None
