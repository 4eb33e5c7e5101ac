"""The merchants' books: balanced entries that are only ever added, and sums that must agree with them (sync §6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, Label, bindparam, func, insert, select
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from cloud.bulk import sums_among
from cloud.merchants.tables import balance, ledger_entry, posting
from cloud.prepared import Prepared, adding, adding_all, numbered
from domain.ledger import (
    AVAILABLE,
    OPERATOR_LOSS,
    SOURCES,
    Commodity,
    Funds,
    Posting,
    check_balanced,
    merchant_imbalance,
    wrong_signs,
)


class OverdrawnError(Exception):
    """An entry would take more from an account than it holds: the transaction must not be kept (I2)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a set of postings is about."""

    operator_id: int
    merchant_id: int
    event_id: str
    kind: str
    subject: str
    made_by: str
    made_ms: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Purse:
    """What a merchant has left of one commodity, by where it came from."""

    paid: int
    bonus: int

    @property
    def total(self) -> int:
        return self.paid + self.bonus


@cache
def _add_postings(rows: int) -> Prepared:
    """The one statement that adds so many legs of an entry."""
    return Prepared(adding_all(insert(posting), _OF_POSTING, rows))


@cache
def _add_to_balance(dialect: str, rows: int) -> Prepared:
    """The one statement that adds to so many accounts at once."""
    into: Any = sqlite_insert if dialect == "sqlite" else postgres_insert
    first = adding_all(into(balance), balance.c.keys(), rows)
    return Prepared(
        first.on_conflict_do_update(
            index_elements=[balance.c.merchant_id, balance.c.account, balance.c.commodity, balance.c.funds],
            set_={"amount": balance.c.amount + first.excluded.amount},
        ).returning(balance.c.account, balance.c.commodity, balance.c.funds, balance.c.amount)
    )


# Made once: money events come by the thousand after an outage, and building a statement costs more than running it.
_OF_ENTRY = ("operator_id", "merchant_id", "event_id", "kind", "subject", "note", "made_by", "made_ms")
_ADD_ENTRY = Prepared(adding(ledger_entry, _OF_ENTRY).returning(ledger_entry.c.entry_id))
_OF_POSTING = ("entry_id", "operator_id", "merchant_id", "event_id", "leg", "account", "commodity", "funds", "amount")
_HELD = (
    select(balance.c.amount)
    .where(
        balance.c.merchant_id == bindparam("of_merchant"),
        balance.c.account == bindparam("of_account"),
        balance.c.commodity == bindparam("of_commodity"),
        balance.c.funds == bindparam("of_funds"),
    )
    .with_for_update()
)


def _left(account: str, funds: Funds) -> Label[int]:
    held = select(balance.c.amount).where(
        balance.c.merchant_id == bindparam("of_merchant"),
        balance.c.account == bindparam(account),
        balance.c.commodity == bindparam("of_commodity"),
        balance.c.funds == funds.value,
    )
    return func.coalesce(held.with_for_update().scalar_subquery(), 0).label(funds.value.lower())


LEFT = select(_left("the_purse", Funds.BONUS), _left("the_purse", Funds.PAID), _left("the_allotment", Funds.FREE))
"""What is left to give coupons from, locked until the transaction ends, as a part of another question."""


def post(conn: Connection, entry: Entry, postings: Sequence[Posting]) -> None:
    """Write one balanced entry. Raises UnbalancedError, OverdrawnError, and IntegrityError for an event seen before."""
    legs = [leg for leg in postings if leg.amount]
    check_balanced(legs)
    if not legs:
        return
    shared: dict[str, object] = {name: getattr(entry, name) for name in _OF_ENTRY}
    shared["entry_id"] = _ADD_ENTRY(conn, shared).scalar_one()
    rows = [
        shared
        | {
            "leg": number,
            "account": leg.account,
            "commodity": leg.commodity.value,
            "funds": leg.funds.value,
            "amount": leg.amount,
        }
        for number, leg in enumerate(legs)
    ]
    _add_postings(len(rows))(conn, numbered(rows))
    _add_to_balances(conn, entry, _net(legs))


def _net(legs: Sequence[Posting]) -> dict[tuple[str, Commodity, Funds], int]:
    """What each account gains in all, in an order every writer shares: locks are taken the same way round."""
    net: dict[tuple[str, Commodity, Funds], int] = defaultdict(int)
    for leg in legs:
        net[leg.account, leg.commodity, leg.funds] += leg.amount
    return dict(sorted(net.items()))


def _add_to_balances(conn: Connection, entry: Entry, net: dict[tuple[str, Commodity, Funds], int]) -> None:
    of: dict[str, object] = {"merchant_id": entry.merchant_id, "operator_id": entry.operator_id}
    rows = [
        of | {"account": account, "commodity": commodity.value, "funds": funds.value, "amount": amount}
        for (account, commodity, funds), amount in net.items()
    ]
    for row in _add_to_balance(conn.dialect.name, len(rows))(conn, numbered(rows)):
        if row.amount > 0 if row.account in SOURCES else row.amount < 0:
            which = f"{row.account} {row.commodity} {row.funds}"
            raise OverdrawnError(f"merchant {entry.merchant_id}: {which} would be {row.amount}")


def purse(conn: Connection, merchant_id: int, commodity: Commodity, account: str = AVAILABLE) -> Purse:
    """What is available, or what another *account* holds; locked until the transaction ends (PostgreSQL)."""
    rows = conn.execute(
        select(balance.c.funds, balance.c.amount)
        .where(
            balance.c.merchant_id == merchant_id,
            balance.c.account == account,
            balance.c.commodity == commodity.value,
        )
        .order_by(balance.c.funds)
        .with_for_update()
    )
    amounts = {row.funds: row.amount for row in rows}
    return Purse(paid=amounts.get(Funds.PAID.value, 0), bonus=amounts.get(Funds.BONUS.value, 0))


def held_by(conn: Connection, merchant_id: int, account: str, commodity: Commodity, funds: Funds) -> int:
    """The balance of one account."""
    values = {"of_merchant": merchant_id, "of_account": account, "of_commodity": commodity.value}
    found = conn.execute(_HELD, values | {"of_funds": funds.value}).scalar_one_or_none()
    return found or 0


def last_ms(conn: Connection, operator_id: int, kind: str, subjects: Collection[str]) -> dict[str, int]:
    """When the last entry of a *kind* was made about each subject."""
    query = select(ledger_entry.c.subject, func.max(ledger_entry.c.made_ms)).where(
        ledger_entry.c.operator_id == operator_id, ledger_entry.c.kind == kind, ledger_entry.c.subject.in_(subjects)
    )
    return {subject: int(made_ms) for subject, made_ms in conn.execute(query.group_by(ledger_entry.c.subject))}


def last_note(conn: Connection, operator_id: int, kind: str, subject: str) -> str:
    """What was written when the last entry of a *kind* was made about a subject; "" where none was."""
    mine = (ledger_entry.c.operator_id == operator_id, ledger_entry.c.kind == kind, ledger_entry.c.subject == subject)
    query = select(ledger_entry.c.note).where(*mine).order_by(ledger_entry.c.entry_id.desc()).limit(1)
    return conn.execute(query).scalar_one_or_none() or ""


def landed(conn: Connection, operator_id: int, account: str, event_ids: Sequence[str]) -> dict[str, int]:
    """What each event moved into *account*, over all kinds of funds."""
    query = select(posting.c.event_id, func.sum(posting.c.amount)).where(
        posting.c.operator_id == operator_id, posting.c.account == account
    )
    return sums_among(conn, query.group_by(posting.c.event_id), posting.c.event_id, event_ids)


@dataclass(frozen=True, slots=True)
class Books:
    """One merchant's accounts in one commodity and kind of funds, and whether they are right."""

    merchant_id: int
    commodity: Commodity
    funds: Funds
    accounts: dict[str, int]
    imbalance: int  # I1: 0 when right
    wrong: list[str]  # I2: accounts on the wrong side of zero
    drift: list[str]  # accounts whose kept sum is not the sum of their postings

    @property
    def is_right(self) -> bool:
        return not self.imbalance and not self.wrong and not self.drift


