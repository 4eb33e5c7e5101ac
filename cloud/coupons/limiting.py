"""May this car have this coupon? Judged under a lock in the transaction that gives it (S2.24-S2.30)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    bindparam,
    case,
    exists,
    func,
    literal,
    select,
    text,
    tuple_,
)

from cloud.act import Act, Refused
from cloud.coupons import late
from cloud.coupons.life import State
from cloud.coupons.tables import coupon, coupon_blocked, coupon_rule, coupon_template, redemption, voucher
from cloud.coupons.template import terms_from
from cloud.days import day_at, today_began_ms
from cloud.lots import service as lots
from cloud.merchants import leases
from cloud.merchants import service as merchants
from cloud.prepared import Answers, Found, Questions
from domain.coupon.limits import NONE, Given, Level, Levels, Limits, Taken, Wanted, limits_of, over
from domain.coupon.terms import PLAIN, Terms, ways_of
from domain.wire import Json

PAST = "past"  # no stay that is asked about
WITHDRAWN = tuple(state.value for state in (State.VOID_PENDING, State.VOIDED, State.RECLAIMED))
GONE = (State.VOIDED.value, State.RECLAIMED.value)
"""States in which a coupon leaves room for another one; one on its way back may turn out to have been used."""


@dataclass(frozen=True, slots=True)
class Ask:
    """*count* coupons of a template for a car at a lot; *stay_id* is "" before it came in."""

    lot_id: int
    merchant_id: int
    template_id: int
    plate: str
    stay_id: str = ""
    count: int = 1
    is_paper: bool = False  # printed before: it counts towards the totals already


def refusal(conn: Connection, act: Act, ask: Ask) -> Refused | None:
    """Why the car may not have them, or None. Whoever asks for the same plate waits until this transaction ends.

    A template's totals are safe too: every caller holds its merchant's row (``merchants.get``).
    """
    asked = {"of_lot": ask.lot_id, "of_plate": ask.plate, "of_stay": ask.stay_id, "of_operator": act.operator_id}
    asked |= {"of_merchant": ask.merchant_id, "of_template": ask.template_id}
    return judged(conn, act, ask, _SET(conn, asked))


def judged(conn: Connection, act: Act, ask: Ask, answers: Answers) -> Refused | None:
    """The same with the *answers* to ``questions``."""
    _lock_plate(conn, act.operator_id, ask.plate)
    known, lot = _known(answers["known"] or {}), lots.standing(answers["clock"])
    if known.is_blocked:
        return Refused("plate_gets_no_coupons")
    if lot.paid_fen:
        ways = ways_of(known.bodies[Level.LOT])
        too_late = late.refusal(conn, act.operator_id, ways, ask.merchant_id, ask.template_id, ask.stay_id)
        if too_late is not None:
            return too_late
    zone, terms = lot.zone, known.terms
    today = _day(act.now_ms, zone)
    if terms.lots and ask.lot_id not in terms.lots:
        return Refused("coupon_other_lot")
    if terms.ends and today > terms.ends:
        return Refused("coupon_over", {"ends": terms.ends})
    levels = Levels(*(limits_of(known.bodies[level]) for level in Level))
    if ask.is_paper:
        levels = replace(levels, coupon=replace(levels.coupon, total=0, day_total=0))
    if levels == Levels():
        return None
    wanted = Wanted(ask.merchant_id, ask.template_id, ask.stay_id, today, ask.count)
    taken = _taken(conn, act, ask.plate, zone)
    broken = over(wanted, taken, levels, _given(conn, ask.template_id, act.now_ms, zone, levels.coupon))
    return Refused(broken.code, broken.facts) if broken else None


@dataclass(frozen=True, slots=True)
class _Known:
    """What is set about a plate, and about the lot, the merchant and the template."""

    is_blocked: bool
    terms: Terms
    bodies: Mapping[Level, Json]


def _known(row: Found) -> _Known:
    terms = PLAIN if row["terms"] is None else terms_from(row["terms"])
    return _Known(row["is_blocked"], terms, {level: json.loads(row[level] or "{}") for level in Level})


def questions(lot_id: ColumnElement[int], plate: ColumnElement[str]) -> dict[str, Select[Any]]:
    """What must be asked to judge, as parts of another question."""
    blocked = exists().where(
        coupon_blocked.c.operator_id == bindparam("of_operator"),
        coupon_blocked.c.plate == plate,
        coupon_blocked.c.ended_ms.is_(None),
    )
    terms = select(coupon_template.c.terms).where(
        coupon_template.c.template_id == bindparam("of_template"),
        coupon_template.c.operator_id == bindparam("of_operator"),
        coupon_template.c.merchant_id == bindparam("of_merchant"),
        coupon_template.c.deleted_ms.is_(None),
    )
    whose = {Level.LOT: lot_id, Level.MERCHANT: bindparam("of_merchant"), Level.COUPON: bindparam("of_template")}
    bodies = [
        select(coupon_rule.c.body)
        .where(coupon_rule.c.level == level.value, coupon_rule.c.subject_id == subject)
        .scalar_subquery()
        .label(level)
        for level, subject in whose.items()
    ]
    known = select(blocked.label("is_blocked"), terms.scalar_subquery().label("terms"), *bodies)
    return {"known": known, "clock": lots.standing_of(lot_id)}


_SET = Questions(**questions(bindparam("of_lot"), bindparam("of_plate")))


def _lock_plate(conn: Connection, operator_id: int, plate: str) -> None:
    """SQLite's transactions hold the whole database from their first statement."""
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:of, 0))"), {"of": f"{operator_id}:{plate}"})


