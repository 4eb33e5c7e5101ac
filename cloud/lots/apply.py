"""What edges report about cars and lanes, repeated in the cloud's tables in bulk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, bindparam, update

from cloud.bulk import insert_new, upsert_own
from cloud.lots.tables import barrier_opening, debt, debt_move, incident, passage, payment, stay, zone_count
from cloud.sync.context import Applied, ApplyContext, Projection
from domain.events import Envelope, PaymentGivenBack

_OPENED = ("plate_raw", "vehicle_class", "zone", "entry_lane", "entered_ms")
_CLOSED = (
    "plate",
    "exit_lane",
    "left_ms",
    "outcome",
    "cause",
    "fee_fen",
    "discount_fen",
    "waived_fen",
    "paid_fen",
    "owed_fen",
    "closed_at",
)
_NOTHING_YET = {
    "exit_lane": "",
    "left_ms": None,
    "outcome": "",
    "cause": "",
    "fee_fen": 0,
    "discount_fen": 0,
    "waived_fen": 0,
    "paid_fen": 0,
    "owed_fen": 0,
    "closed_at": 0,
}
_NOTHING_BEFORE = {"plate_raw": "", "vehicle_class": "", "zone": "", "entry_lane": "", "entered_ms": None}


def _whose(ctx: ApplyContext) -> dict[str, Any]:
    return {"operator_id": ctx.operator_id, "lot_id": ctx.lot_id}


def stays_opened(conn: Connection, ctx: ApplyContext, applied: Sequence[Applied]) -> None:
    """``stay.opened``: a car is inside."""
    rows = [
        {
            **_whose(ctx),
            **_NOTHING_YET,
            "stay_id": event.stay_id,
            "edge_id": ctx.edge_id,
            "plate": event.plate,
            "plate_raw": event.plate_raw,
            "vehicle_class": event.vehicle_class,
            "zone": event.zone,
            "entry_lane": event.lane,
            "entered_ms": envelope.moment.wall_ms,
        }
        for envelope, event in applied
    ]
    upsert_own(conn, stay, rows, "stay_id", _OPENED)


def stays_corrected(conn: Connection, ctx: ApplyContext, applied: Sequence[Applied]) -> None:
    """``stay.corrected``: the plate was mended at the booth."""
    mend = (
        update(stay)
        .where(stay.c.stay_id == bindparam("of_stay"), stay.c.lot_id == ctx.lot_id)
        .values(plate=bindparam("to_plate"))
    )
    conn.execute(mend, [{"of_stay": event.stay_id, "to_plate": event.plate} for _, event in applied])


def stays_classed(conn: Connection, ctx: ApplyContext, applied: Sequence[Applied]) -> None:
    """``stay.classed``: the car is charged as another class."""
    pick = (
        update(stay)
        .where(stay.c.stay_id == bindparam("of_stay"), stay.c.lot_id == ctx.lot_id)
        .values(vehicle_class=bindparam("to_class"))
    )
    conn.execute(pick, [{"of_stay": event.stay_id, "to_class": event.vehicle_class} for _, event in applied])


def stays_moved(conn: Connection, ctx: ApplyContext, applied: Sequence[Applied]) -> None:
    """``stay.moved``: the car is in another zone; ``zone`` stays the one it entered by."""
    move = (
        update(stay)
        .where(stay.c.stay_id == bindparam("of_stay"), stay.c.lot_id == ctx.lot_id)
        .values(zone_now=bindparam("to_zone"))
    )
    conn.execute(move, [{"of_stay": event.stay_id, "to_zone": event.zone} for _, event in applied])


def zones_counted(conn: Connection, ctx: ApplyContext, applied: Sequence[Applied]) -> None:
    """``zone.counted``: a person counted the cars of a zone."""
    rows = [
        {
            **_whose(ctx),
            "event_id": ctx.event_id(envelope),
            "zone": event.zone,
            "vehicle_class": event.vehicle_class,
            "books": event.books,
            "counted": event.counted,
            "made_by": event.by,
            "reason": event.reason,
            "counted_ms": envelope.moment.wall_ms,
        }
        for envelope, event in applied
    ]
    insert_new(conn, zone_count, rows, "event_id")


def stays_closed(conn: Connection, ctx: ApplyContext, applied: Sequence[Applied]) -> None:
    """``stay.closed``: how it ended, and what was charged, given, taken and left owing."""
    rows = [
        {
            **_whose(ctx),
            **_NOTHING_BEFORE,
            "stay_id": event.stay_id,
            "edge_id": ctx.edge_id,
            "plate": event.plate,
            "exit_lane": event.lane,
            "left_ms": envelope.moment.wall_ms,
            "outcome": event.outcome,
            "cause": event.cause,
            "fee_fen": event.fee_fen,
            "discount_fen": event.discount_fen,
            "waived_fen": event.waived_fen,
            "paid_fen": event.paid_fen,
            "owed_fen": event.owed_fen,
            "closed_at": _place(ctx, envelope),
        }
        for envelope, event in applied
    ]
    upsert_own(conn, stay, rows, "stay_id", _CLOSED)


def stays_reopened(conn: Connection, ctx: ApplyContext, applied: Sequence[Applied]) -> None:
    """``stay.reopened``: its end is taken back, unless it was ended anew by a later event of the same batch."""
    opened = (
        update(stay)
        .where(
            stay.c.stay_id == bindparam("of_stay"),
            stay.c.edge_id == ctx.edge_id,
            stay.c.closed_at < bindparam("before"),
        )
        .values(**_NOTHING_YET)
    )
    conn.execute(opened, [{"of_stay": event.stay_id, "before": _place(ctx, envelope)} for envelope, event in applied])


def _place(ctx: ApplyContext, envelope: Envelope) -> int:
    """Where an event stands in its edge's log, epochs counted."""
    return (ctx.epoch << 40) + envelope.seq


