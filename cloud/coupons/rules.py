"""Limits and ways with coupons that an operator sets: for a lot, a merchant or a coupon; lots hear of them (S2.24)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, select, update

from cloud.access import audit
from cloud.act import Act, Refused
from cloud.coupons.tables import coupon_rule, coupon_template
from cloud.lots import edges as lot_edges
from cloud.lots import service as lots
from cloud.merchants import service as merchants
from cloud.sync.channels import put_row
from domain.coupon.limits import FIELDS, Level, Limits, limits_of
from domain.coupon.terms import Late, LotWays, ways_of
from domain.fen import yuan
from domain.wire import Json, canonical


def body_of(conn: Connection, level: Level, subject_id: int) -> Json:
    """What was set, as JSON values; empty where nothing was."""
    query = select(coupon_rule.c.body).where(coupon_rule.c.level == level.value, coupon_rule.c.subject_id == subject_id)
    text = conn.execute(query).scalar_one_or_none()
    body: Json = json.loads(text) if text else {}
    return body


def limits(conn: Connection, level: Level, subject_id: int) -> Limits:
    """The limits of one lot, merchant or template."""
    return limits_of(body_of(conn, level, subject_id))


def ways(conn: Connection, lot_id: int) -> LotWays:
    """What a lot does with several coupons, and with one that comes too late."""
    return ways_of(body_of(conn, Level.LOT, lot_id))


def everything(conn: Connection, operator_id: int) -> dict[tuple[str, int], Json]:
    """Every rule of the operator by level and subject."""
    rows = conn.execute(select(coupon_rule).where(coupon_rule.c.operator_id == operator_id))
    return {(row.level, int(row.subject_id)): json.loads(row.body) for row in rows}


def set_limits(
    conn: Connection, act: Act, level: Level, subject_id: int, wanted: Limits, ways: LotWays | None = None
) -> Refused | None:
    """Set what one lot, merchant or template limits; limits of another level are left out."""
    if not _is_ours(conn, act.operator_id, level, subject_id):
        return Refused("limit_subject_unknown")
    if not wanted.is_sound or (ways is not None and not 0 <= ways.max_coupons <= 12):
        return Refused("limit_malformed")
    before = body_of(conn, level, subject_id)
    body = {name: value for name, value in wanted.values().items() if name in FIELDS[level]}
    if level is Level.LOT:
        body |= (ways or ways_of(before)).values()
    _keep(conn, act, level, subject_id, body)
    audit.record(conn, act, "coupon_limits.set", f"{level}:{subject_id}", before=before, after=body)
    _tell(conn, act.operator_id, level.value, subject_id, body, act.now_ms)
    return None


def back_refusal(ways: LotWays, most_fen: int) -> Refused | None:
    """What late coupons give back to a stay by itself: never above what a refund may be that one person asks for."""
    if ways.late is not Late.REFUND or 0 < ways.back_most_fen <= most_fen:
        return None
    return Refused("back_most_malformed", {"most": yuan(most_fen)})


def _keep(conn: Connection, act: Act, level: Level, subject_id: int, body: Mapping[str, Any]) -> None:
    stamp = {"body": canonical(body).decode(), "changed_ms": act.now_ms, "changed_by": act.by}
    of = (coupon_rule.c.level == level.value) & (coupon_rule.c.subject_id == subject_id)
    if conn.execute(update(coupon_rule).where(of).values(**stamp)).rowcount:
        return
    conn.execute(
        insert(coupon_rule).values(level=level.value, subject_id=subject_id, operator_id=act.operator_id, **stamp)
    )


def _is_ours(conn: Connection, operator_id: int, level: Level, subject_id: int) -> bool:
    if level is Level.LOT:
        return lots.time_zone(conn, operator_id, subject_id) is not None
    if level is Level.MERCHANT:
        return merchants.get(conn, operator_id, subject_id) is not None
    query = select(coupon_template.c.template_id).where(
        coupon_template.c.template_id == subject_id, coupon_template.c.operator_id == operator_id
    )
    return conn.execute(query).first() is not None


def _tell(conn: Connection, operator_id: int, level: str, subject_id: int, body: Json, now_ms: int) -> None:
    for edge_id in lot_edges.operator_edges(conn, operator_id):
        put_row(conn, operator_id, edge_id, "rules", f"limits:{level}:{subject_id}", dict(body), now_ms)


def tell_rules(conn: Connection, operator_id: int, now_ms: int) -> None:
    """Give every edge every rule."""
    for (level, subject_id), body in everything(conn, operator_id).items():
        _tell(conn, operator_id, level, subject_id, body, now_ms)
