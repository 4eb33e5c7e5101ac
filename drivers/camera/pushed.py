"""What cameras that push have in common: their address on the edge, copies, silence, and reads waiting for the lane."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Protocol, runtime_checkable

from domain.plate import PlateVerdict
from drivers.base import (
    BadOptionsError,
    DeviceError,
    DeviceRefusedError,
    DeviceUnreachableError,
    LoopChange,
    PlateRead,
)
from drivers.camera.reach import PAGE_PORT, Reach, check_given
from plumbing.files import ExposedFileError, read_secret

log = logging.getLogger(__name__)

SHORTEST_SECRET = 16
WAITING_READS = 256  # reads the lane has not taken yet; a camera keeps what is not acknowledged
REMEMBERED = 20_000  # twice what a camera can replay
PARSE_IN_THREAD = 128 * 1024  # bigger bodies carry pictures and would hold the loop for milliseconds


@dataclass(frozen=True, slots=True)
class Answer:
    """What a push is answered with; *sent* is told whether the answer left whole."""

    body: bytes
    content_type: str = "application/json"
    sent: Callable[[bool], None] = lambda whole: None


@runtime_checkable
class Pushing(Protocol):
    """A camera that pushes to ``/device/SECRET`` of the edge."""

    name: str
    secret: str
    max_body: int
    answer_within_s: float

    async def push(self, body: bytes, content_type: str, remote: str) -> Answer:
        """Take one push. Raises BadFrameError, DeviceRefusedError if not allowed, DeviceUnreachableError if full."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxOptions:
    """Who may push, and how long copies and silence are remembered."""

    addresses: tuple[str, ...] = ()  # addresses or networks allowed; empty: any
    dedupe_minutes: int = 60
    lost_after_seconds: int = 90  # three plain heartbeats of 30 s
    answer_within_ms: int = 3000
    reach: str = ""  # host:port that answers while it is there; "" its page where its pushes come from, "off" nothing
    page_port: int = PAGE_PORT
    accept_from: int = 0  # confidence 0-100 from which a read may open by itself; below it a person confirms

    def __post_init__(self) -> None:
        if not 0 <= self.accept_from <= 100:
            raise ValueError(f"accept_from is {self.accept_from}; a confidence is 0 to 100")
        for address in self.addresses:
            ip_network(address, strict=False)
        check_given(self.reach)
        if not 1 <= self.page_port <= 65_535:
            raise ValueError(f"page_port is {self.page_port}; a port is 1 to 65535")


