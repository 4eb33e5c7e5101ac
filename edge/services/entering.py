"""A vehicle at an entry: the stay, its event and the right to a pulse in one transaction."""

from __future__ import annotations

import sqlite3

from domain.decision import Admit, Decision, EntryInputs, decide_entry
from domain.events import StayOpened
from domain.moment import Moment
from domain.plate import mask
from edge.db import arrears, boots, journal, log, stays
from edge.db.database import Database, transaction
from edge.db.stays import StayRow
from edge.services import entitled, filling, listed, recording, settling
from edge.services.lot import Arrival, Decided, Lot


def enter(db: Database, lot: Lot, arrival: Arrival, now: Moment) -> Decided:
    """Decide on the vehicle at an entry lane; on Admit its stay is open before the barrier may move."""
    with transaction(db) as conn:
        decision_id = lot.new_id(now)
        decision, earlier = _decide(conn, lot, arrival, now)
        stay_id = ""
        if isinstance(decision.verdict, Admit):
            stay_id, facts = _open_stay(conn, lot, arrival, decision, decision_id, earlier, now)
            opened = recording.pulse(conn, decision_id, arrival.lane, stay_id, now)
            log.append_all(conn, [*facts, opened], now)
            recording.mark_acted(conn, arrival, decision_id, now)
        if earlier is not None and _is_elsewhere_too(decision, earlier):
            journal.incident(conn, "clone_suspected", arrival.lane, f"{mask(arrival.plate)} {decision_id}", now)
        recording.record(conn, decision_id, decision, stay_id, arrival, now)
        return Decided(decision_id, decision, stay_id, isinstance(decision.verdict, Admit), now.boot_ms)


def _is_elsewhere_too(decision: Decision, earlier: StayRow) -> bool:
    """Has it crossed one entry a moment ago, and stands at another? One car cannot."""
    inputs = decision.inputs
    return isinstance(inputs, EntryInputs) and inputs.inside == "just_entered" and earlier.lane_in != inputs.lane


def _decide(conn: sqlite3.Connection, lot: Lot, arrival: Arrival, now: Moment) -> tuple[Decision, StayRow | None]:
    zone = lot.lanes[arrival.lane].target
    earlier = stays.find_open(conn, arrival.plate) if arrival.plate else None
    welcome = entitled.at_entry(conn, lot, arrival.plate, zone, now)
    inputs = EntryInputs(
        lane=arrival.lane,
        zone=zone,
        plate=arrival.plate,
        typed_by=arrival.typed_by,
        seen=arrival.seen,
        repeated=recording.already_acted(conn, arrival),
        blocked=listed.blocked(conn, arrival.plate, now),
        inside=_inside(conn, lot, earlier, now),
        covered=welcome.by is not None or filling.is_covered_within(conn, lot, arrival.plate, zone, now),
        places_left=filling.places_left(conn, lot, zone, arrival.vehicle_class),
        places_taken=welcome.full.value if welcome.full else "",
        agreed=arrival.agreed,
        rules=lot.rules.for_decisions(),
        owed_fen=sum(debt.left_fen for debt in arrears.open_of(conn, arrival.plate)) if arrival.plate else 0,
    )
    return decide_entry(inputs), earlier


def _inside(conn: sqlite3.Connection, lot: Lot, earlier: StayRow | None, now: Moment) -> str:
    """Is this car inside by our books? Asked for again before it crossed, it is the same arrival (E25)."""
    if earlier is None:
        return ""
    if boots.since(conn, earlier.entered, now).total_seconds() > lot.rules.same_car_s:
        return "earlier"
    return "just_entered" if journal.has_passed(conn, earlier.decision_in) else "again"


def _open_stay(
    conn: sqlite3.Connection,
    lot: Lot,
    arrival: Arrival,
    decision: Decision,
    decision_id: str,
    earlier: StayRow | None,
    now: Moment,
) -> tuple[str, list[log.Fact]]:
    """The stay this car comes in by, and what the log must say of it."""
    inputs = decision.inputs
    if earlier is not None and isinstance(inputs, EntryInputs) and inputs.inside == "again":
        stays.set_entry_decision(conn, earlier.stay_id, decision_id)
        return earlier.stay_id, []
    if earlier is not None:
        settling.close_missed_exit(conn, lot, earlier, decision_id, now)
    opened = _stay(conn, lot, arrival, decision_id, now)
    return opened.stay_id, [(opened, decision_id)]


def open_stay(conn: sqlite3.Connection, lot: Lot, arrival: Arrival, decision_id: str, entered: Moment) -> str:
    """Write a new stay and its event in the caller's transaction; returns its id."""
    opened = _stay(conn, lot, arrival, decision_id, entered)
    log.append(conn, opened, entered, decision_id)
    return opened.stay_id


def _stay(conn: sqlite3.Connection, lot: Lot, arrival: Arrival, decision_id: str, entered: Moment) -> StayOpened:
    """Write a new stay; returns what the log must say of it."""
    left_before = stays.find_here(conn, arrival.plate)
    if left_before is not None:  # it came in again, so it did pass
        stays.mark_passed(conn, left_before)
    stay_id = lot.new_id(entered)
    lane = lot.lanes.get(arrival.lane)
    zone = lane.target if lane else next(iter(lot.zones))
    stays.insert(
        conn, stay_id, arrival.plate, arrival.plate_raw, arrival.vehicle_class, zone, arrival.lane, decision_id, entered
    )
    return StayOpened(stay_id, arrival.lane, zone, arrival.plate, arrival.plate_raw, arrival.vehicle_class, decision_id)
