"""Who paid ahead and may still leave, by the price list's own rule; whether a stay is its car's first of the day."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from domain.moment import Moment
from edge.db import boots, stays
from edge.db.stays import StayRow
from edge.services import zoning
from edge.services.lot import Lot

NEW_STAY = "new_stay"


def leave_within_min(lot: Lot, stay: StayRow | None) -> int:
    """Minutes to leave after paying: those of the price list; the lot's own setting where it names none."""
    if stay is not None and stay.settled is not None:
        rule = lot.price.prepaid(lot.tariffs.get(stay.zone, ()), lot.local(stay.settled.wall_ms))
        if rule is not None and rule.own_time:
            return rule.leave_within
    return lot.rules.leave_within_min


def new_stay_after_ms(conn: sqlite3.Connection, lot: Lot, stay: StayRow) -> int | None:
    """How long after its entry a car had paid, where who stays on begins a new stay; None where the whole counts."""
    paid = stay.settled or _paid_before(conn, stay)
    if paid is None:
        return None
    rule = lot.price.prepaid(lot.tariffs.get(stay.zone, ()), lot.local(paid.wall_ms))
    if rule is None or rule.late != NEW_STAY:
        return None
    return round(boots.since(conn, stay.entered, paid).total_seconds() * 1000)


def _paid_before(conn: sqlite3.Connection, stay: StayRow) -> Moment | None:
    """When the stay this one continues was settled; of several, the newest that was charged anything."""
    before = stays.get(conn, stay.continues) if stay.continues else None
    while before is not None and not before.fee_fen:
        before = stays.get(conn, before.continues) if before.continues else None
    return before.settled if before is not None else None


def is_first_stay_of_day(conn: sqlite3.Connection, lot: Lot, stay: StayRow) -> bool:
    """Did this car not come earlier the same day? True without looking where no price list asks."""
    entered = lot.local(stay.entered.wall_ms)
    asked = (lot.price.first_stay_since(refs, entered) for refs in zoning.price_lists(conn, lot, stay))
    since = next((one for one in asked if one is not None), None)
    return since is None or not stays.entered_between(conn, stay.plate, _utc_ms(lot, since), stay.entered.wall_ms)


def _utc_ms(lot: Lot, local: datetime) -> int:
    return round(local.replace(tzinfo=lot.tz).timestamp()) * 1000