class Inbox:
    """Reads and input changes of one camera on their way to the lane."""

    def __init__(self, name: str, options: InboxOptions, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self._options = options
        self._clock = clock
        self._networks = tuple(ip_network(address, strict=False) for address in options.addresses)
        self._reads: asyncio.Queue[PlateRead | DeviceError] = asyncio.Queue()
        self._seen: OrderedDict[str, float] = OrderedDict()  # record name -> when it was taken
        self._listeners: list[tuple[int, str, asyncio.Queue[LoopChange]]] = []
        self._heard_at = clock()
        self._lost = False
        self._beats = False
        self._reach = Reach(name, options.reach, options.page_port)
        if len(options.addresses) == 1:
            self._reach.learn(options.addresses[0])

    def check_address(self, remote: str) -> None:
        """Raises DeviceRefusedError for an address that is not on the list."""
        if not self._networks:
            return
        with contextlib.suppress(ValueError):  # no address at all (a local socket) is on no list
            if any(ip_address(remote) in network for network in self._networks):
                return
        raise DeviceRefusedError(f"camera {self.name}: address {remote!r} is not on its list")

    def heard(self, address: str = "") -> None:
        """The camera lives; *address* is where it was heard from, or says it is."""
        self._heard_at = self._clock()
        self._reach.learn(address)
        if self._lost:
            self._lost = False
            log.info("camera %s is back", self.name)

    def beat(self) -> None:
        """A heartbeat came: from now on silence means that the camera is gone."""
        self._beats = True

    async def still_there(self) -> None:
        """Raises DeviceUnreachableError when nothing answers at its address, or its heartbeats have stopped.

        Of a camera with neither nothing is known until the next vehicle.
        """
        await self._reach.check()
        if self._beats and self.is_lost():
            raise DeviceUnreachableError(f"camera {self.name}: its heartbeats have stopped")

    def is_lost(self) -> bool:
        """True when nothing, heartbeats included, came for longer than allowed; logs the change once."""
        silent = self._clock() - self._heard_at > self._options.lost_after_seconds
        if silent and not self._lost:
            self._lost = True
            log.warning("camera %s has been silent for %d s", self.name, self._options.lost_after_seconds)
        return silent

    def put_new(self, record: str, read: PlateRead) -> bool:
        """Queue a read unless *record* was taken before; True when it is new. Raises DeviceUnreachableError."""
        if self._is_copy(record):
            return False
        self.put(read)
        self._seen[record] = self._clock()
        return True

    def put(self, read: PlateRead) -> None:
        """Queue a read. Raises DeviceUnreachableError: unanswered, a camera keeps the record and sends it again."""
        self.check_room()
        self._reads.put_nowait(read)

    def check_room(self) -> None:
        """Raises DeviceUnreachableError when the lane takes nothing."""
        if self._reads.qsize() >= WAITING_READS:
            raise DeviceUnreachableError(f"camera {self.name}: the lane has not taken {WAITING_READS} reads")

    def fail(self, error: DeviceError) -> None:
        """Let ``reads`` raise *error* after what came before it."""
        self._reads.put_nowait(error)

    def _is_copy(self, record: str) -> bool:
        oldest_kept = self._clock() - self._options.dedupe_minutes * 60
        while self._seen and (len(self._seen) > REMEMBERED or next(iter(self._seen.values())) < oldest_kept):
            self._seen.popitem(last=False)
        return record in self._seen

    def tell_input(self, source: int, *, occupied: bool) -> None:
        """A dry contact of the camera changed."""
        for wanted, loop, queue in self._listeners:
            if wanted == source:
                queue.put_nowait(LoopChange(loop, occupied=occupied))

    async def reads(self) -> AsyncIterator[PlateRead]:
        """Reads in order of arrival; a silent camera just says nothing."""
        while True:
            try:
                async with asyncio.timeout(self._options.lost_after_seconds / 3):
                    read = await self._reads.get()
            except TimeoutError:
                self.is_lost()
                continue
            if isinstance(read, DeviceError):
                raise read
            yield self._judged(read)

    def _judged(self, read: PlateRead) -> PlateRead:
        """*read* for a person to confirm where the camera was less sure than the lot asks of it."""
        if not read.trusted or read.candidates[0].confidence >= self._options.accept_from:
            return read
        doubted, *others = read.candidates
        return replace(read, candidates=(replace(doubted, verdict=PlateVerdict.ASK), *others))

    async def input_changes(self, source: int, loop: str) -> AsyncIterator[LoopChange]:
        """Changes of dry contact *source*, from the next push on."""
        listener = (source, loop, asyncio.Queue[LoopChange]())
        self._listeners.append(listener)
        try:
            while True:
                yield await listener[2].get()
        finally:
            self._listeners.remove(listener)


class Freshness:
    """Which records are of now, by the camera's own clock, where a protocol does not mark what a camera kept."""

    def __init__(self, name: str, limit_s: int, clock: Callable[[], float], hint: str) -> None:
        self._name, self._limit_s, self._clock, self._hint = name, limit_s, clock, hint
        self._behind = False

    def is_live(self, taken_wall_ms: int | None) -> bool:
        """False for a record older than allowed; a change is logged once."""
        if not self._limit_s or taken_wall_ms is None:
            return True
        age_s = self._clock() - taken_wall_ms / 1000
        behind, self._behind = self._behind, age_s > self._limit_s
        if self._behind and not behind:
            log.warning(
                "camera %s: its records are %d s old and open nothing; %s if they are of now",
                self._name, age_s, self._hint,
            )  # fmt: skip
        return not self._behind


def check_secret(name: str, secret: str) -> str:
    """*secret*, if it is long enough to be one. Raises BadOptionsError."""
    if len(secret) < SHORTEST_SECRET:
        raise BadOptionsError(
            f"camera {name}: its secret must have at least {SHORTEST_SECRET} characters; openssl rand -hex 16 makes one"
        )
    return secret


def secret_of(name: str, path: Path, key: str = "secret_file") -> str:
    """The secret in *path*, which option *key* names. Raises BadOptionsError with what to mend."""
    try:
        return read_secret(path)
    except OSError as exc:
        raise BadOptionsError(f"{name}: {key} {path}: {exc.strerror}") from exc
    except (ValueError, ExposedFileError) as exc:
        raise BadOptionsError(f"{name}: {exc}") from exc
