"""Whether what is stored still holds: every book, lease, log and the audit chain, in sentences a person can follow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeVar

from sqlalchemy import ColumnElement, Connection, Table, and_, case, cast, func, literal, or_, select
from sqlalchemy.types import Text

from cloud.access import audit
from cloud.coupons.service import State
from cloud.coupons.tables import coupon, voucher
from cloud.lots import arrears
from cloud.merchants import ledger
from cloud.merchants.statements import CORRECTION
from cloud.merchants.tables import balance, lease, ledger_entry, posting
from cloud.payments import paying_out
from cloud.payments.orders import DONE
from cloud.payments.tables import pay_order, pay_refund, pay_try
from cloud.shop import stock
from cloud.sync.tables import edge_cursor, inbox
from domain.ledger import (
    AGREED_BACK,
    ASKED_ONLINE,
    OUTSTANDING,
    REDEEMED,
    REFUND,
    VOID_PENDING,
    Commodity,
    Funds,
    lease_account,
)

Held = dict[tuple[int, str, str], int]  # merchant, commodity, funds -> amount
Key = TypeVar("Key", int, str, tuple[int, str], tuple[int, str, str])
_PAPER_HELD_IN = {"OUTSTANDING": OUTSTANDING, State.EXPIRING.value: VOID_PENDING}
_OF_COUPON = (OUTSTANDING, VOID_PENDING, REDEEMED)
_WITHDRAWN = (State.VOID_PENDING, State.EXPIRING)
_UNUSED = tuple(
    state.value
    for state in State
    if state not in {*_WITHDRAWN, State.REDEEMED, State.VOIDED, State.RECLAIMED, State.EXPIRED}
)


def entries_balance(conn: Connection) -> list[str]:
    """Every entry sums to zero in each commodity and kind of funds, and none is empty."""
    uneven = (
        select(posting.c.entry_id, posting.c.commodity, func.sum(posting.c.amount).label("off"))
        .group_by(posting.c.entry_id, posting.c.commodity, posting.c.funds)
        .having(func.sum(posting.c.amount) != 0)
        .order_by(posting.c.entry_id)
    )
    wrong = [f"entry {row.entry_id} does not balance: {row.off} {row.commodity}" for row in conn.execute(uneven)]
    with_postings = select(posting.c.entry_id)
    bare = select(ledger_entry.c.entry_id).where(ledger_entry.c.entry_id.not_in(with_postings))
    return wrong + [f"entry {entry_id} has no postings" for entry_id in conn.execute(bare).scalars()]


def books_hold(conn: Connection) -> list[str]:
    """I1, I2, and every kept balance is the sum of its postings."""
    wrong = []
    for book in ledger.merchant_books(conn):
        whose = f"merchant {book.merchant_id}, {book.commodity} {book.funds}"
        if book.imbalance:
            wrong.append(f"{whose}: recharged is not refunded plus held plus used, by {book.imbalance} (I1)")
        wrong += [f"{whose}: {account} is below zero (I2)" for account in book.wrong]
        wrong += [f"{whose}: the kept sum of {account} is not that of its postings" for account in book.drift]
    return wrong


def leases_hold(conn: Connection) -> list[str]:
    """What a lease's account holds is what it was granted less what was spent and returned, and never below zero."""
    kept = {
        (row.merchant_id, row.account, row.commodity, row.funds): row.amount
        for row in conn.execute(select(balance).where(balance.c.account.like("lease:%")))
    }
    wrong = []
    for row in conn.execute(select(lease).order_by(lease.c.lease_id)):
        held = kept.pop((row.merchant_id, lease_account(row.lease_id), row.commodity, row.funds), 0)
        left = row.granted - row.spent - row.returned
        if left != held or left < 0:
            wrong.append(f"lease {row.lease_id} should hold {left}, its account holds {held}")
        if row.state == "closed" and held:
            wrong.append(f"lease {row.lease_id} was returned and still holds {held}")
    return wrong + [
        f"{account} holds {amount} and is no lease" for (_, account, _, _), amount in kept.items() if amount
    ]


