"""Who parks here without paying for it, and when: rows of the ``people`` list turned into covered minutes of a stay.

A row names one plate and the entitlement it belongs to: ``{list: "entitled", plate, id, grant, plates, places, zones,
from_ms, until_ms, windows: [[from minute, to minute, [weekdays]]], grace_days, when_full}``; whatever is left out has
no limit. Visitors added at the booth count the same.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence
from datetime import datetime

from domain.entitlement import Entitlement, Grant, Welcome, WhenFull, Window, ZoneSpan, cut_stay, places_held, welcome
from domain.moment import Moment
from domain.wire import Json
from edge.db import channels, stays, visitors
from edge.services.lot import Lot

logger = logging.getLogger(__name__)

MINUTE_MS = 60_000
REMEMBERED_MS = 31 * 86_400_000  # how far back it is looked for who held a place when another car came
Span = tuple[int, int]


def covered(
    conn: sqlite3.Connection, lot: Lot, plate: str, zones: Sequence[ZoneSpan], entered: Moment, minutes: int
) -> tuple[Span, ...]:
    """Which of the *minutes* since entry, spent in these *zones*, are covered: ordered spans, end not included."""
    held = of_plate(conn, lot, plate)
    if not held:
        return ()
    others = _others(conn, held, plate, entered, minutes)
    cut = cut_stay(plate, lot.local(entered.wall_ms), zones, held, others)
    return tuple((part.begins, part.ends) for part in cut.covered)


def at_entry(conn: sqlite3.Connection, lot: Lot, plate: str, zone: str, now: Moment) -> Welcome:
    """Who pays for this car from here on, or what it means that all places of its entitlement are taken."""
    held = of_plate(conn, lot, plate)
    return welcome(plate, zone, lot.local(now.wall_ms), held, _others(conn, held, plate, now, 1)) if held else Welcome()


def of_plate(conn: sqlite3.Connection, lot: Lot, plate: str) -> list[Entitlement]:
    """Every entitlement of *plate*, the cloud's first, whether good now or not."""
    return [one for row in rows_of(conn, plate) if (one := of_row(lot, plate, row)) is not None]


def rows_of(conn: sqlite3.Connection, plate: str) -> list[Json]:
    """What entitles *plate*, as rows: the cloud's list, then visitors written down here."""
    if not plate:
        return []
    told = [row for _, row in channels.for_plate(conn, "people", plate) if row.get("list") == "entitled"]
    return told + [visitor_row(one) for one in visitors.of_plate(conn, plate)]


def visitor_row(one: visitors.VisitorRow) -> Json:
    """A visitor of this lot's own list, in the shape of the cloud's."""
    row: Json = {"list": "entitled", "plate": one.plate, "id": one.visitor_id, "grant": "visitor", "host": one.host}
    return row | {"from_ms": one.from_ms, "until_ms": one.until_ms}


def of_row(lot: Lot, plate: str, row: Json) -> Entitlement | None:
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
            grace_days=int(row.get("grace_days") or 0),
            when_full=WhenFull(row.get("when_full") or "temporary"),
        )
    except (TypeError, ValueError) as exc:
        logger.warning("an entitlement row was left aside: %s", exc)
        return None


def _local(lot: Lot, wall_ms: int | None) -> datetime | None:
    return None if wall_ms is None else lot.local(int(wall_ms))


def _others(
    conn: sqlite3.Connection, held: list[Entitlement], plate: str, entered: Moment, minutes: int
) -> dict[str, list[Span]]:
    return {one.id: _held_by_others(conn, one, plate, entered, minutes) for one in held if one.places}


def _held_by_others(
    conn: sqlite3.Connection, one: Entitlement, plate: str, entered: Moment, minutes: int
) -> list[Span]:
    """How long cars that were here first keep their places, in minutes since this car entered."""
    since = entered.wall_ms - REMEMBERED_MS if one.when_full is WhenFull.WHOLE_STAY else None
    spans = []
    for other in sorted(one.plates - {plate}):
        for entered_ms, left_ms in stays.inside_before(conn, other, entered.wall_ms, since):
            ends = minutes if left_ms is None else -(-(left_ms - entered.wall_ms) // MINUTE_MS)
            spans.append(((entered_ms - entered.wall_ms) // MINUTE_MS, min(minutes, ends)))
    return places_held(spans, one.places, one.when_full)
