"""What a price list may ask about a stay beside its times: charging, and what the car paid lately."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime, time

from domain.decision import Refuse, TariffRef
from domain.moment import Moment
from edge.db import charging, journal, stays
from edge.db.database import Database, transaction
from edge.db.stays import StayRow
from edge.services.lot import Done, Lot, Result
from edge.settings import SameCap

DAY_MS = 86_400_000
LONGEST_MIN = 31 * 24 * 60


def note_charging(db: Database, stay_id: str, minutes: int, by: str, now: Moment) -> Result:
    """Say how long a car inside has charged so far. Refuses ``bad_minutes`` and ``no_open_stay``."""
    if not 0 <= minutes <= LONGEST_MIN:
        return Refuse("bad_minutes")
    with transaction(db) as conn:
        stay = stays.get(conn, stay_id)
        if stay is None or not stay.is_open:
            return Refuse("no_open_stay")
        charging.put(conn, stay_id, minutes)
        journal.act(conn, by, "stay.charging", stay_id, str(minutes), now)
        return Done(stay_id)


def charging_min(conn: sqlite3.Connection, lot: Lot, stay: StayRow, tariffs: Sequence[TariffRef]) -> int:
    """Minutes of charging that count; 0 without looking where no price list asks."""
    return charging.minutes(conn, stay.stay_id) if lot.price.asks_for_charging(tariffs) else 0


def charged_before_fen(conn: sqlite3.Connection, lot: Lot, stay: StayRow) -> int:
    """Fees of this car's earlier stays that fill the same cap, by the lot's setting; 0 where each stay has its own."""
    entered_ms = stay.entered.wall_ms
    if lot.rules.same_cap is SameCap.OFF:
        return 0
    since_ms = entered_ms - DAY_MS if lot.rules.same_cap is SameCap.HOURS_24 else _day_began_ms(lot, entered_ms)
    return stays.fees_between(conn, stay.plate, stay.zone, since_ms, entered_ms)


def _day_began_ms(lot: Lot, wall_ms: int) -> int:
    return round(datetime.combine(lot.local(wall_ms).date(), time.min, lot.tz).timestamp()) * 1000
