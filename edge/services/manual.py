"""What an attendant does by hand; every act has a name and, where it moves money or a barrier, a reason (E30)."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace

from domain import lookalike
from domain.decision import Refuse
from domain.events import StayCorrected, TimeCorrected
from domain.moment import Moment, Quality
from domain.plate import classify, is_virtual, normalise
from domain.stay import OUTSIDE, UnpaidCause
from domain.vehicle import class_of
from edge.db import journal, log, moves, plate_locks, stays
from edge.db.database import Database, transaction
from edge.db.stays import StayRow
from edge.services import classing, entering, learning, paying, recording, settling, shifts, staffing, zoning
from edge.services.lot import Arrival, Done, Lot, Result

TYPED_BOOT = "typed"  # an entry time from a person: no boot clock can vouch for it


@dataclass(frozen=True, slots=True)
class Candidate:
    """An open stay a misread plate may belong to."""

    stay: StayRow
    score: int
    slip: str


def open_barrier(db: Database, lot: Lot, lane: str, by: str, reason: str, plate: str, now: Moment) -> Result:
    """Commit to one pulse by hand; the caller gives it. A named car is let in, or out with what it owes.

    Refuses ``reason_missing`` and ``no_such_lane``.
    """
    if not reason.strip() or not by:
        return Refuse("reason_missing")
    if lane not in lot.lanes:
        return Refuse("no_such_lane")
    with transaction(db) as conn:
        decision_id = lot.new_id(now)
        journal.act(conn, by, "barrier.open", lane, reason, now)
        stay = stays.find_open(conn, plate) if plate else None
        stay_id = stay.stay_id if stay else ""
        place = lot.lanes[lane]
        leads_out = place.target == OUTSIDE
        if stay is None and is_plate(plate) and not leads_out:
            arrival = Arrival(lane, plate, plate, vehicle_class=class_of(plate), typed_by=by)
            stay_id = entering.open_stay(conn, lot, arrival, decision_id, now)
        if stay is not None and (leads_out or place.is_inner):
            stay = zoning.put_right(conn, lot, stay, lane, now)
        if stay is not None and place.is_inner:
            zoning.moved(conn, stay, lane, place.target, moves.BY_HAND, decision_id, now, now)
        if stay is not None and leads_out:
            settling.close_unpaid(conn, lot, stay, UnpaidCause.MANUAL, lane, decision_id, now)
        recording.reserve_pulse(conn, decision_id, lane, stay_id, now, by, reason)
        shifts.note_opening(conn, lot, lane, decision_id)
        return Done(decision_id)


def correct_plate(db: Database, stay_id: str, typed: str, by: str, now: Moment) -> Result:
    """Give an open stay the plate a person read; the old value is kept (E28). Refuses a plate already inside."""
    plate = normalise(typed)
    if not is_plate(plate):
        return Refuse("not_a_plate")
    with transaction(db) as conn:
        stay = stays.get(conn, stay_id)
        if stay is None or not stay.is_open:
            return Refuse("no_open_stay")
        return mend(conn, stay, plate, by, now)


def mend(conn: sqlite3.Connection, stay: StayRow, plate: str, by: str, now: Moment) -> Result:
    """Give an open stay another plate, in the caller's transaction."""
    if stay.plate == plate:
        return Done(stay.stay_id)
    other = stays.find_here(conn, plate)
    if other is not None and other.is_open:
        return Refuse("plate_already_inside")
    if other is not None:  # what was settled under this plate is not the car that is here
        stays.mark_passed(conn, other)
    stays.correct(conn, stay, plate)
    plate_locks.move(conn, stay.plate, plate)
    learning.note_entry(conn, stay, plate, by, now)
    log.append(conn, StayCorrected(stay.stay_id, stay.plate, plate, by), now)
    journal.act(conn, by, "plate.correct", stay.stay_id, "", now)
    classing.derive_again(conn, stay, plate, by, now)
    return Done(stay.stay_id)


def is_plate(plate: str) -> bool:
    """Is this a plate in normal form, real or one of ours for cars without?"""
    return classify(plate) is not None or is_virtual(plate)


def look_alikes(
    conn: sqlite3.Connection, typed: str, table: lookalike.Lookalikes = lookalike.DEFAULT, most: int = 12
) -> list[Candidate]:
    """Cars inside that *typed* may be, likeliest first; short texts look for plates that contain them."""
    plate = normalise(typed)
    ranked = lookalike.rank(plate, stays.open_plates(conn), table, limit=most)
    found = [
        Candidate(stay, near.score, near.reason.value)
        for near in ranked
        if (stay := stays.find_open(conn, near.plate)) is not None
    ]
    held = {candidate.stay.stay_id for candidate in found}
    others = stays.open_stays(conn, most, plate) if plate else []
    return [*found, *(Candidate(stay, 0, "contains") for stay in others if stay.stay_id not in held)][:most]


