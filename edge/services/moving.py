"""A vehicle at a lane between two zones of the lot: its stay moves on; no fee is taken there."""

from __future__ import annotations

import sqlite3

from domain.decision import Admit, MoveInputs, decide_move
from domain.moment import Moment
from edge.db import boots, journal, moves, stays
from edge.db.database import Database, transaction
from edge.db.stays import StayRow
from edge.services import entitled, filling, recording, zoning
from edge.services.continuing import go_on
from edge.services.leaving import stay_of
from edge.services.lot import Arrival, Decided, Lot


def move(db: Database, lot: Lot, arrival: Arrival, now: Moment) -> Decided:
    """Decide on the vehicle at a lane inside; on Admit it is in the next zone before the barrier may move."""
    with transaction(db) as conn:
        decision_id = lot.new_id(now)
        near = stays.near(conn, arrival.plate) if arrival.plate else ()
        stay = stay_of(conn, arrival.plate, near)
        inputs = _inputs(conn, lot, arrival, stay, near, now)
        decision = decide_move(inputs)
        opens = isinstance(decision.verdict, Admit)
        if opens and stay is not None:
            stay = stay if stay.is_open else go_on(conn, lot, stay, arrival.lane, decision_id, now)
            _move_on(conn, lot, stay, inputs, decision_id, now)
            recording.reserve_pulse(conn, decision_id, arrival.lane, stay.stay_id, now)
            recording.mark_acted(conn, arrival, decision_id, now)
        stay_id = stay.stay_id if stay else ""
        recording.record(conn, decision_id, decision, stay_id, arrival, now)
        return Decided(decision_id, decision, stay_id, opens)


def _inputs(
    conn: sqlite3.Connection, lot: Lot, arrival: Arrival, stay: StayRow | None, near: tuple[str, ...], now: Moment
) -> MoveInputs:
    lane = lot.lanes[arrival.lane]
    vehicle_class = stay.vehicle_class if stay else arrival.vehicle_class
    plate = stay.plate if stay else arrival.plate
    return MoveInputs(
        lane=arrival.lane,
        source=lane.source,
        target=lane.target,
        plate=arrival.plate,
        typed_by=arrival.typed_by,
        seen=arrival.seen,
        repeated=recording.already_acted(conn, arrival),
        near=near,
        stay_id=stay.stay_id if stay else "",
        zone=stay.zone_now if stay else "",
        again=_again(conn, lot, stay, arrival.lane, now) if stay else "",
        covered=entitled.at_entry(conn, lot, plate, lane.target, now).by is not None,
        places_left=None if lot.leads_outwards(lane) else filling.places_left(conn, lot, lane.target, vehicle_class),
        rules=lot.rules.for_decisions(),
    )


def _again(conn: sqlite3.Connection, lot: Lot, stay: StayRow, lane: str, now: Moment) -> str:
    """Has this very lane just let the car through? Asked for again before it crossed, it is the same move."""
    last = moves.last(conn, stay.stay_id) if stay.moves else None
    if last is None or last.lane != lane or last.how != moves.SEEN:
        return ""
    if boots.since(conn, last.moved, now).total_seconds() > lot.rules.same_car_s:
        return ""
    return "just_moved" if journal.has_passed(conn, last.decision_id) else "again"


def _move_on(
    conn: sqlite3.Connection, lot: Lot, stay: StayRow, inputs: MoveInputs, decision_id: str, now: Moment
) -> StayRow:
    if inputs.again:
        stay = undo(conn, stay, now)
    stay = zoning.put_right(conn, lot, stay, inputs.lane, now)
    return zoning.moved(conn, stay, inputs.lane, inputs.target, moves.SEEN, decision_id, now, now)


def undo(conn: sqlite3.Connection, stay: StayRow, now: Moment) -> StayRow:
    """The last move did not happen: the car is where it was, and no minute counts for the zone it did not reach."""
    last = moves.last(conn, stay.stay_id)
    if last is None:
        return stay
    return zoning.moved(conn, stay, last.lane, last.from_zone, moves.UNDONE, last.decision_id, last.moved, now)