def stock_holds(conn: Connection) -> list[str]:
    """What a purchase's accounts hold is its unused coupons, and those asked back, at what they were bought for."""
    ours = or_(balance.c.account.startswith("stock:"), balance.c.account.startswith("stock_asked:", autoescape=True))
    stored = conn.execute(select(balance).where(ours, balance.c.amount != 0))
    kept = {(row.merchant_id, row.account): row.amount for row in stored}
    return [
        f"{account} should hold {due}, it holds {held}"
        for (_, account), due, held in _differing(stock.worth(conn), kept)
    ]


def refunds_agree(conn: Connection) -> list[str]:
    """What the books gave back of an order paid online is what its provider gave back, or is to be told to."""
    return [
        f"order {order_id}: the books gave {booked} back, its refunds are {told}"
        for order_id, booked, told in _differing(_booked_back(conn), _told_back(conn))
    ]


def asked_is_held(conn: Connection) -> list[str]:
    """What of online top-ups was asked back and not decided has left the purse, and nothing else has."""
    asked = (
        select(pay_order.c.merchant_id, func.sum(pay_refund.c.amount_fen))
        .join(pay_refund, pay_refund.c.order_id == pay_order.c.order_id)
        .join(pay_try, pay_try.c.number == pay_refund.c.number)
        .where(pay_order.c.purpose == "topup", pay_order.c.fulfilment == DONE)
        .where(pay_try.c.state == "paid", pay_refund.c.state == "asked")
        .group_by(pay_order.c.merchant_id)
    )
    to_hold = {int(merchant_id): int(fen) for merchant_id, fen in conn.execute(asked)}
    is_held = {merchant_id: amount for (merchant_id, _, _), amount in _balances(conn, ASKED_ONLINE).items()}
    return [
        f"merchant {merchant_id}: top-ups of {due} were asked back, {held} is held for that"
        for merchant_id, due, held in _differing(to_hold, is_held)
    ]


def agreed_is_held(conn: Connection) -> list[str]:
    """What the office has to hand over is held for that and for nothing else, and counted at its purchase."""
    owed = paying_out.owed(conn)
    to_hold: Held = defaultdict(int)
    for (merchant_id, commodity, subject), amount in owed.items():
        funds = Funds.BOUGHT if subject.startswith("purchase:") else Funds.PAID
        to_hold[merchant_id, commodity, funds.value] += amount
    of_purchases = {subject: amount for (_, _, subject), amount in owed.items() if subject.startswith("purchase:")}
    return [
        f"merchant {merchant_id}: {due} {commodity} are to be handed over, {held} are held for that"
        for (merchant_id, commodity, _), due, held in _differing(to_hold, _balances(conn, AGREED_BACK))
    ] + [
        f"{purchase}: {due} are to be handed over, its coupons say {told}"
        for purchase, due, told in _differing(of_purchases, stock.agreed(conn))
    ]


def _booked_back(conn: Connection) -> dict[str, int]:
    """Fen that left the books towards the payer, by order; what was paid at the office has none."""
    of_purse = and_(ledger_entry.c.kind == "refund", ledger_entry.c.note == pay_order.c.order_id)
    of_stock = and_(ledger_entry.c.kind == "stock.refunded", ledger_entry.c.subject == pay_order.c.subject)
    back: dict[str, int] = {}
    for whose, purpose in ((of_purse, "topup"), (of_stock, "purchase")):
        query = (
            select(pay_order.c.order_id, func.sum(posting.c.amount))
            .join(ledger_entry, whose)
            .join(posting, posting.c.entry_id == ledger_entry.c.entry_id)
            .where(pay_order.c.purpose == purpose, pay_order.c.fulfilment == DONE, posting.c.account == REFUND)
        )
        back |= {order_id: int(fen) for order_id, fen in conn.execute(query.group_by(pay_order.c.order_id))}
    return back


