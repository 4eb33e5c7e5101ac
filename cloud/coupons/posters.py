"""Static codes: one poster, many drivers, each of whom gets a coupon for a plate while the caps allow it (E11)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from cloud.access import audit
from cloud.act import Act, Refused, or_nothing
from cloud.coupons import daily, limiting, placing, rules, template, wallets
from cloud.coupons.issuing import Car, gift_of, make, place_of
from cloud.coupons.life import CUSTOM, State
from cloud.coupons.tables import coupon, coupon_poster, coupon_rule, coupon_template
from cloud.db import new_id
from cloud.merchants import branches
from domain.coupon.limits import Level, Limits, limits_of
from domain.ids import crockford_encode

CODE_BYTES = 10


def put_up(
    conn: Connection,
    act: Act,
    merchant_id: int,
    template_id: int,
    lot_id: int | None,
    name: str,
    caps: Limits,
    branch_id: int = 0,
) -> int | Refused:
    """A code to print. *caps*: for a plate a day (one at least must be capped), for all a day and in all.

    None as *lot_id*: good at every lot of its template; whoever takes one is bound to one lot (E9).

    They become limits of the template where it had none, or looser ones: a merchant never loosens what is set.
    """
    row = template.find(conn, act.operator_id, merchant_id, template_id)
    if row is None:
        return Refused("template_unknown")
    if row["kind"] in CUSTOM or template.terms(row).uses > 1:
        return Refused("poster_kind")
    if not name.strip():
        return Refused("name_missing")
    if branch_id and not branches.is_of(conn, act.operator_id, merchant_id, branch_id):
        return Refused("branch_unknown")
    good = placing.of_branch(conn, template.good_at(conn, act.operator_id, row), branch_id)
    there = [one["lot_id"] for one in good]
    if not there or lot_id not in (None, *there):
        return Refused("lot_unknown")
    if not caps.per_day and not caps.no_repeat:
        return Refused("poster_without_cap")
    before = rules.limits(conn, Level.COUPON, template_id)
    refused = rules.set_limits(conn, act, Level.COUPON, template_id, tighter(before, caps))
    if refused is not None:
        return refused
    values: dict[str, Any] = {"operator_id": act.operator_id, "merchant_id": merchant_id, "template_id": template_id}
    values |= {"lot_id": there[0] if lot_id is None else lot_id, "anywhere": lot_id is None, "branch_id": branch_id}
    values |= {"code": crockford_encode(act.random(CODE_BYTES)), "name": name.strip()}
    poster_id = new_id(conn, insert(coupon_poster).values(**values, created_ms=act.now_ms, created_by=act.by))
    audit.record(conn, act, "poster.put_up", f"template:{template_id}", after={"poster": poster_id, **caps.values()})
    return poster_id


def tighter(before: Limits, caps: Limits) -> Limits:
    """Both at once: the smaller of each number that limits anything."""

    def least(one: int, other: int) -> int:
        return min(one or other, other or one)

    return Limits(
        per_day=least(before.per_day, caps.per_day),
        no_repeat=before.no_repeat or caps.no_repeat,
        day_total=least(before.day_total, caps.day_total),
        total=least(before.total, caps.total),
    )


def url(base: str, code: str) -> str:
    """What the printed QR holds."""
    return f"{base.rstrip('/')}/p/{code}"


def take_down(
    conn: Connection, act: Act, merchant_id: int, poster_id: int, put_up_by: str = "", branch_id: int = 0
) -> Refused | None:
    """The code gives nothing any more; what it gave stays good.

    *put_up_by*, *branch_id*: only where that login, that branch put it up.
    """
    ours = [
        coupon_poster.c.poster_id == poster_id,
        coupon_poster.c.operator_id == act.operator_id,
        coupon_poster.c.merchant_id == merchant_id,
        coupon_poster.c.ended_ms.is_(None),
        *([coupon_poster.c.created_by == put_up_by] if put_up_by else []),
        *([coupon_poster.c.branch_id == branch_id] if branch_id else []),
    ]
    done = conn.execute(update(coupon_poster).where(*ours).values(ended_ms=act.now_ms))
    if done.rowcount != 1:
        return Refused("poster_unknown")
    audit.record(conn, act, "poster.taken_down", f"poster:{poster_id}")
    return None


def find(conn: Connection, operator_id: int, code: str) -> RowMapping | None:
    """The poster of a code that still gives, with the template's name, kind and value."""
    query = (
        select(coupon_poster, coupon_template.c.name.label("template_name"), *_FACE)
        .join(coupon_template, coupon_template.c.template_id == coupon_poster.c.template_id)
        .where(
            coupon_poster.c.code == code.strip().upper(),
            coupon_poster.c.operator_id == operator_id,
            coupon_poster.c.ended_ms.is_(None),
            coupon_template.c.deleted_ms.is_(None),
        )
    )
    return conn.execute(query).mappings().one_or_none()


_FACE = tuple(coupon_template.c[name] for name in ("kind", "value", "terms", "valid_min", "product_id"))