def merchant_books(conn: Connection, merchant_id: int | None = None) -> list[Books]:
    """Every merchant's accounts summed from the postings, checked against I1, I2 and the kept balances."""
    kept: dict[tuple[int, str, str], dict[str, int]] = defaultdict(dict)
    summed: dict[tuple[int, str, str], dict[str, int]] = defaultdict(dict)
    columns = (posting.c.merchant_id, posting.c.commodity, posting.c.funds, posting.c.account)
    sums = select(*columns, func.sum(posting.c.amount).label("amount")).group_by(*columns)
    balances = select(balance)
    if merchant_id is not None:
        sums = sums.where(posting.c.merchant_id == merchant_id)
        balances = balances.where(balance.c.merchant_id == merchant_id)
    for row in conn.execute(sums):
        summed[row.merchant_id, row.commodity, row.funds][row.account] = int(row.amount)
    for row in conn.execute(balances):
        kept[row.merchant_id, row.commodity, row.funds][row.account] = row.amount
    books = []
    for key in sorted(summed.keys() | kept.keys()):
        accounts, beside = summed[key], kept[key]
        drift = [name for name in sorted(accounts.keys() | beside.keys()) if accounts.get(name) != beside.get(name)]
        books.append(
            Books(
                key[0],
                Commodity(key[1]),
                Funds(key[2]),
                dict(sorted(accounts.items())),
                merchant_imbalance(accounts),
                wrong_signs(accounts),
                drift,
            )
        )
    return books


def operator_losses(conn: Connection, operator_id: int) -> dict[str, int]:
    """What drivers got at the operator's expense, by commodity."""
    rows = conn.execute(
        select(balance.c.commodity, func.sum(balance.c.amount).label("amount"))
        .where(balance.c.operator_id == operator_id, balance.c.account == OPERATOR_LOSS)
        .group_by(balance.c.commodity)
    )
    return {row.commodity: -int(row.amount) for row in rows}
