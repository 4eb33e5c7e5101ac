"""A driver's own coupons: those claimed on this phone, or shown by a code that came with one, once.

A plate alone shows nothing. A wallet holds what was claimed for one plate on one phone; the phone has a secret, and
each claim gives a code with which another phone gets the same wallet. What others claimed for the plate is not in it.
What a merchant gave straight to the car is in nobody's wallet until the merchant tells the driver a code for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, insert, select, update

from cloud.access import audit
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
    fresh = {"code_hash": _hashed(plate, code), "code_until_ms": _until(act)}
    if wallet_id is not None:
        conn.execute(update(wallet).where(wallet.c.wallet_id == wallet_id).values(**fresh))
        return int(wallet_id), code
    made = insert(wallet).values(operator_id=act.operator_id, plate=plate, made_ms=act.now_ms, **fresh)
    wallet_id = new_id(conn, made)
    _give_key(conn, act, wallet_id, phone)
    return wallet_id, code


@dataclass(frozen=True, slots=True)
class Told:
    """What a merchant tells the driver of a car: with this *code* and the plate a phone sees the coupons, once."""

    plate: str
    code: str


def tell_driver(
    conn: Connection, act: Act, coupon_id: str, merchant_id: int | None, branch_id: int = 0, given_by: str = ""
) -> Told | Refused:
    """A code for what the merchant gave straight to the car of this coupon; the code told before is dead.

    None as *merchant_id*: by the operator. *branch_id*, *given_by*: only what that branch, that login gave.
    """
    query = select(coupon).where(coupon.c.coupon_id == coupon_id, coupon.c.operator_id == act.operator_id)
    row = conn.execute(query.with_for_update()).mappings().one_or_none()
    is_ours = row is not None and merchant_id in (None, row["merchant_id"]) and branch_id in (0, row["branch_id"])
    if row is None or not is_ours or given_by not in ("", row["issued_by"]):
        return Refused("coupon_unknown")
    if row["state"] != State.BOUND.value or row["is_expired"]:
        return Refused("coupon_over_for_driver")
    if row["wallet_id"] is not None and _is_held(conn, row["wallet_id"]):
        return Refused("driver_has_it")
    plate, code = str(row["plate"]), number_of(act.below(1 << 30))
    _wait_for_driver(conn, act, row, {"code_hash": _hashed(plate, code), "code_until_ms": _until(act)})
    audit.record(conn, act, "coupon.driver_told", f"coupon:{row['serial']}")
    return Told(plate, code)


def _wait_for_driver(conn: Connection, act: Act, row: RowMapping, fresh: dict[str, object]) -> None:
    """Put what this giver gave the same car into one wallet that no phone has yet."""
    wallet_id, plate = row["wallet_id"], row["plate"]
    if wallet_id is not None:
        conn.execute(update(wallet).where(wallet.c.wallet_id == wallet_id).values(**fresh))
    else:
        made = insert(wallet).values(operator_id=act.operator_id, plate=plate, made_ms=act.now_ms, **fresh)
        wallet_id = new_id(conn, made)
    same = [coupon.c[name] == row[name] for name in ("merchant_id", "issued_by", "plate", "stay_id", "state")]
    of_nobody = coupon.c.wallet_id.is_(None)
    conn.execute(update(coupon).where(*same, of_nobody).values(wallet_id=wallet_id))


def _is_held(conn: Connection, wallet_id: int) -> bool:
    """Whether some phone has the wallet."""
    return conn.execute(select(wallet_key.c.key_hash).where(wallet_key.c.wallet_id == wallet_id)).first() is not None


def _until(act: Act) -> int:
    return act.now_ms + CODE_DAYS * DAY_MS


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
