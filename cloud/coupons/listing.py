"""Coupons and vouchers as lists, and what they were worth."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, select, tuple_

from cloud.bulk import rows_among
from cloud.coupons.tables import coupon, coupon_template, voucher
from cloud.db import paged
from cloud.merchants.statements import Fact
from plumbing.web.paging import Page


def facts(conn: Connection, subjects: Sequence[str]) -> dict[str, Fact]:
    """What the coupons and vouchers named in the books were worth, and what they took off (E19)."""
    known: dict[str, Fact] = {}
    given = select(coupon.c.serial, coupon.c.lot_id, coupon.c.value, coupon.c.off_fen, coupon.c.branch_id)
    for row in rows_among(conn, given, coupon.c.serial, subjects):
        known[row["serial"]] = Fact(row["lot_id"], row["value"], row["off_fen"] or 0, row["branch_id"])
    printed = select(voucher, coupon_template.c.value).join(
        coupon_template, coupon_template.c.template_id == voucher.c.template_id
    )
    slips = [tuple(map(int, name[8:].split("-"))) for name in subjects if name.startswith("voucher:")]
    for row in rows_among(conn, printed, tuple_(voucher.c.key_id, voucher.c.counter), slips):
        known[f"voucher:{row['key_id']}-{row['counter']}"] = Fact(row["lot_id"], row["value"], row["off_fen"] or 0)
    return known


def coupons(
    conn: Connection,
    operator_id: int,
    merchant_id: int | None = None,
    search: str = "",
    page: int = 1,
    *,
    kind: str = "",
    branch_id: int = 0,
    given_by: str = "",
) -> Page[RowMapping]:
    """Coupons newest first, of one kind or all; *search* is part of a serial or plate (S1.37, S1.38),
    *given_by* an account.
    """
    query = select(coupon).where(coupon.c.operator_id == operator_id)
    if given_by:
        query = query.where(coupon.c.issued_by == given_by)
    if merchant_id is not None:
        query = query.where(coupon.c.merchant_id == merchant_id)
    if search:
        query = query.where(coupon.c.serial.like(f"%{search}%") | coupon.c.plate.like(f"%{search}%"))
    if kind:
        query = query.where(coupon.c.kind == kind)
    if branch_id:
        query = query.where(coupon.c.branch_id == branch_id)
    return paged(conn, query.order_by(coupon.c.issued_ms.desc(), coupon.c.coupon_id), page)


def vouchers(conn: Connection, operator_id: int, merchant_id: int | None = None, page: int = 1) -> Page[RowMapping]:
    """Vouchers printed at lots, newest first."""
    query = select(voucher).where(voucher.c.operator_id == operator_id)
    if merchant_id is not None:
        query = query.where(voucher.c.merchant_id == merchant_id)
    return paged(conn, query.order_by(voucher.c.issued_ms.desc(), voucher.c.key_id, voucher.c.counter.desc()), page)
