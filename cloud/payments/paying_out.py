"""Money the office gives back by hand: agreed to, it waits until somebody hands it over and says so (E14, E21).

Until then it has left what it came from and is not paid; it may be taken back with a reason, and is there again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, Select, func, insert, or_, select, update

from cloud.access import audit
from cloud.act import Act, Refused
from cloud.db import paged
from cloud.payments.orders import Duties
from cloud.payments.tables import pay_out
from domain.ledger import Commodity
from plumbing.web.paging import Page

DUE, PAID, BACK = "due", "paid", "taken_back"
STATES: Final = (DUE, PAID, BACK)
MEANS: Final = ("cash", "transfer")
REMARK_LENGTH = 128


def owe(
    conn: Connection, act: Act, subject: str, merchant: RowMapping, amount: int, commodity: Commodity,
    reason: str, asked_by: str,
) -> None:  # fmt: skip
    """It was agreed that the office pays *amount* to a merchant, out of *subject* (its purse, or a purchase)."""
    conn.execute(
        insert(pay_out).values(
            operator_id=act.operator_id,
            merchant_id=merchant["merchant_id"],
            payee=merchant["name"],
            subject=subject,
            commodity=commodity.value,
            amount=amount,
            reason=reason,
            asked_by=asked_by,
            agreed_by=act.by,
            agreed_ms=act.now_ms,
            state=DUE,
            means="",
            remark="",
            ended_by="",
        )
    )


def hand_over(
    conn: Connection, act: Act, duties: Duties, payout_id: int, means: str, remark: str = ""
) -> Refused | None:
    """The payee has it, by these *means*. Said twice by the same person it is paid once, and another is told."""
    if means not in MEANS:
        return Refused("means_unknown")
    row = _lock(conn, act, payout_id)
    if row is not None and row["state"] == PAID and row["ended_by"] == act.by:
        return None
    return _end(conn, act, duties, row, PAID, means, remark)


def take_back(conn: Connection, act: Act, duties: Duties, payout_id: int, reason: str) -> Refused | None:
    """It is not paid after all, for a *reason*: what it came from has it again."""
    if not reason.strip():
        return Refused("reason_missing")
    return _end(conn, act, duties, _lock(conn, act, payout_id), BACK, "", reason)


def _end(
    conn: Connection, act: Act, duties: Duties, row: RowMapping | None, state: str, means: str, remark: str
) -> Refused | None:
    if row is None or row["state"] != DUE:
        return Refused("payout_not_due")
    remark = remark.strip()
    if len(remark) > REMARK_LENGTH:
        return Refused("remark_too_long", {"most": REMARK_LENGTH})
    at = pay_out.c.payout_id == row["payout_id"]
    ended = {"means": means, "remark": remark, "ended_by": act.by, "ended_ms": act.now_ms}
    conn.execute(update(pay_out).where(at).values(state=state, **ended))
    duties.paid_out[row["subject"].partition(":")[0]](conn, act, row, paid=state == PAID, note=remark)
    after = {"means": means, "commodity": row["commodity"], "amount": row["amount"]}
    audit.record(conn, act, f"payout.{state}", f"payout:{row['payout_id']}", reason=remark, after=after)
    return None


def _lock(conn: Connection, act: Act, payout_id: int) -> RowMapping | None:
    query = select(pay_out).where(pay_out.c.payout_id == payout_id, pay_out.c.operator_id == act.operator_id)
    return conn.execute(query.with_for_update()).mappings().one_or_none()


def listed(conn: Connection, operator_id: int, state: str = "", search: str = "", page: int = 1) -> Page[RowMapping]:
    """What was agreed to, the newest first; *search* is part of the payee, the reason, the remark or a name."""
    return paged(conn, _query(operator_id, state, search), page)


def every(conn: Connection, operator_id: int, state: str, search: str, most: int) -> Sequence[RowMapping]:
    """The same up to *most*."""
    return conn.execute(_query(operator_id, state, search).limit(most)).mappings().all()


def _query(operator_id: int, state: str, search: str) -> Select[Any]:
    query = select(pay_out).where(pay_out.c.operator_id == operator_id)
    if state:
        query = query.where(pay_out.c.state == state)
    if search:
        names = ("payee", "reason", "remark", "asked_by", "agreed_by", "ended_by")
        query = query.where(or_(*(pay_out.c[name].contains(search, autoescape=True) for name in names)))
    return query.order_by(pay_out.c.payout_id.desc())


def due_of(conn: Connection, merchant_id: int) -> Sequence[RowMapping]:
    """What is to be handed over to one merchant."""
    query = select(pay_out).where(pay_out.c.merchant_id == merchant_id, pay_out.c.state == DUE)
    return conn.execute(query.order_by(pay_out.c.payout_id)).mappings().all()


def owed(conn: Connection) -> dict[tuple[int, str, str], int]:
    """What is to be handed over, by merchant, commodity and what it comes out of."""
    sums = select(pay_out.c.merchant_id, pay_out.c.commodity, pay_out.c.subject, func.sum(pay_out.c.amount))
    due = sums.where(pay_out.c.state == DUE).group_by(pay_out.c.merchant_id, pay_out.c.commodity, pay_out.c.subject)
    return {(merchant_id, commodity, subject): int(sum_) for merchant_id, commodity, subject, sum_ in conn.execute(due)}
