"""Who parks here without paying for it, and when: rows of the ``people`` list turned into covered minutes of a stay.

A row names one plate and the entitlement it belongs to: ``{list: "entitled", plate, id, grant, plates, places, zones,
from_ms, until_ms, windows: [[from minute, to minute, [weekdays]]]}``; whatever is left out has no limit.
"""

from __future__ import annotations

import logging
import sqlite3
from datetime import datetime

from domain.entitlement import Entitlement, Grant, Window, ZoneSpan, cut_stay
from domain.moment import Moment
from domain.wire import Json
from edge.db import channels, stays
from edge.services.lot import Lot

logger = logging.getLogger(__name__)

MINUTE_MS = 60_000
Span = tuple[int, int]


def covered(
    conn: sqlite3.Connection, lot: Lot, plate: str, zone: str, entered: Moment, minutes: int
) -> tuple[Span, ...]:
    """Which of the *minutes* since entry are covered, as ordered spans, end not included."""
    held = [one for row in _rows(conn, plate) if (one := _entitlement(lot, plate, row)) is not None]
    if not held:
        return ()
    others = {one.id: _held_by_others(conn, one, plate, entered, minutes) for one in held if one.places}
    cut = cut_stay(plate, lot.local(entered.wall_ms), [ZoneSpan(zone, 0, minutes)], held, others)
    return tuple((part.begins, part.ends) for part in cut.covered)


def _rows(conn: sqlite3.Connection, plate: str) -> list[Json]:
    return [row for _, row in channels.for_plate(conn, "people", plate) if row.get("list") == "entitled"]


def _entitlement(lot: Lot, plate: str, row: Json) -> Entitlement | None:
    """What a row says; one that makes no sense gives nobody anything."""
    try:
        windows = tuple(Window(begins, ends, frozenset(days)) for begins, ends, days in row.get("windows", ()))
        return Entitlement(
            id=str(row.get("id") or plate),
            grant=Grant(row.get("grant", "monthly")),
            plates=frozenset([plate, *row.get("plates", ())]),
            places=int(row.get("places") or 0),
            zones=frozenset(row.get("zones", ())),
            begins=_local(lot, row.get("from_ms")),
            ends=_local(lot, row.get("until_ms")),
            windows=windows,
        )
    except (TypeError, ValueError) as exc:
        logger.warning("an entitlement row was left aside: %s", exc)
        return None


def _local(lot: Lot, wall_ms: int | None) -> datetime | None:
    return None if wall_ms is None else lot.local(int(wall_ms))


def _held_by_others(
    conn: sqlite3.Connection, one: Entitlement, plate: str, entered: Moment, minutes: int
) -> list[Span]:
    """How long cars that were here first keep their places, in minutes since this car entered."""
    spans = []
    for other in sorted(one.plates - {plate}):
        for _, left_ms in stays.inside_before(conn, other, entered.wall_ms):
            ends = minutes if left_ms is None else -(-(left_ms - entered.wall_ms) // MINUTE_MS)
            spans.append((0, min(minutes, ends)))
    return spans
