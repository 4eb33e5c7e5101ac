"""A vehicle at an exit: settle its stay, close it and reserve the pulse in one transaction, then open."""

from __future__ import annotations

import sqlite3

from domain import lookalike
from domain.decision import Admit, Ask, Decision, PayFirst, Priced, decide_exit, is_on_word_alone
from domain.driver_word import is_driver
from domain.moment import Moment
from domain.plate import mask
from edge.db import boots, journal, log, stays
from edge.db.database import Database, transaction
from edge.db.stays import StayRow
from edge.services import recording, settling, unseen, zoning
from edge.services.continuing import continued
from edge.services.lot import Arrival, Decided, Lot

LEFT_ALREADY = Ask((), "left_already")


def leave(db: Database, lot: Lot, arrival: Arrival, now: Moment) -> Decided:
    """Decide on the vehicle at an exit lane; the barrier moves only after this has returned with *opens*."""
    with transaction(db) as conn:
        decision_id = lot.new_id(now)
        near = _near(conn, arrival)
        stay = stay_of(conn, arrival.plate, near)
        if stay is not None:
            stay = continued(conn, lot, stay, arrival.lane, decision_id, now)
        decision = _decide(conn, lot, arrival, stay, near, now)
        if stay is None:
            stay = unseen.begun_at_exit(conn, lot, arrival, decision, decision_id, now)
            if stay is not None:
                decision = _decide(conn, lot, arrival, stay, (stay.plate,), now)
        elif arrival.typed_by:
            unseen.take_back(conn, lot, arrival.lane, stay.stay_id, decision_id, now)
        known = isinstance(decision.verdict, Admit | PayFirst)
        if stay is not None and known and zoning.is_elsewhere(lot, stay, arrival.lane):
            stay = zoning.put_right(conn, lot, stay, arrival.lane, now)
            decision = _decide(conn, lot, arrival, stay, near, now)
        stay_id = stay.stay_id if stay else ""
        opens = stay is not None and isinstance(decision.verdict, Admit)
        if stay is not None and isinstance(decision.verdict, PayFirst):
            _freeze(conn, lot, stay, now)
        if stay is not None and opens:
            _let_go(conn, lot, stay, decision, decision_id, now)
            recording.mark_acted(conn, arrival, decision_id, now)
        recording.record(conn, decision_id, decision, stay_id, arrival, now)
        _look_for_clone(conn, lot, arrival, decision, now)
        if opens and is_on_word_alone(decision.inputs):
            detail = f"{mask(arrival.plate)} {decision_id}"
            journal.incident(conn, "typed_unseen", arrival.lane, detail, now)
        return Decided(decision_id, decision, stay_id, opens, now.boot_ms)


def _near(conn: sqlite3.Connection, arrival: Arrival) -> tuple[str, ...]:
    """Plates that the car may be; against a driver's word also what the cameras read, where that is inside."""
    near = stays.near(conn, arrival.plate) if arrival.plate else ()
    if not is_driver(arrival.typed_by):
        return near
    read = {one.plate for one in arrival.seen if one.plate and stays.find_here(conn, one.plate) is not None}
    return tuple(sorted({*near, *read}))


def stay_of(conn: sqlite3.Connection, read: str, near: tuple[str, ...]) -> StayRow | None:
    """The stay a read belongs to by itself: of the plate itself, or of the one safe look-alike among *near*."""
    match lookalike.match(read, near):
        case lookalike.Exact(plate):
            pass
        case lookalike.Fuzzy(found):
            plate = found.plate
        case _:
            return None
    return stays.find_here(conn, plate)


def _decide(
    conn: sqlite3.Connection, lot: Lot, arrival: Arrival, stay: StayRow | None, near: tuple[str, ...], now: Moment
) -> Decision:
    left = stays.last_left(conn, arrival.plate) if stay is None and arrival.plate else None
    inputs = settling.exit_inputs(
        conn, lot, stay, now, lane=arrival.lane, plate=arrival.plate, typed_by=arrival.typed_by, seen=arrival.seen,
        near=near, repeated=recording.already_acted(conn, arrival), left_ms=_left_ms(lot, left, now),
    )  # fmt: skip
    return decide_exit(inputs, lot.price)


def _left_ms(lot: Lot, left: StayRow | None, now: Moment) -> int | None:
    """How long ago a car that is not inside left, if that was not too long ago to matter."""
    if left is None or left.closed_wall_ms is None:
        return None
    ago = max(0, now.wall_ms - left.closed_wall_ms)
    return ago if ago <= lot.rules.left_before_h * 3_600_000 else None


def _look_for_clone(conn: sqlite3.Connection, lot: Lot, arrival: Arrival, decision: Decision, now: Moment) -> None:
    """A car that left, and stands at an exit sooner than it could have come in again, is not that car.

    At the same lane it is read once more as it drives off.
    """
    left = stays.last_left(conn, arrival.plate) if decision.verdict == LEFT_ALREADY else None
    ago_ms = _left_ms(lot, left, now)
    if left is None or ago_ms is None or ago_ms >= lot.rules.turnaround_s * 1000:
        return
    if left.lane_out != arrival.lane or ago_ms > lot.rules.same_car_s * 1000:
        journal.incident(conn, "clone_suspected", arrival.lane, f"{mask(arrival.plate)} {left.stay_id}", now)


def _freeze(conn: sqlite3.Connection, lot: Lot, stay: StayRow, now: Moment) -> None:
    arrived = stay.arrived
    if arrived is None or boots.since(conn, arrived, now).total_seconds() > lot.rules.frozen_fee_min * 60:
        stays.freeze(conn, stay.stay_id, now)


def _let_go(
    conn: sqlite3.Connection, lot: Lot, stay: StayRow, decision: Decision, decision_id: str, now: Moment
) -> None:
    """Close the stay, and commit to the one pulse it leaves by."""
    lane = decision.inputs.lane
    opened = recording.pulse(conn, decision_id, lane, stay.stay_id, now)
    if stay.is_open:
        priced, coupons = decision.priced or Priced(0, ()), settling.given_in(decision)
        settling.close(conn, lot, stay, priced, now, lane=lane, decision_id=decision_id, coupons=coupons, told=[opened])
    else:  # settled before, its passage never seen: it leaves by this decision
        stays.set_exit_decision(conn, stay.stay_id, decision_id)
        log.append_all(conn, [opened], now)
