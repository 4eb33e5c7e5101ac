"""Deliberate faults: mistakes somebody could make one day, each put in at one place, each to be caught by the worlds.

If a fault is not caught, the simulator is blind there and is repaired first.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from sqlalchemy import Connection, literal, select, update

from cloud.act import Act
from cloud.coupons import expiring_papers
from cloud.coupons import service as coupons
from cloud.coupons.tables import coupon
from cloud.lots import edges as lot_edges
from cloud.merchants import leases as cloud_leases
from cloud.merchants import ledger
from cloud.merchants.tables import lease
from cloud.sync import agent as cloud_agent
from cloud.sync import inbox
from cloud.sync.context import ApplyContext
from domain.ledger import AVAILABLE, Commodity, Funds, lease_account, move
from domain.moment import Elapsed, Moment
from domain.sync.batch import Batch
from domain.sync.channel import Part, Step
from domain.sync.inbox import Apply, Known, Nak, Verdict, judge
from domain.wire import Json, digest_bytes, whole
from edge.db import channels, leases, log, vouchers
from edge.db.database import transaction
from edge.services import issuing, limiting, recording, settling
from edge.sync import agent as edge_agent
from edge.sync import commands
from tests.simulator.nodes import CloudNode, Down, EdgeNode


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

    def eager(conn: sqlite3.Connection, part: Part) -> Step | None:
        if part.parts > 1 and part.start <= channels.version(conn, part.channel) < part.end:
            live = tuple(row for row in part.rows if row.value is not None)
            channels._write(conn, part.channel, Step(live, (), []))
        return take(conn, part)

    with patch.object(channels, "take", eager):
        yield


@fault("I4", "I3")
def grant_applied_twice() -> Iterator[None]:
    """A grant that arrives again counts again."""

    def insert(conn: sqlite3.Connection, held: leases.HeldLease, epoch: int) -> bool:
        again = "UPDATE lease SET granted = granted + ? WHERE lease_id = ?"
        if conn.execute(again, (held.lease.granted, held.lease.lease_id)).rowcount == 0:
            return original(conn, held, epoch)
        return True

    def carry_out(db: Any, handlers: Any, moves: Any, message: Json, now: Moment, *, fresh: bool) -> Any:
        if message["kind"] == "lease.grant":
            with transaction(db) as conn:
                conn.execute("DELETE FROM cmd_log WHERE cmd_seq = ?", (whole(message, "cmd_seq"),))
        return faithful(db, handlers, moves, message, now, fresh=fresh)

    original, faithful = leases.insert, commands.carry_out
    with patch.object(leases, "insert", insert), patch.object(edge_agent, "carry_out", carry_out):
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


@fault("I5", "I9", "I3", "I4", "I1", "I2")
def known_events_applied_again() -> Iterator[None]:
    """A batch that comes twice counts twice."""

    def forgetful(cursor: Any, batch: Batch, hashes: list[bytes], hash_at: Any) -> Verdict:
        verdict = judge(cursor, batch, hashes, hash_at)
        return Apply(batch.start, 0) if isinstance(verdict, Known) else verdict

    def again(conn: Connection, ctx: ApplyContext, bodies: Any, hashes: Any, first: int) -> list[Json]:
        query = "SELECT 1 FROM inbox WHERE edge_id = ? AND epoch = ? AND seq = ?"
        if conn.exec_driver_sql(query, (ctx.edge_id, ctx.epoch, first)).first() is None:
            return faithful(conn, ctx, bodies, hashes, first)
        twin = replace(ctx, epoch=ctx.epoch + 1000)  # names for its events that the books do not know yet
        decoded = [inbox._read(body, first + place, {}) for place, body in enumerate(bodies)]
        inbox._apply_money(conn, twin, decoded, {})
        return []

    faithful = inbox.apply_events
    with patch.object(cloud_agent, "judge", forgetful), patch.object(cloud_agent, "apply_events", again):
        yield


@fault("I3", "I4")
def lease_freed_by_timer() -> Iterator[None]:
    """The cloud takes a lease back because it is old, without the edge's word."""

    def refill(conn: Connection, act: Act, edge_id: str, terms: Any = None, *more: Any) -> list[int]:
        for row in conn.execute(
            select(lease).where(lease.c.state == "active", lease.c.granted_ms < act.now_ms - 60_000)
        ):
            account, funds = lease_account(row.lease_id), Funds(row.funds)
            commodity = Commodity(row.commodity)
            held = ledger.held_by(conn, row.merchant_id, account, commodity, funds)
            entry = ledger.Entry(
                row.operator_id, row.merchant_id, act.uuid(), "lease.freed", account, "timer", act.now_ms
            )
            ledger.post(conn, entry, move(account, AVAILABLE, held, commodity, funds))
            conn.execute(update(lease).where(lease.c.lease_id == row.lease_id).values(state="closed", returned=held))
        return original(conn, act, edge_id, terms, *more)

    original = cloud_leases.refill
    with patch.object(cloud_leases, "refill", refill):
        yield


