"""Merchants: their accounts, how they pay, what is in their purses, and what a coupon costs them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Connection,
    RowMapping,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from cloud.access import audit
from cloud.act import Act, Refused
from cloud.db import new_id, paged
from cloud.hooks import service as hooks
from cloud.lots import edges as lot_edges
from cloud.merchants import by_hand, ledger
from cloud.merchants.tables import balance, contract, ledger_entry, merchant, posting, statement
from cloud.sync.channels import put_row
from domain.contract import terms_of
from domain.ledger import AVAILABLE, RECHARGE, REFUND, Commodity, Funds, move
from plumbing.web.paging import Page

REMARK_LENGTH = 128  # S1.19
USUAL_LOW = LOW_FEN, LOW_MIN = 5_000, 600
MOST_SUGGESTED = 10_000_000  # fen of one order
MOST_LOW = 100_000_000  # fen or minutes: more is a slip of the finger
_OF_LOW = (merchant.c.merchant_id, merchant.c.name, merchant.c.low_fen, merchant.c.low_min)


class PaymentMode(StrEnum):
    """When a merchant pays; chosen once (S1.13)."""

    PREPAID = "PREPAID"
    POSTPAID = "POSTPAID"


class SettlementMode(StrEnum):
    """Which step of a coupon's life settles it."""

    ON_ISSUE = "ON_ISSUE"
    ON_REDEEM = "ON_REDEEM"


def create_merchant(
    conn: Connection, act: Act, name: str, phone: str, branch: str = "", remark: str = ""
) -> RowMapping | Refused:
    """A merchant with a new nine-digit account number (S1.6); it can do nothing before settlement is set (S1.11)."""
    if not name.strip():
        return Refused("name_missing")
    if not (phone.isascii() and phone.isdigit() and 6 <= len(phone) <= 15):
        return Refused("phone_malformed")
    if len(remark) > REMARK_LENGTH:
        return Refused("remark_too_long", {"most": REMARK_LENGTH})
    account_no = _free_account_no(conn, act)
    merchant_id = new_id(
        conn,
        insert(merchant).values(
            operator_id=act.operator_id,
            account_no=account_no,
            name=name.strip(),
            phone=phone,
            branch=branch,
            remark=remark,
            credit_limit_fen=0,
            credit_limit_min=0,
            pay_within_days=0,
            enabled=True,
            created_ms=act.now_ms,
        ),
    )
    audit.record(conn, act, "merchant.created", f"merchant:{merchant_id}", after={"name": name, "account": account_no})
    tell_merchant(conn, act.operator_id, merchant_id, act.now_ms)
    return get(conn, act.operator_id, merchant_id) or Refused("merchant_unknown")


def _free_account_no(conn: Connection, act: Act) -> str:
    while True:
        number = str(100_000_000 + act.below(900_000_000))
        if conn.execute(select(merchant.c.merchant_id).where(merchant.c.account_no == number)).first() is None:
            return number


LATE_AT = and_(statement.c.paid_ms.is_(None), statement.c.due_ms < bindparam("at_ms"))
"""A statement is past its day at the time *at_ms* and not paid (E16)."""
_GET = (
    select(merchant)
    .where(merchant.c.merchant_id == bindparam("of_merchant"), merchant.c.operator_id == bindparam("of_operator"))
    .with_for_update(of=merchant)
)
GIVER = _GET.add_columns(exists().where(statement.c.merchant_id == merchant.c.merchant_id, LATE_AT).label("is_overdue"))
"""A merchant that wants to give coupons, locked, with *is_overdue*: a statement is past its day and not paid (E16)."""


def get(conn: Connection, operator_id: int, merchant_id: int) -> RowMapping | None:
    """One merchant of the operator, locked until the transaction ends."""
    asked = {"of_operator": operator_id, "of_merchant": merchant_id}
    return conn.execute(_GET, asked).mappings().one_or_none()


