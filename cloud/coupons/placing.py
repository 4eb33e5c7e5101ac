"""Codes good at several lots: each is held for where it costs most, and bound to one lot by its claim (E9).

A coupon is one lot's, whose edge alone may use it. A code that is good at several names the dearest of them until
somebody claims it; then the lot is where the car is, what the coupon costs less there goes back, and that lot's
allotment is spent first. Prices are those of the day the code was made, so the hold always reaches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, RowMapping, update

from cloud.act import Act, Refused
from cloud.coupons import means
from cloud.coupons.issuing import Gift, Place, place_of
from cloud.coupons.life import coupon_kind
from cloud.coupons.reserving import RESERVED, reserved_parts
from cloud.coupons.tables import coupon
from cloud.coupons.template import good_at
from cloud.lots import edges as lot_edges
from cloud.lots import service as lots
from cloud.merchants import branches, contracts, ledger
from cloud.merchants.contracts import Cost
from cloud.prepared import Found
from domain.ledger import OUTSTANDING, Commodity, Funds, free_account, move, take

Row = Mapping[Any, Any]


def dearest(conn: Connection, gift: Gift, lot_ids: Sequence[int]) -> Place | Refused:
    """Where of these a coupon costs most: what is held for it there is enough for each."""
    asked = [place_of(conn, gift, lot_id) for lot_id in lot_ids]
    places = [place for place in asked if isinstance(place, Place)]
    if not places:
        refused = [place for place in asked if isinstance(place, Refused)]
        return refused[0] if refused else Refused("contract_missing")
    if len({place.cost.commodity for place in places}) > 1:
        return Refused("lots_in_two_purses")
    most = max(places, key=lambda place: place.cost.amount)
    return replace(most, anywhere=True, cost=replace(most.cost, free=0))


def label(conn: Connection, operator_id: int, row: Row) -> str:
    """What to call the lots of a batch or a poster; *row* has its template's columns too."""
    if not row["anywhere"]:
        return lots.name_of(conn, operator_id, row["lot_id"])
    good = of_branch(conn, good_at(conn, operator_id, row), row["branch_id"])
    return " / ".join(lot["name"] for lot in good)


def lots_of(conn: Connection, operator_id: int, row: Row, template: Found) -> dict[int, str]:
    """The lots where the code of a coupon can be claimed, by name."""
    if not row["anywhere"]:
        return {row["lot_id"]: lots.name_of(conn, operator_id, row["lot_id"])}
    good = of_branch(conn, good_at(conn, operator_id, template), row["branch_id"])
    return {lot["lot_id"]: lot["name"] for lot in good if _reaches(conn, row, template, lot["lot_id"])}


def of_branch(conn: Connection, found: Sequence[RowMapping], branch_id: int) -> list[RowMapping]:
    """Those lots of *found* that a branch serves."""
    return [lot for lot in found if branches.serves(conn, branch_id, lot["lot_id"])]


def _reaches(conn: Connection, row: Row, template: Found, lot_id: int) -> bool:
    """Whether what is held for a code pays for it at a lot that can use it."""
    cost = _cost(conn, row, template, lot_id)
    if isinstance(cost, Refused) or cost.commodity != row["commodity"]:
        return False
    held = sum(reserved_parts(dict(row)).values())
    return cost.amount <= held and lot_edges.edge_of_lot(conn, lot_id) is not None


def _cost(conn: Connection, row: Row, template: Found, lot_id: int) -> Cost | Refused:
    """What a coupon costs at a lot by the prices of the day it was made."""
    contract = contracts.contract_on(conn, row["merchant_id"], lot_id, row["issued_ms"])
    return means.cost(contract, template, coupon_kind(template["kind"]), row["value"])


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a coupon is bound: a lot, and the car's stay where it is inside."""

    lot_id: int
    stay: RowMapping | None


def near(conn: Connection, operator_id: int, lot_ids: Sequence[int], plate: str) -> RowMapping | None:
    """The stay that a driver who types *plate* may mean, though a camera misread one character of it.

    None where the plate itself is inside, and where the rule does not find exactly one.
    """
    if any(lots.open_stay_of(conn, operator_id, lot_id, plate) is not None for lot_id in lot_ids):
        return None
    alike = [lots.alike_inside(conn, operator_id, lot_id, plate) for lot_id in lot_ids]
    found = [stay for stay in alike if stay is not None]
    return found[0] if len(found) == 1 else None


def spot(
    conn: Connection, operator_id: int, lot_ids: Sequence[int], plate: str, wanted: int = 0, *, is_near: bool = False
) -> Spot:
    """Where the plate is inside now; else the lot the driver wants, or the first. *is_near*: the car of ``near``."""
    stays = [lots.open_stay_of(conn, operator_id, lot_id, plate) for lot_id in lot_ids]
    inside = [stay for stay in stays if stay is not None]
    alike = near(conn, operator_id, lot_ids, plate) if is_near else None
    stay = max(inside, key=lambda one: one["entered_ms"] or 0) if inside else alike
    if stay is not None:
        return Spot(stay["lot_id"], stay)
    return Spot(wanted if wanted in lot_ids else lot_ids[0], None)


def settle(conn: Connection, act: Act, row: RowMapping, template: Found, lot_id: int) -> None:
    """Carry a code to the lot where it is claimed, one of ``lots_of``: nobody has claimed it, so no lot knows of it."""
    cost = _cost(conn, row, template, lot_id)
    if isinstance(cost, Refused):
        raise ValueError(f"coupon {row['coupon_id']} was placed where it is not good: {cost.code}")
    values: dict[str, Any] = {"lot_id": lot_id, "edge_id": lot_edges.edge_of_lot(conn, lot_id)}
    values |= {"contract_version": cost.version, "cap_fen": cost.hold.ceiling_fen}
    if not row["reserved_bought"]:
        values |= _reserve(conn, act, row, cost, lot_id)
    conn.execute(update(coupon).where(coupon.c.coupon_id == row["coupon_id"]).values(**values))


def _reserve(conn: Connection, act: Act, row: RowMapping, cost: Cost, lot_id: int) -> dict[str, int]:
    """Hold what the coupon costs there, out of the lot's allotment first and then of what is held already."""
    account, commodity, held = free_account(lot_id), Commodity(row["commodity"]), reserved_parts(row)
    left = ledger.held_by(conn, row["merchant_id"], account, commodity, Funds.FREE)
    free = contracts.free_left(conn, act, row["merchant_id"], lot_id, cost, left)
    parts = dict.fromkeys(held, 0) | dict(take(cost.amount, held[Funds.BONUS], held[Funds.PAID], free))
    legs = list(move(account, OUTSTANDING, parts[Funds.FREE], commodity, Funds.FREE))
    for funds in (Funds.BONUS, Funds.PAID):
        legs += move(OUTSTANDING, row["purse"], held[funds] - parts[funds], commodity, funds)
    entry = ledger.Entry(
        act.operator_id, row["merchant_id"], act.uuid(), "coupon.placed", row["serial"], act.by, act.now_ms
    )
    ledger.post(conn, entry, legs)
    return {name: parts[funds] for funds, name in RESERVED.items()}