@fault("I3", "I4", "I13")
def counter_and_outbox_in_two_transactions() -> Iterator[None]:
    """Lease and counter are moved in one transaction, voucher and event are written in the next."""

    def write(conn: sqlite3.Connection, *rest: Any) -> None:
        conn.execute("COMMIT")
        conn.execute("BEGIN IMMEDIATE")
        original(conn, *rest)

    original = issuing._write
    with patch.object(issuing, "_write", write):
        yield


@fault("void")
def void_released_too_early() -> Iterator[None]:
    """A voided coupon's value goes back at once, although the lot may not have heard of it."""

    def void(conn: Connection, act: Act, coupon_id: str, reason: str, merchant_id: int | None = None) -> Any:
        refused = original(conn, act, coupon_id, reason, merchant_id)
        if refused is None:
            row = conn.execute(select(coupon.c.edge_id).where(coupon.c.coupon_id == coupon_id)).one()
            coupons.release_voids(conn, row.edge_id, 1 << 40, act.now_ms, "impatience")
        return refused

    original = coupons.void
    with patch.object(coupons, "void", void):
        yield


@fault("total")
def papers_at_lots_forgotten() -> Iterator[None]:
    """The cloud hands out what is left of a total as though no lot could print any of it."""
    with patch.object(cloud_leases, "papers_out", lambda *_: select(literal(0))):
        yield


@fault("total")
def more_papers_than_the_lease_says() -> Iterator[None]:
    """A lot prints for as long as its lease has money."""
    with patch.object(limiting, "papers_left", lambda *_: None):
        yield


@fault("void")
def paper_released_too_early() -> Iterator[None]:
    """The value of a paper past its end goes back at once, although the lot may not have heard of it."""

    def withdraw(conn: Connection, operator_id: int, now_ms: int) -> int:
        withdrawn = original(conn, operator_id, now_ms)
        for edge_id in lot_edges.operator_edges(conn, operator_id):
            expiring_papers.release(conn, edge_id, 1 << 40, now_ms, "impatience")
        return withdrawn

    original = coupons.withdraw_papers
    with patch.object(coupons, "withdraw_papers", withdraw):
        yield


@fault("I10", "I9")
def used_vouchers_not_looked_up() -> Iterator[None]:
    """A voucher is taken as often as it is shown."""

    def use(conn: sqlite3.Connection, key_id: int, counter: int, used: vouchers.Use, now: Moment) -> None:
        conn.execute(
            "INSERT OR IGNORE INTO voucher_used VALUES (?, ?, ?, ?, ?, ?, 0, '', 0)",
            (key_id, counter, used.redemption_id, used.stay_id, used.off_fen, now.wall_ms),
        )

    with patch.object(vouchers, "is_used", lambda *_: False), patch.object(vouchers, "use", use):
        yield


@fault("I13")
def print_repeated_after_a_crash() -> Iterator[None]:
    """A daemon that comes up prints what it was printing when it went down."""

    def start(self: EdgeNode) -> None:
        doubtful = vouchers.in_state(self.conn, "printing")
        for voucher in doubtful:
            self.to_printer((voucher.key_id, voucher.counter))
        original(self)

    original = EdgeNode.start
    with patch.object(EdgeNode, "start", start):
        yield


@fault("I20")
def fee_by_the_wall_clock() -> Iterator[None]:
    """The length of a stay is what the wall clock says."""

    def elapsed(earlier: Moment, later: Moment, *_: object) -> Elapsed:
        return Elapsed(timedelta(milliseconds=max(0, later.wall_ms - earlier.wall_ms)), estimated=False)

    with patch.object(settling, "elapsed", elapsed):
        yield


@fault("I22")
def pulse_not_committed() -> Iterator[None]:
    """The barrier opens on a decision whose pulse was never written down."""
    with patch.object(recording, "reserve_pulse", lambda *_: None):
        yield


@fault("I22")
def opens_whenever_the_command_comes() -> Iterator[None]:
    """What moves something is carried out however old it is."""
    with (
        patch.object(edge_agent.EdgeAgent, "_is_fresh", lambda *_: True),
        patch("edge.sync.commands._is_over", lambda *_: False),
    ):
        yield
