"""Applying a run of new events: every one is kept raw, and its effect happens once or it is parked (sync §3)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy import Connection, RowMapping, bindparam, select, update
from sqlalchemy.exc import DataError, IntegrityError

from cloud.bulk import insert_rows
from cloud.lots import incidents as lot_incidents
from cloud.merchants.ledger import OverdrawnError
from cloud.sync.appliers import MONEY, PROJECTIONS
from cloud.sync.context import Applied, ApplyContext
from cloud.sync.errors import CannotApplyError
from cloud.sync.tables import inbox
from domain.events import ChannelApplied, CouponKept, CouponRedeemed, Envelope, VoucherRedeemed, open_envelope
from domain.upcast import read
from domain.wire import GENESIS, BadMessageError, Json

logger = logging.getLogger(__name__)

Parked = dict[int, CannotApplyError]  # seq -> why

_PARKED: Final = (
    select(inbox.c.seq, inbox.c.parked_why)
    .where(inbox.c.edge_id == bindparam("edge"), inbox.c.epoch == bindparam("of"), inbox.c.parked_why.is_not(None))
    .order_by(inbox.c.seq)
)

_USES: Final[dict[str, frozenset[str]]] = {
    "coupons": frozenset({CouponRedeemed.TYPE, CouponKept.TYPE}),
    "vstate": frozenset({VoucherRedeemed.TYPE, CouponKept.TYPE}),
}
"""Events of what a channel withdraws that say it is used, or that it will be."""


def apply_events(
    conn: Connection, ctx: ApplyContext, bodies: Sequence[bytes], hashes: Sequence[bytes], first: int
) -> list[Json]:
    """Store and apply the events *first …* of this edge's log; returns those set aside, as an ack names them."""
    parked: Parked = {}
    decoded = [_read(body, first + place, parked) for place, body in enumerate(bodies)]
    insert_rows(
        conn,
        inbox,
        [
            {
                "edge_id": ctx.edge_id,
                "epoch": ctx.epoch,
                "seq": first + place,
                "operator_id": ctx.operator_id,
                "type": envelope.type if envelope else "",
                "tv": envelope.version if envelope else 0,
                "wall_ms": envelope.moment.wall_ms if envelope else ctx.now_ms,
                "hash": hashes[place],
                "body": bodies[place],
            }
            for place, (envelope, _) in enumerate(decoded)
        ],
    )
    _apply_projections(conn, ctx, decoded, parked)
    _apply_money(conn, ctx, decoded, parked)
    for seq, error in parked.items():
        _mark(conn, ctx.edge_id, ctx.epoch, seq, error)
        _tell_people(conn, ctx, seq, error)
        logger.error("event %s.%d.%d is parked: %s", ctx.edge_id, ctx.epoch, seq, error.why)
    return [{"s": seq, "why": error.why} for seq, error in sorted(parked.items())]


def _mark(conn: Connection, edge_id: str, epoch: int, seq: int, error: CannotApplyError | None) -> None:
    """Note why an event is set aside, or with None that it is not any more."""
    conn.execute(
        update(inbox)
        .where(inbox.c.edge_id == edge_id, inbox.c.epoch == epoch, inbox.c.seq == seq)
        .values(parked_why=error.why if error else None, lease_id=error.lease_id if error else None)
    )


def _incident_of(ctx: ApplyContext, seq: int) -> str:
    return f"{ctx.edge_id}.{ctx.epoch}.{seq}:parked"


def _tell_people(conn: Connection, ctx: ApplyContext, seq: int, error: CannotApplyError) -> None:
    """One incident for a parked event, however often it fails; those behind it on its lease need none of their own."""
    if not error.follows:
        detail = f"event {seq} is set aside: {error.why}"
        lot_incidents.raise_incident(
            conn,
            ctx.operator_id,
            _incident_of(ctx, seq),
            "event_parked",
            detail,
            ctx.now_ms,
            lot_id=ctx.lot_id,
            edge_id=ctx.edge_id,
        )


def _read(body: bytes, seq: int, parked: Parked) -> tuple[Envelope | None, object]:
    """The envelope and event of *body*; what cannot be read is parked, never refused."""
    envelope = None
    try:
        envelope = open_envelope(body)
        if envelope.seq != seq:
            raise BadMessageError(f"says it is event {envelope.seq}")
        return envelope, read(envelope)
    except BadMessageError as exc:
        parked[seq] = CannotApplyError(str(exc))
        return envelope, None


def _apply_projections(
    conn: Connection, ctx: ApplyContext, decoded: Sequence[tuple[Envelope | None, object]], parked: Parked
) -> None:
    groups: dict[str, list[Applied]] = {}
    for envelope, event in decoded:
        if envelope is not None and event is not None and envelope.type in PROJECTIONS:
            groups.setdefault(envelope.type, []).append((envelope, event))
    present = [(project, groups[name]) for name, project in PROJECTIONS.items() if name in groups]
    if _try(conn, lambda: [project(conn, ctx, group) for project, group in present]) is None:
        return
    for project, group in present:  # one of the events is bad: find it
        for applied in group:
            error = _try(conn, lambda p=project, a=applied: p(conn, ctx, [a]))  # type: ignore[misc]
            if error is not None:
                parked[applied[0].seq] = error


