"""The machines of the simulated world: the real code over real SQLite, in processes that can die."""

from __future__ import annotations

import itertools
import json
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, insert
from sqlalchemy.pool import StaticPool
from sqlite_utils import Database

from cloud.act import Act
from cloud.coupons import rules
from cloud.coupons import service as coupons
from cloud.db import upgrade
from cloud.lots import edges as lot_edges
from cloud.lots import service as lots
from cloud.lots.tables import edge as edge_table
from cloud.merchants import contracts
from cloud.merchants import service as merchants
from cloud.merchants.service import PaymentMode, SettlementMode
from cloud.sync.agent import CloudAgent
from cloud.sync.agent import Outgoing as Down
from cloud.sync.commands import MOVES
from cloud.sync.tables import edge_cursor
from domain.coupon.limits import Level, Limits
from domain.ids import uuid7
from domain.ledger import Commodity
from domain.moment import Moment
from domain.stay import Direction
from domain.wire import GENESIS, Json
from edge.db import log
from edge.db.database import open_database
from edge.lot import build_lot
from edge.pricelists import LoadedPrices, load_prices
from edge.services.leases import HANDLERS
from edge.services.lot import Lot
from edge.services.recovering import recover
from edge.settings import EdgeSettings
from edge.sync.agent import EdgeAgent
from edge.sync.agent import Outgoing as Up
from edge.sync.commands import close_unfinished, finish
from tests.edge.lots import settings
from tests.simulator.clocks import START_MS, MachineClock, TrueTime
from tests.simulator.crash import Fuse, FusedConnection, Point, SimulatedCrashError, fused_memory
from tests.simulator.keys import FastPublic, key_of
from tests.simulator.violations import ViolationError

T = TypeVar("T")

EDGES = ("e1", "e2", "e3")
OPERATOR = 1
WANTED_MS = 30_000  # 15 s until the cloud gives it up, 15 s from the hello it went out under
MERCHANTS = (1, 2)
TEMPLATES = {1: (1, 2, 3), 2: (4, 5, 6)}  # by merchant: 5 yuan, 1 hour, everything
LIMITED, TOTAL = (1, 4), 6  # templates with a total, over all lots
LANES = (
    lots.LaneSpec("in", Direction.ENTRY, "outside", "main"),
    lots.LaneSpec("out", Direction.EXIT, "main", "outside"),
)
VOUCHERS = frozenset({"voucher.issued", "voucher.redeemed", "voucher.restored", "voucher.voided", "lease.returned"})


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


@cache
def lot_file() -> tuple[EdgeSettings, LoadedPrices]:
    """One zone with a way in and a way out; 5 yuan a started hour, 15 minutes free."""
    with tempfile.TemporaryDirectory() as folder:
        chosen = settings(Path(folder))
        return chosen, load_prices(chosen)


def verify_fast(public: bytes, purpose: bytes, message: bytes, signature: bytes) -> bool:
    return FastPublic(public)(purpose, message, signature)


