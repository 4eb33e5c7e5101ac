"""Coupons and vouchers used on one day: what each took off, and what its merchant was to be charged for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, func, select, tuple_

from cloud.bulk import rows_among, sums_among
from cloud.coupons.tables import coupon, redemption, voucher

COUPON, VOUCHER = "coupon:", "voucher:"  # before what a redemption is of


def off_of(conn: Connection, operator_id: int, lot_id: int, stay_ids: Sequence[str]) -> dict[str, int]:
    """Fen that coupons took off each stay, those taken back left out."""
    query = select(redemption.c.stay_id, func.sum(redemption.c.off_fen)).where(
        redemption.c.operator_id == operator_id, redemption.c.lot_id == lot_id, redemption.c.restored_ms.is_(None)
    )
    return sums_among(conn, query.group_by(redemption.c.stay_id), redemption.c.stay_id, stay_ids)


@dataclass(frozen=True, slots=True)
class Use:
    """A use that stands. *charge* is what the merchant owes for it, in *unit* (FEN, MIN); *lost*: the operator does."""

    name: str
    event_id: str
    off_fen: int
    charge: int
    unit: str
    lost: bool


def uses(conn: Connection, operator_id: int, lot_id: int, from_ms: int, until_ms: int) -> list[Use]:
    """What was used in the time and not taken back."""
    query = select(redemption).where(
        redemption.c.operator_id == operator_id, redemption.c.lot_id == lot_id, redemption.c.restored_ms.is_(None),
        redemption.c.redeemed_ms >= from_ms, redemption.c.redeemed_ms < until_ms,
    )  # fmt: skip
    rows = conn.execute(query.order_by(redemption.c.redeemed_ms, redemption.c.redemption_id)).mappings().all()
    named = _coupons(conn, operator_id, rows) | _vouchers(conn, operator_id, rows)
    return [_use(row, named.get(row["subject"])) for row in rows]


def _use(row: RowMapping, its: RowMapping | None) -> Use:
    name = row["subject"] if its is None else its.get("serial", row["subject"])
    if not row["charged"] or its is None:
        return Use(name, row["event_id"], row["off_fen"], row["off_fen"], "FEN", lost=True)
    return Use(name, row["event_id"], row["off_fen"], its["charged"] or 0, its["commodity"], lost=False)


def _coupons(conn: Connection, operator_id: int, rows: Sequence[RowMapping]) -> dict[str, RowMapping]:
    ids = sorted({row["subject"].removeprefix(COUPON) for row in rows if row["subject"].startswith(COUPON)})
    found = rows_among(conn, select(coupon).where(coupon.c.operator_id == operator_id), coupon.c.coupon_id, ids)
    return {f"{COUPON}{one['coupon_id']}": one for one in found}


def _vouchers(conn: Connection, operator_id: int, rows: Sequence[RowMapping]) -> dict[str, RowMapping]:
    named = sorted({row["subject"] for row in rows if row["subject"].startswith(VOUCHER)})
    keys = sorted({tuple(map(int, one.removeprefix(VOUCHER).split("-"))) for one in named})
    paper = tuple_(voucher.c.key_id, voucher.c.counter)
    found = rows_among(conn, select(voucher).where(voucher.c.operator_id == operator_id), paper, keys)
    return {f"{VOUCHER}{one['key_id']}-{one['counter']}": one for one in found}
