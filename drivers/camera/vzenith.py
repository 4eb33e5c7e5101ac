"""Vzenith 臻识 camera (and Alphadigi units): it pushes over HTTP, and orders to it can only ride on our answers.

Its relay is moved by nobody but a ``vzenith_io`` barrier that names it: by itself every answer only acknowledges.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from domain.plate import PlateVerdict
from drivers.base import DeviceRefusedError, DeviceUnreachableError, ListedCar, LoopChange, PlateCandidate, PlateRead
from drivers.camera.pushed import PARSE_IN_THREAD, Answer, Inbox, InboxOptions, check_secret, secret_of
from drivers.camera.vzenith_codec import MAX_BODY, GioIn, Heartbeat, PlateResult, VzenithPush, parse_push
from drivers.camera.vzenith_mailbox import LONGEST_HOLD_S, Mailbox, merged, sent
from drivers.camera.vzenith_orders import Order
from drivers.camera.vzenith_reply import LIST_BATCH, ListChange, Reply, answer
from drivers.wiring import Wiring

ORDER_WAIT_S = 1.0  # a camera that polls asks again at once
LIST_SENDS = 3  # most models do not confirm a list change, and some overlook one


@dataclass(frozen=True, slots=True)
class VzenithOptions(InboxOptions):
    """A camera set to push to ``http://EDGE:PORT/device/SECRET``."""

    secret_file: Path  # holds the last part of that address, at least 16 characters
    serials: tuple[str, ...] = ()  # serial numbers allowed; empty: any
    comet: bool = False  # its heartbeat is set to comet polling: each is held until there is an order
    comet_hold_ms: int = 2000

    def __post_init__(self) -> None:
        InboxOptions.__post_init__(self)
        if not 0 < self.comet_hold_ms <= 20_000:
            raise ValueError(f"comet_hold_ms is {self.comet_hold_ms}; 1 to 20000 is taken")


class VzenithCamera:
    """Takes the pushes of one camera; an offline record becomes a read that is not live and can never open."""

    max_body = MAX_BODY
    list_batch = LIST_BATCH

    def __init__(
        self, name: str, options: VzenithOptions, secret: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = name
        self.options = options
        self.secret = check_secret(name, secret)
        self.answer_within_s = (options.answer_within_ms + options.comet_hold_ms) / 1000
        self.takes_orders_always = options.comet
        self._orders_ride_on_plates = False
        self._list_numbers = itertools.count(1)
        self._mailbox = Mailbox(f"camera {name}")
        self._inbox = Inbox(name, options, clock)

    async def push(self, body: bytes, content_type: str, remote: str) -> Answer:
        """Take one push. Raises BadFrameError, DeviceRefusedError if not allowed, DeviceUnreachableError if full."""
        self._inbox.check_address(remote)
        if len(body) > PARSE_IN_THREAD:
            parsed = await asyncio.to_thread(parse_push, body, content_type)
        else:
            parsed = parse_push(body, content_type)
        if self.options.serials and parsed.serial not in self.options.serials:
            raise DeviceRefusedError(f"camera {self.name}: serial number {parsed.serial!r} is not on its list")
        self._inbox.heard(remote)
        return await self._answer(parsed, hold_s=self._take(parsed))

    def _take(self, parsed: VzenithPush) -> float:
        """Hand on what came; seconds its answer may wait for orders."""
        match parsed:
            case GioIn(source=source, value=value):
                self._inbox.tell_input(source, occupied=bool(value))
            case PlateResult():
                new = self._inbox.put_new(parsed.record, read_of(parsed, self.name))
                return LONGEST_HOLD_S if self._orders_ride_on_plates and new and not parsed.offline else 0.0
            case Heartbeat():
                self._inbox.beat()
                return self.options.comet_hold_ms / 1000 if self.options.comet else 0.0
        return 0.0

    async def _answer(self, parsed: VzenithPush, hold_s: float) -> Answer:
        continue_offline = parsed.plate_id if isinstance(parsed, PlateResult) and parsed.offline else None
        if not hold_s:
            return Answer(answer(parsed, Reply(continue_offline=continue_offline)))
        letters = await self._mailbox.collect(hold_s)
        order = merged(letters)
        reply = Reply(serial=order.serial, io=order.io, trigger=order.trigger, listed=order.listed)
        return Answer(answer(parsed, reply), sent=lambda whole: sent(letters, whole))

    async def order(self, order: Order) -> None:
        """Have the camera do something with its next question. Raises DeviceUnreachableError."""
        await self._mailbox.send(order, ORDER_WAIT_S)

    def expect_orders(self) -> None:
        """From now on a new plate's answer waits for its decision."""
        self._orders_ride_on_plates = True

    async def trigger(self) -> None:
        """Have it read now; only a polling camera can be asked. Raises DeviceUnreachableError."""
        if not self.options.comet:
            raise DeviceUnreachableError(f"camera {self.name}: it can be asked to look only with comet polling")
        await self.order(Order(trigger=True))

    async def list_cars(self, cars: Sequence[ListedCar]) -> None:
        """Write *cars* into its list; only a polling camera can be told. Raises DeviceUnreachableError."""
        await self._change_list(cars=tuple(cars))

    async def unlist_cars(self, plates: Sequence[str]) -> None:
        """Strike *plates* out of its list. Raises DeviceUnreachableError."""
        await self._change_list(gone=tuple(plates))

    async def _change_list(self, cars: tuple[ListedCar, ...] = (), gone: tuple[str, ...] = ()) -> None:
        if not self.options.comet:
            raise DeviceUnreachableError(f"camera {self.name}: its list can be written only with comet polling")
        change = ListChange(next(self._list_numbers), cars, gone)
        for _ in range(LIST_SENDS):
            await self.order(Order(listed=change))

    async def still_there(self) -> None:
        """Raises DeviceUnreachableError when its port does not answer or its heartbeats have stopped."""
        await self._inbox.still_there()

    def is_lost(self) -> bool:
        """True when nothing, heartbeats included, came for longer than allowed; logs the change once."""
        return self._inbox.is_lost()

    def reads(self) -> AsyncIterator[PlateRead]:
        """Reads in order of arrival, each record once within the dedupe window; a silent camera just says nothing."""
        return self._inbox.reads()

    def input_changes(self, source: int, loop: str) -> AsyncIterator[LoopChange]:
        """Changes of dry contact *source*, from the next push on."""
        return self._inbox.input_changes(source, loop)

    async def aclose(self) -> None:
        """Nothing to let go: the listener belongs to the edge."""


def read_of(result: PlateResult, camera: str) -> PlateRead:
    """The lane's view of a plate result. A plate the camera calls fake is for a person to confirm."""
    verdict = PlateVerdict.ASK if result.fake else PlateVerdict.ACCEPT
    candidate = PlateCandidate(result.plate, result.confidence, result.colour, result.box, verdict)
    return PlateRead(
        read_id=result.record,
        camera=camera,
        candidates=(candidate,),  # text "" is a car without a plate, not an empty lane
        live=not result.offline,
        image=result.image,
        crop=result.crop,
        taken_wall_ms=result.taken_wall_ms,
    )


async def open_vzenith(options: VzenithOptions, wiring: Wiring) -> VzenithCamera:
    """A camera that waits for pushes; the edge adds its ``device_routes``. Raises BadOptionsError."""
    return VzenithCamera(wiring.name, options, secret_of(f"camera {wiring.name}", options.secret_file))