class EdgeNode:
    """An appliance: its database, its cars and its paper last, its agent and sessions die with the process."""

    def __init__(self, name: str, true: TrueTime, nonces: Iterator[str], randbytes: Callable[[int], bytes]) -> None:
        self.name, self._nonces, self._random = name, nonces, randbytes
        self.lot_id = lot_of(name)
        self.clock = MachineClock(name, true)
        self.key = key_of(name)
        self.conn = edge_connection(name)
        self.fuse = self.conn.fuse
        self.fuse.douse()
        self.conn.deserialize(edge_template())
        self.conn.execute("PRAGMA foreign_keys=ON")
        self.db = Database(self.conn)
        self.agent: EdgeAgent | None = None
        self.lot: Lot | None = None
        self.history: list[bytes] = []  # body of every committed event, seq 1 first: what the world remembers
        self.trade: list[tuple[str, Json]] = []  # type and payload of events that move vouchers and leases
        self.crashes = 0
        self.reads = itertools.count(1)
        self.pulses: Counter[str] = Counter()  # decision -> pulses the barrier was given
        self.moves: Counter[int] = Counter()  # command -> times it moved something
        self.prints: Counter[tuple[int, int]] = Counter()  # voucher -> times it went to the printer
        self.papers: list[str] = []  # tokens that are on paper
        self.asked: dict[str, list[int]] = {}  # plate -> true times at which it stood at the exit

    @property
    def is_running(self) -> bool:
        """Is the process alive?"""
        return self.agent is not None

    def start(self) -> None:
        """A new process over the same database."""
        verify = key_of("cloud").public
        self.agent = EdgeAgent(self.name, self.db, self.key, verify, lambda: next(self._nonces), HANDLERS, MOVES)
        chosen, prices = lot_file()
        chosen = replace(chosen, lot_id=lot_of(self.name), edge=self.name)
        lot = build_lot(chosen, prices, self.key, self.clock.now(), self._new_id)  # type: ignore[arg-type]
        self.lot = replace(lot, verify=verify_fast, cloud_key=key_of("cloud").raw)
        self.do(lambda _: recover(self.db, "0", self.clock.now()))
        self.do(lambda _: close_unfinished(self.db, self.clock.now()))

    def _new_id(self, now: Moment) -> str:
        return uuid7(max(0, now.wall_ms), self._random(10))

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

    def act(self, work: Callable[[Lot, Moment], T]) -> T | None:
        """Run a service in the process."""
        return self.do(lambda _: work(self.lot, self.clock.now()) if self.lot else None)

    def to_printer(self, voucher_id: tuple[int, int]) -> None:
        """Bytes of a voucher go to the printer: committed before, and once in its life (I13)."""
        self.prints[voucher_id] += 1
        with self.looking() as conn:
            row = conn.execute("SELECT state FROM voucher WHERE key_id = ? AND counter = ?", voucher_id).fetchone()
        if self.prints[voucher_id] > 1 or row is None or row[0] != "printing":
            raise ViolationError("I13", f"{self.name}: voucher {voucher_id} printed {self.prints[voucher_id]} times")

    def move(self) -> None:
        """What the cloud asked to be moved is moved: once in its life, and while it is wanted (I22)."""
        begun = self.agent.begun if self.agent else []
        while begun:
            command = begun.pop(0)
            self.moves[command.cmd_seq] += 1
            late_ms = self.clock.true.ms - int(command.body["asked_ms"])
            if self.moves[command.cmd_seq] > 1 or late_ms > WANTED_MS:
                raise ViolationError("I22", f"{self.name}: command {command.cmd_seq} moved {late_ms} ms after it")
            self.do(lambda _, done=command: finish(self.db, done, "opened", self.clock.now()))  # type: ignore[misc]

    def crash(self) -> None:
        """The process dies."""
        if self.conn.in_transaction:
            self.conn.execute("ROLLBACK")
        self.fuse.douse()
        self.agent = None
        self.crashes += 1

    def _remember(self) -> None:
        with self.fuse.held():
            fresh = [body for body, _ in log.bodies(self.conn, 1, len(self.history) + 1, 10_000)]
        self.history += fresh
        for body in fresh:
            event_body = json.loads(body)
            if event_body["t"] in VOUCHERS:
                self.trade.append((event_body["t"], event_body["d"]))

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
    """Three lots, two merchants with money and templates, as the cloud's own services make them."""
    bytes_from = itertools.count(1)
    act = Act(OPERATOR, "admin", START_MS, lambda size: (next(bytes_from) * 2654435761).to_bytes(16)[-size:])
    lots.create_operator(conn, "operator", START_MS)
    for name in EDGES:
        lots.create_lot(conn, act, f"lot {name}", "Asia/Shanghai", 50, LANES)
        values = {"edge_id": name, "operator_id": OPERATOR, "lot_id": lot_of(name), "name": name}
        public = key_of(name).raw
        conn.execute(insert(edge_table).values(**values, state="claimed", created_ms=START_MS, public_key=public))
        conn.execute(
            insert(edge_cursor).values(
                edge_id=name, operator_id=OPERATOR, epoch=1, seq=0, head=GENESIS, told_seq=0, boot="", sid="", caps="[]"
            )
        )
        lot_edges.certify(conn, values, public, START_MS)  # type: ignore[arg-type]
    for merchant_id in MERCHANTS:
        merchants.create_merchant(conn, act, f"merchant {merchant_id}", "13800000000")
        merchants.configure_settlement(conn, act, merchant_id, PaymentMode.PREPAID, SettlementMode.ON_ISSUE)
        for name in EDGES:
            contracts.set_contract(conn, act, merchant_id, lot_of(name))
        merchants.top_up(conn, act, merchant_id, Commodity.FEN, 20_000, 3_000, "")
        merchants.top_up(conn, act, merchant_id, Commodity.MIN, 600, 0, "")
        for kind, value in (("AMOUNT", 500), ("DURATION", 60), ("FULL_WAIVER", 0)):
            coupons.create_template(conn, act, merchant_id, kind.lower(), kind, value)
        rules.set_limits(conn, act, Level.COUPON, TEMPLATES[merchant_id][0], Limits(total=TOTAL))


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


__all__ = ["EDGES", "MERCHANTS", "OPERATOR", "TEMPLATES", "CloudNode", "Down", "EdgeNode", "Up", "lot_of"]