def _day(at_ms: int, zone: ZoneInfo) -> str:
    return day_at(at_ms, zone).isoformat()


@dataclass(frozen=True, slots=True)
class _Paper:
    """A voucher that a lot says a stay used."""

    merchant_id: int
    template_id: int
    stay_id: str
    at_ms: int


_USED_ON = (
    select(redemption.c.stay_id)
    .where(redemption.c.subject == literal("coupon:") + coupon.c.coupon_id, redemption.c.restored_ms.is_(None))
    .limit(1)
    .correlate(coupon)
    .scalar_subquery()
    .label("used_on")
)
_OF_PLATE = (
    select(coupon, _USED_ON)
    .where(
        coupon.c.operator_id == bindparam("of_operator"),
        coupon.c.plate == bindparam("of_plate"),
        coupon.c.state.not_in(WITHDRAWN),
    )
    .order_by(coupon.c.bound_ms, coupon.c.coupon_id)
)


def _taken(conn: Connection, act: Act, plate: str, zone: ZoneInfo) -> list[Taken]:
    rows = conn.execute(_OF_PLATE, {"of_operator": act.operator_id, "of_plate": plate}).all()
    papers = _papers(conn, lots.stays_of_plate(conn, act.operator_id, plate))
    names = merchants.names(
        conn, act.operator_id, {row.merchant_id for row in rows} | {one.merchant_id for one in papers}
    )
    found: dict[str, Taken] = {}
    for row in rows:
        # the uses of a pass are one coupon, which waits for as long as one use does
        whole, stay_id = row.pass_id or row.coupon_id, _stay_of(row, act.now_ms)
        if whole not in found or not stay_id:
            day = _day(row.bound_ms, zone)
            found[whole] = Taken(row.merchant_id, names[row.merchant_id], row.template_id, stay_id, day)
    return [*found.values()] + [
        Taken(one.merchant_id, names.get(one.merchant_id, ""), one.template_id, one.stay_id, _day(one.at_ms, zone))
        for one in papers
    ]


def _stay_of(row: Any, now_ms: int) -> str:
    """Which stay a coupon is bound to or was used on; "" while it waits for one."""
    if row.stay_id:
        return str(row.stay_id)
    if row.state == State.REDEEMED:
        return str(row.used_on or PAST)
    return PAST if row.expires_ms < now_ms else ""


def _papers(conn: Connection, stay_ids: list[str]) -> list[_Paper]:
    """Vouchers that lots say these stays used."""
    query = select(redemption).where(
        redemption.c.stay_id.in_(stay_ids),
        redemption.c.subject.like("voucher:%"),
        redemption.c.restored_ms.is_(None),
    )
    used = conn.execute(query.order_by(redemption.c.redeemed_ms)).all()
    slips = [tuple(map(int, row.subject.removeprefix("voucher:").split("-"))) for row in used]
    its = tuple_(voucher.c.key_id, voucher.c.counter).in_(slips)
    known = {(one.key_id, one.counter): one for one in conn.execute(select(voucher).where(its))} if slips else {}
    return [
        _Paper(known[slip].merchant_id, known[slip].template_id, row.stay_id, row.redeemed_ms)
        for row, slip in zip(used, slips, strict=True)
        if slip in known
    ]


def left_of(conn: Connection, act: Act, template_id: int, lot_id: int, limits: Limits) -> int:
    """How many of a limited template nobody has and no lot may print, by the day of a lot and in all."""
    given = _given(conn, template_id, act.now_ms, lots.zone_of(conn, act.operator_id, lot_id), limits)
    rooms = [most - has for most, has in ((limits.total, given.ever), (limits.day_total, given.today)) if most]
    return max(0, min(rooms))


def _given(conn: Connection, template_id: int, now_ms: int, zone: ZoneInfo, limits: Limits) -> Given:
    """How many of a template are out, on phones and on paper; not counted where nobody limits it.

    What a lot may still print counts: it may be printed by now.
    """
    if limits.total == NONE.total and limits.day_total == NONE.day_total:
        return Given()
    start = today_began_ms(now_ms, zone)
    bound = (coupon.c.plate != "") & coupon.c.state.not_in(GONE)
    whole = case((coupon.c.pass_id == "", coupon.c.coupon_id), else_=coupon.c.pass_id)
    ours = select(func.count(whole.distinct())).where(coupon.c.template_id == template_id, bound)
    papers = select(func.count()).where(voucher.c.template_id == template_id, voucher.c.state != State.VOIDED.value)
    today = (ours.where(coupon.c.bound_ms >= start), papers.where(voucher.c.issued_ms >= start))
    out = leases.papers_out(template_id)
    counts = conn.execute(select(*(query.scalar_subquery() for query in (*today, ours, papers, out)))).one()
    return Given(counts[0] + counts[1] + counts[4], counts[2] + counts[3] + counts[4])
