"""The agent on a real line: MQTT messages to the database thread and back (sync §3)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace

from sqlite_utils import Database

from domain.moment import Anchor, Moment
from domain.seeing import ASK, TOLD
from domain.wire import Json, Sign, Verify, pack
from edge.db.database import DiskFullError
from edge.sync.agent import EdgeAgent, Outgoing
from edge.sync.commands import Actuator, Begun, Handler, finish
from edge.sync.seeing import Picture, Seeing, no_picture
from plumbing.mqtt import MqttError, MqttLink, MqttOptions, PublishRefusedError
from plumbing.onethread import OneThread

logger = logging.getLogger(__name__)

TICK_SECONDS = 0.25
LIVE_SECONDS = 2.0
CARS_FIRST_SECONDS = 0.05  # between batches of at most 200 events while cars come and go


class EdgeLink:
    """Keeps the lot in touch with the cloud while ``run`` runs; the lot does not need it to work.

    *wake* may be set by whoever wrote facts, to have them sent at once. *live* gives the state of the lanes for screens
    in the cloud, *picture* the one a car that is here came in by. *on_anchors* is told of every comparison with the
    cloud's clock. While cars are *busy* at the lanes a backlog drains at a few thousand events a second instead of as
    fast as it can.
    """

    def __init__(
        self,
        edge: str,
        broker: MqttOptions,
        thread: OneThread,
        db: Database,
        now: Callable[[], Moment],
        *,
        live: Callable[[], Json],
        on_anchors: Callable[[list[Anchor]], None],
        busy: Callable[[], bool] = lambda: False,
        more: Callable[[], Json] = dict,
        picture: Picture = no_picture,
    ) -> None:
        self._edge, self._thread, self._db, self._now = edge, thread, db, now
        self._live, self._on_anchors, self._busy, self._more = live, on_anchors, busy, more
        self._picture = picture
        self._states: asyncio.Queue[bool] = asyncio.Queue()
        self._mqtt = MqttLink(replace(broker, subscriptions=(f"lg/v1/{edge}/dn/#",)), on_state=self._states.put_nowait)
        self._outgoing: asyncio.Queue[Outgoing] = asyncio.Queue()
        self._agent: EdgeAgent | None = None
        self._actuators: Mapping[str, Actuator] = {}
        self.wake = asyncio.Event()

    @property
    def in_session(self) -> bool:
        """Is the cloud there and answering?"""
        return self._agent is not None and self._agent.in_session

    @property
    def last_error(self) -> str | None:
        """Why there is no connection, for the booth."""
        return self._mqtt.last_error

    async def run(
        self,
        sign: Sign,
        verify_cloud: Verify,
        new_nonce: Callable[[], str],
        handlers: Mapping[str, Handler],
        actuators: Mapping[str, Actuator] | None = None,
    ) -> None:
        """Until cancelled. Raises OutdatedDatabaseError when the cloud refuses this database."""
        self._actuators = actuators or {}
        self._agent = agent = await self._thread.run(
            EdgeAgent,
            self._edge,
            self._db,
            sign,
            verify_cloud,
            new_nonce,
            handlers,
            self._actuators,
            self._more,
        )
        self._seeing = Seeing(self._edge, sign, verify_cloud, self._picture)
        async with self._mqtt, asyncio.TaskGroup() as self._group:
            group = self._group
            group.create_task(self._follow_states(agent), name="sync states")
            group.create_task(self._receive(agent), name="sync receive")
            group.create_task(self._tick(agent), name="sync tick")
            group.create_task(self._deliver(), name="sync deliver")
            group.create_task(self._show_live(), name="sync live")

    async def _follow_states(self, agent: EdgeAgent) -> None:
        while True:
            if await self._states.get():
                self._send(await self._thread.run(lambda: agent.connected(self._now())))
            else:
                await self._thread.run(agent.disconnected)

    async def _receive(self, agent: EdgeAgent) -> None:
        async for message in self._mqtt.messages():
            kind = message.topic.rpartition("/")[2]
            if kind == ASK:
                self._group.create_task(self._show_picture(message.payload), name="sync picture")
                continue
            try:
                out = await self._thread.run(lambda k=kind, p=message.payload: agent.received(k, p, self._now()))  # type: ignore[misc]
            except DiskFullError:
                logger.error("the disk is full: a message of the cloud could not be kept; it will come again")
                continue
            self._hand_over_anchors(agent)
            self._send(out)
            begun, agent.begun = agent.begun, []
            for command in begun:
                self._group.create_task(self._move(command), name=f"sync {command.kind}")

    async def _show_picture(self, payload: bytes) -> None:
        """Answer a question for a picture, or stay silent: it is not asked again by itself."""
        said = await self._seeing.answer(payload)
        if said is not None:
            with suppress(MqttError):
                await self._mqtt.publish(f"lg/v1/{self._edge}/up/{TOLD}", pack(said), qos=0)

    async def _move(self, command: Begun) -> None:
        """Carry out what is on record as started, and report; if this process dies meanwhile it stays unknown."""
        result = await self._actuators[command.kind](command.body)
        try:
            await self._thread.run(finish, self._db, command, result, self._now())
        except DiskFullError:
            logger.error("the disk is full: what came of command %d is not on record", command.cmd_seq)
        self.wake.set()

    def _hand_over_anchors(self, agent: EdgeAgent) -> None:
        if agent.anchors:
            anchors, agent.anchors = agent.anchors, []
            self._on_anchors(anchors)

    async def _tick(self, agent: EdgeAgent) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK_SECONDS):  # unlike wait_for, never swallows a cancellation
                    await self.wake.wait()
            self.wake.clear()
            if self._mqtt.connected.is_set():
                self._send(await self._thread.run(lambda: agent.tick(self._now())))

    async def _show_live(self) -> None:
        while True:
            await asyncio.sleep(LIVE_SECONDS)
            if self._mqtt.connected.is_set():
                with suppress(MqttError):
                    await self._mqtt.publish(f"lg/v1/{self._edge}/up/live", pack(self._live()), qos=0)

    def _send(self, out: list[Outgoing]) -> None:
        for sent in out:
            self._outgoing.put_nowait(sent)

    async def _deliver(self) -> None:
        """Publish in order, without waiting for one before the next; the agent sends again what is lost.

        Packing a full batch takes milliseconds: it happens on another thread, so that lanes do not wait for it.
        """
        while True:
            sent = await self._outgoing.get()
            payload = await asyncio.to_thread(pack, sent.message)
            self._group.create_task(self._publish(sent.kind, payload), name=f"sync {sent.kind}")
            if self._busy():
                await asyncio.sleep(CARS_FIRST_SECONDS)

    async def _publish(self, kind: str, payload: bytes) -> None:
        try:
            await self._mqtt.publish(f"lg/v1/{self._edge}/up/{kind}", payload)
        except PublishRefusedError as exc:
            logger.error("the broker does not let this edge publish: %s", exc)
        except MqttError as exc:
            logger.info("not sent, will be again: %s", exc)