def _apply_money(
    conn: Connection, ctx: ApplyContext, decoded: Sequence[tuple[Envelope | None, object]], parked: Parked
) -> None:
    halted: set[int] | None = None
    for envelope, event in decoded:
        if envelope is None or event is None or envelope.type not in MONEY:
            continue
        halted = _halted_leases(conn, ctx.edge_id) if halted is None else halted
        here = {each.type for each, _ in decoded if each is not None and each.seq in parked}
        error = _void_must_wait(conn, ctx, envelope, event, here) or _apply_one(conn, ctx, envelope, event, halted)
        if error is not None:
            parked[envelope.seq] = error
            if error.lease_id is not None:
                halted.add(error.lease_id)


def _apply_one(
    conn: Connection, ctx: ApplyContext, envelope: Envelope, event: object, halted: set[int]
) -> CannotApplyError | None:
    lease_id = getattr(event, "lease_id", None)
    if lease_id in halted:
        return CannotApplyError("an earlier event on this lease is parked", lease_id, follows=True)
    return _try(conn, lambda: MONEY[envelope.type](conn, ctx, envelope, event))


def _void_must_wait(
    conn: Connection, ctx: ApplyContext, envelope: Envelope, event: object, parked_here: set[str]
) -> CannotApplyError | None:
    """The value of what was withdrawn stays where it is while a use of it may be among the parked events."""
    uses = _USES.get(event.channel, frozenset()) if isinstance(event, ChannelApplied) else frozenset()
    if not uses:
        return None
    earlier = select(inbox.c.seq).where(
        inbox.c.edge_id == ctx.edge_id,
        inbox.c.parked_why.is_not(None),
        inbox.c.type.in_(uses),
        (inbox.c.epoch < ctx.epoch) | (inbox.c.seq < envelope.seq),
    )
    if uses & parked_here or conn.execute(earlier.limit(1)).first() is not None:
        return CannotApplyError("an earlier redemption is parked", follows=True)
    return None


def _try(conn: Connection, effect: Callable[[], object]) -> CannotApplyError | None:
    """Run *effect* in a savepoint; None when it holds, else why it was undone."""
    try:
        with conn.begin_nested():
            effect()
    except CannotApplyError as exc:
        return exc
    except (IntegrityError, DataError) as exc:
        return CannotApplyError(f"the database refused it: {exc.orig}")
    except OverdrawnError as exc:
        return CannotApplyError(str(exc))
    return None


def _halted_leases(conn: Connection, edge_id: str) -> set[int]:
    rows = conn.execute(
        select(inbox.c.lease_id).where(
            inbox.c.edge_id == edge_id, inbox.c.parked_why.is_not(None), inbox.c.lease_id.is_not(None)
        )
    )
    return {int(lease_id) for (lease_id,) in rows}


def parked_events(conn: Connection, edge_id: str, epoch: int) -> list[Json]:
    """All events of the epoch that still wait for a person, as an ack names them."""
    rows = conn.execute(_PARKED, {"edge": edge_id, "of": epoch})
    return [{"s": int(seq), "why": why} for seq, why in rows]


def hash_at(conn: Connection, edge_id: str, epoch: int, seq: int) -> bytes | None:
    """The stored chain hash of an event already applied."""
    found = conn.execute(
        select(inbox.c.hash).where(inbox.c.edge_id == edge_id, inbox.c.epoch == epoch, inbox.c.seq == seq)
    ).scalar_one_or_none()
    return None if found is None else bytes(found)


def last_of(conn: Connection, edge_id: str, epoch: int) -> tuple[int, bytes]:
    """Where the events of one epoch end that are held: seq and chain hash."""
    query = select(inbox.c.seq, inbox.c.hash).where(inbox.c.edge_id == edge_id, inbox.c.epoch == epoch)
    found = conn.execute(query.order_by(inbox.c.seq.desc()).limit(1)).one_or_none()
    return (int(found.seq), bytes(found.hash)) if found else (0, GENESIS)


def rerun_parked(conn: Connection, ctx: ApplyContext, by: str) -> int:
    """Apply again what is parked of this edge, in log order; returns how many events are parked no more (I16).

    What is applied now has its incident closed in the name of *by*.
    """
    rows = conn.execute(
        select(inbox)
        .where(inbox.c.edge_id == ctx.edge_id, inbox.c.parked_why.is_not(None))
        .order_by(inbox.c.epoch, inbox.c.seq)
    ).mappings()
    halted: set[int] = set()
    done = 0
    for row in rows.all():
        then = replace(ctx, epoch=row["epoch"])
        error = _rerun(conn, then, row, halted)
        _mark(conn, ctx.edge_id, row["epoch"], row["seq"], error)
        if error is None:
            done += 1
            lot_incidents.settle_incident(conn, _incident_of(then, row["seq"]), by, ctx.now_ms)
            continue
        _tell_people(conn, then, row["seq"], error)
        if error.lease_id is not None:
            halted.add(error.lease_id)
    return done


def _rerun(conn: Connection, ctx: ApplyContext, row: RowMapping, halted: set[int]) -> CannotApplyError | None:
    parked: Parked = {}
    envelope, event = _read(bytes(row["body"]), row["seq"], parked)
    if envelope is None or event is None:
        return parked[row["seq"]]
    error = None
    if envelope.type in PROJECTIONS:
        error = _try(conn, lambda: PROJECTIONS[envelope.type](conn, ctx, [(envelope, event)]))
    if error is None and envelope.type in MONEY:
        waits = _void_must_wait(conn, ctx, envelope, event, set())
        error = waits or _apply_one(conn, ctx, envelope, event, halted)
    return error
