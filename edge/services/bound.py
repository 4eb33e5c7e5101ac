"""Which coupons count for a stay: those the cloud bound to its car and papers laid on it, as the pricer reads them."""

from __future__ import annotations

import logging
import sqlite3

from domain.decision import CouponGiven
from domain.moment import Moment
from domain.plate import normalise
from domain.pricing import coupon_of, coupon_spec
from domain.wire import BadMessageError, Json
from edge.db import channels, counted, coupons_aside, vouchers
from edge.db.stays import StayRow
from edge.services.lot import Lot

MINUTE_MS = 60_000
SLIP_BOUND = "BOUND"
logger = logging.getLogger(__name__)


def coupons_for(conn: sqlite3.Connection, lot: Lot, stay: StayRow, now: Moment) -> tuple[CouponGiven, ...]:
    """Coupons bound to this car by the cloud and papers laid on it here, without those already used here.

    Of a pass, which is many coupons, the first that is not used. Those a person took off this stay do not count, nor
    those another car has paid with before they were moved here.
    """
    aside = {one.ref for one in coupons_aside.of_stay(conn, stay.stay_id)}
    found = _all_of(conn, lot, stay, now, aside)
    others = counted.by_others(conn, {one.ref for one in found}, stay.stay_id)
    return tuple(one for one in found if one.ref not in others and _makes_sense(one))


def _all_of(conn: sqlite3.Connection, lot: Lot, stay: StayRow, now: Moment, aside: set[str]) -> list[CouponGiven]:
    given: list[CouponGiven] = []
    passes: set[str] = set()
    for key, row in bound_rows(conn, stay):
        one = _given(lot, key, row, stay, now)
        if one is None or key in aside or vouchers.is_coupon_used(conn, key):
            continue
        whole = str(row.get("pass_id") or "")
        if whole not in passes:
            given.append(one)
        passes |= {whole} - {""}
    named = {one.ref for one in given}
    papers = [
        paper
        for paper in vouchers.laid_on(conn, stay.stay_id)
        if paper.ref not in named and not is_withdrawn(conn, paper.ref)
    ]
    given += [CouponGiven(paper.ref, paper.kind, paper.spec, paper.merchant_id) for paper in papers]
    return given + [one for one in _slips(conn, lot, stay, now) if one.ref not in aside]


def bound_rows(conn: sqlite3.Connection, stay: StayRow) -> list[tuple[str, Json]]:
    """Coupon rows of the plate; of the plate as it was read, before a person mended it, those that name this stay."""
    rows = channels.for_plate(conn, "coupons", stay.plate)
    read = stay.plate if stay.plate_raw == stay.plate else normalise(stay.plate_raw)
    if read == stay.plate:
        return rows
    return rows + [(key, row) for key, row in channels.for_plate(conn, "coupons", read) if row.get("stay_id")]


def is_withdrawn(conn: sqlite3.Connection, ref: str) -> bool:
    """Does the cloud say this paper counts no more?"""
    row = channels.get(conn, "vstate", ref)
    return row is not None and row.get("state") in vouchers.WITHDRAWN


def _slips(conn: sqlite3.Connection, lot: Lot, stay: StayRow, now: Moment) -> list[CouponGiven]:
    """Printed vouchers whose driver told the cloud this plate; one that was laid on a stay by hand counts there."""
    given = []
    for ref, row in channels.for_plate(conn, "vstate", stay.plate):
        try:
            key_id, counter = (int(part) for part in ref.split(":"))
            late = (now.wall_ms - now.uncertainty_ms) // MINUTE_MS > int(row["not_after_min"])
            spec = voucher_spec(conn, lot, row)
        except (KeyError, TypeError, ValueError):
            logger.warning("left aside: slip %s is not written as slips are", ref)
            continue
        ours = vouchers.get(conn, key_id, counter)
        gone = vouchers.is_used(conn, key_id, counter) or (ours is not None and ours.voided)
        if row.get("state") == SLIP_BOUND and not (late or gone or vouchers.laid_where(conn, ref)):
            given.append(CouponGiven(ref, "voucher", spec, int(row["merchant_id"])))
    return given


def voucher_spec(conn: sqlite3.Connection, lot: Lot, says: Json) -> str:
    """What a voucher is worth: its template as held here, never above the cap it says.

    *says*: its template_id, cap_fen, not_after_min and span_h. Raises KeyError where one is missing.
    """
    template = dict(channels.get(conn, "rules", f"template:{says['template_id']}") or {})
    template.setdefault("kind", "AMOUNT")
    template.setdefault("value", says["cap_fen"])
    template["cap_fen"] = says["cap_fen"]
    valid_min = template.get("valid_min")
    good_min = valid_min if isinstance(valid_min, int) else says["span_h"] * 60
    return coupon_spec(template, lot.local((says["not_after_min"] - good_min) * MINUTE_MS))


def fits(row: Json, stay: StayRow) -> bool:
    """Is a coupon row bound to this stay, or to whichever its car makes?"""
    return not row.get("stay_id") or row["stay_id"] in (stay.stay_id, stay.continues)


def _given(lot: Lot, key: str, row: Json, stay: StayRow, now: Moment) -> CouponGiven | None:
    not_after, merchant_id = row.get("not_after_ms") or 1 << 62, row.get("merchant_id") or 0
    if not isinstance(not_after, int) or not isinstance(merchant_id, int):
        logger.warning("left aside: coupon %s is not written as coupons are", key)
        return None
    if not fits(row, stay) or now.wall_ms - now.uncertainty_ms > not_after:
        return None
    issued = row.get("issued_ms")
    spec = coupon_spec(row, lot.local(issued) if isinstance(issued, int) else None)
    return CouponGiven(key, "coupon", spec, merchant_id)


def _makes_sense(given: CouponGiven) -> bool:
    """A coupon this program cannot read must not keep a car from leaving."""
    try:
        coupon_of(given)
    except BadMessageError as exc:
        logger.warning("left aside: %s", exc)
        return False
    return True
