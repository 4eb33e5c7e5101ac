"""Hikvision ANPR cameras over ISAPI: we follow their event stream (``hikvision``) or they push (``hikvision_push``)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from drivers.base import BadFrameError, DeviceError, DeviceUnreachableError, ListedCar, LoopChange, PlateRead
from drivers.camera.hikvision_codec import JPEG, MAX_BODY, InputEvent, PlateEvent, parse_event
from drivers.camera.hikvision_gather import Gatherer
from drivers.camera.hikvision_list import WORDS, AllowList
from drivers.camera.pushed import PARSE_IN_THREAD, Answer, Inbox, InboxOptions, check_secret, secret_of
from drivers.isapi import Isapi, IsapiOptions, isapi_of
from drivers.multipart import MultipartStream, Part, boundary_of, split_body
from drivers.wiring import Wiring

log = logging.getLogger(__name__)

STREAM = "/ISAPI/Event/notification/alertStream"
OK = b'<?xml version="1.0" encoding="UTF-8"?><ResponseStatus><statusCode>1</statusCode></ResponseStatus>'


@dataclass(frozen=True, slots=True, kw_only=True)
class HikvisionOptions(IsapiOptions):
    """A camera whose event stream is followed."""

    channel: int = 1
    wait_pictures_ms: int = 300  # a plate waits this long for its pictures before the lane hears of it
    lost_after_seconds: int = 60  # silence of the stream; its heartbeat comes every few seconds
    dedupe_minutes: int = 60
    accept_from: int = 0  # confidence 0-100 from which a read may open by itself
    list_word: str = WORDS[0]  # what its firmware calls its list of cars that may pass

    def __post_init__(self) -> None:
        self.inbox()
        if self.list_word not in WORDS:
            raise ValueError(f"list_word is {self.list_word!r}; {' and '.join(WORDS)} are known")

    def inbox(self) -> InboxOptions:
        """The part that every camera has. Raises ValueError."""
        return InboxOptions(
            dedupe_minutes=self.dedupe_minutes,
            lost_after_seconds=self.lost_after_seconds,
            accept_from=self.accept_from,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HikvisionPushOptions(InboxOptions):
    """A camera set to push (``httpHosts``) to ``/device/SECRET`` of the edge."""

    secret_file: Path
    wait_pictures_ms: int = 300


class EventTaker:
    """From events and pictures, however they came, to the camera's inbox."""

    def __init__(self, name: str, options: InboxOptions, wait_pictures_ms: int) -> None:
        self.name = name
        self.inbox = Inbox(name, options)
        self._gatherer = Gatherer(name, self._emit, wait_pictures_ms / 1000)
        self._bare = ""  # the read told last without a picture

    def take(self, part: Part) -> None:
        """One part of a stream or a push; what cannot be read is logged and costs only itself."""
        if part.body.startswith(JPEG):  # some firmware calls its pictures octet-stream
            self._gatherer.picture(part.name, part.body)
            return
        try:
            event = parse_event(part.body)
        except BadFrameError as exc:
            log.warning("camera %s: %s", self.name, exc)
            return
        if isinstance(event, PlateEvent):
            self._gatherer.event(event)
        elif isinstance(event, InputEvent):
            self.inbox.tell_input(event.source, occupied=event.active)

    def end_of_body(self, parts: list[Part]) -> None:
        """Nothing more comes with this push; a plate announced as the first half of an event still waits a moment."""
        if not any(b"hasMoreData>true" in part.body for part in parts):
            self._gatherer.flush()

    def _emit(self, read: PlateRead) -> None:
        try:
            if self.inbox.put_new(read.read_id, read):
                self._bare = "" if read.image else read.read_id
            elif read.image and read.read_id == self._bare:
                self.inbox.put(read)  # the same read, now with its picture
                self._bare = ""
        except DeviceUnreachableError as exc:
            log.warning("%s", exc)


