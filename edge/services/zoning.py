"""Which zone a car is in: moves on record, what a missed read is taken for, and the zones a fee rests on."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from domain.decision import TariffRef
from domain.entitlement import ZoneSpan
from domain.events import StayMoved
from domain.moment import Moment, elapsed
from domain.plate import mask
from domain.zones import Charge, Move, Nested, ZoneRule, joined_clocks
from edge.db import boots, journal, log, moves
from edge.db.stays import StayRow
from edge.services import entitled
from edge.services.lot import Lot

PLAIN = ZoneRule("", "", Charge.REPLACES.value, 0, "")
MS_A_MINUTE = 60_000


def moved(
    conn: sqlite3.Connection, stay: StayRow, lane: str, zone: str, how: str, decision_id: str, at: Moment, now: Moment
) -> StayRow:
    """Put a car that is inside into *zone* since *at*, in the caller's transaction; returns its stay as it is now."""
    moves.add(conn, moves.MoveRow(stay.stay_id, stay.moves + 1, lane, stay.zone_now, zone, how, decision_id, at))
    event = StayMoved(stay.stay_id, lane, stay.zone_now, zone, stay.plate, how, decision_id)
    log.append(conn, event, now, decision_id or None)
    return stay._replace(zone_now=zone, moves=stay.moves + 1, arrived=None)


def is_elsewhere(lot: Lot, stay: StayRow, lane: str) -> bool:
    """Do the books have the car in another zone than the one *lane* leads from? A read was missed, then."""
    return lot.is_nested and stay.is_open and lane in lot.lanes and stay.zone_now != lot.lanes[lane].source


def put_right(conn: sqlite3.Connection, lot: Lot, stay: StayRow, lane: str, now: Moment) -> StayRow:
    """A car at a lane is in the zone that lane leads from, whatever was missed; when it came there nobody knows."""
    if not is_elsewhere(lot, stay, lane):
        return stay
    source = lot.lanes[lane].source
    journal.incident(conn, "zone_read_missed", lane, f"{mask(stay.plate)} {stay.zone_now} > {source}", now)
    return moved(conn, stay, lane, source, moves.GUESSED, "", now, now)


def drove_out(conn: sqlite3.Connection, lot: Lot, stay: StayRow, now: Moment) -> StayRow:
    """A car that is outside by now left its inner zone too, nobody knows when."""
    around = _rule(lot, stay.zone_now).inside
    return moved(conn, stay, "", around, moves.GUESSED, "", now, now) if around and stay.moves else stay


def price_lists(conn: sqlite3.Connection, lot: Lot, stay: StayRow) -> list[tuple[TariffRef, ...]]:
    """The price lists of every zone the fee of a stay rests on; that of the zone it entered first."""
    zones = [stay.zone] if not stay.moves else _zones(lot, stay, moves.of_stay(conn, stay.stay_id))
    return [lot.tariffs.get(zone, ()) for zone in zones]


def tariffs(conn: sqlite3.Connection, lot: Lot, stay: StayRow) -> tuple[TariffRef, ...]:
    """The same in one row."""
    return tuple(ref for refs in price_lists(conn, lot, stay) for ref in refs)


def nested(conn: sqlite3.Connection, lot: Lot, stay: StayRow, length_ms: int) -> Nested | None:
    """What the fee of a stay that moved rests on beside its price lists; None for one that did not."""
    if not stay.moves:
        return None
    rows = moves.of_stay(conn, stay.stay_id)
    went = tuple(
        Move(row.zone, after, row.how == moves.GUESSED)
        for row, after in zip(rows, _after(conn, stay, rows), strict=True)
    )
    rules = tuple(_rule(lot, zone) for zone in _zones(lot, stay, rows))
    minutes = length_ms // MS_A_MINUTE + 1
    ran = joined_clocks(stay.zone, went, stay.entered.wall_ms % MS_A_MINUTE, minutes, rules)
    covered = tuple(
        (zone, begins, ends)
        for zone, spans in ran.items()
        for begins, ends in entitled.covered(
            conn, lot, stay.plate, [ZoneSpan(zone, *span) for span in spans], stay.entered, minutes
        )
    )
    return Nested(went, rules, covered)


def _zones(lot: Lot, stay: StayRow, rows: list[moves.MoveRow]) -> list[str]:
    """Where the car was, and what lies around those zones."""
    been = list(dict.fromkeys([stay.zone, *(row.zone for row in rows)]))
    return list(dict.fromkeys([*been, *(inside for zone in been if (inside := _rule(lot, zone).inside))]))


def _rule(lot: Lot, zone: str) -> ZoneRule:
    known = lot.zones.get(zone)
    return known.rule if known else replace(PLAIN, zone=zone)  # no longer in the lot file


def _after(conn: sqlite3.Connection, stay: StayRow, rows: list[moves.MoveRow]) -> list[int]:
    """Milliseconds from the entry to each move, none before the one before it."""
    after: list[int] = []
    for row in rows:
        length = elapsed(stay.entered, row.moved, boots.between(conn, stay.entered, row.moved)).length
        after.append(max([0, round(length.total_seconds() * 1000), *after[-1:]]))
    return after
