"""May this paper be used here, may one more be printed? The cloud's limits, judged by what this lot knows (S2.24)."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from functools import lru_cache

from domain import voucher
from domain.coupon.limits import Given, Level, Levels, Limits, Over, Taken, Wanted, limits_of, over, paper_over
from domain.coupon.terms import LotWays, ways_of
from domain.decision import Refuse
from domain.moment import Moment
from domain.wire import Json
from edge.db import channels, vouchers
from edge.db.leases import HeldLease
from edge.db.stays import StayRow
from edge.services import bound
from edge.services.lot import Lot


@dataclass(frozen=True, slots=True)
class Limited(Refuse):
    """A limit is in the way; *facts* fill in its words."""

    facts: tuple[tuple[str, str | int], ...] = ()


def ways(conn: sqlite3.Connection, lot: Lot) -> str:
    """The lot's number and its ways with several coupons, for the record of a decision."""
    return _written(lot.lot_id, ways_here(conn, lot))


def ways_here(conn: sqlite3.Connection, lot: Lot) -> LotWays:
    """What this lot does with several coupons, and with one that comes too late."""
    return ways_of(_body(conn, Level.LOT, lot.lot_id))


@lru_cache(maxsize=8)
def _written(lot_id: int, said: LotWays) -> str:
    return said.text(lot_id)


def paper_refusal(
    conn: sqlite3.Connection, lot: Lot, stay: StayRow, payload: voucher.Payload, now: Moment
) -> Refuse | None:
    """Why a printed voucher may not be laid on this stay, or None."""
    if channels.get(conn, "rules", f"no_coupons:{stay.plate}") is not None:
        return Refuse("plate_gets_no_coupons")
    levels = Levels(
        _limits(conn, Level.LOT, lot.lot_id),
        _limits(conn, Level.MERCHANT, payload.merchant_id),
        _limits(conn, Level.COUPON, payload.template_id),
    )
    if levels == Levels():
        return None
    wanted = Wanted(payload.merchant_id, payload.template_id, stay.stay_id, _day(lot, now.wall_ms))
    return _said(over(wanted, _taken(conn, lot, stay, now), _without_totals(levels)))


def print_refusal(conn: sqlite3.Connection, lot: Lot, merchant_id: int, template_id: int, now: Moment) -> Refuse | None:
    """Why no more papers of a template may be printed here; a paper names no plate, so its totals alone count."""
    limits = _limits(conn, Level.COUPON, template_id)
    if limits == Limits():
        return None
    midnight = lot.local(now.wall_ms).replace(hour=0, minute=0, tzinfo=lot.tz)
    given = Given(
        vouchers.count_of_template(conn, template_id, round(midnight.timestamp() * 1000)),
        vouchers.count_of_template(conn, template_id, 0),
    )
    return _said(paper_over(Wanted(merchant_id, template_id, "", _day(lot, now.wall_ms)), limits, given))


def papers_left(conn: sqlite3.Connection, held: HeldLease, template_id: int) -> int | None:
    """How many papers of a template may still be printed from a lease; None where nothing limits them.

    A template that was limited after the lease was granted has none of it until the next lease.
    """
    limits = _limits(conn, Level.COUPON, template_id)
    if held.papers is None or not (limits.total or limits.day_total):
        return None
    return max(0, held.papers.get(template_id, 0) - vouchers.count_of_lease(conn, held.lease.lease_id, template_id))


def _without_totals(levels: Levels) -> Levels:
    """A paper counted towards the totals when it was printed."""
    coupon = levels.coupon
    return Levels(levels.lot, levels.merchant, Limits(per_day=coupon.per_day, no_repeat=coupon.no_repeat))


def _body(conn: sqlite3.Connection, level: Level, subject_id: int) -> Json | None:
    return channels.get(conn, "rules", f"limits:{level}:{subject_id}")


def _limits(conn: sqlite3.Connection, level: Level, subject_id: int) -> Limits:
    return limits_of(_body(conn, level, subject_id))


def _said(broken: Over | None) -> Refuse | None:
    return Limited(broken.code, tuple(broken.facts.items())) if broken else None


def _day(lot: Lot, wall_ms: int) -> str:
    return lot.local(wall_ms).date().isoformat()


def _taken(conn: sqlite3.Connection, lot: Lot, stay: StayRow, now: Moment) -> list[Taken]:
    """What this plate used here, holds by the cloud's list, and has laid on this stay."""
    used = {one.ref: one for one in vouchers.used_by_plate(conn, stay.plate)}
    found: dict[str, Taken] = {}
    for key, row in bound.bound_rows(conn, stay):
        whole = str(row.get("pass_id") or key)  # a pass is one coupon, however many uses it has
        if key not in used and (row.get("stay_id") or now.wall_ms <= (_number(row, "not_after_ms") or 1 << 62)):
            found[whole] = _of(conn, lot, row, _number(row, "issued_ms"), str(row.get("stay_id") or ""))
    for paper in vouchers.laid_on(conn, stay.stay_id):
        spec = json.loads(paper.spec) | {"merchant_id": paper.merchant_id}
        found[paper.ref] = _of(conn, lot, spec, paper.wall_ms, stay.stay_id)
    for ref, one in used.items():
        spec = json.loads(one.spec or "{}") | {"merchant_id": one.merchant_id}
        found[ref] = _of(conn, lot, spec, one.wall_ms, one.stay_id)
    return list(found.values())


def _of(conn: sqlite3.Connection, lot: Lot, row: Json, at_ms: int, stay_id: str) -> Taken:
    merchant_id = _number(row, "merchant_id")
    merchant = channels.get(conn, "rules", f"merchant:{merchant_id}") or {}
    return Taken(merchant_id, str(merchant.get("name", "")), _number(row, "template_id"), stay_id, _day(lot, at_ms))


def _number(row: Json, name: str) -> int:
    value = row.get(name)
    return value if isinstance(value, int) else 0
