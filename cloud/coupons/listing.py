"""Coupons and vouchers as lists, and what they were worth."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, select, tuple_

from cloud.bulk import rows_among
from cloud.coupons.life import State, coupon_kind
from cloud.coupons.tables import coupon, coupon_template, voucher
from cloud.db import paged
from cloud.merchants import service as merchants
from cloud.merchants.statements import Fact
from domain.coupon.model import CouponKind
from domain.ledger import Commodity
from plumbing.web.paging import Page


def facts(conn: Connection, subjects: Sequence[str]) -> dict[str, Fact]:
    """What the coupons and vouchers named in the books were worth, and what they took off (E19)."""
    known: dict[str, Fact] = {}
    given = select(
        coupon.c.serial, coupon.c.lot_id, coupon.c.kind, coupon.c.value, coupon.c.off_fen, coupon.c.branch_id
    )
    for row in rows_among(conn, given, coupon.c.serial, subjects):
        known[row["serial"]] = _fact(row, row["branch_id"])
    printed = select(voucher, coupon_template.c.kind, coupon_template.c.value).join(
        coupon_template, coupon_template.c.template_id == voucher.c.template_id
    )
    slips = [tuple(map(int, name[8:].split("-"))) for name in subjects if name.startswith("voucher:")]
    for row in rows_among(conn, printed, tuple_(voucher.c.key_id, voucher.c.counter), slips):
        known[f"voucher:{row['key_id']}-{row['counter']}"] = _fact(row)
    return known


def _fact(row: RowMapping, branch_id: int = 0) -> Fact:
    kind = coupon_kind(row["kind"])
    unit = Commodity.MIN if kind is CouponKind.DURATION else Commodity.FEN
    face = 0 if kind is CouponKind.PERCENT else row["value"]  # a percentage is no money
    return Fact(row["lot_id"], face, row["off_fen"] or 0, branch_id, unit.value)


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


def givers(conn: Connection, operator_id: int, refs: Sequence[str]) -> dict[str, str]:
    """The merchants that gave coupons and papers, by what lots call these: a coupon's id, a paper's key and counter."""
    slips = [tuple(map(int, ref.split(":"))) for ref in refs if re.fullmatch(r"\d{1,12}:\d{1,12}", ref)]
    given = select(coupon.c.coupon_id, coupon.c.merchant_id).where(coupon.c.operator_id == operator_id)
    printed = select(voucher.c.key_id, voucher.c.counter, voucher.c.merchant_id)
    printed = printed.where(voucher.c.operator_id == operator_id)
    names = {row["merchant_id"]: row["name"] for row in merchants.everyone(conn, operator_id)}
    found = {row["coupon_id"]: names[row["merchant_id"]] for row in rows_among(conn, given, coupon.c.coupon_id, refs)}
    for row in rows_among(conn, printed, tuple_(voucher.c.key_id, voucher.c.counter), slips):
        found[f"{row['key_id']}:{row['counter']}"] = names[row["merchant_id"]]
    return found


def held_by(conn: Connection, operator_id: int, lot_id: int, plate: str, stay_id: str) -> list[str]:
    """The merchants whose unused coupons a car has at a lot, as far as the cloud knows."""
    found = givers(conn, operator_id, bound_to(conn, operator_id, lot_id, plate, stay_id))
    return list(dict.fromkeys(found.values()))


def bound_to(conn: Connection, operator_id: int, lot_id: int, plate: str, stay_id: str) -> Sequence[str]:
    """The unused coupons of a car at a lot, the oldest first."""
    query = select(coupon.c.coupon_id).where(
        coupon.c.operator_id == operator_id,
        coupon.c.lot_id == lot_id,
        coupon.c.plate == plate,
        coupon.c.state == State.BOUND.value,
        coupon.c.stay_id.in_(("", stay_id)),
    )
    return conn.execute(query.order_by(coupon.c.issued_ms, coupon.c.coupon_id)).scalars().all()
