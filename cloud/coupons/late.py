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

PHONE, CASH, BOOTH = "phone", "cash", "booth"


def refusal(
    conn: Connection, operator_id: int, ways: LotWays, merchant_id: int, template_id: int, stay_id: str
) -> Refused | None:
    """Why a stay that was paid gets no coupon of a template any more at a lot with these *ways*, or None.

    A lot gives a difference back up to its limit, to the phone that paid or, where it is set so, from the drawer that
    took cash. What it could not give back is refused here, with the reason.
    """
    if ways.late is Late.ALLOW:
        return None
    if ways.late is Late.REFUSE:
        return Refused("already_paid")
    by_method = lots.paid_by_method(conn, [stay_id])[stay_id]
    if _way(ways, by_method) == CASH:
        return Refused("paid_in_cash")
    row = template.find(conn, operator_id, merchant_id, template_id)
    if _most(row, sum(by_method.values())) > ways.back_most_fen:
        return Refused("back_too_much", {"most": yuan(ways.back_most_fen)})
    return None


def paid(conn: Connection, stays: Sequence[Mapping[str, Any] | RowMapping]) -> dict[str, tuple[int, str]]:
    """Fen paid for some stays so far, and what their lot does with a coupon now: refuse, allow, refund, refund at the
    booth, or nothing because it was paid in cash.
    """
    by_stay = lots.paid_by_method(conn, [stay["stay_id"] for stay in stays])
    ways = {lot_id: rules.ways(conn, lot_id) for lot_id in {stay["lot_id"] for stay in stays}}
    found = {}
    for stay in stays:
        by_method, here = by_stay[stay["stay_id"]], ways[stay["lot_id"]]
        way = _way(here, by_method) if here.late is Late.REFUND else here.late.value
        found[stay["stay_id"]] = (sum(by_method.values()), way)
    return found


def _way(ways: LotWays, by_method: Mapping[str, int]) -> str:
    """How a lot that gives differences back does so: by itself (refund), at its booth, or not (cash)."""
    if set(by_method) == {PHONE}:
        return Late.REFUND.value
    return BOOTH if ways.cash_back and set(by_method) == {CASH} else CASH


def _most(row: RowMapping | None, paid_fen: int) -> int:
    """The most that a coupon of a template could give back."""
    if row is None:
        return paid_fen
    ceilings = [paid_fen, row["cap_fen"] or paid_fen]
    if row["kind"] == CouponKind.AMOUNT.value and row["kind"] not in CUSTOM:
        ceilings.append(row["value"])
    return int(min(ceilings))
