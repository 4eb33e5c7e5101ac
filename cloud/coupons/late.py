"""A coupon for a car that has paid already: refused, kept for later, or paid back by its lot (0045)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping

from cloud.act import Refused
from cloud.coupons import rules, template
from cloud.coupons.life import CUSTOM
from cloud.lots import service as lots
from domain.coupon.model import CouponKind
from domain.coupon.terms import Late, LotWays
from domain.fen import yuan

PHONE = "phone"


def refusal(
    conn: Connection, operator_id: int, ways: LotWays, merchant_id: int, template_id: int, stay_id: str
) -> Refused | None:
    """Why a stay that was paid gets no coupon of a template any more at a lot with these *ways*, or None.

    The lot gives a difference back by itself up to its limit and by phone alone, so what it could not give back is
    refused here, with the reason.
    """
    if ways.late is Late.ALLOW:
        return None
    if ways.late is Late.REFUSE:
        return Refused("already_paid")
    by_method = lots.paid_by_method(conn, [stay_id])[stay_id]
    if set(by_method) != {PHONE}:
        return Refused("paid_in_cash")
    row = template.find(conn, operator_id, merchant_id, template_id)
    if _most(row, by_method[PHONE]) > ways.back_most_fen:
        return Refused("back_too_much", {"most": yuan(ways.back_most_fen)})
    return None


def paid(conn: Connection, stays: Sequence[Mapping[str, Any] | RowMapping]) -> dict[str, tuple[int, str]]:
    """Fen paid for some stays so far, and what their lot does with a coupon now: refuse, allow, refund or cash."""
    by_stay = lots.paid_by_method(conn, [stay["stay_id"] for stay in stays])
    lates = {lot_id: rules.ways(conn, lot_id).late for lot_id in {stay["lot_id"] for stay in stays}}
    found = {}
    for stay in stays:
        by_method, way = by_stay[stay["stay_id"]], lates[stay["lot_id"]]
        is_cash = way is Late.REFUND and set(by_method) != {PHONE}
        found[stay["stay_id"]] = (sum(by_method.values()), "cash" if is_cash else way.value)
    return found


def _most(row: RowMapping | None, paid_fen: int) -> int:
    """The most that a coupon of a template could give back."""
    if row is None:
        return paid_fen
    ceilings = [paid_fen, row["cap_fen"] or paid_fen]
    if row["kind"] == CouponKind.AMOUNT.value and row["kind"] not in CUSTOM:
        ceilings.append(row["value"])
    return int(min(ceilings))
