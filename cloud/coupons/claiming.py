"""A driver claims a coupon by its code: bound to the car inside, or to the plate until it comes (S1.35, S1.36)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, RowMapping, select, update

from cloud.access import audit
from cloud.act import Act, Refused
from cloud.coupons import codes, hearing, limiting, placing, wallets
from cloud.coupons.issuing import tell_again
from cloud.coupons.life import MINUTE_MS, State
from cloud.coupons.tables import coupon, coupon_template
from cloud.coupons.voiding import UNCLAIMED
from cloud.lots import service as lots
from cloud.merchants import service as merchants
from domain.claim_code import read_code
from domain.plate import mask

DRIVER = "driver"  # who claims: nobody signs in
DEAD = {
    State.VOIDED: "claim_withdrawn",
    State.RECLAIMED: "claim_expired",
    State.EXPIRING: "claim_expired",
    State.EXPIRED: "claim_expired",
    State.VOID_PENDING: "claim_withdrawn",
}


@dataclass(frozen=True, slots=True)
class Offered:
    """What a code stands for. *lots*: where it can be claimed, by name; *lot*: what to call them."""

    coupon: Mapping[Any, Any]
    template: RowMapping
    merchant: str
    lot: str
    lots: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Claimed:
    """The coupon is bound. *code* shows it again from another phone, once; "" when it was claimed before."""

    offered: Offered
    plate: str
    is_inside: bool
    code: str


def find(conn: Connection, operator_id: int, text: str) -> Offered | None:
    """The coupon of a code, whatever became of it."""
    return _find(conn, operator_id, text, lock=False)


def refusal(offered: Offered, now_ms: int) -> Refused | None:
    """Why nobody can claim it any more, or None."""
    row = offered.coupon
    state = State(row["state"])
    if state not in UNCLAIMED:
        return Refused(DEAD.get(state, "claim_taken"))
    return Refused("claim_expired") if now_ms > row["claim_until_ms"] else None


def claim(
    conn: Connection,
    act: Act,
    text: str,
    plate: str,
    phone: str,
    *,
    is_near: bool = False,
    lot_id: int = 0,
    booth_of: int = 0,
) -> Claimed | Refused:
    """Bind the coupon of a code to *plate* (normal form). *phone*: the secret of the phone it is claimed on.

    The same phone may say the same once more and is told the same: a double tap is one claim. *is_near*: the driver
    says that the car of ``near`` is theirs, so its stay gets the coupon under the plate that its lot knows it by.
    Of several lots it is the one where the car is, else the driver's choice *lot_id*; at the booth of a lot that one.
    """
    offered = _find(conn, act.operator_id, text, lock=True)
    if offered is None:
        return Refused("claim_unknown")
    row = offered.coupon
    is_same = plate == wallets.drivers_plate(row["plate"], plate)
    if is_same and row["state"] == State.BOUND.value and wallets.holds(conn, phone, row["wallet_id"], plate):
        return Claimed(offered, plate, bool(row["stay_id"]), "")
    refused = refusal(offered, act.now_ms)
    if refused is not None:
        return refused
    lot_ids = [each for each in offered.lots if booth_of in (0, each)]
    if not lot_ids:
        return Refused("claim_other_lot" if booth_of else "claim_no_lot")
    spot = placing.spot(conn, act.operator_id, lot_ids, plate, lot_id, is_near=is_near)
    stay = spot.stay
    if stay is None and not offered.template["before_entry"]:
        return Refused("claim_not_inside")
    stay_id, known_as = ("", plate) if stay is None else (stay["stay_id"], stay["plate"])
    for one in sorted({plate, known_as}):  # what either plate took before counts, or one car would be two
        ask = limiting.Ask(spot.lot_id, row["merchant_id"], row["template_id"], one, stay_id)
        over = limiting.refusal(conn, act, ask)
        if over is not None:
            return over
    wallet_id, code = wallets.put_in(conn, act, phone, plate)
    bound = _bind(conn, act, offered, known_as, stay_id, spot.lot_id, wallet_id)
    codes.claimed_one(conn, act, row["batch_id"])
    after = {"plate": mask(plate), "stay": stay_id}
    audit.record(conn, act, "coupon.claimed", f"coupon:{row['serial']}", after=after)
    told = Offered(bound, offered.template, offered.merchant, offered.lots[spot.lot_id])
    return Claimed(told, plate, stay is not None, code)


def _bind(
    conn: Connection, act: Act, offered: Offered, plate: str, stay_id: str, lot_id: int, wallet_id: int
) -> RowMapping:
    """Bind the coupon and tell its lot; of a pass every use, for whichever stays come (E10)."""
    row = offered.coupon
    good_ms = offered.template["valid_min"] * MINUTE_MS
    is_whole = row["state"] == State.CLAIMABLE.value and row["expires_ms"] == row["issued_ms"] + good_ms
    until_ms = act.now_ms + good_ms if is_whole else row["expires_ms"]  # else of a paper, or of what was bought ahead
    values = {"state": State.BOUND.value, "plate": plate, "bound_ms": act.now_ms, "expires_ms": until_ms}
    values |= {"stay_id": "" if row["pass_id"] else stay_id, "wallet_id": wallet_id}
    this = coupon.c.coupon_id == row["coupon_id"]
    uses = (coupon.c.pass_id == row["pass_id"]) & (coupon.c.state == row["state"]) if row["pass_id"] else this
    ids = conn.execute(update(coupon).where(uses).values(**values).returning(coupon.c.coupon_id)).scalars().all()
    bound = select(coupon).where(coupon.c.coupon_id.in_(ids)).order_by(coupon.c.coupon_id)
    for one in conn.execute(bound).mappings().all():
        if one["anywhere"]:
            placing.settle(conn, act, one, offered.template, lot_id)
    for one in conn.execute(bound).mappings().all():
        tell_again(conn, one, act.now_ms)
        hearing.tell(conn, one, act.now_ms, "coupon.bound")
    return conn.execute(select(coupon).where(this)).mappings().one()


def _find(conn: Connection, operator_id: int, text: str, *, lock: bool) -> Offered | None:
    code = read_code(text)
    query = select(coupon).where(coupon.c.token == code, coupon.c.operator_id == operator_id)
    row = conn.execute(query.with_for_update() if lock else query).mappings().one_or_none() if code else None
    if row is None:
        return None
    of_template = select(coupon_template).where(coupon_template.c.template_id == row["template_id"])
    template = conn.execute(of_template).mappings().one()
    account = merchants.get(conn, operator_id, row["merchant_id"])
    is_waiting = row["state"] in UNCLAIMED
    own = {row["lot_id"]: lots.name_of(conn, operator_id, row["lot_id"])}
    there = placing.lots_of(conn, operator_id, row, template) if is_waiting else own
    return Offered(row, template, account["name"] if account else "", " / ".join(there.values()), there)
