"""The class a car inside is charged as: derived from its plate on arrival, picked by a person where that was wrong."""

from __future__ import annotations

import json
import sqlite3

from domain.decision import Refuse
from domain.events import StayClassed
from domain.moment import Moment
from domain.plate import PlateColour
from domain.vehicle import class_of
from edge.db import decisions, journal, log, stays
from edge.db.database import Database, transaction
from edge.db.stays import StayRow
from edge.services import paying, staffing
from edge.services.lot import Done, Lot, Result


def known(lot: Lot, now: Moment) -> tuple[str, ...]:
    """The classes that the price lists in force tell apart, each once, in their order."""
    lists = (lot.price.classes(refs, lot.local(now.wall_ms)) for refs in lot.tariffs.values())
    return tuple(dict.fromkeys(name for classes in lists for name in classes))


def is_cheaper(lot: Lot, vehicle_class: str, than: str, entered_wall_ms: int) -> bool:
    """Would a car that came then pay less anywhere in the lot as one class than as the other?"""
    entered = lot.local(entered_wall_ms)
    return any(lot.price.is_cheaper(refs, vehicle_class, than, entered) for refs in lot.tariffs.values())


def pick(
    db: Database, lot: Lot, stay_id: str, vehicle_class: str, by: str, now: Moment, *, approved_by: str = ""
) -> Result:
    """Charge an open stay as another class from its beginning.

    *approved_by*: a supervisor beside them, whose right counts then. Refuses ``no_open_stay``, ``no_such_class`` and
    ``class_cheaper`` where the class is cheaper than that of the plate as read.
    """
    with transaction(db) as conn:
        stay = stays.get(conn, stay_id)
        if stay is None or not stay.is_open:
            return Refuse("no_open_stay")
        if vehicle_class == stay.vehicle_class:
            return Done(stay_id)
        if vehicle_class not in known(lot, now):
            return Refuse("no_such_class")
        seen = class_of(stay.plate, _colour_at_entry(conn, stay))
        if not staffing.may_charge_less(conn, lot.rules, approved_by or by) and is_cheaper(
            lot, vehicle_class, seen, stay.entered.wall_ms
        ):
            return Refuse("class_cheaper")
        _put(conn, stay, vehicle_class, by, now)
        journal.approved(conn, approved_by, "class.pick", stay_id, by, now)
        _settle_anew(conn, lot, stay, now)
        return Done(stay_id)


def derive_again(conn: sqlite3.Connection, stay: StayRow, plate: str, by: str, now: Moment) -> None:
    """*stay* has another plate: the class its old one pointed to gives way to the new one's, a picked class stays."""
    colour = _colour_at_entry(conn, stay)
    derived = class_of(plate, colour)
    if stay.vehicle_class == class_of(stay.plate, colour) != derived:
        _put(conn, stay, derived, by, now)


def _put(conn: sqlite3.Connection, stay: StayRow, vehicle_class: str, by: str, now: Moment) -> None:
    stays.set_class(conn, stay.stay_id, vehicle_class)
    log.append(conn, StayClassed(stay.stay_id, stay.vehicle_class, vehicle_class, by), now)
    journal.act(conn, by, "class.pick", stay.stay_id, f"{stay.vehicle_class} → {vehicle_class}", now)


def _settle_anew(conn: sqlite3.Connection, lot: Lot, stay: StayRow, now: Moment) -> None:
    """A dearer class asks for the difference even where it was paid; a cheaper one gives no second time to leave."""
    stays.unsettle(conn, stay.stay_id)
    if stay.settled is None:
        paying.settle_if_paid(conn, lot, stay.stay_id, now)
        return
    changed = stays.get(conn, stay.stay_id)
    if changed is not None and not paying.fee_due_of(conn, lot, changed, now):
        stays.settle(conn, stay.stay_id, stay.settled, stay.settled_fee_fen, stay.settled_off)


def _colour_at_entry(conn: sqlite3.Connection, stay: StayRow) -> PlateColour:
    """The colour of the read the stay's plate came from; unknown where no camera read it or its decision is gone."""
    decided = decisions.get(conn, stay.decision_in) if stay.decision_in else None
    reads = json.loads(decided.body)["inputs"]["seen"] if decided else []
    of_plate = [one for one in reads if one["live"] and one["plate_raw"] == stay.plate_raw]
    best = max(of_plate, key=lambda one: int(one["confidence"]), default=None)
    return PlateColour(best["colour"]) if best else PlateColour.UNKNOWN