class HikvisionCamera:
    """Follows one camera's stream while its reads are awaited; call ``reads`` again after a failure."""

    list_batch = 20

    def __init__(self, name: str, options: HikvisionOptions, isapi: Isapi) -> None:
        self.name = name
        self._options = options
        self._isapi = isapi
        self._list = AllowList(isapi, options.channel, options.list_word)
        self._taker = EventTaker(name, options.inbox(), options.wait_pictures_ms)
        self._lost = False

    async def reads(self) -> AsyncIterator[PlateRead]:
        """Reads as they come. Raises DeviceUnreachableError, DeviceRefusedError for the login, BadFrameError."""
        following = asyncio.create_task(self._follow())
        try:
            async for read in self._taker.inbox.reads():
                yield read
        finally:
            following.cancel()

    async def _follow(self) -> None:
        try:
            async with self._isapi.stream(STREAM, self._options.lost_after_seconds) as response:
                parts = MultipartStream(boundary_of(response.headers.get("Content-Type", "")))
                async for chunk in response.content.iter_any():
                    self._came()
                    for part in parts.feed(chunk):
                        self._taker.take(part)
            raise DeviceUnreachableError(f"camera {self.name}: its event stream ended")
        except DeviceError as exc:
            self._went(exc)
            self._taker.inbox.fail(exc)

    async def still_there(self) -> None:
        """Raises DeviceUnreachableError while its stream is lost."""
        if self._lost:
            raise DeviceUnreachableError(f"camera {self.name}: its event stream is lost")

    async def snapshot(self) -> bytes:
        """A JPEG of what it sees now. Raises DeviceError."""
        picture = await self._isapi.request("GET", f"/ISAPI/Streaming/channels/{self._options.channel}01/picture")
        if not picture.startswith(JPEG):
            raise BadFrameError(f"camera {self.name}: its snapshot is not a JPEG picture")
        return picture

    async def set_clock(self, now: datetime) -> None:
        """Set its clock by hand, which also ends an NTP setting of its own. Raises DeviceError."""
        await self._isapi.order("/ISAPI/System/time", time_xml(now))

    async def check(self) -> None:
        """Take a picture and throw it away. Raises DeviceError."""
        await self.snapshot()

    async def list_cars(self, cars: Sequence[ListedCar]) -> None:
        """Write *cars* into its list. Raises DeviceError."""
        await self._list.write(cars)

    async def unlist_cars(self, plates: Sequence[str]) -> None:
        """Strike *plates* out of its list. Raises DeviceError."""
        await self._list.strike_out(plates)

    async def unlisted(self, plates: Sequence[str]) -> set[str]:
        """Which of *plates* it does not hold. Raises DeviceError."""
        return await self._list.missing(plates)

    def input_changes(self, source: int, loop: str) -> AsyncIterator[LoopChange]:
        """Changes of dry contact *source*, numbered as the camera does, while ``reads`` runs."""
        return self._taker.inbox.input_changes(source, loop)

    async def aclose(self) -> None:
        """Nothing to let go: the stream ends with ``reads``."""

    def _came(self) -> None:
        self._taker.inbox.heard()
        if self._lost:
            self._lost = False
            log.info("camera %s is back", self.name)

    def _went(self, exc: DeviceError) -> None:
        if not self._lost:
            self._lost = True
            log.warning("camera %s: lost (%s)", self.name, exc)


class HikvisionPushCamera:
    """Takes one camera's pushes: multipart with an event and its pictures, or a bare event."""

    max_body = MAX_BODY

    def __init__(self, name: str, options: HikvisionPushOptions, secret: str) -> None:
        self.name = name
        self.secret = check_secret(name, secret)
        self.answer_within_s = options.answer_within_ms / 1000
        self._taker = EventTaker(name, options, options.wait_pictures_ms)

    async def push(self, body: bytes, content_type: str, remote: str) -> Answer:
        """Take one push. Raises BadFrameError, DeviceRefusedError if not allowed, DeviceUnreachableError if full."""
        inbox = self._taker.inbox
        inbox.check_address(remote)
        inbox.check_room()
        parts = await _parts(body, content_type)
        inbox.heard(remote)
        for part in parts:
            self._taker.take(part)
        self._taker.end_of_body(parts)
        return Answer(OK, "application/xml")

    async def still_there(self) -> None:
        """Raises DeviceUnreachableError when its port does not answer."""
        await self._taker.inbox.still_there()

    def reads(self) -> AsyncIterator[PlateRead]:
        """Reads in order of arrival; a silent camera just says nothing."""
        return self._taker.inbox.reads()

    def input_changes(self, source: int, loop: str) -> AsyncIterator[LoopChange]:
        """Changes of dry contact *source*, numbered as the camera does."""
        return self._taker.inbox.input_changes(source, loop)

    async def aclose(self) -> None:
        """Nothing to let go: the listener belongs to the edge."""


def time_xml(now: datetime) -> bytes:
    """Local time and zone as ISAPI writes them: POSIX zones count the other way round, so China is CST-8."""
    minutes = round((now.utcoffset() or timedelta()).total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    zone = f"CST{'-' if minutes >= 0 else '+'}{hours}:{rest:02d}:00"
    return (
        '<?xml version="1.0" encoding="UTF-8"?><Time version="2.0" xmlns="http://www.hikvision.com/ver20/XMLSchema">'
        f"<timeMode>manual</timeMode><localTime>{now.isoformat(timespec='seconds')}</localTime>"
        f"<timeZone>{zone}</timeZone></Time>"
    ).encode()


async def _parts(body: bytes, content_type: str) -> list[Part]:
    if not content_type.lower().lstrip().startswith("multipart/"):
        return [Part("", content_type, body)]
    if len(body) > PARSE_IN_THREAD:
        return await asyncio.to_thread(split_body, body, content_type)
    return split_body(body, content_type)


async def open_hikvision(options: HikvisionOptions, wiring: Wiring) -> HikvisionCamera:
    """A camera whose stream is opened by ``reads``. Raises BadOptionsError without its password."""
    return HikvisionCamera(wiring.name, options, isapi_of(f"camera {wiring.name}", options))


async def open_hikvision_push(options: HikvisionPushOptions, wiring: Wiring) -> HikvisionPushCamera:
    """A camera that waits for pushes. Raises BadOptionsError without its secret."""
    secret = secret_of(f"camera {wiring.name}", options.secret_file)
    return HikvisionPushCamera(wiring.name, options, secret)
