"""Coupons straight to a car inside: paid out of a purse, and on their way to its lot (S1.32, S1.33)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, insert, select

from cloud.access import audit
from cloud.act import Act, Refused
from cloud.coupons import means
from cloud.coupons.life import (
    CUSTOM,
    MINUTE_MS,
    MOST_VALUE,
    State,
    coupon_kind,
)
from cloud.coupons.means import Means
from cloud.coupons.reserving import RESERVED, carry
from cloud.coupons.tables import coupon, coupon_template
from cloud.coupons.template import find
from cloud.lots import edges as lot_edges
from cloud.lots import service as lots
from cloud.merchants import credit, ledger
from cloud.merchants import service as merchants
from cloud.merchants.contracts import Cost
from cloud.sync.channels import put_row
from domain.coupon.model import CouponKind
from domain.ledger import (
    AVAILABLE,
    OUTSTANDING,
)
from domain.serial import make_serial


@dataclass(frozen=True, slots=True)
class Issued:
    """A coupon is on its way to the lot."""

    coupon_id: str
    serial: str


def issue(
    conn: Connection, act: Act, merchant_id: int, template_id: int, stay_id: str, value: int = 0, branch_id: int = 0
) -> Issued | Refused:
    """Give a coupon of a template to a car inside: take its cost from the purse and send it to the lot (S1.32, S1.33).

    *value* is that of a custom kind (S1.28). A balance may be spent down to exactly zero (Q2); the month's free
    allotment goes first, then bonus, then paid (E15). What was bought ahead costs nothing more (S2.18).
    """
    gift = _gift(conn, act, merchant_id, template_id, stay_id, value)
    if isinstance(gift, Refused):
        return gift
    paid_by = means.find(conn, act, merchant_id, gift.stay["lot_id"], gift.template, gift.cost, branch_id)
    if isinstance(paid_by, Refused):
        return paid_by
    row = _new_coupon(act, gift, paid_by, branch_id)
    conn.execute(insert(coupon).values(**row))
    serial, coupon_id = str(row["serial"]), str(row["coupon_id"])
    entry = ledger.Entry(act.operator_id, merchant_id, act.uuid(), "coupon.issued", serial, act.by, act.now_ms)
    ledger.post(conn, entry, carry(row, AVAILABLE, OUTSTANDING))
    told = for_edge(row, gift.template, gift.account["name"])
    put_row(conn, act.operator_id, gift.edge_id, "coupons", coupon_id, told, act.now_ms)
    audit.record(conn, act, "coupon.issued", f"coupon:{serial}", after={"template": template_id, "stay": stay_id})
    return Issued(coupon_id, serial)


@dataclass(frozen=True, slots=True)
class _Gift:
    """Who gives what to which car, and what it costs."""

    account: RowMapping
    template: RowMapping
    stay: RowMapping
    edge_id: str
    kind: CouponKind
    value: int
    cost: Cost


def _gift(conn: Connection, act: Act, merchant_id: int, template_id: int, stay_id: str, value: int) -> _Gift | Refused:
    """Everything an issue needs, or the first reason against it."""
    operator_id = act.operator_id
    account = merchants.get(conn, operator_id, merchant_id)
    if account is None:
        return Refused("merchant_unknown")
    if not account["enabled"]:
        return Refused("merchant_disabled")
    if account["payment_mode"] is None:
        return Refused("settlement_missing")
    if credit.is_overdue(conn, merchant_id, act.now_ms):
        return Refused("statement_overdue")
    template = find(conn, operator_id, merchant_id, template_id)
    if template is None:
        return Refused("template_unknown")
    is_custom = template["kind"] in CUSTOM
    if is_custom and not 0 < value <= MOST_VALUE:
        return Refused("value_malformed")
    kind = coupon_kind(template["kind"])
    worth = value if is_custom else template["value"]
    stay = lots.open_stay(conn, operator_id, stay_id)
    if stay is None:
        return Refused("stay_not_inside")
    edge_id = lot_edges.edge_of_lot(conn, stay["lot_id"])
    if edge_id is None:
        return Refused("lot_without_edge")
    cost = means.cost(conn, merchant_id, stay["lot_id"], template, kind, worth)
    return cost if isinstance(cost, Refused) else _Gift(account, template, stay, edge_id, kind, worth, cost)


def _new_coupon(act: Act, gift: _Gift, paid_by: Means, branch_id: int) -> dict[str, object]:
    template, stay = gift.template, gift.stay
    expires_ms = act.now_ms + template["valid_min"] * MINUTE_MS
    return {
        "coupon_id": act.uuid(),
        "operator_id": act.operator_id,
        "merchant_id": gift.account["merchant_id"],
        "template_id": template["template_id"],
        "lot_id": stay["lot_id"],
        "edge_id": gift.edge_id,
        "serial": make_serial(act.now_ms, int(gift.account["account_no"]), act.below(1 << 32)),
        "stay_id": stay["stay_id"],
        "plate": stay["plate"],
        "kind": gift.kind.value,
        "value": gift.value,
        "state": State.BOUND.value,
        **{name: paid_by.parts.get(funds, 0) for funds, name in RESERVED.items()},
        "purse": paid_by.purse,
        "branch_id": branch_id,
        "contract_version": gift.cost.version,
        "cap_fen": gift.cost.hold.ceiling_fen,
        "commodity": gift.cost.commodity.value,
        "issued_ms": act.now_ms,
        "expires_ms": min(expires_ms, paid_by.until_ms or expires_ms),
        "is_expired": False,
        "issued_by": act.by,
        "void_reason": "",
    }


def for_edge(row: Mapping[str, object], template: RowMapping, merchant: str) -> dict[str, object]:
    """The row of channel ``coupons``: all an exit needs to apply the coupon without asking."""
    return {
        "coupon_id": row["coupon_id"],
        "serial": row["serial"],
        "plate": row["plate"],
        "stay_id": row["stay_id"],
        "kind": row["kind"],
        "value": row["value"],
        "cap_fen": row["cap_fen"],
        "meaning": template["meaning"],
        "remainder": template["remainder"],
        "merchant_id": row["merchant_id"],
        "merchant": merchant,
        "template_id": row["template_id"],
        "not_after_ms": row["expires_ms"],
    }


def tell_again(conn: Connection, row: RowMapping, now_ms: int) -> None:
    """Send a coupon to its lot once more: its use was taken back."""
    query = select(coupon_template).where(coupon_template.c.template_id == row["template_id"])
    account = merchants.get(conn, row["operator_id"], row["merchant_id"])
    told = for_edge(dict(row), conn.execute(query).mappings().one(), account["name"] if account else "")
    put_row(conn, row["operator_id"], row["edge_id"], "coupons", row["coupon_id"], told, now_ms)
