"""Money back by the way it came: at once where nothing can be given for it, else asked for by a person (E14, E21).

Above the operator's limit a second person agrees. What was decided is due; the desk sends it until the provider has
done it, always under the same number, so that it happens once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, case, func, insert, select, update

from cloud.access import audit, keys
from cloud.act import Act, Refused
from cloud.bulk import sums_among
from cloud.payments.provider import Outcome, State
from cloud.payments.tables import pay_order, pay_refund, pay_try

LIVE = ("asked", "due", "sent", "done")  # count against what was paid
FIRST_AGAIN_MS, LONGEST_AGAIN_MS = 60_000, 3_600_000
REASON_LENGTH = 80


def by_itself(conn: Connection, act: Act, row: RowMapping, cause: str, reason: str) -> None:
    """The whole of a try goes back, once for each *cause*; no person is asked."""
    once = f"{cause}:{row['number']}"
    known = conn.execute(select(pay_refund.c.refund_id).where(pay_refund.c.once == once)).first()
    if known is None:
        _add(conn, act, row, row["amount_fen"], cause, reason, "due", once)


def part_by_itself(
    conn: Connection, act: Act, order_id: str, amount_fen: int, cause: str, reason: str, each: str = ""
) -> None:
    """A part of what paid an order goes back, once for each *cause* (or each *each* of it); no person is asked."""
    paid = select(pay_try).where(pay_try.c.order_id == order_id, pay_try.c.state == "paid")
    row = conn.execute(paid.order_by(pay_try.c.ended_ms, pay_try.c.number).limit(1)).mappings().one()
    once = f"{cause}:{each or row['number']}"
    known = conn.execute(select(pay_refund.c.refund_id).where(pay_refund.c.once == once)).first()
    part = min(amount_fen, row["paid_fen"] - refunded_fen(conn, row["number"]))
    if known is None and part > 0:
        _add(conn, act, row, part, cause, reason, "due", once)


def _add(
    conn: Connection, act: Act, row: RowMapping, amount_fen: int, cause: str, reason: str, state: str, once: str | None
) -> str:
    refund_id = act.uuid().replace("-", "")
    conn.execute(
        insert(pay_refund).values(
            refund_id=refund_id,
            operator_id=act.operator_id,
            order_id=row["order_id"],
            number=row["number"],
            amount_fen=amount_fen,
            cause=cause,
            reason=reason,
            state=state,
            asked_by=act.by,
            asked_ms=act.now_ms,
            agreed_by="",
            sends=0,
            ask_ms=act.now_ms if state == "due" else None,
            detail="",
            once=once,
        )
    )
    return refund_id


def refunded_fen(conn: Connection, number: str) -> int:
    """Fen of one try that went back, or are on their way or asked for."""
    query = select(func.coalesce(func.sum(pay_refund.c.amount_fen), 0))
    live = pay_refund.c.state.in_(LIVE)
    return int(conn.execute(query.where(pay_refund.c.number == number, live)).scalar_one())


@dataclass(frozen=True, slots=True)
class Left:
    """A payment that was honoured: what of it has not gone back and is not asked for."""

    order_id: str
    number: str
    left_fen: int


def left_of_merchant(conn: Connection, operator_id: int, merchant_id: int, purpose: str) -> list[Left]:
    """Of a merchant's payments of one purpose, the newest first."""
    back = case((pay_refund.c.state.in_(LIVE), pay_refund.c.amount_fen), else_=0)
    query = (
        select(pay_order.c.order_id, pay_try.c.number, pay_try.c.paid_fen, func.sum(back))
        .join(pay_try, pay_try.c.order_id == pay_order.c.order_id)
        .outerjoin(pay_refund, pay_refund.c.number == pay_try.c.number)
        .where(
            pay_order.c.operator_id == operator_id,
            pay_order.c.merchant_id == merchant_id,
            pay_order.c.purpose == purpose,
            pay_order.c.fulfilment == "done",
            pay_try.c.state == "paid",
        )
        .group_by(pay_order.c.order_id, pay_try.c.number, pay_try.c.paid_fen, pay_try.c.ended_ms)
        .order_by(pay_try.c.ended_ms.desc(), pay_try.c.number)
    )
    return [Left(order_id, number, int(paid - gone)) for order_id, number, paid, gone in conn.execute(query)]


def of_cause(conn: Connection, order_ids: Sequence[str], cause: str) -> dict[str, int]:
    """Fen of each order that went back for one *cause*, or are on their way."""
    query = select(pay_refund.c.order_id, func.sum(pay_refund.c.amount_fen)).where(
        pay_refund.c.cause == cause, pay_refund.c.state.in_(LIVE)
    )
    return sums_among(conn, query.group_by(pay_refund.c.order_id), pay_refund.c.order_id, order_ids)