def listed(
    conn: Connection, operator_id: int, search: str = "", page: int = 1, *, enabled: bool | None = None
) -> Page[RowMapping]:
    """One page of :func:`query`."""
    return paged(conn, query(operator_id, search, enabled=enabled), page)


def query(operator_id: int, search: str = "", *, enabled: bool | None = None) -> Select[Any]:
    """Merchants with what is left in both purses; NULL where a purse was never filled (S1.9)."""
    found = (
        select(merchant, _left(Commodity.FEN).label("balance_fen"), _left(Commodity.MIN).label("balance_minutes"))
        .where(merchant.c.operator_id == operator_id)
        .order_by(merchant.c.merchant_id.desc())
    )
    if enabled is not None:
        found = found.where(merchant.c.enabled.is_(enabled))
    if search:
        like = f"%{search}%"
        found = found.where(merchant.c.name.like(like) | merchant.c.account_no.like(like) | merchant.c.phone.like(like))
    return found


def everyone(conn: Connection, operator_id: int) -> Sequence[RowMapping]:
    """All merchants, oldest first."""
    query = select(merchant).where(merchant.c.operator_id == operator_id).order_by(merchant.c.merchant_id)
    return conn.execute(query).mappings().all()


def names(conn: Connection, operator_id: int, merchant_ids: Collection[int]) -> dict[int, str]:
    """What some merchants are called."""
    query = select(merchant.c.merchant_id, merchant.c.name).where(
        merchant.c.operator_id == operator_id, merchant.c.merchant_id.in_(merchant_ids)
    )
    return {int(merchant_id): str(name) for merchant_id, name in conn.execute(query)}


def _left(commodity: Commodity) -> ScalarSelect[Any]:
    return (
        select(func.sum(balance.c.amount))
        .where(
            balance.c.merchant_id == merchant.c.merchant_id,
            balance.c.account == AVAILABLE,
            balance.c.commodity == commodity.value,
        )
        .scalar_subquery()
    )


def configure_settlement(
    conn: Connection, act: Act, merchant_id: int, payment_mode: PaymentMode, settlement_mode: SettlementMode
) -> Refused | None:
    """Set how the merchant pays, once (S1.13): another mode later would charge a coupon that is out twice or never."""
    row = get(conn, act.operator_id, merchant_id)
    if row is None:
        return Refused("merchant_unknown")
    values = {"payment_mode": payment_mode.value, "settlement_mode": settlement_mode.value}
    if any(row[name] not in (None, value) for name, value in values.items()):
        return Refused("settlement_fixed", {name: row[name] for name in values})
    conn.execute(update(merchant).where(merchant.c.merchant_id == merchant_id).values(**values))
    before = {"payment_mode": row["payment_mode"], "settlement_mode": row["settlement_mode"]}
    audit.record(conn, act, "merchant.settlement_set", f"merchant:{merchant_id}", before=before, after=values)
    return None


def set_enabled(conn: Connection, act: Act, merchant_id: int, *, enabled: bool) -> Refused | None:
    """Disable: no new coupons anywhere; those already out keep working (E18)."""
    row = get(conn, act.operator_id, merchant_id)
    if row is None:
        return Refused("merchant_unknown")
    disabled_ms = None if enabled else act.now_ms
    conn.execute(
        update(merchant).where(merchant.c.merchant_id == merchant_id).values(enabled=enabled, disabled_ms=disabled_ms)
    )
    what, before = "merchant.enabled" if enabled else "merchant.disabled", {"enabled": bool(row["enabled"])}
    audit.record(conn, act, what, f"merchant:{merchant_id}", before=before, after={"enabled": enabled})
    tell_merchant(conn, act.operator_id, merchant_id, act.now_ms)
    return None


