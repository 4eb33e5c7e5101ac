"""The agent on a real line: messages of all edges in, answers out after the commit (sync §3)."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from cloud.db import Database
from cloud.lots.edges import believed_edges, identity
from cloud.sync.agent import CloudAgent, Outgoing
from cloud.sync.seeing import Seeing
from cloud.sync.tables import channel_version, command
from domain.seeing import TOLD
from domain.wire import BadMessageError, Json, pack, unpack
from plumbing.mqtt import Message, MqttError, MqttLink, MqttOptions
from plumbing.signing import PrivateKey, PublicKey

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.25
GROUP_PURPOSE = b"lotgate-share-group\x00"
UPLINKS = ("lg/v1/+/up/hello", "lg/v1/+/up/ev", "lg/v1/+/up/salvage")
LIVE = ("lg/v1/+/up/live", f"lg/v1/+/up/{TOLD}")  # never shared: every worker shows pages


@dataclass(frozen=True, slots=True)
class Live:
    """What an edge last said of its lanes; for screens only, never for the books.

    *heard_s* is of the monotonic clock: a wall clock that is set puts no lot off line.
    """

    state: Json
    heard_s: float

    @property
    def age_ms(self) -> int:
        """How long ago it said so."""
        return int((time.monotonic() - self.heard_s) * 1000)


class CloudLink:
    """Keeps the cloud in touch with its edges while ``run`` runs."""

    def __init__(
        self,
        broker: MqttOptions,
        db: Database,
        agent: CloudAgent,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        *,
        group: str = "",
        key: PrivateKey,
    ) -> None:
        """*group*: shared by all workers on one database, each message goes to one of them; empty: one worker."""
        uplinks = [f"$share/{group}/{topic}" if group else topic for topic in UPLINKS]
        self._mqtt = MqttLink(replace(broker, subscriptions=uplinks, qos0_subscriptions=LIVE))
        self._db, self._agent, self._now_ms = db, agent, now_ms
        self.wake = asyncio.Event()  # set it after writing something an edge should have at once
        self.live: dict[str, Live] = {}
        self._seeing = Seeing(key, self._public_of, self._ask, self._spawn)

    @property
    def is_connected(self) -> bool:
        """Is there a connection to the broker?"""
        return self._mqtt.connected.is_set()

    @property
    def last_error(self) -> str | None:
        """Why there is none."""
        return self._mqtt.last_error

    async def run(self) -> None:
        """Until cancelled."""
        async with self._mqtt, asyncio.TaskGroup() as self._group:
            group = self._group
            group.create_task(self._receive(), name="cloud sync receive")
            group.create_task(self._push(), name="cloud sync push")

    async def _receive(self) -> None:
        async for message in self._mqtt.messages():
            edge, kind = _address(message)
            if kind == "live":
                self._note_live(edge, message)
            elif kind == TOLD:
                await self._hear_seen(edge, message.payload)
            else:
                self._send(await self._act_on(edge, kind, message.payload))

    async def _act_on(self, edge: str, kind: str, payload: bytes) -> list[Outgoing]:
        """What one message calls for. One that breaks us is left unanswered: it must not end the line to the others."""
        try:
            return await self._db.run(self._agent.received, edge, kind, payload, self._now_ms())
        except Exception:
            logger.exception("message %s of edge %s could not be dealt with; nothing of it was kept", kind, edge)
            return []

    async def see(self, edge: str, stay_id: str) -> bytes | None:
        """A small picture of a car inside; None where its lot has none or cannot be asked."""
        return await self._seeing.picture(edge, stay_id) if self.is_connected else None

    def _spawn(self, work: Coroutine[None, None, bytes], name: str) -> asyncio.Task[bytes]:
        return self._group.create_task(work, name=name)

    async def _public_of(self, edge: str) -> PublicKey | None:
        row = await self._db.run(identity, edge)
        return None if row is None else PublicKey.from_raw(row["public_key"])

    async def _ask(self, topic: str, payload: bytes) -> None:
        with suppress(MqttError):  # then nobody answers
            await self._mqtt.publish(topic, payload, qos=0)

    async def _hear_seen(self, edge: str, payload: bytes) -> None:
        """A picture that breaks us is dropped: it must not end the line to the others."""
        try:
            await self._seeing.told(edge, payload)
        except Exception:
            logger.exception("a picture of edge %s could not be dealt with", edge)

    def _note_live(self, edge: str, message: Message) -> None:
        with suppress(BadMessageError):
            self.live[edge] = Live(unpack(message.payload), time.monotonic())

    async def _push(self) -> None:
        """Send what pages and jobs have written for edges."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):  # unlike wait_for, never swallows a cancellation
                    await self.wake.wait()
            self.wake.clear()
            if self.is_connected:
                self._send(await self._db.run(self._due, self._now_ms()))

    def _due(self, conn: Connection, now_ms: int) -> list[Outgoing]:
        behind = select(channel_version.c.edge_id).where(channel_version.c.held_ver < channel_version.c.ver)
        waiting = select(command.c.edge_id).where(command.c.state == "waiting")
        open_for = set(conn.execute(behind.union(waiting)).scalars())
        edges = [edge for edge in believed_edges(conn) if edge in open_for] if open_for else []
        return [sent for edge in edges for sent in self._agent.due(conn, edge, now_ms)]

    def _send(self, out: list[Outgoing]) -> None:
        """Publish in order, without waiting for one before the next; an edge asks again for what is lost."""
        for sent in out:
            self._group.create_task(self._publish(sent), name=f"sync {sent.kind} to {sent.edge}")

    async def _publish(self, sent: Outgoing) -> None:
        try:
            left_s = None if sent.expires_ms is None else max(1, (sent.expires_ms - self._now_ms()) // 1000)
            topic = f"lg/v1/{sent.edge}/dn/{sent.kind}"
            await self._mqtt.publish(topic, pack(sent.message), expiry_seconds=left_s)
        except MqttError as exc:
            logger.warning("an answer did not go out: %s", exc)


def share_group(key: PrivateKey) -> str:
    """A group name only holders of the cloud's *key* can tell.

    A broker may choose a subscriber of the group before it looks at what that one may read: a lot that knew the name
    could swallow the messages of others.
    """
    return f"cloud-{hashlib.sha256(key(GROUP_PURPOSE, b'')).hexdigest()[:24]}"


def _address(message: Message) -> tuple[str, str]:
    """(edge, kind) from the topic, which the broker's ACL protects."""
    _, _, edge, _, kind = message.topic.split("/")
    return edge, kind
