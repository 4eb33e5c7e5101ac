"""Vzenith 臻识 camera over MQTT: it publishes what it reads to a broker of the lot, and takes orders from there.

An order is published once and at QoS 0: neither broker nor camera keeps it or sends it again, so nothing opens late or
twice. The camera's reply says that it was taken.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from drivers.base import (
    BadFrameError,
    DeviceRefusedError,
    DeviceUnreachableError,
    Fault,
    ListedCar,
    LoopChange,
    PlateRead,
)
from drivers.camera.pushed import PARSE_IN_THREAD, Freshness, Inbox, InboxOptions, secret_of
from drivers.camera.reach import PAGE_PORT
from drivers.camera.vzenith import read_of
from drivers.camera.vzenith_codec import GioIn, PlateResult
from drivers.camera.vzenith_mqtt_codec import (
    KEEP_ALIVE,
    LIST,
    OUTPUT,
    SERIAL,
    SET_TIME,
    SNAPSHOT,
    TAKEN,
    TOPICS,
    TRIGGER,
    Picture,
    Taken,
    asked_body,
    command,
    is_listed,
    listed_body,
    output_body,
    parse_reply,
    parse_up,
    serial_body,
    struck_body,
    time_body,
)
from drivers.camera.vzenith_orders import Order
from drivers.wiring import Wiring
from plumbing.backoff import full_jitter
from plumbing.mqtt import Message, MqttError, MqttLink, MqttOptions

log = logging.getLogger(__name__)

CONNECT_S = 5.0
LONGEST_WAIT_S = 5.0  # between two tries: this broker is the lot's own
EXPIRES_S = 2  # a broker that speaks MQTT 5 throws an order away after this
PULSE_BOTH = 2  # gpio_in: closed and opened again


@dataclass(frozen=True, slots=True, kw_only=True)
class VzenithMqttOptions:
    """A camera set to the lot's own broker, by the serial number its topics carry."""

    serial: str
    broker_host: str = "127.0.0.1"
    broker_port: int = 1883
    user: str = ""
    password_file: Path | None = None
    topics: str = TOPICS
    reply_within_ms: int = 1000
    live_within_s: int = 60  # an older record opens nothing; 0: all are live
    lost_after_seconds: int = 90
    dedupe_minutes: int = 60
    accept_from: int = 0
    reach: str = ""  # host:port that answers while it is there; "" its page at the address it names, "off" nothing
    page_port: int = PAGE_PORT

    def __post_init__(self) -> None:
        self.inbox()
        if not self.serial or set(self.serial) & set("/+#"):
            raise ValueError(f"serial is {self.serial!r}; it is the camera's serial number, as in fe71e106-57263272")
        if "{sn}" not in self.topics or set(self.topics) & set("+#"):
            raise ValueError(f"topics is {self.topics!r}; it must hold {{sn}} and no wildcard, as in {TOPICS}")
        if bool(self.user) != bool(self.password_file):
            raise ValueError("user and password_file belong together")
        if not 100 <= self.reply_within_ms <= 10_000:
            raise ValueError(f"reply_within_ms is {self.reply_within_ms}; 100 to 10000 is taken")

    def inbox(self) -> InboxOptions:
        """The part that every camera has. Raises ValueError."""
        return InboxOptions(
            dedupe_minutes=self.dedupe_minutes,
            lost_after_seconds=self.lost_after_seconds,
            accept_from=self.accept_from,
            reach=self.reach,
            page_port=self.page_port,
        )