def top_up(
    conn: Connection, act: Act, merchant_id: int, commodity: Commodity, paid: int, bonus: int, remark: str
) -> Refused | None:
    """Fill a purse: what was paid for, and a bonus kept apart from it (S1.19-S1.21)."""
    row = get(conn, act.operator_id, merchant_id)
    if row is None:
        return Refused("merchant_unknown")
    if row["payment_mode"] is None:
        return Refused("settlement_missing")
    if paid <= 0 or bonus < 0 or max(paid, bonus) > 10**11:
        return Refused("amount_malformed")
    if len(remark) > REMARK_LENGTH:
        return Refused("remark_too_long", {"most": REMARK_LENGTH})
    subject = f"merchant:{merchant_id}"
    before = _balances(conn, merchant_id, commodity)
    entry = ledger.Entry(act.operator_id, merchant_id, act.uuid(), "top_up", subject, act.by, act.now_ms, remark)
    ledger.post(
        conn,
        entry,
        (
            *move(RECHARGE, AVAILABLE, paid, commodity, Funds.PAID),
            *move(RECHARGE, AVAILABLE, bonus, commodity, Funds.BONUS),
        ),
    )
    after = {"commodity": commodity.value, "paid": paid, "bonus": bonus}
    now = after | _balances(conn, merchant_id, commodity)
    audit.record(conn, act, "merchant.topped_up", subject, reason=remark, before=before, after=now)
    hooks.tell(conn, act.operator_id, merchant_id, [("topup", after)], act.now_ms)
    return None


def correct_top_up(
    conn: Connection, act: Act, merchant_id: int, commodity: Commodity, funds: Funds, amount: int, reason: str
) -> Refused | None:
    """Put a mistyped top-up right: *amount* more, or less where it is below 0; what was spent stays spent (E14)."""
    row = get(conn, act.operator_id, merchant_id)
    if row is None:
        return Refused("merchant_unknown")
    if row["payment_mode"] is None:
        return Refused("settlement_missing")
    if row["payment_mode"] == PaymentMode.POSTPAID.value:
        return Refused("postpaid_has_no_balance")
    if not amount or abs(amount) > 10**11 or funds not in (Funds.PAID, Funds.BONUS):
        return Refused("amount_malformed")
    if not reason.strip():
        return Refused("reason_missing")
    if len(reason) > REMARK_LENGTH:
        return Refused("remark_too_long", {"most": REMARK_LENGTH})
    before = _balances(conn, merchant_id, commodity)
    left = before["balance" if funds is Funds.PAID else "bonus_balance"]
    if left + amount < 0:
        return Refused("balance_short", {"left": left})
    subject, kind = f"merchant:{merchant_id}", "top_up.corrected"
    entry = ledger.Entry(act.operator_id, merchant_id, act.uuid(), kind, subject, act.by, act.now_ms, reason)
    source, target = (RECHARGE, AVAILABLE) if amount > 0 else (AVAILABLE, RECHARGE)
    ledger.post(conn, entry, move(source, target, abs(amount), commodity, funds))
    by_hand.follow(conn, act, merchant_id)
    after = {"commodity": commodity.value, "amount": amount, **_balances(conn, merchant_id, commodity)}
    audit.record(conn, act, "merchant.top_up_corrected", subject, reason=reason, before=before, after=after)
    return None


def refund(
    conn: Connection, act: Act, merchant_id: int, commodity: Commodity, amount: int, remark: str
) -> Refused | None:
    """Give back paid funds; a bonus is never refunded (E14, E15), nor is credit."""
    row = get(conn, act.operator_id, merchant_id)
    if row is None:
        return Refused("merchant_unknown")
    if row["payment_mode"] == PaymentMode.POSTPAID.value:
        return Refused("postpaid_has_no_balance")
    if amount <= 0:
        return Refused("amount_malformed")
    left = ledger.purse(conn, merchant_id, commodity)
    if amount > left.paid:
        return Refused("balance_short", {"left": left.paid})
    subject = f"merchant:{merchant_id}"
    entry = ledger.Entry(act.operator_id, merchant_id, act.uuid(), "refund", subject, act.by, act.now_ms, remark)
    ledger.post(conn, entry, move(AVAILABLE, REFUND, amount, commodity, Funds.PAID))
    by_hand.follow(conn, act, merchant_id)
    after = {"commodity": commodity.value, "amount": amount, **_balances(conn, merchant_id, commodity)}
    before = {"balance": left.paid, "bonus_balance": left.bonus}
    audit.record(conn, act, "merchant.refunded", subject, reason=remark, before=before, after=after)
    return None


