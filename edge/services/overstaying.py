"""Cars that have been inside implausibly long (E27), with the last sign of life of each."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from domain.moment import Moment
from edge.db import boots, money, moves, stays, stocktakes
from edge.db.stays import StayRow
from edge.services import entitled
from edge.services.lot import Lot

HOUR_S = 3600
ANY, ENTITLED = "any", "entitled"  # keys beside the vehicle classes


@dataclass(frozen=True, slots=True)
class LeftOver:
    """A car inside longer than its kind plausibly stays. *sign_wall_ms*: the last time anything was heard of it."""

    stay: StayRow
    hours: int
    limit_h: int
    sign: str  # entry, exit, move, payment, stock_take
    sign_wall_ms: int


def left_over(conn: sqlite3.Connection, lot: Lot, now: Moment, most: int = 200) -> list[LeftOver]:
    """Those beyond the lot's hours, the longest first."""
    limits = lot.rules.overstay_hours
    if not limits:
        return []
    found = []
    for stay in stays.longest_inside(conn, most):
        hours = int(boots.since(conn, stay.entered, now).total_seconds()) // HOUR_S
        if hours < min(limits.values()):
            continue
        limit = _limit(conn, lot, stay, now)
        if limit is not None and hours >= limit:
            found.append(LeftOver(stay, hours, limit, *_last_sign(conn, stay)))
    return found


def _limit(conn: sqlite3.Connection, lot: Lot, stay: StayRow, now: Moment) -> int | None:
    limits = lot.rules.overstay_hours
    if ENTITLED in limits and entitled.at_entry(conn, lot, stay.plate, stay.zone_now, now).by is not None:
        return limits[ENTITLED]
    return limits.get(stay.vehicle_class, limits.get(ANY))


def _last_sign(conn: sqlite3.Connection, stay: StayRow) -> tuple[str, int]:
    last, paid = moves.last(conn, stay.stay_id) if stay.moves else None, money.payments(conn, stay.stay_id)
    signs = {
        "entry": stay.entered.wall_ms,
        "exit": stay.arrived.wall_ms if stay.arrived else 0,
        "move": last.moved.wall_ms if last else 0,
        "payment": paid[-1].wall_ms if paid else 0,
        "stock_take": stocktakes.last_seen_ms(conn, stay.plate) or 0,
    }
    return max(signs.items(), key=lambda sign: sign[1])