def ask(
    conn: Connection, act: Act, order_id: str, amount_fen: int, reason: str, limit_fen: int, number: str = ""
) -> str | Refused:
    """A person wants *amount_fen* of an order back with the payer; its id.

    Above *limit_fen* a second person has to agree. *number* names the try where more than one was paid. Whatever was
    given for the money has to be taken back by the caller, in the same transaction.
    """
    locked = select(pay_order.c.order_id).where(
        pay_order.c.order_id == order_id, pay_order.c.operator_id == act.operator_id
    )
    if conn.execute(locked.with_for_update()).first() is None:
        return Refused("order_unknown")
    if not reason.strip() or len(reason) > REASON_LENGTH:
        return Refused("reason_missing")
    paid = select(pay_try).where(pay_try.c.order_id == order_id, pay_try.c.state.in_(("paid", "wrong")))
    if number:
        paid = paid.where(pay_try.c.number == number)
    row = conn.execute(paid.order_by(pay_try.c.ended_ms).limit(1)).mappings().one_or_none()
    if row is None:
        return Refused("order_not_paid")
    left = row["paid_fen"] - refunded_fen(conn, row["number"])
    if not 0 < amount_fen <= left:
        return Refused("refund_too_much", {"left": left})
    state = "asked" if amount_fen > limit_fen else "due"
    refund_id = _add(conn, act, row, amount_fen, "person", reason, state, None)
    after = {"amount_fen": amount_fen, "state": state}
    audit.record(conn, act, "refund.asked", f"pay_order:{order_id}", reason=reason, after=after)
    return refund_id


def decide(conn: Connection, act: Act, refund_id: str, *, agreed: bool) -> Refused | None:
    """The second person's word; never that of who asked, themselves or by a program of theirs."""
    row = _lock(conn, refund_id, act.operator_id)
    if row is None or row["state"] != "asked":
        return Refused("refund_not_asked")
    if keys.person_behind(conn, act.operator_id, row["asked_by"]) == act.by:
        return Refused("refund_needs_another")
    values = {"state": "due", "ask_ms": act.now_ms} if agreed else {"state": "refused", "ask_ms": None}
    conn.execute(update(pay_refund).where(pay_refund.c.refund_id == refund_id).values(agreed_by=act.by, **values))
    audit.record(conn, act, "refund.agreed" if agreed else "refund.refused", f"pay_order:{row['order_id']}")
    return None


def _lock(conn: Connection, refund_id: str, operator_id: int) -> RowMapping | None:
    query = select(pay_refund).where(pay_refund.c.refund_id == refund_id, pay_refund.c.operator_id == operator_id)
    return conn.execute(query.with_for_update()).mappings().one_or_none()


def to_send(conn: Connection, operator_id: int, now_ms: int, most: int = 20) -> Sequence[RowMapping]:
    """Refunds that are to be sent or asked about, with what the provider needs to know of the payment."""
    query = (
        select(pay_refund, pay_try.c.account_id, pay_try.c.paid_fen)
        .join(pay_try, pay_try.c.number == pay_refund.c.number)
        .where(pay_refund.c.operator_id == operator_id, pay_refund.c.ask_ms <= now_ms)
        .order_by(pay_refund.c.ask_ms, pay_refund.c.refund_id)
        .limit(most)
    )
    return conn.execute(query).mappings().all()


def heard(conn: Connection, act: Act, refund_id: str, outcome: Outcome) -> bool:
    """Take the provider's word on a refund; False when it is unknown or ended already."""
    row = _lock(conn, refund_id, act.operator_id)
    if row is None or row["state"] not in ("due", "sent"):
        return False
    values: dict[str, object] = {"sends": row["sends"] + 1, "detail": outcome.detail[:200]}
    if outcome.state is State.REFUNDED:
        values |= {"state": "done", "ask_ms": None, "done_ms": outcome.happened_ms or act.now_ms}
    elif outcome.state is State.CLOSED:
        values |= {"state": "failed", "ask_ms": None}
    else:
        wait = min(LONGEST_AGAIN_MS, FIRST_AGAIN_MS << min(row["sends"], 6))
        sent = "sent" if outcome.state is State.WAITING else row["state"]
        values |= {"state": sent, "ask_ms": act.now_ms + wait}
    conn.execute(update(pay_refund).where(pay_refund.c.refund_id == refund_id).values(**values))
    return True


def again(conn: Connection, act: Act, refund_id: str) -> Refused | None:
    """A person has a failed refund sent once more, after what was wrong at the provider was put right."""
    row = _lock(conn, refund_id, act.operator_id)
    if row is None or row["state"] != "failed":
        return Refused("refund_not_failed")
    conn.execute(update(pay_refund).where(pay_refund.c.refund_id == refund_id).values(state="due", ask_ms=act.now_ms))
    audit.record(conn, act, "refund.again", f"pay_order:{row['order_id']}")
    return None


def get(conn: Connection, operator_id: int, refund_id: str) -> RowMapping | None:
    """One refund, with how the try stands that it gives back."""
    query = (
        select(pay_refund, pay_try.c.state.label("try_state"))
        .join(pay_try, pay_try.c.number == pay_refund.c.number)
        .where(pay_refund.c.refund_id == refund_id, pay_refund.c.operator_id == operator_id)
    )
    return conn.execute(query).mappings().one_or_none()


def of_order(conn: Connection, order_id: str) -> Sequence[RowMapping]:
    """Refunds of one order, the oldest first."""
    query = select(pay_refund).where(pay_refund.c.order_id == order_id)
    return conn.execute(query.order_by(pay_refund.c.asked_ms, pay_refund.c.refund_id)).mappings().all()
