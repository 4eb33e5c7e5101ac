"""Fees paid by phone on one day: the order, what the lot did with it, and what went back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, RowMapping, select

from cloud.fees.tables import phone_fee
from cloud.payments import refunds

DIGITS = "code-"  # before a quote's number: the lot's payment that eight typed digits proved
CAUSE = "fee"  # of refunds of what the lot had no use for
CHUNK = 500


def paid_in(conn: Connection, operator_id: int, lot_id: int, from_ms: int, until_ms: int) -> Sequence[RowMapping]:
    """Fees that were paid in the time."""
    query = select(phone_fee).where(
        phone_fee.c.operator_id == operator_id, phone_fee.c.lot_id == lot_id,
        phone_fee.c.paid_ms >= from_ms, phone_fee.c.paid_ms < until_ms,
    )  # fmt: skip
    return conn.execute(query.order_by(phone_fee.c.paid_ms, phone_fee.c.payment_id)).mappings().all()


def at_the_lot(row: RowMapping) -> tuple[str, str]:
    """The names a fee may have in the lot's payments."""
    return row["payment_id"], f"{DIGITS}{row['number']}"


def unknown(conn: Connection, operator_id: int, lot_id: int, payment_ids: Iterable[str]) -> set[str]:
    """Those of a lot's payments by phone that no paid fee stands behind."""
    left = set(payment_ids)
    mine = (phone_fee.c.operator_id == operator_id, phone_fee.c.lot_id == lot_id, phone_fee.c.state != "open")
    wanted = sorted(left)
    for at in range(0, len(wanted), CHUNK):
        few = wanted[at : at + CHUNK]
        numbers = [one.removeprefix(DIGITS) for one in few if one.startswith(DIGITS)]
        named = phone_fee.c.payment_id.in_(few) | phone_fee.c.number.in_(numbers)
        for row in conn.execute(select(phone_fee.c.payment_id, phone_fee.c.number).where(*mine, named)).mappings():
            left -= set(at_the_lot(row))
    return left


def returned(conn: Connection, rows: Sequence[RowMapping]) -> dict[str, int]:
    """Fen on their way back by order, of what the lot had no use for."""
    return refunds.of_cause(conn, [row["order_id"] for row in rows], CAUSE)
