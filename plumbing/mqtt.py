"""The MQTT 5 link both daemons use: paho's network thread on one side, asyncio on the other.

Each connection is a fresh paho client with a clean start, so nothing old is sent by itself: what was not
acknowledged is the outbox's to send again. Incoming messages are acknowledged to the broker only when the consumer
comes back for the next one, so a slow consumer slows the broker and not the memory of this process.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from plumbing.backoff import Backoff, full_jitter
from plumbing.tls import TlsFiles, client_context

log = logging.getLogger(__name__)

NO_MATCHING_SUBSCRIBERS = 0x10
NOT_AUTHORIZED = 0x87
RECEIVE_MAXIMUM = 100  # messages of QoS 1 the broker may have on the way to us
QOS0_WAITING = 200  # telemetry beyond this is dropped, oldest first
STABLE_SECONDS = 5.0  # a connection that lasted this long starts the next round of waits from the beginning


class MqttError(Exception):
    """The link could not do what it was asked."""


class NotConnectedError(MqttError):
    """No connection, or lost before the broker acknowledged: whether the message arrived is unknown."""


class PublishRefusedError(MqttError):
    """The broker answered a publish with a failure, such as 0x87 "Not authorized"."""

    def __init__(self, topic: str, code: int, name: str) -> None:
        super().__init__(f"{topic}: the broker answered 0x{code:02x} {name}")
        self.code = code


@dataclass(frozen=True, slots=True)
class MqttOptions:
    """Where and as whom to connect. *client_id* is the edge id on edges, as the broker's ACL expects."""

    host: str
    port: int
    client_id: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: TlsFiles | None = None
    utc_now: Callable[[], datetime] | None = None  # by which certificates' dates are checked; None: the system's clock
    subscriptions: Sequence[str] = ()
    qos0_subscriptions: Sequence[str] = ()  # telemetry: dropped rather than kept waiting; must not overlap the others
    keepalive_seconds: int = 20
    connect_seconds: float = 10.0
    max_in_flight: int = 20
    longest_wait_seconds: float = 300.0  # between two tries to connect, after a long silence


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it came; *qos* is that of the delivery."""

    topic: str
    payload: bytes
    qos: int
    retain: bool = False


@dataclass(slots=True)
class _Session:
    client: Client
    ready: asyncio.Future[None]
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    pending: dict[int, asyncio.Future[ReasonCode]] = field(default_factory=dict)
    usable: bool = False
    abandoned: bool = False


@dataclass(frozen=True, slots=True)
class _Delivery:
    message: Message
    client: Client
    mid: int


class MqttLink:
    """Stays connected while its ``async with`` block runs; reconnects with *backoff* for ever."""

    def __init__(
        self,
        options: MqttOptions,
        *,
        backoff: Backoff | None = None,
        on_state: Callable[[bool], None] | None = None,
    ) -> None:
        """*on_state* is called on the event loop with True after subscribing and False after a loss.

        Without *backoff* the waits are drawn with full jitter, up to the options' longest.
        """
        self.options = options
        self.connected = asyncio.Event()
        self.last_error: str | None = None
        self.connections = 0
        self.dropped_qos0 = 0
        self._backoff = backoff or full_jitter(cap=options.longest_wait_seconds)
        self._on_state = on_state
        self._session: _Session | None = None
        self._slots = asyncio.Semaphore(options.max_in_flight)
        self._inbox: deque[_Delivery] = deque()
        self._arrived = asyncio.Event()
        self._qos0_waiting = 0
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> MqttLink:
        self._task = asyncio.create_task(self._keep_connected(), name=f"mqtt {self.options.client_id}")
        self._task.add_done_callback(lambda _task: self._arrived.set())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        task = self._task
        if task is not None:
            task.cancel()
            await asyncio.wait({task})
            if not task.cancelled():
                task.result()  # a bug in here must not pass in silence

    async def publish(
        self, topic: str, payload: bytes, qos: int = 1, *, expiry_seconds: int | None = None, retain: bool = False
    ) -> int:
        """Send and, for QoS 1, wait for the broker's reason code: 0, or 0x10 when nobody listens.

        Waits while *max_in_flight* messages are unacknowledged. Raises NotConnectedError (the message may or may not
        have arrived) and PublishRefusedError.
        """
        async with self._slots:
            session = self._session
            if session is None or not session.usable:
                raise NotConnectedError(self.last_error or "not connected to the broker yet")
            info = session.client.publish(topic, payload, qos, retain, properties=_publish_properties(expiry_seconds))
            if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
                raise NotConnectedError(f"{topic}: not sent ({info.rc.name})")
            if qos == 0:
                return 0
            # The acknowledgement is handed over through the loop, so it cannot come before this line has run.
            acked = session.pending[info.mid] = asyncio.get_running_loop().create_future()
            try:
                code = await acked
            finally:
                session.pending.pop(info.mid, None)
        if code.is_failure:
            raise PublishRefusedError(topic, code.value, code.getName())
        return int(code.value)

    async def messages(self) -> AsyncGenerator[Message, None]:
        """Every message in order, for one consumer; asking for the next one acknowledges the last. Ends at close."""
        while True:
            while not self._inbox:
                self._arrived.clear()
                if self._task is None or self._task.done():
                    return
                await self._arrived.wait()
            delivery = self._inbox.popleft()
            if delivery.message.qos == 0:
                self._qos0_waiting -= 1
            try:
                yield delivery.message
            finally:
                if delivery.message.qos > 0:
                    delivery.client.ack(delivery.mid, delivery.message.qos)  # harmless if its connection is gone

    async def _keep_connected(self) -> None:
        attempt = 0
        while True:
            began = time.monotonic()
            try:
                await self._one_connection()
            except (OSError, MqttError) as exc:
                self._note_error(str(exc) or f"no answer within {self.options.connect_seconds:g} s")
            if time.monotonic() - began >= STABLE_SECONDS:
                attempt = 0
            await asyncio.sleep(self._backoff(attempt))
            attempt += 1

    async def _one_connection(self) -> None:
        loop = asyncio.get_running_loop()
        tls = client_context(self.options.tls, self.options.utc_now) if self.options.tls else None
        session = _Session(_new_client(self.options, tls), loop.create_future())
        self._bind(session, loop)
        try:
            async with asyncio.timeout(self.options.connect_seconds):
                await asyncio.to_thread(self._connect, session)
                await session.ready
            self._went_up(session)
            await session.lost.wait()
        finally:
            self._went_down(session)
            await _close(session.client)

    def _connect(self, session: _Session) -> None:
        client = session.client
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.ReceiveMaximum = RECEIVE_MAXIMUM
        properties.SessionExpiryInterval = 0
        client.connect(
            self.options.host,
            self.options.port,
            self.options.keepalive_seconds,
            clean_start=True,
            properties=properties,
        )
        if not session.abandoned:  # name look-up and TLS may take longer than anybody waited
            client.loop_start()

    def _went_up(self, session: _Session) -> None:
        session.usable = True
        self._session = session
        self.connections += 1
        self.last_error = None
        self.connected.set()
        log.info("connected to the broker at %s:%d", self.options.host, self.options.port)
        if self._on_state is not None:
            self._on_state(True)

    def _went_down(self, session: _Session) -> None:
        was_up, session.usable, session.abandoned = session.usable, False, True
        for waiting in session.pending.values():
            if not waiting.done():
                waiting.set_exception(NotConnectedError("connection lost before the broker acknowledged"))
        if session.ready.done() and not session.ready.cancelled():
            session.ready.exception()  # seen; otherwise asyncio complains that nobody looked
        self._session = None
        self.connected.clear()
        if was_up and self._on_state is not None:
            self._on_state(False)

    def _note_error(self, text: str) -> None:
        if text != self.last_error:
            log.warning("broker %s:%d: %s", self.options.host, self.options.port, text)
        self.last_error = text

    def _bind(self, session: _Session, loop: asyncio.AbstractEventLoop) -> None:
        """Connect paho's callbacks, which run on its own thread, to the event loop."""

        def hand_over(function: Callable[..., None], *args: object) -> None:
            with suppress(RuntimeError):  # the loop is closed: the program is ending
                loop.call_soon_threadsafe(function, *args)

        def on_connect(_c: Client, _u: Any, _f: ConnectFlags, code: ReasonCode, _p: Properties | None) -> None:
            hand_over(self._accepted, session, code)

        def on_subscribe(_c: Client, _u: Any, _mid: int, codes: list[ReasonCode], _p: Properties | None) -> None:
            hand_over(self._subscribed, session, codes)

        def on_publish(_c: Client, _u: Any, mid: int, code: ReasonCode, _p: Properties | None) -> None:
            hand_over(_acknowledged, session, mid, code)

        def on_disconnect(_c: Client, _u: Any, _f: DisconnectFlags, code: ReasonCode, _p: Properties | None) -> None:
            hand_over(self._lost, session, code)

        def on_message(client: Client, _u: Any, raw: MQTTMessage) -> None:
            message = Message(raw.topic, bytes(raw.payload), raw.qos, raw.retain)
            hand_over(self._received, _Delivery(message, client, raw.mid))

        session.client.on_connect = on_connect
        session.client.on_subscribe = on_subscribe
        session.client.on_publish = on_publish
        session.client.on_disconnect = on_disconnect
        session.client.on_message = on_message

    def _accepted(self, session: _Session, code: ReasonCode) -> None:
        if session.ready.done():
            return
        if code.is_failure:
            session.ready.set_exception(MqttError(f"the broker refused the connection: {code.getName()}"))
        elif wanted := _subscriptions(self.options):
            session.client.subscribe(wanted)
        else:
            session.ready.set_result(None)

    def _subscribed(self, session: _Session, codes: list[ReasonCode]) -> None:
        if session.ready.done():
            return
        refused = [
            f"{topic} ({code.getName()})"
            for (topic, _), code in zip(_subscriptions(self.options), codes, strict=False)
            if code.is_failure
        ]
        if refused:
            session.ready.set_exception(MqttError(f"the broker refused to subscribe: {', '.join(refused)}"))
        else:
            session.ready.set_result(None)

    def _lost(self, session: _Session, code: ReasonCode) -> None:
        if not session.ready.done():
            session.ready.set_exception(MqttError(f"connection closed while connecting: {code.getName()}"))
        if session.usable:
            self._note_error(f"connection lost: {code.getName()}")
        session.lost.set()

    def _received(self, delivery: _Delivery) -> None:
        if delivery.message.qos == 0:
            if self._qos0_waiting >= QOS0_WAITING:
                self._drop_oldest_qos0()
            self._qos0_waiting += 1
        self._inbox.append(delivery)
        self._arrived.set()

    def _drop_oldest_qos0(self) -> None:
        for delivery in self._inbox:
            if delivery.message.qos == 0:
                self._inbox.remove(delivery)
                self._qos0_waiting -= 1
                self.dropped_qos0 += 1
                return


