"""Bills of providers taken day by day, and their differences until a person has worked them off (E72)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta, timezone
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, delete, insert, or_, select, update

from cloud.access import audit
from cloud.act import Act, Refused
from cloud.days import began_ms, day_at
from cloud.db import paged
from cloud.payments.comparing import Difference, Ours, compare
from cloud.payments.orders import Alarm, Duties
from cloud.payments.provider import BillLine
from cloud.payments.tables import pay_account, pay_bill, pay_difference, pay_refund, pay_try
from plumbing.web.paging import Page

CHINA = timezone(timedelta(hours=8))  # providers' days are China's
READY_HOUR = 10  # bills of a day are there the next morning
BACK_DAYS = 3  # days looked back for bills that were missed
REASON_LENGTH = 128


def days_due(conn: Connection, operator_id: int, now_ms: int) -> list[tuple[int, str, date]]:
    """(account, its name, day) of bills that should be there and were not taken."""
    now = datetime.fromtimestamp(now_ms / 1000, CHINA)
    last = now.date() - timedelta(days=1 if now.hour >= READY_HOUR else 2)
    query = select(pay_account).where(pay_account.c.operator_id == operator_id).order_by(pay_account.c.account_id)
    taken = {tuple(row) for row in conn.execute(select(pay_bill.c.account_id, pay_bill.c.day))}
    due = []
    for row in conn.execute(query).mappings():
        since = day_at(row["created_ms"], CHINA)
        days = (last - timedelta(days=back) for back in reversed(range(BACK_DAYS)))
        missing = (day for day in days if day >= since and (row["account_id"], day.isoformat()) not in taken)
        due += [(row["account_id"], row["name"], day) for day in missing]
    return due


def unheard(conn: Connection, account_id: int, lines: Sequence[BillLine]) -> list[str]:
    """Numbers of ours that the bill has as paid and we do not: their provider is asked before anything is compared."""
    numbers = [line.charge_number for line in lines if not line.refund_number]
    query = select(pay_try.c.number).where(
        pay_try.c.account_id == account_id, pay_try.c.number.in_(numbers), pay_try.c.state.in_(("waiting", "closed"))
    )
    return list(conn.execute(query).scalars())


def take(
    conn: Connection, act: Act, duties: Duties, account_id: int, day: date, lines: Sequence[BillLine], per_mille: int
) -> list[Difference]:
    """Lay a bill beside our book. Taken again, differences that are gone close by themselves; closed ones stay so."""
    ours = _ours(conn, account_id, day, lines)
    found = compare(ours, lines, per_mille)
    at = (pay_bill.c.account_id == account_id) & (pay_bill.c.day == day.isoformat())
    conn.execute(delete(pay_bill).where(at))
    conn.execute(
        insert(pay_bill).values(
            account_id=account_id,
            day=day.isoformat(),
            operator_id=act.operator_id,
            lines=len(lines),
            paid_fen=sum(line.amount_fen for line in lines if not line.refund_number),
            refunded_fen=sum(line.amount_fen for line in lines if line.refund_number),
            fee_fen=sum(line.fee_fen for line in lines),
            ours_paid_fen=sum(one.amount_fen for one in ours if not one.refund_id),
            ours_refunded_fen=sum(one.amount_fen for one in ours if one.refund_id),
            taken_ms=act.now_ms,
        )
    )
    _keep(conn, act, account_id, day, found)
    if found:
        detail = f"{day.isoformat()}: {len(found)}"
        duties.alarm(conn, act, Alarm(f"pay:bill:{account_id}:{day.isoformat()}", "pay_difference", detail, None))
    return found


def _ours(conn: Connection, account_id: int, day: date, lines: Sequence[BillLine]) -> list[Ours]:
    """What our book has for the day; a line of the bill finds its payment or refund on whatever day it stands here."""
    start = began_ms(day, CHINA)
    end = start + 86_400_000
    numbers = [line.charge_number for line in lines if not line.refund_number]
    paid = select(pay_try.c.number, pay_try.c.paid_fen).where(
        pay_try.c.account_id == account_id,
        pay_try.c.state.in_(("paid", "wrong")),
        pay_try.c.number.in_(numbers) | ((pay_try.c.ended_ms >= start) & (pay_try.c.ended_ms < end)),
    )
    back_ids = [line.refund_number for line in lines if line.refund_number]
    back = (
        select(pay_refund.c.number, pay_refund.c.amount_fen, pay_refund.c.refund_id)
        .join(pay_try, pay_try.c.number == pay_refund.c.number)
        .where(
            pay_try.c.account_id == account_id,
            pay_refund.c.refund_id.in_(back_ids)
            | ((pay_refund.c.state == "done") & (pay_refund.c.done_ms >= start) & (pay_refund.c.done_ms < end)),
        )
    )
    return [*(Ours(*row) for row in conn.execute(paid)), *(Ours(*row) for row in conn.execute(back))]


def _keep(conn: Connection, act: Act, account_id: int, day: date, found: Sequence[Difference]) -> None:
    at = (pay_difference.c.account_id == account_id) & (pay_difference.c.day == day.isoformat())
    known = {
        (row["kind"], row["number"], row["refund_id"]): row
        for row in conn.execute(select(pay_difference).where(at)).mappings()
    }
    keys = {(each.kind, each.number, each.refund_id) for each in found}
    for key, row in known.items():
        if key not in keys and row["closed_ms"] is None:
            gone = {"closed_ms": act.now_ms, "closed_by": act.by, "reason": ""}
            conn.execute(
                update(pay_difference).where(pay_difference.c.difference_id == row["difference_id"]).values(**gone)
            )
    fresh = [
        {
            "operator_id": act.operator_id,
            "account_id": account_id,
            "day": day.isoformat(),
            "kind": each.kind,
            "number": each.number,
            "refund_id": each.refund_id,
            "ours_fen": each.ours_fen,
            "theirs_fen": each.theirs_fen,
            "closed_by": "",
            "reason": "",
        }
        for each in found
        if (each.kind, each.number, each.refund_id) not in known
    ]
    if fresh:
        conn.execute(insert(pay_difference), fresh)


def close(conn: Connection, act: Act, difference_id: int, reason: str) -> Refused | None:
    """A person has worked a difference off, and says how."""
    if not reason.strip() or len(reason) > REASON_LENGTH:
        return Refused("reason_missing")
    at = (pay_difference.c.difference_id == difference_id) & (pay_difference.c.operator_id == act.operator_id)
    values = {"closed_ms": act.now_ms, "closed_by": act.by, "reason": reason.strip()}
    done = conn.execute(update(pay_difference).where(at, pay_difference.c.closed_ms.is_(None)).values(**values))
    if done.rowcount != 1:
        return Refused("difference_not_open")
    audit.record(conn, act, "pay_difference.closed", f"pay_difference:{difference_id}", reason=reason)
    return None


def listed(conn: Connection, operator_id: int, page: int = 1) -> Page[RowMapping]:
    """Bills, the newest day first, each with its account."""
    return paged(conn, _bills(operator_id), page)


def every(conn: Connection, operator_id: int, most: int) -> list[RowMapping]:
    """The same up to *most*, for an export."""
    return list(conn.execute(_bills(operator_id).limit(most)).mappings())


def _bills(operator_id: int) -> Select[Any]:
    return (
        select(pay_bill, pay_account.c.name)
        .join(pay_account, pay_account.c.account_id == pay_bill.c.account_id)
        .where(pay_bill.c.operator_id == operator_id)
        .order_by(pay_bill.c.day.desc(), pay_bill.c.account_id)
    )


def of_days(conn: Connection, operator_id: int, days: Collection[str]) -> Sequence[RowMapping]:
    """Every account's bill of these days."""
    query = select(pay_bill).where(pay_bill.c.operator_id == operator_id, pay_bill.c.day >= min(days, default=""))
    return [row for row in conn.execute(query).mappings() if row["day"] in days]


def differences(
    conn: Connection, operator_id: int, *, only_open: bool, search: str = "", page: int = 1
) -> Page[RowMapping]:
    """Differences, the newest day first, each with its account; *search* is part of a number, or a day."""
    return paged(conn, _differences(operator_id, search, only_open=only_open), page)


def every_difference(
    conn: Connection, operator_id: int, search: str, most: int, *, only_open: bool
) -> list[RowMapping]:
    """The same up to *most*, for an export."""
    return list(conn.execute(_differences(operator_id, search, only_open=only_open).limit(most)).mappings())


def _differences(operator_id: int, search: str, *, only_open: bool) -> Select[Any]:
    query = (
        select(pay_difference, pay_account.c.name)
        .join(pay_account, pay_account.c.account_id == pay_difference.c.account_id)
        .where(pay_difference.c.operator_id == operator_id)
        .order_by(pay_difference.c.day.desc(), pay_difference.c.difference_id.desc())
    )
    if only_open:
        query = query.where(pay_difference.c.closed_ms.is_(None))
    if search:
        names = ("number", "refund_id", "day")
        query = query.where(or_(*(pay_difference.c[name].contains(search, autoescape=True) for name in names)))
    return query
