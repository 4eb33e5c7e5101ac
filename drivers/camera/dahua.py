"""Dahua ITC cameras that push over ITSAPI, to an address with a secret or with a Digest login of their own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from domain.plate import PlateVerdict
from drivers.base import DeviceRefusedError, ListedCar, PlateCandidate, PlateRead
from drivers.camera.dahua_codec import ANSWER, MAX_BODY, TollgateInfo, parse_push
from drivers.camera.dahua_list import RedList
from drivers.camera.pushed import PARSE_IN_THREAD, Answer, Freshness, Inbox, InboxOptions, check_secret, secret_of
from drivers.digest import DigestCheck
from drivers.isapi import Isapi, IsapiOptions, isapi_of
from drivers.wiring import Wiring


@dataclass(frozen=True, slots=True, kw_only=True)
class DahuaOptions(InboxOptions):
    """A camera set to push to ``/device/SECRET`` (firmware with a path of its own) or to the bare ITSAPI address."""

    secret_file: Path
    user: str = ""  # for the bare address: the login set on the camera's page
    password_file: Path | None = None
    empty_digest: bool = False  # firmware that sends Digest with empty realm and nonce
    devices: tuple[str, ...] = ()  # DeviceIDs allowed; empty: any
    utc_offset_min: int = 480  # of the camera's clock, whose times carry no zone
    clock_host: str = ""  # where its own page is, for its clock and its list; "": neither is touched
    clock_port: int = 80
    clock_user: str = "admin"
    clock_password_file: Path | None = None
    live_within_s: int = 120  # an older record was kept by the camera and opens nothing; 0: all are live

    def __post_init__(self) -> None:
        InboxOptions.__post_init__(self)
        if bool(self.user) != bool(self.password_file):
            raise ValueError("user and password_file belong together")
        if bool(self.clock_host) != bool(self.clock_password_file):
            raise ValueError("clock_host and clock_password_file belong together")
        if not -720 <= self.utc_offset_min <= 840:
            raise ValueError(f"utc_offset_min is {self.utc_offset_min}; -720 to 840 is taken")


class DahuaCamera:
    """Takes one camera's pushes; up to three of one passage come, and each is a read of the same car."""

    max_body = MAX_BODY
    list_batch = 10

    def __init__(
        self,
        name: str,
        options: DahuaOptions,
        secret: str,
        password: str = "",
        clock: Callable[[], float] = time.time,
        page: Isapi | None = None,
    ) -> None:
        self.name = name
        self.secret = check_secret(name, secret)
        self.login = DigestCheck(options.user, password, empty=options.empty_digest) if options.user else None
        self.answer_within_s = options.answer_within_ms / 1000
        self._options = options
        self._fresh = Freshness(name, options.live_within_s, clock, "set its clock and utc_offset_min")
        self._inbox = Inbox(name, options)
        self._page = page

    async def set_clock(self, now: datetime) -> None:
        """Set its clock, where the lot file says how to reach its page. Raises DeviceError."""
        if self._page is None:
            return
        local = now.astimezone(timezone(timedelta(minutes=self._options.utc_offset_min)))
        path = f"/cgi-bin/global.cgi?action=setCurrentTime&time={local:%Y-%m-%d}%20{local:%H:%M:%S}"
        said = await self._page.request("GET", path)
        if said.strip().lower() != b"ok":
            raise DeviceRefusedError(f"camera {self.name}: it did not take the time")

    async def list_cars(self, cars: Sequence[ListedCar]) -> None:
        """Write *cars* into its list. Raises DeviceError."""
        await self._red_list().write(cars)

    async def unlist_cars(self, plates: Sequence[str]) -> None:
        """Strike *plates* out of its list. Raises DeviceError."""
        await self._red_list().strike_out(plates)

    async def unlisted(self, plates: Sequence[str]) -> set[str]:
        """Which of *plates* it does not hold. Raises DeviceError."""
        return await self._red_list().missing(plates)

    def _red_list(self) -> RedList:
        if self._page is None:
            raise DeviceRefusedError(f"camera {self.name}: set clock_host and clock_password_file for its list")
        return RedList(self._page, self._options.utc_offset_min)

    async def push(self, body: bytes, content_type: str, remote: str) -> Answer:
        """Take one push. Raises BadFrameError, DeviceRefusedError if not allowed, DeviceUnreachableError if full."""
        self._inbox.check_address(remote)
        if len(body) > PARSE_IN_THREAD:
            parsed = await asyncio.to_thread(parse_push, body, self._options.utc_offset_min)
        else:
            parsed = parse_push(body, self._options.utc_offset_min)
        if self._options.devices and parsed.device not in self._options.devices:
            raise DeviceRefusedError(f"camera {self.name}: DeviceID {parsed.device!r} is not on its list")
        self._inbox.heard(remote)
        if isinstance(parsed, TollgateInfo):
            self._inbox.put_new(parsed.record, self._read_of(parsed))
        else:
            self._inbox.beat()
        return Answer(ANSWER)

    def _read_of(self, info: TollgateInfo) -> PlateRead:
        verdict = PlateVerdict.ACCEPT if info.plate else PlateVerdict.ASK
        candidate = PlateCandidate(info.plate, info.confidence, info.colour, verdict=verdict)
        live = self._fresh.is_live(info.taken_wall_ms)
        return PlateRead(info.record, self.name, (candidate,), live, info.image, info.crop, info.taken_wall_ms)

    async def still_there(self) -> None:
        """Raises DeviceUnreachableError when its port does not answer or its heartbeats have stopped."""
        await self._inbox.still_there()

    def is_lost(self) -> bool:
        """True when nothing came for longer than allowed; logs the change once."""
        return self._inbox.is_lost()

    def reads(self) -> AsyncIterator[PlateRead]:
        """Reads in order of arrival; a silent camera just says nothing."""
        return self._inbox.reads()

    async def aclose(self) -> None:
        """Nothing to let go: the listener belongs to the edge."""


async def open_dahua(options: DahuaOptions, wiring: Wiring) -> DahuaCamera:
    """A camera that waits for pushes. Raises BadOptionsError without its secrets."""
    name = f"camera {wiring.name}"
    password = secret_of(name, options.password_file, "password_file") if options.password_file else ""
    return DahuaCamera(wiring.name, options, secret_of(name, options.secret_file), password, page=_page(name, options))


def _page(name: str, options: DahuaOptions) -> Isapi | None:
    if options.clock_password_file is None:
        return None
    login = IsapiOptions(
        host=options.clock_host, port=options.clock_port, user=options.clock_user,
        password_file=options.clock_password_file,
    )  # fmt: skip
    return isapi_of(name, login)