def _new_client(options: MqttOptions, tls: ssl.SSLContext | None) -> Client:
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=options.client_id,
        protocol=MQTTProtocolVersion.MQTTv5,
        reconnect_on_failure=False,
        manual_ack=True,
    )
    client.max_inflight_messages_set(options.max_in_flight)
    client.connect_timeout = options.connect_seconds
    client.on_socket_open = _send_at_once
    if options.username is not None:
        client.username_pw_set(options.username, options.password)
    if tls is not None:
        client.tls_set_context(tls)
    return client


def _send_at_once(_client: Client, _user: Any, sock: Any) -> None:
    """An acknowledgement and the message behind it are two small writes: Nagle would hold the second back for 40 ms."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _subscriptions(options: MqttOptions) -> list[tuple[str, SubscribeOptions]]:
    return [(topic, SubscribeOptions(qos=1)) for topic in options.subscriptions] + [
        (topic, SubscribeOptions(qos=0)) for topic in options.qos0_subscriptions
    ]


def _publish_properties(expiry_seconds: int | None) -> Properties | None:
    if expiry_seconds is None:
        return None
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.MessageExpiryInterval = expiry_seconds
    return properties


def _acknowledged(session: _Session, mid: int, code: ReasonCode) -> None:
    waiting = session.pending.get(mid)
    if waiting is not None and not waiting.done():
        waiting.set_result(code)


async def _close(client: Client) -> None:
    """End paho's thread, at once if the peer takes the goodbye, else by shutting the socket."""
    sock = client.socket()
    client.disconnect()
    stopping = asyncio.ensure_future(asyncio.to_thread(client.loop_stop))
    done, _ = await asyncio.wait({stopping}, timeout=1.0)
    if not done:
        if isinstance(sock, socket.socket):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        await stopping