def payments_taken(conn: Connection, ctx: ApplyContext, applied: Sequence[Applied]) -> None:
    """``payment.taken``: money at the booth."""
    rows = [
        {
            **_whose(ctx),
            "payment_id": event.payment_id,
            "stay_id": event.stay_id,
            "method": event.method,
            "amount_fen": event.amount_fen,
            "taken_ms": envelope.moment.wall_ms,
            "taken_by": event.by,
        }
        for envelope, event in applied
    ]
    insert_new(conn, payment, rows, "payment_id")


def cash_refunded(conn: Connection, ctx: ApplyContext, applied: Sequence[Applied]) -> None:
    """``cash.refunded``: a drawer gave cash back, a payment below 0."""
    rows = [
        {
            **_whose(ctx),
            "payment_id": event.refund_id,
            "stay_id": event.stay_id,
            "method": "cash",
            "amount_fen": -event.amount_fen,
            "taken_ms": envelope.moment.wall_ms,
            "taken_by": event.by,
        }
        for envelope, event in applied
    ]
    insert_new(conn, payment, rows, "payment_id")


def payment_given_back(conn: Connection, ctx: ApplyContext, envelope: Envelope, event: PaymentGivenBack) -> None:
    """A part of a payment by phone went back: a payment below 0, by the coupon it went back for."""
    row = {
        **_whose(ctx),
        "payment_id": event.back_id,
        "stay_id": event.stay_id,
        "method": "phone",
        "amount_fen": -event.amount_fen,
        "taken_ms": envelope.moment.wall_ms,
        "taken_by": f"coupon:{event.coupon_id}",
    }
    insert_new(conn, payment, [row], "payment_id")


def debts_recorded(conn: Connection, ctx: ApplyContext, applied: Sequence[Applied]) -> None:
    """``debt.recorded``: a plate owes."""
    rows = [
        {
            **_whose(ctx),
            "debt_id": event.debt_id,
            "stay_id": event.stay_id,
            "plate": event.plate,
            "owed_fen": event.owed_fen,
            "recorded_ms": envelope.moment.wall_ms,
        }
        for envelope, event in applied
    ]
    insert_new(conn, debt, rows, "debt_id")


def debts_moved(conn: Connection, ctx: ApplyContext, applied: Sequence[Applied]) -> None:
    """``debt.moved``: what became of a debt."""
    rows = [
        {
            **_whose(ctx),
            "move_id": event.move_id,
            "debt_id": event.debt_id,
            "kind": event.kind,
            "amount_fen": event.amount_fen,
            "payment_id": event.payment_id,
            "made_by": event.by,
            "reason": event.reason,
            "made_ms": envelope.moment.wall_ms,
        }
        for envelope, event in applied
    ]
    insert_new(conn, debt_move, rows, "move_id")


def _passages(conn: Connection, ctx: ApplyContext, applied: Sequence[Applied], *, is_reversed: bool) -> None:
    rows = [
        {
            **_whose(ctx),
            "event_id": ctx.event_id(envelope),
            "lane": event.lane,
            "decision_id": event.decision_id,
            "plate": event.plate,
            "happened_ms": envelope.moment.wall_ms,
            "is_reversed": is_reversed,
        }
        for envelope, event in applied
    ]
    insert_new(conn, passage, rows, "event_id")


def passages_seen(conn: Connection, ctx: ApplyContext, applied: Sequence[Applied]) -> None:
    """``passage.seen``: a vehicle crossed a lane."""
    _passages(conn, ctx, applied, is_reversed=False)


def passages_reversed(conn: Connection, ctx: ApplyContext, applied: Sequence[Applied]) -> None:
    """``passage.reversed``: it backed out."""
    _passages(conn, ctx, applied, is_reversed=True)


def barriers_opened(conn: Connection, ctx: ApplyContext, applied: Sequence[Applied]) -> None:
    """``barrier.opened``: by a decision or by a person."""
    rows = [
        {
            **_whose(ctx),
            "event_id": ctx.event_id(envelope),
            "lane": event.lane,
            "decision_id": event.decision_id,
            "opened_by": event.by,
            "reason": event.reason,
            "stay_id": event.stay_id,
            "happened_ms": envelope.moment.wall_ms,
        }
        for envelope, event in applied
    ]
    insert_new(conn, barrier_opening, rows, "event_id")


def incidents_raised(conn: Connection, ctx: ApplyContext, applied: Sequence[Applied]) -> None:
    """``incident.raised``: something a person should look at."""
    rows = [
        {
            **_whose(ctx),
            "incident_id": ctx.event_id(envelope),
            "edge_id": ctx.edge_id,
            "code": event.code,
            "lane": event.lane,
            "detail": event.detail,
            "raised_ms": envelope.moment.wall_ms,
        }
        for envelope, event in applied
    ]
    insert_new(conn, incident, rows, "incident_id")


PROJECTIONS: Final[dict[str, Projection]] = {
    "stay.opened": stays_opened,
    "stay.corrected": stays_corrected,
    "stay.classed": stays_classed,
    "stay.moved": stays_moved,
    "stay.closed": stays_closed,
    "stay.reopened": stays_reopened,
    "payment.taken": payments_taken,
    "cash.refunded": cash_refunded,
    "debt.recorded": debts_recorded,
    "debt.moved": debts_moved,
    "passage.seen": passages_seen,
    "passage.reversed": passages_reversed,
    "barrier.opened": barriers_opened,
    "zone.counted": zones_counted,
    "incident.raised": incidents_raised,
}
"""In this order: a stay is opened before it is corrected, moved or closed."""
