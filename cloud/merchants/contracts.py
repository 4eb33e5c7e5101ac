"""What coupons cost a merchant at a lot: versions that are never changed, and the month's free allotment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, bindparam, func, insert, select

from cloud.access import audit
from cloud.act import Act, Refused
from cloud.lots import service as lots
from cloud.merchants import ledger, service
from cloud.merchants.tables import contract, ledger_entry
from cloud.prepared import Found
from domain.contract import Hold, Terms, hold, terms_of
from domain.coupon.model import CouponKind
from domain.ledger import ALLOTMENT, Commodity, Funds, free_account, move


@dataclass(frozen=True, slots=True)
class Cost:
    """What a coupon of a merchant at a lot holds, by which version of its contract."""

    hold: Hold
    version: int
    free: int = 0  # what the contract gives each month, in the hold's commodity

    @property
    def commodity(self) -> Commodity:
        return self.hold.commodity

    @property
    def amount(self) -> int:
        return self.hold.amount


def set_contract(
    conn: Connection, act: Act, merchant_id: int, lot_id: int, terms: Terms | None = None
) -> int | Refused:
    """A new version of what coupons cost the merchant at a lot; without one it may issue nothing there.

    Where its service ends or has ended it goes on with these prices.
    """
    terms = terms or Terms()
    if service.get(conn, act.operator_id, merchant_id) is None:
        return Refused("merchant_unknown")
    if lot_id not in {row["lot_id"] for row in lots.lots(conn, act.operator_id)}:
        return Refused("lot_unknown")
    if not terms.is_sound:
        return Refused("contract_malformed")
    current, held = in_force(conn, merchant_id, lot_id)
    version, before = _last(conn, merchant_id, lot_id) + 1, held.values() if current else None
    conn.execute(
        insert(contract).values(
            operator_id=act.operator_id,
            merchant_id=merchant_id,
            lot_id=lot_id,
            version=version,
            starts_ms=act.now_ms,
            **terms.values(),
        )
    )
    after = {"lot_id": lot_id, **terms.values()}
    audit.record(conn, act, "contract.set", f"merchant:{merchant_id}", before=before, after=after)
    service.tell_merchant(conn, act.operator_id, merchant_id, act.now_ms)
    return version


def _last(conn: Connection, merchant_id: int, lot_id: int) -> int:
    """The number of the newest version there ever was; 0 for none."""
    of_both = contract.c.merchant_id == merchant_id, contract.c.lot_id == lot_id
    return int(conn.execute(select(func.max(contract.c.version)).where(*of_both)).scalar_one() or 0)


def current(lot_id: ColumnElement[int]) -> Select[Any]:
    """The contract of a merchant in force at a lot, as a part of another question."""
    of_both = select(contract).where(
        contract.c.merchant_id == bindparam("of_merchant"), contract.c.lot_id == lot_id, ~contract.c.ended
    )
    return of_both.order_by(contract.c.version.desc()).limit(1)


_CURRENT = current(bindparam("of_lot"))


def current_contract(conn: Connection, merchant_id: int, lot_id: int) -> RowMapping | None:
    """The contract in force at a lot."""
    return conn.execute(_CURRENT, {"of_merchant": merchant_id, "of_lot": lot_id}).mappings().one_or_none()


def contract_on(conn: Connection, merchant_id: int, lot_id: int, at_ms: int) -> RowMapping | None:
    """The contract that was in force at a lot at *at_ms*."""
    query = select(contract).where(
        contract.c.merchant_id == merchant_id, contract.c.lot_id == lot_id, contract.c.starts_ms <= at_ms
    )
    return conn.execute(query.order_by(contract.c.version.desc()).limit(1)).mappings().one_or_none()


def in_force(conn: Connection, merchant_id: int, lot_id: int) -> tuple[int, Terms]:
    """Version and terms in force at a lot; (0, plain terms) where there is no contract."""
    row = current_contract(conn, merchant_id, lot_id)
    return (0, Terms()) if row is None else (int(row["version"]), terms_of(dict(row)))


def terms_at(conn: Connection, merchant_id: int, lot_id: int, version: int) -> Terms:
    """One version's terms; the plain ones for a coupon older than any contract."""
    query = select(contract).where(
        contract.c.merchant_id == merchant_id, contract.c.lot_id == lot_id, contract.c.version == version
    )
    row = conn.execute(query).mappings().one_or_none()
    return Terms() if row is None else terms_of(dict(row))


def version_on(conn: Connection, merchant_id: int, lot_id: int, at_ms: int) -> int:
    """The version in force at *at_ms*; the first one for anything earlier."""
    query = select(func.max(contract.c.version)).where(
        contract.c.merchant_id == merchant_id, contract.c.lot_id == lot_id, contract.c.starts_ms <= at_ms
    )
    return int(conn.execute(query).scalar_one() or 1)


def cost(row: Found | None, kind: CouponKind, value: int, cap_fen: int = 0) -> Cost | Refused:
    """What a coupon takes from the merchant: minutes or money, by the contract in *row* (Q1, Q9)."""
    if row is None:
        return Refused("contract_missing")
    terms = terms_of(dict(row))
    held = hold(terms, kind, value, cap_fen)
    return Cost(held, int(row["version"]), terms.free_fen if held.commodity is Commodity.FEN else terms.free_min)


def free_left(conn: Connection, act: Act, merchant_id: int, lot_id: int, cost: Cost, left: int) -> int:
    """What is *left* of this month's allotment at the lot; the month's first asker lets the last one's rest lapse."""
    given, commodity, account = cost.free, cost.commodity, free_account(lot_id)
    if not given and not left:
        return 0
    event_id = f"allotment:{merchant_id}:{lot_id}:{commodity}:{_month(conn, act.operator_id, lot_id, act.now_ms)}"
    if conn.execute(select(ledger_entry.c.entry_id).where(ledger_entry.c.event_id == event_id).limit(1)).first():
        return left
    entry = ledger.Entry(act.operator_id, merchant_id, event_id, "allotment", f"lot:{lot_id}", "contract", act.now_ms)
    legs = (
        *move(account, ALLOTMENT, left, commodity, Funds.FREE),
        *move(ALLOTMENT, account, given, commodity, Funds.FREE),
    )
    ledger.post(conn, entry, legs)
    return given


def has_lapsed(conn: Connection, operator_id: int, lot_id: int, taken_ms: int, now_ms: int) -> bool:
    """Is the month over, at the lot, whose allotment was spent from at *taken_ms*?"""
    return _month(conn, operator_id, lot_id, taken_ms) < _month(conn, operator_id, lot_id, now_ms)


def _month(conn: Connection, operator_id: int, lot_id: int, at_ms: int) -> str:
    zone = lots.zone_of(conn, operator_id, lot_id)
    return datetime.fromtimestamp(at_ms / 1000, zone).strftime("%Y-%m")