def listed(
    conn: Connection, operator_id: int, merchant_id: int, put_up_by: str = "", branch_id: int = 0
) -> Sequence[dict[str, Any]]:
    """A merchant's posters, the newest first, those that give before the others, with how many their template gave.

    *put_up_by*, *branch_id*: only those of one login, of one branch.
    """
    given = (
        select(func.count())
        .where(coupon.c.template_id == coupon_poster.c.template_id, coupon.c.state.not_in(limiting.WITHDRAWN))
        .scalar_subquery()
    )
    query = (
        select(
            coupon_poster,
            coupon_template.c.name.label("template_name"),
            *_FACE,
            given.label("given"),
            coupon_rule.c.body.label("rule"),
        )
        .join(coupon_template, coupon_template.c.template_id == coupon_poster.c.template_id)
        .outerjoin(
            coupon_rule,
            (coupon_rule.c.level == Level.COUPON.value) & (coupon_rule.c.subject_id == coupon_poster.c.template_id),
        )
        .where(coupon_poster.c.operator_id == operator_id, coupon_poster.c.merchant_id == merchant_id)
        .order_by(coupon_poster.c.ended_ms.is_not(None), coupon_poster.c.poster_id.desc())
    )
    if put_up_by:
        query = query.where(coupon_poster.c.created_by == put_up_by)
    if branch_id:
        query = query.where(coupon_poster.c.branch_id == branch_id)
    return [
        {**row, "limits": limits_of(json.loads(row["rule"] or "{}"))} for row in conn.execute(query).mappings().all()
    ]


@dataclass(frozen=True, slots=True)
class Taken:
    """A coupon of a poster. *wallet_code* shows it on another phone, once; "" where the plate had it already."""

    coupon_id: str
    serial: str
    wallet_code: str = ""


@or_nothing
def lots_of(conn: Connection, operator_id: int, poster: RowMapping) -> dict[int, str]:
    """The lots where a poster's coupons are good, by name."""
    good = placing.of_branch(conn, template.good_at(conn, operator_id, poster), poster["branch_id"])
    return {one["lot_id"]: one["name"] for one in good if poster["anywhere"] or one["lot_id"] == poster["lot_id"]}


def take(conn: Connection, act: Act, code: str, plate: str, phone: str, lot_id: int = 0) -> Taken | Refused:
    """A coupon of the poster for *plate* (normal form), inside or still to come, given by who put the poster up.

    The plate that has one of today still unused is given that one again: two taps are one coupon. *phone* is the secret
    of the phone that took it, which finds it among its own. Of several lots it is good at the one where the car is,
    else at the driver's choice *lot_id*.
    """
    poster = find(conn, act.operator_id, code)
    if poster is None:
        return Refused("poster_unknown")
    gift = gift_of(conn, act, poster["merchant_id"], poster["template_id"], 0, poster["branch_id"])
    if isinstance(gift, Refused):
        return gift
    there = list(lots_of(conn, act.operator_id, poster))
    if not there:
        return Refused("contract_missing")
    spot = placing.spot(conn, act.operator_id, there, plate, lot_id)
    place = place_of(conn, gift, spot.lot_id)
    if isinstance(place, Refused):
        return place
    held = _held(conn, act, poster, there, plate)
    if held is not None:
        return held
    car = Car(plate, "" if spot.stay is None else spot.stay["stay_id"])
    if not car.stay_id and not gift.template["before_entry"]:
        return Refused("claim_not_inside")
    ask = limiting.Ask(place.lot_id, poster["merchant_id"], poster["template_id"], plate, car.stay_id)
    over = limiting.refusal(conn, act, ask)
    if over is not None:
        return over
    giver = replace(act, by=poster["created_by"])
    of_staff = daily.refusal(conn, giver, poster["merchant_id"], place.lot_id, 1, place.cost)
    if of_staff is not None:
        return Refused("all_taken_today")  # whose limit it is, is no driver's business
    wallet_id, wallet_code = wallets.put_in(conn, act, phone, plate)
    row = make(conn, giver, gift, place, car, State.BOUND, wallet_id=wallet_id)
    if isinstance(row, Refused):
        return row
    return Taken(str(row["coupon_id"]), str(row["serial"]), wallet_code)


def _held(conn: Connection, act: Act, poster: RowMapping, lot_ids: Sequence[int], plate: str) -> Taken | None:
    """The unused coupon of the poster's template that the plate already has; the merchant's row is locked by now."""
    query = select(coupon.c.coupon_id, coupon.c.serial).where(
        coupon.c.template_id == poster["template_id"],
        coupon.c.lot_id.in_(lot_ids),
        coupon.c.plate == plate,
        coupon.c.state == State.BOUND.value,
        coupon.c.expires_ms >= act.now_ms,
    )
    row = conn.execute(query.order_by(coupon.c.issued_ms.desc()).limit(1)).one_or_none()
    return None if row is None else Taken(row.coupon_id, row.serial)
