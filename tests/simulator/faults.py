"""Deliberate faults: mistakes somebody could make one day, each put in at one place, each to be caught by the worlds.

If a fault is not caught, the simulator is blind there and is repaired first.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from cloud.sync import agent as cloud_agent
from domain.moment import Moment
from domain.sync.batch import Batch
from domain.sync.channel import Part, Step
from domain.sync.inbox import Apply, Nak, Verdict, judge
from domain.wire import Json, digest_bytes, whole
from edge.db import channels, leases, log
from edge.db.database import transaction
from edge.services import leases as lease_service
from edge.sync import agent as edge_agent
from tests.simulator.nodes import CloudNode, Down


@dataclass(frozen=True, slots=True)
class Fault:
    """A mistake to put into the product, and the promises of which one must be seen to break."""

    inject: Callable[[], Any]
    breaks: tuple[str, ...]


FAULTS: dict[str, Fault] = {}


def fault(*breaks: str) -> Callable[[Callable[[], Iterator[None]]], Callable[[], Iterator[None]]]:
    """Register a context manager as a fault that breaks one of these promises."""

    def register(inject: Callable[[], Iterator[None]]) -> Callable[[], Iterator[None]]:
        FAULTS[inject.__name__] = Fault(contextmanager(inject), breaks)
        return inject

    return register


@fault("I5")
def gap_accepted() -> Iterator[None]:
    """The cloud applies events that come after a hole in the log."""

    def lax(cursor: Any, batch: Batch, hashes: list[bytes], hash_at: Any) -> Verdict:
        verdict = judge(cursor, batch, hashes, hash_at)
        return Apply(batch.start, 0) if isinstance(verdict, Nak) and verdict.why == "gap" else verdict

    with patch.object(cloud_agent, "judge", lax):
        yield


@fault("I7")
def ack_before_commit() -> Iterator[None]:
    """The cloud's answers leave before the transaction they speak of is committed."""

    def received(self: CloudNode, worker: int, edge: str, kind: str, payload: bytes) -> list[Down]:
        sent: list[Down] = []
        now_ms = self.clock.now().wall_ms
        self.do(lambda conn: sent.extend(self.workers[worker].received(conn, edge, kind, payload, now_ms)))
        return sent

    with patch.object(CloudNode, "received", received):
        yield


@fault("I17")
def part_visible_before_the_last() -> Iterator[None]:
    """The edge shows the rows of a part as soon as it has it."""
    take = channels.take

    def eager(conn: sqlite3.Connection, part: Part) -> bool:
        if part.parts > 1 and part.start <= channels.version(conn, part.channel) < part.end:
            live = tuple(row for row in part.rows if row.value is not None)
            channels._write(conn, part.channel, Step(live, (), []))
        return take(conn, part)

    with patch.object(channels, "take", eager):
        yield


@fault("I4")
def grant_applied_twice() -> Iterator[None]:
    """A grant that arrives again counts again."""

    def insert(conn: sqlite3.Connection, held: leases.HeldLease, epoch: int) -> bool:
        again = "UPDATE lease SET granted = granted + ? WHERE lease_id = ?"
        if conn.execute(again, (held.lease.granted, held.lease.lease_id)).rowcount == 0:
            return original(conn, held, epoch)
        return True

    def carry_out(db: Any, handlers: Any, message: Json, now: Moment) -> None:
        with transaction(db) as conn:
            conn.execute("DELETE FROM cmd_log WHERE cmd_seq = ?", (whole(message, "cmd_seq"),))
        faithful(db, handlers, message, now)

    original, faithful = leases.insert, edge_agent.carry_out
    with patch.object(lease_service.leases, "insert", insert), patch.object(edge_agent, "carry_out", carry_out):
        yield


@fault("I18", "I7", "I6")
def ack_for_a_wrong_history_believed() -> Iterator[None]:
    """The edge takes an ack at its word without comparing the hash."""

    def on_ack(self: Any, message: Json, now: Moment) -> list[Any]:
        if not self._is_ours(message):
            return []
        seq, head = whole(message, "s"), digest_bytes(message, "h")
        if self._uplink.acked(self._uplink.epoch, seq, whole(message, "win")):
            with transaction(self._db) as conn:
                log.set_acked(conn, log.Position(self._uplink.epoch, seq, head), [])
        out: list[Any] = self._batches(now)
        return out

    with patch.object(edge_agent.EdgeAgent, "_on_ack", on_ack):
        yield


@fault("I18")
def signatures_not_checked_at_the_edge() -> Iterator[None]:
    """Whoever reaches the broker may speak as the cloud."""
    with patch.object(edge_agent, "is_genuine", lambda *_: True):
        yield
