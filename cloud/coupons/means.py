"""What pays for a coupon: a lot of purchase, the month's allotment, the merchant's purse or a branch's (E15, E22)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, case, func, select

from cloud.act import Act, Refused
from cloud.coupons.tables import coupon
from cloud.lots import service as lots
from cloud.merchants import branches, contracts
from cloud.merchants.contracts import Cost
from cloud.prepared import Found
from cloud.shop import stock
from domain.contract import Hold
from domain.coupon.model import CouponKind
from domain.ledger import Commodity, Funds, stock_account, take


@dataclass(frozen=True, slots=True)
class Means:
    """The account a coupon's value is taken from, how much of each kind of funds, and until when that is good."""

    purse: str
    parts: Mapping[Funds, int]
    until_ms: int | None = None


def cost(contract: Found | None, template: Found, kind: CouponKind, worth: int) -> Cost | Refused:
    """What a coupon of a template holds: by the contract, or nothing where it was bought ahead."""
    if template["product_id"] is not None:
        return Cost(Hold(Commodity.FEN, 0, template["cap_fen"]), 0)
    return contracts.cost(contract, kind, worth, template["cap_fen"])


def purse(conn: Connection, act: Act, merchant_id: int, lot_id: int, cost: Cost, branch_id: int) -> str | Refused:
    """The account that pays for one coupon, a branch's where one gives it."""
    row = branches.get(conn, act.operator_id, branch_id) if branch_id else None
    if branch_id and (row is None or row["merchant_id"] != merchant_id):
        return Refused("branch_unknown")
    if row is not None:
        spent = spent_this_month(conn, act, merchant_id, branch_id, lot_id, cost.commodity)
        refused = branches.refusal(conn, row, lot_id, cost.commodity, cost.amount, spent)
        if refused is not None:
            return refused
    return branches.purse_of(row)


def find(
    conn: Connection,
    act: Act,
    merchant_id: int,
    lot_id: int,
    template: Found,
    cost: Cost,
    account: str,
    left: Found,
) -> Means | Refused:
    """What pays for one coupon out of what is *left* (``ledger.LEFT``); a purchase counts it as given."""
    if template["product_id"] is not None:
        return _out_of_stock(conn, act, merchant_id, lot_id, template["product_id"])
    bonus, paid = left["bonus"], left["paid"]
    free = contracts.free_left(conn, act, merchant_id, lot_id, cost, left["free"])
    parts = dict(take(cost.amount, bonus, paid, free))
    if cost.amount and not parts:
        return Refused("balance_short", {"left": free + bonus + paid, "needed": cost.amount})
    return Means(account, parts)


def _out_of_stock(conn: Connection, act: Act, merchant_id: int, lot_id: int, product_id: int) -> Means | Refused:
    """One coupon of the purchase that runs out first (E22)."""
    row = stock.next_lot(conn, merchant_id, product_id, lot_id, act.now_ms)
    if row is None:
        return Refused("stock_empty")
    stock.count_given(conn, row["purchase_id"], 1)
    return Means(stock_account(row["purchase_id"]), {Funds.BOUGHT: row["unit_fen"]}, row["valid_to_ms"])


def come_back(conn: Connection, purse: str) -> None:
    """A coupon's whole value went back to *purse*; where that is a purchase, it may be given again."""
    kind, _, number = purse.partition(":")
    if kind == "stock":
        stock.count_given(conn, int(number), -1)


def spent_this_month(
    conn: Connection, act: Act, merchant_id: int, branch_id: int, lot_id: int, commodity: Commodity
) -> int:
    """What a branch gave since the month began at the lot, less what came back."""
    zones = {row["lot_id"]: row["time_zone"] for row in lots.lots(conn, act.operator_id)}
    zone = ZoneInfo(zones[lot_id]) if lot_id in zones else UTC
    today = datetime.fromtimestamp(act.now_ms / 1000, zone)
    since = today.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    held = coupon.c.reserved_bonus + coupon.c.reserved_paid + coupon.c.reserved_free
    worth = case(
        (coupon.c.state.in_(("VOIDED", "RECLAIMED", "EXPIRED")), 0), else_=func.coalesce(coupon.c.charged, held)
    )
    spent = select(func.coalesce(func.sum(worth), 0)).where(
        coupon.c.operator_id == act.operator_id,
        coupon.c.merchant_id == merchant_id,
        coupon.c.branch_id == branch_id,
        coupon.c.commodity == commodity.value,
        coupon.c.issued_ms >= int(since.timestamp()) * 1000,
        coupon.c.reserved_bought == 0,
    )
    return int(conn.execute(spent).scalar_one())
