"""A driver's own coupons: those claimed on this phone, or shown by a code that came with one, once.

A plate alone shows nothing. A wallet holds what was claimed for one plate on one phone; the phone has a secret, and
each claim gives a code with which another phone gets the same wallet. What others claimed for the plate is not in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, insert, select, update

from cloud.act import Act, Refused
from cloud.coupons.tables import coupon, coupon_template, wallet, wallet_key
from cloud.db import new_id
from cloud.lots import service as lots
from cloud.merchants import service as merchants
from domain.ticket import number_of

DAY_MS = 86_400_000
CODE_DAYS = 7
PHONE_DAYS = 90
MOST_SHOWN = 50


def holds(conn: Connection, phone: str, wallet_id: int | None) -> bool:
    """Whether the phone has this wallet."""
    query = select(wallet_key.c.wallet_id).where(
        wallet_key.c.key_hash == _hashed(phone), wallet_key.c.wallet_id == wallet_id
    )
    return wallet_id is not None and conn.execute(query).first() is not None


def put_in(conn: Connection, act: Act, phone: str, plate: str) -> tuple[int, str]:
    """The phone's wallet for *plate*, made if it has none, and a fresh code for it; the code before is dead."""
    query = (
        select(wallet.c.wallet_id)
        .join(wallet_key, wallet_key.c.wallet_id == wallet.c.wallet_id)
        .where(wallet_key.c.key_hash == _hashed(phone), wallet.c.plate == plate)
        .where(wallet.c.operator_id == act.operator_id)
        .order_by(wallet.c.wallet_id)
    )
    wallet_id = conn.execute(query).scalars().first()
    code = number_of(act.below(1 << 30))
    fresh = {"code_hash": _hashed(plate, code), "code_until_ms": act.now_ms + CODE_DAYS * DAY_MS}
    if wallet_id is not None:
        conn.execute(update(wallet).where(wallet.c.wallet_id == wallet_id).values(**fresh))
        return int(wallet_id), code
    made = insert(wallet).values(operator_id=act.operator_id, plate=plate, made_ms=act.now_ms, **fresh)
    wallet_id = new_id(conn, made)
    _give_key(conn, act, wallet_id, phone)
    return wallet_id, code


def open_by_code(conn: Connection, act: Act, phone: str, plate: str, code: str) -> Refused | None:
    """Let the phone have the wallet of *plate* that *code* belongs to; the code is used up.

    A wrong plate, a wrong code, one used or too old: all the same answer.
    """
    taken = conn.execute(
        update(wallet)
        .where(
            wallet.c.operator_id == act.operator_id,
            wallet.c.plate == plate,
            wallet.c.code_hash == _hashed(plate, code),
            wallet.c.code_until_ms >= act.now_ms,
        )
        .values(code_hash="")
        .returning(wallet.c.wallet_id)
    ).scalar_one_or_none()
    if taken is None:
        return Refused("wallet_code_wrong")
    if not holds(conn, phone, taken):
        _give_key(conn, act, taken, phone)
    return None


def _give_key(conn: Connection, act: Act, wallet_id: int, phone: str) -> None:
    values = {"wallet_id": wallet_id, "operator_id": act.operator_id, "until_ms": act.now_ms + PHONE_DAYS * DAY_MS}
    conn.execute(insert(wallet_key).values(key_hash=_hashed(phone), **values))


def of_phone(conn: Connection, operator_id: int, phone: str, now_ms: int) -> Sequence[dict[str, object]]:
    """The coupons the phone may see, newest first, with the names of shop, template and lot."""
    query = (
        select(coupon, coupon_template.c.name, coupon_template.c.before_entry)
        .join(wallet_key, wallet_key.c.wallet_id == coupon.c.wallet_id)
        .join(coupon_template, coupon_template.c.template_id == coupon.c.template_id)
        .where(wallet_key.c.key_hash == _hashed(phone), wallet_key.c.until_ms >= now_ms)
        .where(coupon.c.operator_id == operator_id)
        .order_by(coupon.c.bound_ms.desc(), coupon.c.coupon_id)
        .limit(MOST_SHOWN)
    )
    return [_named(conn, operator_id, row) for row in conn.execute(query).mappings().all()]


def of_ticket(conn: Connection, operator_id: int, plate: str) -> Sequence[dict[str, object]]:
    """The coupons of a car without plates: its ticket's number, which nobody guesses, is what its *plate* is."""
    query = (
        select(coupon, coupon_template.c.name, coupon_template.c.before_entry)
        .join(coupon_template, coupon_template.c.template_id == coupon.c.template_id)
        .where(coupon.c.operator_id == operator_id, coupon.c.plate == plate)
        .order_by(coupon.c.bound_ms.desc(), coupon.c.coupon_id)
        .limit(MOST_SHOWN)
    )
    return [_named(conn, operator_id, row) for row in conn.execute(query).mappings().all()]


def _named(conn: Connection, operator_id: int, row: RowMapping) -> dict[str, object]:
    account = merchants.get(conn, operator_id, row["merchant_id"])
    lot = lots.name_of(conn, operator_id, row["lot_id"])
    return {**row, "merchant": account["name"] if account else "", "lot": lot}


def last_plate(conn: Connection, phone: str) -> str:
    """The plate this phone claimed for last, to fill in; "" for a phone nobody knows."""
    query = (
        select(wallet.c.plate)
        .join(wallet_key, wallet_key.c.wallet_id == wallet.c.wallet_id)
        .where(wallet_key.c.key_hash == _hashed(phone))
        .order_by(wallet.c.code_until_ms.desc(), wallet.c.wallet_id.desc())
        .limit(1)
    )
    return conn.execute(query).scalar_one_or_none() or "" if phone else ""


def _hashed(*secrets: str) -> str:
    return hashlib.sha256("\0".join(secrets).encode()).hexdigest()
