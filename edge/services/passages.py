"""What the lane saw with its loops: a car through, a car that turned back, a car nobody let through."""

from __future__ import annotations

import sqlite3

from domain.decision import Priced
from domain.events import PassageReversed, PassageSeen
from domain.moment import Moment
from domain.stay import OUTSIDE, UnpaidCause
from domain.vehicle import class_of
from edge.db import decisions, holds, journal, log, moves, stays
from edge.db.database import Database, transaction
from edge.services import entering, moving, settling, zoning
from edge.services.leaving import stay_of
from edge.services.lot import Arrival, Lot


def seen(db: Database, lot: Lot, lane: str, decision_id: str, plate: str, now: Moment) -> None:
    """The car of *decision_id* is through; a settled stay is now gone for good."""
    with transaction(db) as conn:
        stay = stays.by_exit_decision(conn, decision_id)
        moved = moves.by_decision(conn, decision_id) if lot.lanes[lane].is_inner else None
        stay_id = stay.stay_id if stay else moved.stay_id if moved else ""
        journal.passage(conn, lot.new_id(now), "seen", lane, decision_id, stay_id, plate, now)
        if stay is not None:
            stays.mark_passed(conn, stay)
        log.append(conn, PassageSeen(lane, decision_id, plate), now, decision_id or None)


def turned_back(db: Database, lot: Lot, lane: str, decision_id: str, plate: str, now: Moment) -> None:
    """The car backed out after the barrier opened. At an entry its stay never began; at an exit it stays settled."""
    with transaction(db) as conn:
        journal.passage(conn, lot.new_id(now), "reversed", lane, decision_id, "", plate, now)
        log.append(conn, PassageReversed(lane, decision_id, plate), now, decision_id or None)
        if lot.lanes[lane].is_inner:
            _stayed(conn, decision_id, now)
            return
        stay = stays.by_entry_decision(conn, decision_id) if decision_id else None
        if stay is not None and stay.is_open and not stay.paid_fen:
            settling.close(
                conn, lot, stay, Priced(0, ()), now, lane=lane, decision_id=decision_id, cause="reversed", passed=True
            )


def _stayed(conn: sqlite3.Connection, decision_id: str, now: Moment) -> None:
    """A car turned back between two zones: it is where it was, if it did not move again meanwhile."""
    move = moves.by_decision(conn, decision_id)
    last = moves.last(conn, move.stay_id) if move else None
    stay = stays.get(conn, move.stay_id) if move and move == last else None
    if stay is not None and stay.is_open:
        moving.undo(conn, stay, now)


def unpaid(db: Database, lot: Lot, lane: str, cause: UnpaidCause, plate: str, now: Moment, seen_id: str = "") -> str:
    """A vehicle went through without a decision of its own; returns the stay it belongs to, "" when unknown.

    *seen_id* names the picture of it, which the caller keeps; its stay names it in place of a decision.

    At an exit its stay ends with what is due as a debt, or waived while the barrier is held open; at an entry it is
    inside now, let in by nobody; between two zones it is in the next one.
    """
    with transaction(db) as conn:
        place = lot.lanes[lane]
        if place.is_inner:
            stay_id = _went_on(conn, lot, lane, plate, now)
        elif place.target == OUTSIDE:
            stay_id = _went_out(conn, lot, lane, cause, plate, seen_id, now)
        else:
            stay_id = _came_in(conn, lot, lane, plate, seen_id, now)
        if seen_id:
            decisions.note_picture(conn, seen_id, "frame", now)
        journal.passage(conn, lot.new_id(now), cause.value, lane, "", stay_id, plate, now)
        log.append(conn, PassageSeen(lane, "", plate), now)
        return stay_id


def _went_on(conn: sqlite3.Connection, lot: Lot, lane: str, plate: str, now: Moment) -> str:
    stay = stay_of(conn, plate, stays.near(conn, plate)) if plate else None
    if stay is None or not stay.is_open or stay.zone_now == lot.lanes[lane].target:
        return ""
    stay = zoning.put_right(conn, lot, stay, lane, now)
    return zoning.moved(conn, stay, lane, lot.lanes[lane].target, moves.TAILGATE, "", now, now).stay_id


def _went_out(
    conn: sqlite3.Connection, lot: Lot, lane: str, cause: UnpaidCause, plate: str, seen_id: str, now: Moment
) -> str:
    stay = stay_of(conn, plate, stays.near(conn, plate)) if plate else None
    if stay is None or not stay.is_open:
        return ""
    stay = zoning.put_right(conn, lot, stay, lane, now)
    if cause is UnpaidCause.EMERGENCY and not _owes(conn, lot, lane):
        settling.let_go(conn, lot, stay, cause.value, lane, seen_id, now)
    else:
        settling.close_unpaid(conn, lot, stay, cause, lane, seen_id, now)
    return stay.stay_id


def _owes(conn: sqlite3.Connection, lot: Lot, lane: str) -> bool:
    """Did whoever holds this barrier open choose that cars owe what they do not pay?"""
    held = holds.get(conn, lot.lanes[lane].barrier)
    return held is not None and held.owes


def _came_in(conn: sqlite3.Connection, lot: Lot, lane: str, plate: str, seen_id: str, now: Moment) -> str:
    if not plate or stays.find_open(conn, plate) is not None:
        return ""
    return entering.open_stay(conn, lot, Arrival(lane, plate, plate, vehicle_class=class_of(plate)), seen_id, now)


def replayed(db: Database, lane: str, read_id: str, plate: str, now: Moment) -> None:
    """A camera's record from a time nobody listened: kept as a fact, opens nothing, counts once."""
    with transaction(db) as conn:
        passage_id = f"read:{read_id}"
        if journal.is_known_passage(conn, passage_id):
            return
        journal.passage(conn, passage_id, "replayed", lane, "", "", plate, now)
        log.append(conn, PassageSeen(lane, "", plate), now)
