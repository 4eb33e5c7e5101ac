"""The machines of the simulated world: the real code over real SQLite, in processes that can die."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, insert
from sqlalchemy.pool import StaticPool
from sqlite_utils import Database

from cloud.db import upgrade
from cloud.lots.tables import edge as edge_table
from cloud.lots.tables import lot, operator
from cloud.sync.agent import CloudAgent
from cloud.sync.agent import Outgoing as Down
from cloud.sync.tables import edge_cursor
from domain.wire import GENESIS
from edge.db import log
from edge.db.database import open_database
from edge.services.leases import HANDLERS
from edge.sync.agent import EdgeAgent
from edge.sync.agent import Outgoing as Up
from tests.simulator.clocks import START_MS, MachineClock, TrueTime
from tests.simulator.crash import Fuse, FusedConnection, Point, SimulatedCrashError, fused_memory
from tests.simulator.keys import FastPublic, key_of

T = TypeVar("T")

EDGES = ("e1", "e2", "e3")
OPERATOR = 1


def lot_of(edge: str) -> int:
    """The lot an edge stands at."""
    return EDGES.index(edge) + 1


@cache
def edge_template() -> bytes:
    """A migrated edge database as bytes."""
    db = open_database(":memory:")
    try:
        return db.conn.serialize()
    finally:
        db.close()


@cache
def edge_connection(name: str) -> FusedConnection:
    """One connection an edge name and process: worlds come one after the other."""
    return fused_memory(Fuse())


class EdgeNode:
    """An appliance: its database lasts, its agent and sessions die with the process."""

    def __init__(self, name: str, true: TrueTime, nonces: Iterator[str]) -> None:
        self.name, self._nonces = name, nonces
        self.clock = MachineClock(name, true)
        self.key = key_of(name)
        self.conn = edge_connection(name)
        self.fuse = self.conn.fuse
        self.fuse.douse()
        self.conn.deserialize(edge_template())
        self.conn.execute("PRAGMA foreign_keys=ON")
        self.db = Database(self.conn)
        self.agent: EdgeAgent | None = None
        self.history: list[bytes] = []  # body of every committed event, seq 1 first: what the world remembers
        self.crashes = 0

    @property
    def is_running(self) -> bool:
        """Is the process alive?"""
        return self.agent is not None

    def start(self) -> None:
        """A new process over the same database."""
        verify = key_of("cloud").public
        self.agent = EdgeAgent(self.name, self.db, self.key, verify, lambda: next(self._nonces), HANDLERS)

    def do(self, work: Callable[[EdgeAgent], T]) -> T | None:
        """Run *work* in the process; None when it is dead or dies of it."""
        if self.agent is None:
            return None
        try:
            return work(self.agent)
        except SimulatedCrashError:
            self.crash()
            return None
        finally:
            self._remember()

    def crash(self) -> None:
        """The process dies."""
        if self.conn.in_transaction:
            self.conn.execute("ROLLBACK")
        self.fuse.douse()
        self.agent = None
        self.crashes += 1

    def _remember(self) -> None:
        with self.fuse.held():
            self.history += [body for body, _ in log.bodies(self.conn, 1, len(self.history) + 1, 10_000)]

    @contextmanager
    def looking(self) -> Iterator[sqlite3.Connection]:
        """The database as a bystander sees it, whatever is about to happen to the process."""
        with self.fuse.held():
            yield self.conn


@cache
def cloud_engine() -> tuple[Engine, FusedConnection, bytes]:
    """One engine a process, so that statements are compiled once; the template holds the schema and the lots."""
    raw = fused_memory(Fuse())
    raw.row_factory = None
    engine = create_engine("sqlite://", poolclass=StaticPool, creator=lambda: raw)
    event.listen(engine, "begin", lambda conn: conn.exec_driver_sql("BEGIN IMMEDIATE"))
    upgrade(engine)
    with engine.begin() as conn:
        _furnish(conn)
    template = raw.serialize()
    event.listen(engine, "before_cursor_execute", lambda *_: raw.fuse.burn(Point.STATEMENT))
    return engine, raw, template


def _furnish(conn: Connection) -> None:
    conn.execute(insert(operator).values(operator_id=OPERATOR, name="operator", created_ms=START_MS))
    for name in EDGES:
        number = lot_of(name)
        conn.execute(
            insert(lot).values(
                lot_id=number, operator_id=OPERATOR, name=f"lot {number}", time_zone="Asia/Shanghai", places=50,
                created_ms=START_MS,
            )
        )  # fmt: skip
        conn.execute(
            insert(edge_table).values(
                edge_id=name, operator_id=OPERATOR, lot_id=number, name=name, state="claimed", created_ms=START_MS,
                public_key=key_of(name).raw,
            )
        )  # fmt: skip
        conn.execute(
            insert(edge_cursor).values(
                edge_id=name, operator_id=OPERATOR, epoch=1, seq=0, head=GENESIS, told_seq=0, boot="", sid="", caps="[]"
            )
        )


class CloudNode:
    """The service: one database, two workers that share the messages, both lost in a crash."""

    WORKERS = 2

    def __init__(self, true: TrueTime) -> None:
        self.engine, self.raw, template = cloud_engine()
        self.fuse = self.raw.fuse
        self.fuse.douse()
        if self.raw.in_transaction:
            self.raw.rollback()
        self.raw.deserialize(template)
        self.raw.execute("PRAGMA foreign_keys=ON")
        self.clock = MachineClock("cloud", true)
        self.workers: list[CloudAgent] = []
        self.crashes = 0

    @property
    def is_running(self) -> bool:
        """Is the process alive?"""
        return bool(self.workers)

    def start(self) -> None:
        """New processes over the same database."""
        self.workers = [CloudAgent(key_of("cloud"), FastPublic) for _ in range(self.WORKERS)]

    def do(self, work: Callable[[Connection], T]) -> T | None:
        """Run *work* in one transaction; None when the process is dead or dies of it."""
        if not self.workers:
            return None
        try:
            with self.engine.begin() as conn:
                return work(conn)
        except SimulatedCrashError:
            self.crash()
            return None

    def received(self, worker: int, edge: str, kind: str, payload: bytes) -> list[Down]:
        """What a worker answers, once its transaction is committed."""
        now_ms = self.clock.now().wall_ms
        return self.do(lambda conn: self.workers[worker].received(conn, edge, kind, payload, now_ms)) or []

    def push(self, worker: int, edge: str) -> list[Down]:
        """What a worker finds due for an edge."""
        now_ms = self.clock.now().wall_ms
        return self.do(lambda conn: self.workers[worker].due(conn, edge, now_ms)) or []

    def crash(self) -> None:
        """The processes die."""
        if self.raw.in_transaction:
            self.raw.rollback()
        self.fuse.douse()
        self.workers = []
        self.crashes += 1

    @contextmanager
    def looking(self) -> Iterator[sqlite3.Connection]:
        """The database as a bystander sees it."""
        with self.fuse.held():
            yield self.raw


__all__ = ["EDGES", "OPERATOR", "CloudNode", "Down", "EdgeNode", "Up", "lot_of"]
