"""A driver's own coupons: those claimed on this phone, or shown by a code that came with one, once.

A plate alone shows nothing. A wallet holds what was claimed for one plate on one phone; the phone has a secret, and
each claim gives a code with which another phone gets the same wallet. What others claimed for the plate is not in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, RowMapping, insert, select, update

from cloud.act import Act, Refused
from cloud.coupons.life import State
from cloud.coupons.tables import coupon, coupon_template, wallet, wallet_key
from cloud.db import new_id
from cloud.lots import service as lots
from cloud.merchants import service as merchants
from domain import lookalike
from domain.ticket import number_of

DAY_MS = 86_400_000
CODE_DAYS = 7
PHONE_DAYS = 90
MOST_SHOWN, MOST_ROWS = 50, 300  # the uses of a pass are rows of their own


def holds(conn: Connection, phone: str, wallet_id: int | None, plate: str = "") -> bool:
    """Whether the phone has this wallet; with *plate*, and it is that plate's."""
    query = (
        select(wallet_key.c.wallet_id)
        .join(wallet, wallet.c.wallet_id == wallet_key.c.wallet_id)
        .where(wallet_key.c.key_hash == _hashed(phone), wallet_key.c.wallet_id == wallet_id)
    )
    if plate:
        query = query.where(wallet.c.plate == plate)
    return wallet_id is not None and conn.execute(query).first() is not None


def plate_of(conn: Connection, _operator_id: int, wallet_id: int) -> str:
    """The plate that a wallet is for, as its driver typed it."""
    return str(conn.execute(select(wallet.c.plate).where(wallet.c.wallet_id == wallet_id)).scalar_one())


def drivers_plate(bound: str, typed: str) -> str:
    """The plate to show a driver who *typed* one: what a camera made of it is nobody else's to learn."""
    return bound if isinstance(lookalike.match(typed, [bound]), lookalike.Ask | lookalike.NoMatch) else typed


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
        select(coupon, coupon_template.c.name, coupon_template.c.before_entry, wallet.c.plate.label("typed"))
        .join(wallet_key, wallet_key.c.wallet_id == coupon.c.wallet_id)
        .join(wallet, wallet.c.wallet_id == coupon.c.wallet_id)
        .join(coupon_template, coupon_template.c.template_id == coupon.c.template_id)
        .where(wallet_key.c.key_hash == _hashed(phone), wallet_key.c.until_ms >= now_ms)
        .where(coupon.c.operator_id == operator_id)
        .order_by(coupon.c.bound_ms.desc(), coupon.c.coupon_id)
        .limit(MOST_ROWS)
    )
    found = [_named(conn, operator_id, row) for row in _whole(conn.execute(query).mappings().all())]
    return [{**row, "plate": drivers_plate(str(row["plate"]), str(row["typed"]))} for row in found]


def of_ticket(conn: Connection, operator_id: int, plate: str) -> Sequence[dict[str, object]]:
    """The coupons of a car without plates: its ticket's number, which nobody guesses, is what its *plate* is."""
    query = (
        select(coupon, coupon_template.c.name, coupon_template.c.before_entry)
        .join(coupon_template, coupon_template.c.template_id == coupon.c.template_id)
        .where(coupon.c.operator_id == operator_id, coupon.c.plate == plate)
        .order_by(coupon.c.bound_ms.desc(), coupon.c.coupon_id)
        .limit(MOST_ROWS)
    )
    return [_named(conn, operator_id, row) for row in _whole(conn.execute(query).mappings().all())]


def _whole(rows: Sequence[RowMapping]) -> list[dict[str, object]]:
    """The coupons in their order; the uses of a pass are one, one that is left where there is one."""
    found: dict[str, dict[str, object]] = {}
    for row in rows:
        whole, is_good = row["pass_id"] or row["coupon_id"], row["state"] == State.BOUND.value and not row["is_expired"]
        known = found.get(whole)
        if known is None or (is_good and not known["left"]):
            found[whole] = {**row, "uses": 0, "left": 0} | ({k: known[k] for k in ("uses", "left")} if known else {})
        found[whole]["uses"] = int(str(found[whole]["uses"])) + 1
        found[whole]["left"] = int(str(found[whole]["left"])) + is_good
    return list(found.values())[:MOST_SHOWN]


def _named(conn: Connection, operator_id: int, row: Mapping[str, object]) -> dict[str, object]:
    account = merchants.get(conn, operator_id, int(str(row["merchant_id"])))
    lot = lots.name_of(conn, operator_id, int(str(row["lot_id"])))
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