def _balances(conn: Connection, merchant_id: int, commodity: Commodity) -> dict[str, int]:
    left = ledger.purse(conn, merchant_id, commodity)
    return {"balance": left.paid, "bonus_balance": left.bonus}


def tell_merchant(conn: Connection, operator_id: int, merchant_id: int, now_ms: int) -> None:
    """Give every edge of the operator what its counter page needs to know of a merchant (channel ``rules``)."""
    row = get(conn, operator_id, merchant_id)
    if row is None:
        return
    newest = select(contract).where(contract.c.merchant_id == merchant_id, ~contract.c.ended)
    newest = newest.order_by(contract.c.version)
    by_lot = {str(each["lot_id"]): terms_of(dict(each)).values() for each in conn.execute(newest).mappings()}
    value = {
        "merchant_id": merchant_id,
        "account_no": row["account_no"],
        "name": row["name"],
        "enabled": row["enabled"],
        "contracts": by_lot,
    }
    for edge_id in lot_edges.operator_edges(conn, operator_id):
        put_row(conn, operator_id, edge_id, "rules", f"merchant:{merchant_id}", value, now_ms)


def low(conn: Connection, operator_id: int) -> Sequence[RowMapping]:
    """Enabled merchants with less left than is comfortable in a purse they use (E17)."""
    query = (
        select(*_OF_LOW, balance.c.commodity, func.sum(balance.c.amount).label("left"))
        .join(balance, balance.c.merchant_id == merchant.c.merchant_id)
        .where(merchant.c.operator_id == operator_id, merchant.c.enabled, balance.c.account == AVAILABLE)
        .group_by(*_OF_LOW, balance.c.commodity)
        .order_by(merchant.c.merchant_id)
    )
    return [row for row in conn.execute(query).mappings() if is_low(row, Commodity(row["commodity"]), row["left"])]


def is_low(row: RowMapping, commodity: Commodity, left: int) -> bool:
    """Is less left in a purse of the merchant in *row* than is comfortable, by its own limit or the usual one?"""
    own, usual = (row["low_fen"], LOW_FEN) if commodity is Commodity.FEN else (row["low_min"], LOW_MIN)
    return bool(left < (usual if own is None else own))


def with_suggestions(conn: Connection, operator_id: int) -> Sequence[RowMapping]:
    """Enabled merchants that pay ahead and want a top-up order made when their balance is low."""
    query = select(*_OF_LOW, merchant.c.suggest_fen).where(
        merchant.c.operator_id == operator_id,
        merchant.c.enabled,
        merchant.c.payment_mode == PaymentMode.PREPAID.value,
        merchant.c.suggest_fen > 0,
    )
    return conn.execute(query.order_by(merchant.c.merchant_id)).mappings().all()


def set_low(
    conn: Connection, act: Act, merchant_id: int, fen: int | None, minutes: int | None, suggest_fen: int = 0
) -> Refused | None:
    """Below which balances to warn of the merchant; None: the usual limit, 0: never.

    Below that of money a top-up order of *suggest_fen* is made by itself; 0: none is.
    """
    row = get(conn, act.operator_id, merchant_id)
    if row is None:
        return Refused("merchant_unknown")
    wanted = {"low_fen": fen, "low_min": minutes, "suggest_fen": suggest_fen}
    is_wrong = any(limit is not None and not 0 <= limit <= MOST_LOW for limit in wanted.values())
    if is_wrong or suggest_fen > MOST_SUGGESTED:
        return Refused("amount_malformed")
    conn.execute(update(merchant).where(merchant.c.merchant_id == merchant_id).values(**wanted))
    before = {name: row[name] for name in wanted}
    audit.record(conn, act, "merchant.low_set", f"merchant:{merchant_id}", before=before, after=wanted)
    return None