def _told_back(conn: Connection) -> dict[str, int]:
    """Fen of the refunds that were decided, of orders that something was given for."""
    query = (
        select(pay_order.c.order_id, func.sum(pay_refund.c.amount_fen))
        .join(pay_refund, pay_refund.c.order_id == pay_order.c.order_id)
        .join(pay_try, pay_try.c.number == pay_refund.c.number)
        .where(
            pay_order.c.purpose.in_(("topup", "purchase")),
            pay_order.c.fulfilment == DONE,
            pay_try.c.state == "paid",
            pay_refund.c.cause == "person",
            pay_refund.c.state.not_in(("asked", "refused")),
        )
    )
    return {order_id: int(fen) for order_id, fen in conn.execute(query.group_by(pay_order.c.order_id))}


def unused_is_held(conn: Connection) -> list[str]:
    """``outstanding`` is what unused coupons and vouchers reserve; ``void_pending`` what withdrawn ones wait for."""
    reserved = {OUTSTANDING: _coupons(conn, _UNUSED), VOID_PENDING: _coupons(conn, _WITHDRAWN)}
    unused = select(voucher).where(voucher.c.state.in_(_PAPER_HELD_IN))
    for row in conn.execute(unused):
        reserved[_PAPER_HELD_IN[row.state]][row.merchant_id, row.commodity, row.funds] += row.reserved
    return [
        f"merchant {merchant_id}, {commodity} {funds}: {account} holds {held}, its coupons and vouchers reserve {due}"
        for account, expected in reserved.items()
        for (merchant_id, commodity, funds), due, held in _differing(expected, _balances(conn, account))
    ]


def coupons_agree(conn: Connection) -> list[str]:
    """Each coupon's own entries say what its state says: held once, then charged or given back, once.

    So two opposite errors are seen, which leave the sums of the merchant right.
    """
    held = coupon.c.reserved_paid + coupon.c.reserved_bonus + coupon.c.reserved_free + coupon.c.reserved_bought
    due = {
        OUTSTANDING: case((coupon.c.state.in_(_UNUSED), held), else_=0),
        VOID_PENDING: case((coupon.c.state.in_(_WITHDRAWN), held), else_=0),
        REDEEMED: case((coupon.c.state == State.REDEEMED.value, coupon.c.charged), else_=0),
    }
    return _disagree(conn, "coupon", coupon, coupon.c.serial, due)


def papers_agree(conn: Connection) -> list[str]:
    """The same of every voucher printed at a counter."""
    number = cast(voucher.c.key_id, Text) + literal("-") + cast(voucher.c.counter, Text)
    due = {
        account: case((voucher.c.state == state, voucher.c.reserved), else_=0)
        for state, account in _PAPER_HELD_IN.items()
    }
    due[REDEEMED] = case((voucher.c.state == State.REDEEMED.value, voucher.c.charged), else_=0)
    return _disagree(conn, "paper", voucher, literal("voucher:") + number, due)


def _disagree(
    conn: Connection, what: str, table: Table, name: ColumnElement[str], due: Mapping[str, ColumnElement[int]]
) -> list[str]:
    """Whose entries, by *name*, do not sum to what is *due* in an account."""

    def kept(account: str) -> ColumnElement[int]:
        return func.sum(case((posting.c.account == account, posting.c.amount), else_=0)).label(account)

    sums = (
        select(ledger_entry.c.subject, *(kept(account) for account in _OF_COUPON))
        .join(posting, posting.c.entry_id == ledger_entry.c.entry_id)
        .where(posting.c.account.in_(_OF_COUPON), ledger_entry.c.kind != CORRECTION)
        .group_by(ledger_entry.c.subject)
        .subquery()
    )
    wrong = []
    for account, expected in due.items():
        said = func.coalesce(sums.c[account], 0)
        query = select(name.label("name"), table.c.state, expected.label("due"), said.label("said"))
        query = query.join_from(table, sums, sums.c.subject == name, isouter=True).where(said != expected)
        wrong += [
            f"{what} {row.name} is {row.state}: {account} should have {row.due} of it, its entries say {row.said}"
            for row in conn.execute(query.order_by(name))
        ]
    return wrong


