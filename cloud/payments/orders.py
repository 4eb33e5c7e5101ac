"""Orders: opened by whoever wants money, paid exactly once, honoured in the transaction that marks them paid (E21).

An order may have several tries to pay it, each a number at one provider. Money that comes a second time, or for what
cannot be given any more, goes back by the way it came; an amount that was not asked for is a person's matter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from sqlalchemy import Connection, RowMapping, insert, select, update

from cloud.act import Act, Refused
from cloud.payments import refunds
from cloud.payments.invoices import PaidHere
from cloud.payments.provider import Outcome, State
from cloud.payments.tables import pay_order, pay_try

PURPOSES = ("fee", "topup", "purchase", "monthly")
DONE = "done"


class UnfulfillableError(Exception):
    """What was paid for cannot be given any more; the money goes back. *reason* is a code with words in the catalogue
    (``unfulfillable.<reason>``)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Wanted:
    """Money somebody is asked for. *subject* is the capability's own (a stay, a purchase), *description* is for the
    payer; *return_path* is the page of this cloud the payer goes on to."""

    purpose: str
    subject: str
    amount_fen: int
    description: str
    expires_ms: int
    lot_id: int | None = None
    merchant_id: int | None = None
    return_path: str = ""


@dataclass(frozen=True, slots=True)
class PayOrder:
    """An order as it stands. *state*: open, paid, expired, cancelled. *fulfilment*: "" before, "done", or why not."""

    order_id: str
    operator_id: int
    purpose: str
    subject: str
    amount_fen: int
    lot_id: int | None
    merchant_id: int | None
    description: str
    return_path: str
    state: str
    fulfilment: str
    expires_ms: int
    created_ms: int
    created_by: str
    paid_ms: int | None

    @property
    def cashier_path(self) -> str:
        """The page where it is paid: send the payer there."""
        return f"/payments/{self.order_id}"


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something about money that a person must look at. The same *alarm_id* twice is one."""

    alarm_id: str
    code: str
    detail: str
    lot_id: int | None


Fulfil = Callable[[Connection, Act, PayOrder], None]
TakeBack = Callable[[Connection, Act, PayOrder, int], Refused | None]


class Decided(Protocol):
    """Told of a refund of so many fen that a second person has decided on."""

    def __call__(
        self, conn: Connection, act: Act, order: PayOrder, amount_fen: int, /, *, agreed: bool
    ) -> Refused | None: ...


class PaidOut(Protocol):
    """Told that what the office was to pay out (a row of ``pay_out``) was handed over, or taken back before that."""

    def __call__(self, conn: Connection, act: Act, payout: RowMapping, /, *, paid: bool, note: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Duties:
    """What the rest of the cloud does for payments, handed in by ``cloud/app.py``.

    *fulfil* gives what an order of a purpose was for; it raises UnfulfillableError, and then keeps nothing. It is also
    called for orders paid after they expired. *take_back* undoes it before a person's refund of so many fen; purposes
    that are not in it are refunded from their own pages. *hold* keeps it from being spent from when a refund was asked
    for until a second person said yes or no; *decided* then ends that, by either word. *paid_here* tells what a
    merchant (operator, merchant) paid at the office, its row locked; *paid_out* is told how it ended that the office
    was to give money back by hand, by the kind of what that came out of.
    """

    fulfil: Mapping[str, Fulfil] = field(default_factory=dict)
    take_back: Mapping[str, TakeBack] = field(default_factory=dict)
    hold: Mapping[str, TakeBack] = field(default_factory=dict)
    decided: Mapping[str, Decided] = field(default_factory=dict)
    paid_out: Mapping[str, PaidOut] = field(default_factory=dict)
    paid_here: Callable[[Connection, int, int], Sequence[PaidHere]] = lambda conn, operator_id, merchant_id: ()
    alarm: Callable[[Connection, Act, Alarm], None] = lambda conn, act, alarm: None


class Settled(StrEnum):
    """What a provider's word came to."""

    NOTHING = "nothing"  # it is not paid, or nobody knows the number
    DONE = "done"
    AGAIN = "again"  # heard before
    TWICE = "twice"  # the order was paid by another try: given back
    WRONG = "wrong"  # another amount than asked: not honoured
    UNFULFILLABLE = "unfulfillable"  # given back


def open_order(conn: Connection, act: Act, wanted: Wanted) -> PayOrder:
    """A new order. Raises ValueError for an unknown purpose or an amount that is not above 0: a bug of the caller."""
    if wanted.purpose not in PURPOSES or wanted.amount_fen <= 0:
        raise ValueError(f"not to be paid: {wanted.purpose} {wanted.amount_fen}")
    order_id = act.uuid()
    conn.execute(
        insert(pay_order).values(
            order_id=order_id,
            operator_id=act.operator_id,
            purpose=wanted.purpose,
            subject=wanted.subject,
            amount_fen=wanted.amount_fen,
            lot_id=wanted.lot_id,
            merchant_id=wanted.merchant_id,
            description=wanted.description,
            return_path=wanted.return_path,
            state="open",
            fulfilment="",
            expires_ms=wanted.expires_ms,
            created_ms=act.now_ms,
            created_by=act.by,
        )
    )
    made = get(conn, act.operator_id, order_id)
    if made is None:
        raise LookupError(order_id)
    return made


def _order(row: RowMapping | None) -> PayOrder | None:
    return None if row is None else PayOrder(**dict(row))


