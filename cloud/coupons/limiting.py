"""May this car have this coupon? Judged under a lock in the transaction that gives it (S2.24-S2.30)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, case, func, select, text

from cloud.act import Act, Refused
from cloud.coupons import plates, rules, template
from cloud.coupons.life import State
from cloud.coupons.tables import coupon, redemption, voucher
from cloud.lots import service as lots
from cloud.merchants import service as merchants
from domain.coupon.limits import NONE, Given, Level, Levels, Limits, Taken, Wanted, over
from domain.coupon.terms import PLAIN, Late

PAST = "past"  # no stay that is asked about
WITHDRAWN = tuple(state.value for state in (State.VOID_PENDING, State.VOIDED, State.RECLAIMED))


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
    _lock_plate(conn, act.operator_id, ask.plate)
    if plates.is_blocked(conn, act.operator_id, ask.plate):
        return Refused("plate_gets_no_coupons")
    if ask.stay_id and lots.paid_fen(conn, ask.stay_id) and rules.ways(conn, ask.lot_id).late is Late.REFUSE:
        return Refused("already_paid")
    zone = ZoneInfo(lots.time_zone(conn, act.operator_id, ask.lot_id) or "UTC")
    today = _day(act.now_ms, zone)
    row = template.find(conn, act.operator_id, ask.merchant_id, ask.template_id)
    terms = PLAIN if row is None else template.terms(row)
    if terms.lots and ask.lot_id not in terms.lots:
        return Refused("coupon_other_lot")
    if terms.ends and today > terms.ends:
        return Refused("coupon_over", {"ends": terms.ends})
    levels = Levels(
        rules.limits(conn, Level.LOT, ask.lot_id),
        rules.limits(conn, Level.MERCHANT, ask.merchant_id),
        rules.limits(conn, Level.COUPON, ask.template_id),
    )
    if ask.is_paper:
        levels = replace(levels, coupon=replace(levels.coupon, total=0, day_total=0))
    if levels == Levels():
        return None
    wanted = Wanted(ask.merchant_id, ask.template_id, ask.stay_id, today, ask.count)
    taken = _taken(conn, act, ask.plate, zone)
    broken = over(wanted, taken, levels, _given(conn, ask.template_id, act.now_ms, zone, levels.coupon))
    return Refused(broken.code, broken.facts) if broken else None


def _lock_plate(conn: Connection, operator_id: int, plate: str) -> None:
    """SQLite's transactions hold the whole database from their first statement."""
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:of, 0))"), {"of": f"{operator_id}:{plate}"})


def _day(at_ms: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(at_ms / 1000, zone).date().isoformat()


def _midnight_ms(at_ms: int, zone: ZoneInfo) -> int:
    here = datetime.fromtimestamp(at_ms / 1000, zone)
    return round(here.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC).timestamp() * 1000)


def _taken(conn: Connection, act: Act, plate: str, zone: ZoneInfo) -> list[Taken]:
    names = {row["merchant_id"]: row["name"] for row in merchants.everyone(conn, act.operator_id)}
    query = select(coupon).where(
        coupon.c.operator_id == act.operator_id, coupon.c.plate == plate, coupon.c.state.not_in(WITHDRAWN)
    )
    found: dict[str, Taken] = {}
    for row in conn.execute(query.order_by(coupon.c.bound_ms, coupon.c.coupon_id)).all():
        # the uses of a pass are one coupon, which waits for as long as one use does
        whole, stay_id = row.pass_id or row.coupon_id, _stay_of(conn, row, act.now_ms)
        if whole not in found or not stay_id:
            day = _day(row.bound_ms, zone)
            found[whole] = Taken(row.merchant_id, names[row.merchant_id], row.template_id, stay_id, day)
    papers = _papers(conn, lots.stays_of_plate(conn, act.operator_id, plate))
    return [*found.values()] + [
        Taken(paper.merchant_id, names.get(paper.merchant_id, ""), paper.template_id, used.stay_id, _day(used.at, zone))
        for used, paper in papers
    ]


def _stay_of(conn: Connection, row: Any, now_ms: int) -> str:
    """Which stay a coupon is bound to or was used on; "" while it waits for one."""
    if row.stay_id:
        return str(row.stay_id)
    if row.state == State.REDEEMED:
        of = (redemption.c.subject == f"coupon:{row.coupon_id}") & redemption.c.restored_ms.is_(None)
        return str(conn.execute(select(redemption.c.stay_id).where(of).limit(1)).scalar_one_or_none() or PAST)
    return PAST if row.expires_ms < now_ms else ""


@dataclass(frozen=True, slots=True)
class _Use:
    stay_id: str
    at: int


@dataclass(frozen=True, slots=True)
class _Paper:
    merchant_id: int
    template_id: int


def _papers(conn: Connection, stay_ids: list[str]) -> list[tuple[_Use, _Paper]]:
    """Vouchers that lots say these stays used."""
    query = select(redemption).where(
        redemption.c.stay_id.in_(stay_ids),
        redemption.c.subject.like("voucher:%"),
        redemption.c.restored_ms.is_(None),
    )
    found = []
    for row in conn.execute(query.order_by(redemption.c.redeemed_ms)).all():
        key_id, _, counter = row.subject.removeprefix("voucher:").partition("-")
        its = (voucher.c.key_id == int(key_id)) & (voucher.c.counter == int(counter))
        paper = conn.execute(select(voucher.c.merchant_id, voucher.c.template_id).where(its)).one_or_none()
        if paper is not None:
            found.append((_Use(row.stay_id, row.redeemed_ms), _Paper(paper.merchant_id, paper.template_id)))
    return found


def _given(conn: Connection, template_id: int, now_ms: int, zone: ZoneInfo, limits: Limits) -> Given:
    """How many of a template are out, on phones and on paper; not counted where nobody limits it."""
    if limits.total == NONE.total and limits.day_total == NONE.day_total:
        return Given()
    start = _midnight_ms(now_ms, zone)
    bound = (coupon.c.plate != "") & coupon.c.state.not_in(WITHDRAWN)
    whole = case((coupon.c.pass_id == "", coupon.c.coupon_id), else_=coupon.c.pass_id)
    ours = select(func.count(whole.distinct())).where(coupon.c.template_id == template_id, bound)
    papers = select(func.count()).where(voucher.c.template_id == template_id, voucher.c.state != State.VOIDED.value)
    today = (ours.where(coupon.c.bound_ms >= start), papers.where(voucher.c.issued_ms >= start))
    return Given(
        sum(int(conn.execute(query).scalar_one()) for query in today),
        sum(int(conn.execute(query).scalar_one()) for query in (ours, papers)),
    )