class VzenithMqttCamera:
    """Connected from ``start`` to ``aclose``; while the broker is away ``reads`` and orders fail, the lot goes on."""

    takes_orders_always = True
    list_batch = 20

    def __init__(
        self, name: str, options: VzenithMqttOptions, password: str = "", clock: Callable[[], float] = time.time
    ) -> None:
        self.name = name
        self.options = options
        self._topics = options.topics.replace("{sn}", options.serial)
        self._clock = clock
        self._fresh = Freshness(
            name, options.live_within_s, clock, "wait for the hour when its clock is set, or set it,"
        )
        self._inbox = Inbox(name, options.inbox())
        self._asked: dict[str, asyncio.Future[Taken]] = {}
        self._pictures: list[asyncio.Future[bytes]] = []
        self._stack = AsyncExitStack()
        self._link = MqttLink(
            MqttOptions(
                options.broker_host,
                options.broker_port,
                f"lotgate-{name}-{secrets.token_hex(4)}",  # two of one name would throw each other out
                options.user or None,
                password or None,
                subscriptions=(f"{self._topics}/up/+", f"{self._topics}/down/+/reply"),
            ),
            backoff=full_jitter(0.5, LONGEST_WAIT_S),
            on_state=self._link_changed,
        )

    async def start(self) -> None:
        """Begin to connect, and go on until ``aclose``."""
        await self._stack.enter_async_context(self._link)
        listening = asyncio.create_task(self._listen(), name=f"camera {self.name}")
        self._stack.push_async_callback(_ended, listening)

    async def reads(self) -> AsyncIterator[PlateRead]:
        """Reads in order of arrival; a silent camera just says nothing. Raises DeviceUnreachableError."""
        await self._connected()
        async for read in self._inbox.reads():
            yield read

    def input_changes(self, source: int, loop: str) -> AsyncIterator[LoopChange]:
        """Changes of dry contact *source*, from the next message on."""
        return self._inbox.input_changes(source, loop)

    def is_lost(self) -> bool:
        """True when nothing, heartbeats included, came for longer than allowed; logs the change once."""
        return self._inbox.is_lost()

    def expect_orders(self) -> None:
        """Nothing to prepare: an order goes out at once."""

    async def order(self, order: Order) -> None:
        """Have it done, once. DeviceUnreachableError says whether nothing was sent, or nobody knows."""
        for control in order.io:
            await self.ask(OUTPUT, output_body(control))
        if order.serial:
            await self.ask(SERIAL, serial_body(order.serial))
        if order.trigger:
            await self.trigger()

    async def trigger(self) -> None:
        """Have it read now. Raises DeviceError."""
        await self.ask(TRIGGER, {})

    async def set_clock(self, now: datetime) -> None:
        """Set its clock to *now*, read in the zone *now* carries. Raises DeviceError."""
        await self.ask(SET_TIME, time_body(now))

    async def list_cars(self, cars: Sequence[ListedCar]) -> None:
        """Write *cars* into its list. Raises DeviceError."""
        for car in cars:
            await self.ask(LIST, listed_body(car))

    async def unlist_cars(self, plates: Sequence[str]) -> None:
        """Strike *plates* out of its list. Raises DeviceError."""
        for plate in plates:
            await self.ask(LIST, struck_body(plate))

    async def unlisted(self, plates: Sequence[str]) -> set[str]:
        """Which of *plates* it does not hold. Raises DeviceError."""
        return {plate for plate in plates if not is_listed(await self.ask(LIST, asked_body(plate)), plate)}

    async def snapshot(self) -> bytes:
        """A JPEG of now: the command is taken first, the picture comes by itself. Raises DeviceError."""
        coming: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._pictures.append(coming)
        try:
            await self.ask(SNAPSHOT, {})
            async with asyncio.timeout(CONNECT_S):
                return await coming
        except TimeoutError as exc:
            raise DeviceUnreachableError(f"camera {self.name}: it took no picture within {CONNECT_S:.0f} s") from exc
        finally:
            self._pictures.remove(coming)

    async def still_there(self) -> None:
        """Raises DeviceUnreachableError when broker or camera do not answer, or its heartbeats have stopped."""
        if not self._link.connected.is_set():
            raise DeviceUnreachableError(f"camera {self.name}: {self._away()}", Fault.BROKER)
        await self._inbox.still_there()

    async def check(self) -> None:
        """Take a picture and throw it away. Raises DeviceError."""
        await self._connected()
        await self.snapshot()

    async def ask(self, name: str, body: Mapping[str, Any]) -> Taken:
        """Publish one command, never a second time, and wait for the camera's word on it. Raises DeviceError."""
        message_id, taken = secrets.token_hex(8), asyncio.get_running_loop().create_future()
        self._asked[message_id] = taken
        data = command(self.options.serial, name, body, message_id, int(self._clock()))
        try:
            await self._link.publish(f"{self._topics}/down/{name}", data, 0, expiry_seconds=EXPIRES_S)
            async with asyncio.timeout(self.options.reply_within_ms / 1000):
                reply: Taken = await taken
        except MqttError as exc:
            raise DeviceUnreachableError(f"camera {self.name}: nothing was sent; {self._away()}", Fault.BROKER) from exc
        except TimeoutError as exc:
            raise DeviceUnreachableError(
                f"camera {self.name}: no reply to {name}, so nobody knows whether it was done; look at the camera's "
                "MQTT page, its serial number and its power"
            ) from exc
        finally:
            del self._asked[message_id]
        if reply.code != TAKEN:
            raise DeviceRefusedError(f"camera {self.name}: it answered {name} with code {reply.code}")
        return reply

    async def aclose(self) -> None:
        """Leave the broker."""
        await self._stack.aclose()

    async def _connected(self) -> None:
        try:
            async with asyncio.timeout(CONNECT_S):
                await self._link.connected.wait()
        except TimeoutError as exc:
            raise DeviceUnreachableError(f"camera {self.name}: {self._away()}", Fault.BROKER) from exc

    def _away(self) -> str:
        where = f"{self.options.broker_host}:{self.options.broker_port}"
        why = self._link.last_error or "none yet"
        return f"no connection to the broker {where} ({why}); is it on, and user and password_file right?"

    def _link_changed(self, up: bool) -> None:
        if not up:
            self._inbox.fail(DeviceUnreachableError(f"camera {self.name}: {self._away()}", Fault.BROKER))

    async def _listen(self) -> None:
        async for message in self._link.messages():
            try:
                await self._take(message)
            except BadFrameError as exc:
                log.warning("camera %s: %s", self.name, exc)
            except DeviceUnreachableError as exc:  # the lane takes no more; MQTT cannot ask for it again
                log.warning("%s", exc)

    async def _take(self, message: Message) -> None:
        _, way, *rest = message.topic.removeprefix(self._topics).split("/")
        if way == "down":
            self._replied(parse_reply(message.payload))
            return
        if len(message.payload) > PARSE_IN_THREAD:
            said = await asyncio.to_thread(parse_up, rest[0], message.payload, self.options.serial)
        else:
            said = parse_up(rest[0], message.payload, self.options.serial)
        if not message.retain:  # what a broker kept is no sign of life
            self._inbox.heard(said.address if isinstance(said, PlateResult) else "")
            if rest[0] == KEEP_ALIVE:
                self._inbox.beat()
        match said:
            case PlateResult():
                self._inbox.put_new(said.record, self._judged(said, retained=message.retain))
            case GioIn() if not message.retain:
                self._input(said)
            case Picture(image):
                for coming in self._pictures:
                    if not coming.done():
                        coming.set_result(image)

    def _judged(self, result: PlateResult, *, retained: bool) -> PlateRead:
        """Only what the camera saw just now may open: not what it, or the broker, kept."""
        read = read_of(result, self.name)
        live = read.live and not retained and self._fresh.is_live(result.taken_wall_ms)
        return replace(read, live=live)

    def _input(self, said: GioIn) -> None:
        self._inbox.tell_input(said.source, occupied=bool(said.value))
        if said.value == PULSE_BOTH:
            self._inbox.tell_input(said.source, occupied=False)

    def _replied(self, taken: Taken) -> None:
        waiting = self._asked.get(taken.id)
        if waiting is not None and not waiting.done():
            waiting.set_result(taken)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def open_vzenith_mqtt(options: VzenithMqttOptions, wiring: Wiring) -> VzenithMqttCamera:
    """A camera whose broker is being looked for. Raises BadOptionsError without its password."""
    name = f"camera {wiring.name}"
    password = secret_of(name, options.password_file, "password_file") if options.password_file else ""
    camera = VzenithMqttCamera(wiring.name, options, password)
    await camera.start()
    return camera
