"""What providers tell us unasked: each counted once, however often it comes."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, insert, select, update

from cloud.act import Act
from cloud.payments import invoices, refunds
from cloud.payments.orders import Alarm, Duties, Settled, settled
from cloud.payments.provider import Notice, Outcome, State
from cloud.payments.tables import pay_notice, pay_refund, pay_try


def take(conn: Connection, act: Act, duties: Duties, account_id: int, notice: Notice) -> str:
    """Do what *notice* says and remember it; what came of it. A number of another account is nobody's."""
    at = pay_try.c.number == notice.charge_number
    account = conn.execute(select(pay_try.c.account_id).where(at)).scalar_one_or_none()
    if account != account_id:
        detail = f"{notice.charge_number}: {notice.outcome.amount_fen} fen"
        if notice.outcome.state is State.PAID:
            alarm = Alarm(f"pay:unknown:{account_id}:{notice.charge_number}", "pay_unknown_number", detail, None)
            duties.alarm(conn, act, alarm)
        result = "unknown"
    elif notice.refund_number:
        result = "refund" if _refund(conn, act, duties, notice) else Settled.AGAIN.value
    else:
        result = settled(conn, act, duties, notice.charge_number, notice.outcome).value
    _remember(conn, act, account_id, notice, result)
    return result


def _refund(conn: Connection, act: Act, duties: Duties, notice: Notice) -> bool:
    at = (pay_refund.c.refund_id == notice.refund_number) & (pay_refund.c.number == notice.charge_number)
    row = conn.execute(select(pay_refund).where(at)).mappings().one_or_none()
    if row is None:
        return False
    return refund_heard(conn, act, duties, row, notice.outcome)


def refund_heard(conn: Connection, act: Act, duties: Duties, row: RowMapping, outcome: Outcome) -> bool:
    """Take the provider's word on a refund, and do what follows from it; False when it changes nothing."""
    taken = refunds.heard(conn, act, row["refund_id"], outcome)
    if taken and outcome.state is State.CLOSED:
        _failed(conn, act, duties, row)
    if taken and outcome.state is State.REFUNDED:
        invoices.after_refund(conn, act, row["order_id"])
    return taken


def _failed(conn: Connection, act: Act, duties: Duties, row: RowMapping) -> None:
    """The provider will not give the money back by itself: a person must."""
    detail = f"{row['refund_id']}: {row['amount_fen']} fen of {row['number']}"
    duties.alarm(conn, act, Alarm(f"pay:refund:{row['refund_id']}:{row['sends']}", "pay_refund_failed", detail, None))


def _remember(conn: Connection, act: Act, account_id: int, notice: Notice, result: str) -> None:
    notice_id = f"{account_id}:{notice.notice_id}"
    at = pay_notice.c.notice_id == notice_id
    if conn.execute(update(pay_notice).where(at).values(received=pay_notice.c.received + 1)).rowcount:
        return
    conn.execute(
        insert(pay_notice).values(
            notice_id=notice_id,
            operator_id=act.operator_id,
            account_id=account_id,
            number=notice.charge_number,
            refund_id=notice.refund_number,
            result=result,
            received=1,
            first_ms=act.now_ms,
        )
    )


def of_numbers(conn: Connection, operator_id: int, numbers: Sequence[str]) -> Sequence[RowMapping]:
    """The notices about some numbers, the oldest first."""
    query = select(pay_notice).where(pay_notice.c.operator_id == operator_id, pay_notice.c.number.in_(numbers))
    return conn.execute(query.order_by(pay_notice.c.first_ms, pay_notice.c.notice_id)).mappings().all()