def _coupons(conn: Connection, states: tuple[str, ...]) -> Held:
    held: Held = defaultdict(int)
    sums = (
        select(
            coupon.c.merchant_id,
            coupon.c.commodity,
            func.sum(coupon.c.reserved_paid).label("paid"),
            func.sum(coupon.c.reserved_bonus).label("bonus"),
            func.sum(coupon.c.reserved_free).label("free"),
            func.sum(coupon.c.reserved_bought).label("bought"),
        )
        .where(coupon.c.state.in_(states))
        .group_by(coupon.c.merchant_id, coupon.c.commodity)
    )
    for row in conn.execute(sums):
        commodity = Commodity(row.commodity).value
        held[row.merchant_id, commodity, Funds.PAID.value] += int(row.paid)
        held[row.merchant_id, commodity, Funds.BONUS.value] += int(row.bonus)
        held[row.merchant_id, commodity, Funds.FREE.value] += int(row.free)
        held[row.merchant_id, commodity, Funds.BOUGHT.value] += int(row.bought)
    return held


def _differing(due: Mapping[Key, int], held: Mapping[Key, int]) -> Iterator[tuple[Key, int, int]]:
    """Where two reckonings do not agree, in order, with what each says there; one that does not name a key says 0."""
    for key in sorted(due.keys() | held.keys()):
        if due.get(key, 0) != held.get(key, 0):
            yield key, due.get(key, 0), held.get(key, 0)


def _balances(conn: Connection, account: str) -> Held:
    rows = conn.execute(select(balance).where(balance.c.account == account))
    return {(row.merchant_id, row.commodity, row.funds): row.amount for row in rows}


def audit_is_whole(conn: Connection) -> list[str]:
    """No row of the audit log was changed or removed (I24)."""
    broken = audit.first_broken(conn)
    return [] if broken is None else [f"the audit log is broken from row {broken} on"]


def logs_are_whole(conn: Connection) -> list[str]:
    """Every edge's log is here without a gap up to where its cursor stands."""
    counted = (
        select(edge_cursor.c.edge_id, edge_cursor.c.epoch, edge_cursor.c.seq, func.count(inbox.c.seq).label("events"))
        .outerjoin(inbox, (inbox.c.edge_id == edge_cursor.c.edge_id) & (inbox.c.epoch == edge_cursor.c.epoch))
        .group_by(edge_cursor.c.edge_id, edge_cursor.c.epoch, edge_cursor.c.seq)
        .order_by(edge_cursor.c.edge_id)
    )
    return [
        f"edge {row.edge_id}: {row.events} events of epoch {row.epoch} are here, its cursor says {row.seq}"
        for row in conn.execute(counted)
        if row.events != row.seq
    ]


def debts_hold(conn: Connection) -> list[str]:
    """No debt was paid, waived and reversed by more than was owed."""
    return arrears.wrong(conn)


CHECKS: Final[tuple[Callable[[Connection], list[str]], ...]] = (
    entries_balance,
    books_hold,
    leases_hold,
    stock_holds,
    refunds_agree,
    asked_is_held,
    agreed_is_held,
    unused_is_held,
    coupons_agree,
    papers_agree,
    debts_hold,
    audit_is_whole,
    logs_are_whole,
)


def check_all(conn: Connection) -> list[str]:
    """Everything that does not hold, in words; empty when all is right. The connection's view must not move."""
    return [sentence for check in CHECKS for sentence in check(conn)]
