"""A car that settled, did not leave in time and is still here: what it owes beyond what it was charged (sync §10).

The first stay stays closed as it was reported. A second one continues it: same entry, and its fee is
fee(entry..now) less what the first was charged, so every stay is closed once and every book adds up.
"""

from __future__ import annotations

import sqlite3

from domain.events import StayOpened
from domain.moment import Moment
from edge.db import log, moves, stays
from edge.db.stays import StayRow
from edge.services import settling
from edge.services.lot import Lot


def continued(conn: sqlite3.Connection, lot: Lot, stay: StayRow, lane: str, decision_id: str, now: Moment) -> StayRow:
    """*stay* itself while it is open or may still leave; otherwise a new open stay that continues it."""
    if stay.is_open:
        return stay
    inputs = settling.exit_inputs(conn, lot, stay, now, lane=lane, plate="", typed_by="", seen=(), near=())
    if inputs.settled_ms is not None and inputs.settled_ms <= inputs.rules.leave_within_min * settling.MS_A_MINUTE:
        return stay
    return go_on(conn, lot, stay, lane, decision_id, now)


def go_on(conn: sqlite3.Connection, lot: Lot, stay: StayRow, lane: str, decision_id: str, now: Moment) -> StayRow:
    """A new open stay that continues a closed one whose car is still here."""
    stay_id = lot.new_id(now)
    stays.mark_passed(conn, stay)
    charged = stay.base_fee_fen + stay.fee_fen
    stays.insert(
        conn, stay_id, stay.plate, stay.plate_raw, stay.vehicle_class, stay.zone, stay.lane_in, decision_id,
        stay.entered, continues=stay.stay_id, base_fee_fen=charged,
    )  # fmt: skip
    if stay.moves:
        moves.copy(conn, stay.stay_id, stay_id)
    event = StayOpened(stay_id, lane, stay.zone_now, stay.plate, stay.plate_raw, stay.vehicle_class, decision_id)
    log.append(conn, event, now, decision_id)
    opened = stays.get(conn, stay_id)
    if opened is None:
        raise LookupError(stay_id)
    return opened