def get(conn: Connection, operator_id: int, order_id: str) -> PayOrder | None:
    """One order."""
    query = select(pay_order).where(pay_order.c.order_id == order_id, pay_order.c.operator_id == operator_id)
    return _order(conn.execute(query).mappings().one_or_none())


def open_of(conn: Connection, operator_id: int, made_by: str) -> list[PayOrder]:
    """Open orders that *made_by* made, the oldest first."""
    query = select(pay_order).where(
        pay_order.c.operator_id == operator_id, pay_order.c.state == "open", pay_order.c.created_by == made_by
    )
    rows = conn.execute(query.order_by(pay_order.c.created_ms, pay_order.c.order_id)).mappings()
    return [PayOrder(**dict(row)) for row in rows]


def lock(conn: Connection, operator_id: int, order_id: str) -> PayOrder | None:
    """One order that nobody else touches until this transaction ends. Take it before reading its tries."""
    query = select(pay_order).where(pay_order.c.order_id == order_id, pay_order.c.operator_id == operator_id)
    return _order(conn.execute(query.with_for_update()).mappings().one_or_none())


def tries(conn: Connection, order_id: str) -> list[RowMapping]:
    """The tries to pay an order, the oldest first."""
    query = select(pay_try).where(pay_try.c.order_id == order_id).order_by(pay_try.c.created_ms, pay_try.c.number)
    return list(conn.execute(query).mappings())


def cancel(conn: Connection, act: Act, order_id: str) -> Refused | None:
    """Nobody wants the money any more; what comes all the same is honoured or goes back, as for an expired order."""
    order = lock(conn, act.operator_id, order_id)
    if order is None or order.state != "open":
        return Refused("order_not_open")
    _end(conn, act, order, "cancelled")
    return None


def expire(conn: Connection, act: Act) -> list[str]:
    """Orders whose time is over end, and their tries are asked about and closed. Returns their ids (E21)."""
    query = select(pay_order).where(
        pay_order.c.operator_id == act.operator_id, pay_order.c.state == "open", pay_order.c.expires_ms <= act.now_ms
    )
    over = [PayOrder(**dict(row)) for row in conn.execute(query.with_for_update()).mappings()]
    for order in over:
        _end(conn, act, order, "expired")
    return [order.order_id for order in over]


def _end(conn: Connection, act: Act, order: PayOrder, state: str) -> None:
    conn.execute(update(pay_order).where(pay_order.c.order_id == order.order_id).values(state=state))
    waiting = (pay_try.c.order_id == order.order_id) & (pay_try.c.state == "waiting")
    conn.execute(update(pay_try).where(waiting).values(ask_ms=act.now_ms))


def settled(conn: Connection, act: Act, duties: Duties, number: str, outcome: Outcome) -> Settled:
    """Take the provider's word on one try. A paid order is marked and honoured here, together and once."""
    found = conn.execute(
        select(pay_try.c.order_id).where(pay_try.c.number == number, pay_try.c.operator_id == act.operator_id)
    ).scalar_one_or_none()
    order = None if found is None else lock(conn, act.operator_id, found)
    if order is None:
        return Settled.NOTHING
    row = conn.execute(select(pay_try).where(pay_try.c.number == number)).mappings().one()
    if row["state"] in ("paid", "wrong"):
        return Settled.AGAIN
    if outcome.state is State.CLOSED:
        _mark(conn, number, state="closed", ask_ms=None, ended_ms=act.now_ms)
        return Settled.NOTHING
    if outcome.state not in (State.PAID, State.REFUNDED):
        return Settled.NOTHING
    told = {"provider_number": outcome.provider_number, "payer": outcome.payer, "paid_fen": outcome.amount_fen}
    is_right = outcome.amount_fen == row["amount_fen"]
    ended_ms = outcome.happened_ms or act.now_ms  # by the provider's clock: its bill goes by it
    _mark(conn, number, state="paid" if is_right else "wrong", ask_ms=None, ended_ms=ended_ms, **told)
    if not is_right:
        detail = f"{number}: {outcome.amount_fen} fen paid, {row['amount_fen']} fen asked"
        duties.alarm(conn, act, Alarm(f"pay:wrong:{number}", "pay_wrong_amount", detail, order.lot_id))
        return Settled.WRONG
    return _take(conn, act, duties, order, row)


def _mark(conn: Connection, number: str, **values: Any) -> None:
    conn.execute(update(pay_try).where(pay_try.c.number == number).values(**values))


def _take(conn: Connection, act: Act, duties: Duties, order: PayOrder, row: RowMapping) -> Settled:
    """The right amount came, by a try not heard of before."""
    if order.state == "paid":
        refunds.by_itself(conn, act, row, "twice", "twice")
        return Settled.TWICE
    at = pay_order.c.order_id == order.order_id
    conn.execute(update(pay_order).where(at).values(state="paid", paid_ms=act.now_ms))
    try:
        with conn.begin_nested():
            duties.fulfil[order.purpose](conn, act, order)
    except UnfulfillableError as exc:
        conn.execute(update(pay_order).where(at).values(fulfilment=exc.reason))
        refunds.by_itself(conn, act, row, "unfulfillable", exc.reason)
        return Settled.UNFULFILLABLE
    conn.execute(update(pay_order).where(at).values(fulfilment=DONE))
    return Settled.DONE