def used_purses(conn: Connection, merchant_id: int) -> dict[str, int]:
    """What is left in each purse that was ever filled, by commodity: nobody is warned of one that is not used (E17)."""
    query = (
        select(balance.c.commodity, func.sum(balance.c.amount).label("left"))
        .where(balance.c.merchant_id == merchant_id, balance.c.account == AVAILABLE)
        .group_by(balance.c.commodity)
        .order_by(balance.c.commodity)
    )
    return {row.commodity: int(row.left) for row in conn.execute(query)}


def set_remark(conn: Connection, act: Act, merchant_id: int, remark: str) -> Refused | None:
    """Another remark, 128 characters at most (S1.19)."""
    row = get(conn, act.operator_id, merchant_id)
    if row is None:
        return Refused("merchant_unknown")
    if len(remark) > REMARK_LENGTH:
        return Refused("remark_too_long", {"most": REMARK_LENGTH})
    conn.execute(update(merchant).where(merchant.c.merchant_id == merchant_id).values(remark=remark))
    before = {"remark": row["remark"]}
    audit.record(conn, act, "merchant.remarked", f"merchant:{merchant_id}", before=before, after={"remark": remark})
    return None


def accounts(conn: Connection, operator_id: int, merchant_id: int) -> list[str]:
    """The purses a merchant has ever spent from: its own first, then of branches, allotments and bought stock."""
    query = select(balance.c.account).where(
        balance.c.operator_id == operator_id,
        balance.c.merchant_id == merchant_id,
        or_(*(balance.c.account.like(f"{kind}:%") for kind in ("branch", "free", "stock"))),
    )
    found = [str(account) for account in conn.execute(query.distinct()).scalars()]
    return [AVAILABLE, *sorted(found, key=lambda one: (one.partition(":")[0], int(one.partition(":")[2])))]


def movements(
    operator_id: int,
    merchant_id: int | None = None,
    commodity: Commodity | None = None,
    account: str | None = None,
    *,
    search: str = "",
    from_ms: int | None = None,
    until_ms: int | None = None,
) -> Select[Any]:
    """A query for ledger rows newest first: what each entry did to each account, or to one *account* (S1.31)."""
    query = (
        select(
            ledger_entry,
            merchant.c.name.label("merchant_name"),
            posting.c.account,
            posting.c.commodity,
            posting.c.funds,
            posting.c.amount,
            posting.c.leg,
        )
        .join(posting, posting.c.entry_id == ledger_entry.c.entry_id)
        .join(merchant, merchant.c.merchant_id == ledger_entry.c.merchant_id)
        .where(ledger_entry.c.operator_id == operator_id)
        .order_by(ledger_entry.c.entry_id.desc(), posting.c.leg)
    )
    if merchant_id is not None:
        query = query.where(ledger_entry.c.merchant_id == merchant_id)
    if account is not None:
        query = query.where(posting.c.account == account)
    if commodity is not None:
        query = query.where(posting.c.commodity == commodity.value)
    if search:
        held = (ledger_entry.c.subject, ledger_entry.c.note, ledger_entry.c.made_by, merchant.c.name)
        query = query.where(or_(*(column.contains(search, autoescape=True) for column in held)))
    if from_ms is not None:
        query = query.where(ledger_entry.c.made_ms >= from_ms)
    if until_ms is not None:
        query = query.where(ledger_entry.c.made_ms < until_ms)
    return query