def enter_missing(
    db: Database,
    lot: Lot,
    typed: str,
    zone: str,
    entered_wall_ms: int,
    by: str,
    reason: str,
    now: Moment,
    *,
    vehicle_class: str = "",
    approved_by: str = "",
) -> Result:
    """Write an entry nobody recorded, at the time a person names. Refuses a future time and a car already inside.

    *vehicle_class*: as which it is charged, "" for the class its plate points to. Refuses one no price list knows,
    and a cheaper one as ``classing.pick`` does; *approved_by*: a supervisor beside them, whose right counts then.
    """
    plate = normalise(typed)
    if not is_plate(plate):
        return Refuse("not_a_plate")
    if not reason.strip():
        return Refuse("reason_missing")
    if entered_wall_ms > now.wall_ms:
        return Refuse("time_in_future")
    if zone not in lot.zones:
        return Refuse("no_such_zone")
    if vehicle_class and vehicle_class not in classing.known(lot, now):
        return Refuse("no_such_class")
    with transaction(db) as conn:
        if stays.find_open(conn, plate) is not None:
            return Refuse("plate_already_inside")
        asks = not staffing.may_charge_less(conn, lot.rules, approved_by or by)
        if vehicle_class and asks and classing.is_cheaper(lot, vehicle_class, class_of(plate), entered_wall_ms):
            return Refuse("class_cheaper")
        lane = next((lane.name for lane in lot.lanes.values() if lane.target == zone), "")
        entered = Moment(TYPED_BOOT, 0, entered_wall_ms, Quality.RTC)
        arrival = Arrival(lane, plate, typed, vehicle_class=vehicle_class or class_of(plate), typed_by=by)
        stay_id = entering.open_stay(conn, lot, arrival, "", entered)
        journal.approved(conn, approved_by, "entry.add", stay_id, by, now)
        journal.act(conn, by, "entry.add", stay_id, reason, now)
        return Done(stay_id)


def set_entry(db: Database, stay_id: str, entered_wall_ms: int, by: str, reason: str, now: Moment) -> Result:
    """Name the time of an entry no clock vouches for, instead of charging the lowest possible fee (sync §8).

    Within one boot the length stays that of the boot clock; the time named says by which hours it is priced.
    """
    if not reason.strip():
        return Refuse("reason_missing")
    if now.is_vouched and entered_wall_ms > now.wall_ms:
        return Refuse("time_in_future")
    with transaction(db) as conn:
        stay = stays.get(conn, stay_id)
        if stay is None or not stay.is_open:
            return Refuse("no_open_stay")
        if stay.entered.is_vouched:
            return Refuse("entry_time_known")
        entered = replace(stay.entered, wall_ms=entered_wall_ms, quality=Quality.RTC, uncertainty_ms=0)
        stays.correct_entry(conn, stay, entered, applied=True)
        log.append(conn, TimeCorrected(stay_id, stay.entered.wall_ms, entered_wall_ms), now)
        journal.act(conn, by, "entry.time", stay_id, reason, now)
        return Done(stay_id)


def waive(
    db: Database, lot: Lot, stay_id: str, amount_fen: int, by: str, reason: str, now: Moment, *, approved_by: str = ""
) -> Result:
    """Let go of part of what an open stay owes. Refuses more than is due or than this person's role may (E35).

    *approved_by*: a supervisor beside them, whose limit counts then.
    """
    if not reason.strip():
        return Refuse("reason_missing")
    with transaction(db) as conn:
        stay = stays.get(conn, stay_id)
        if stay is None or not stay.is_open:
            return Refuse("no_open_stay")
        if not 0 < amount_fen <= paying.fee_due_of(conn, lot, stay, now):
            return Refuse("more_than_due" if amount_fen > 0 else "bad_amount")
        if not staffing.may_waive(conn, lot.rules, approved_by or by, stay.waived_fen + amount_fen):
            return Refuse("above_waive_limit")
        stays.add_waived(conn, stay_id, amount_fen)
        if approved_by:
            journal.act(conn, approved_by, "fee.approve", stay_id, f"{amount_fen} {by}", now)
        journal.act(conn, by, "fee.waive", stay_id, f"{amount_fen} {reason}", now)
        paying.settle_if_paid(conn, lot, stay_id, now)
        return Done(stay_id)
