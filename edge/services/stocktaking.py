"""A walk through the lot (E27): cars not seen are closed, cars nobody knew get an entry, in one act to be undone."""

from __future__ import annotations

import sqlite3
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from domain.decision import Priced, Refuse
from domain.moment import Moment, Quality
from domain.plate import normalise
from domain.stay import UnpaidCause
from domain.vehicle import class_of
from edge.db import journal, stays, stocktakes
from edge.db.database import Database, transaction
from edge.db.stays import StayRow
from edge.db.stocktakes import Mark, Take
from edge.services import entering, manual, reopening, settling, staffing
from edge.services.lot import Arrival, Done, Lot, Result
from edge.settings import MissedExit

CAUSE = UnpaidCause.STOCK_TAKE.value
NOWHERE: AbstractSet[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What ending a stock-take would do now: stays to close, plates to enter, stays seen."""

    missing: tuple[StayRow, ...]
    unknown: tuple[str, ...]
    seen: tuple[StayRow, ...]


def start(db: Database, lot: Lot, zone: str, by: str, now: Moment) -> Result:
    """Begin a walk through *zone*, "" for all of it. Refuses ``stock_take_open`` and ``no_such_zone``."""
    with transaction(db) as conn:
        if zone and zone not in lot.zones:
            return Refuse("no_such_zone")
        if stocktakes.current(conn) is not None:
            return Refuse("stock_take_open")
        take_id = lot.new_id(now)
        stocktakes.insert(conn, Take(take_id, zone, stocktakes.OPEN, by, now.wall_ms, "", 0))
        for stay in stays.all_open(conn):
            if not zone or stay.zone_now == zone:
                stocktakes.add_line(conn, take_id, stocktakes.EXPECTED, stay.stay_id)
        journal.act(conn, by, "stock.start", take_id, zone, now)
        return Done(take_id)


def mark(db: Database, typed: str, by: str, now: Moment) -> Result:
    """A car stands there. Refuses ``no_stock_take`` and ``not_a_plate``."""
    plate = normalise(typed)
    if not manual.is_plate(plate):
        return Refuse("not_a_plate")
    with transaction(db) as conn:
        take = stocktakes.current(conn)
        if take is None:
            return Refuse("no_stock_take")
        stay = stays.find_open(conn, plate)
        stocktakes.mark(conn, Mark(take.take_id, plate, stay.stay_id if stay else "", by, now.wall_ms))
        return Done(plate)


def unmark(db: Database, typed: str, by: str, now: Moment) -> Result:
    """It does not stand there after all."""
    del by, now
    with transaction(db) as conn:
        take = stocktakes.current(conn)
        if take is None:
            return Refuse("no_stock_take")
        stocktakes.unmark(conn, take.take_id, normalise(typed))
        return Done(normalise(typed))


def outcome(conn: sqlite3.Connection, take: Take, at_lanes: AbstractSet[str] = NOWHERE) -> Outcome:
    """What ending it now would do; a car that left or came meanwhile is neither missing nor unknown.

    *at_lanes*: stays of cars that stand at a lane this moment; they are seen.
    """
    marks = stocktakes.marks(conn, take.take_id)
    seen_plates = {mark.plate for mark in marks}
    expected = [stays.get(conn, stay_id) for stay_id in stocktakes.lines(conn, take.take_id, stocktakes.EXPECTED)]
    inside = [stay for stay in expected if stay is not None and stay.is_open]
    unknown = tuple(mark.plate for mark in marks if not mark.stay_id and stays.find_open(conn, mark.plate) is None)
    seen = {stay.stay_id for stay in inside if stay.plate in seen_plates or stay.stay_id in at_lanes}
    return Outcome(
        tuple(stay for stay in inside if stay.stay_id not in seen),
        unknown,
        tuple(stay for stay in inside if stay.stay_id in seen),
    )


def finish(
    db: Database, lot: Lot, take_id: str, at_lanes: AbstractSet[str], by: str, now: Moment, *, approved_by: str = ""
) -> Result:
    """Close what was not seen and enter what nobody knew, all of it or nothing.

    Refuses ``no_stock_take``, and ``above_waive_limit`` where one car's fee is more than this person's role may let go
    of; *approved_by*: a supervisor beside them, whose limit counts then.
    """
    with transaction(db) as conn:
        take = stocktakes.get(conn, take_id)
        if take is None or take.state != stocktakes.OPEN:
            return Refuse("no_stock_take")
        found = outcome(conn, take, at_lanes)
        if not all(_may_close(conn, lot, stay, approved_by or by, now) for stay in found.missing):
            return Refuse("above_waive_limit")
        for stay in found.seen:
            stocktakes.add_line(conn, take_id, stocktakes.SEEN, stay.stay_id)
        for stay in found.missing:
            _close(conn, lot, stay, now)
            stocktakes.add_line(conn, take_id, stocktakes.CLOSED, stay.stay_id)
        for plate in found.unknown:
            stocktakes.add_line(conn, take_id, stocktakes.ENTERED, _enter(conn, lot, take, plate, by))
        stocktakes.end(conn, take_id, stocktakes.DONE, by, now.wall_ms)
        did = f"seen {len(found.seen)}, closed {len(found.missing)}, entered {len(found.unknown)}"
        journal.act(conn, by, "stock.finish", take_id, did, now)
        return Done(take_id)


def drop(db: Database, take_id: str, by: str, now: Moment) -> Result:
    """Give it up: nothing is closed or entered."""
    with transaction(db) as conn:
        take = stocktakes.get(conn, take_id)
        if take is None or take.state != stocktakes.OPEN:
            return Refuse("no_stock_take")
        stocktakes.end(conn, take_id, stocktakes.DROPPED, by, now.wall_ms)
        journal.act(conn, by, "stock.drop", take_id, "", now)
        return Done(take_id)


def undo(db: Database, lot: Lot, take_id: str, by: str, reason: str, now: Moment) -> Result:
    """Take back what its end did, as far as it still can be: a car that came in or paid meanwhile stays as it is."""
    if not reason.strip():
        return Refuse("reason_missing")
    with transaction(db) as conn:
        take = stocktakes.get(conn, take_id)
        if take is None or take.state != stocktakes.DONE:
            return Refuse("no_stock_take")
        for stay_id in stocktakes.lines(conn, take_id, stocktakes.ENTERED):
            stay = stays.get(conn, stay_id)
            if stay is not None and stay.is_open and not stay.paid_fen:
                settling.close(
                    conn, lot, stay, Priced(0, ()), now, lane="", decision_id="", cause="stock_undone", passed=True
                )
        opened = [one for one in stocktakes.lines(conn, take_id, stocktakes.CLOSED) if _may_open(conn, one)]
        for stay_id in opened:
            reopening.take_back(conn, lot, stay_id, by, reason, now)
        stocktakes.end(conn, take_id, stocktakes.UNDONE, by, now.wall_ms)
        journal.act(conn, by, "stock.undo", take_id, reason, now)
        return Done(take_id)


def gone(
    db: Database, lot: Lot, stay_id: str, at_lanes: AbstractSet[str], by: str, reason: str, now: Moment, *,
    approved_by: str = "",
) -> Result:  # fmt: skip
    """One car is not here any more, whatever the books say.

    Refuses ``car_at_lane`` for one that stands at a lane, and ``above_waive_limit`` as ``finish`` does.
    """
    if not reason.strip():
        return Refuse("reason_missing")
    if stay_id in at_lanes:
        return Refuse("car_at_lane")
    with transaction(db) as conn:
        stay = stays.get(conn, stay_id)
        if stay is None or not stay.is_open:
            return Refuse("no_open_stay")
        if not _may_close(conn, lot, stay, approved_by or by, now):
            return Refuse("above_waive_limit")
        _close(conn, lot, stay, now)
        journal.approved(conn, approved_by, "stay.gone", stay_id, by, now)
        journal.act(conn, by, "stay.gone", stay_id, reason, now)
        return Done(stay_id)


def _may_close(conn: sqlite3.Connection, lot: Lot, stay: StayRow, who: str, now: Moment) -> bool:
    """May they have the lot let go of what this car has not paid? Where it is to owe it, anybody may."""
    if lot.rules.stock_take is MissedExit.OWE:
        return True
    return staffing.may_waive(conn, lot.rules, who, settling.let_go_fen(conn, lot, stay, now))


def _close(conn: sqlite3.Connection, lot: Lot, stay: StayRow, now: Moment) -> None:
    if lot.rules.stock_take is MissedExit.OWE:
        settling.close_unpaid(conn, lot, stay, UnpaidCause.STOCK_TAKE, "", "", now)
    else:
        settling.let_go(conn, lot, stay, CAUSE, "", "", now)


def _enter(conn: sqlite3.Connection, lot: Lot, take: Take, plate: str, by: str) -> str:
    """A car nobody knew is inside since the walk began at the latest; when it came no clock says."""
    zone = take.zone or next(iter(lot.zones))
    lane = next((lane.name for lane in lot.lanes.values() if lane.target == zone), "")
    entered = Moment(manual.TYPED_BOOT, 0, take.started_wall_ms, Quality.UNKNOWN)
    arrival = Arrival(lane, plate, plate, vehicle_class=class_of(plate), typed_by=by)
    return entering.open_stay(conn, lot, arrival, "", entered)


def _may_open(conn: sqlite3.Connection, stay_id: str) -> bool:
    return reopening.refusal(conn, stay_id) is None
