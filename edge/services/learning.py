"""What people's corrections teach about each camera (E26, E28): it ranks the cars a misread plate may be, no more."""

from __future__ import annotations

import json
import sqlite3

from domain.lookalike import CONFUSION_GROUPS, Lookalikes, lookalikes
from domain.misreads import WITHIN_DAYS, learned_groups, misread_characters
from domain.moment import Moment
from edge.db import decisions, misreads
from edge.db.stays import StayRow
from edge.services.lot import Arrival


def note_arrival(conn: sqlite3.Connection, arrival: Arrival, now: Moment) -> None:
    """A person named the plate of a car at a lane: what its cameras read otherwise, they misread."""
    for seen in arrival.seen:
        if seen.live and seen.plate:
            pairs = misread_characters(seen.plate, arrival.plate)
            misreads.note(conn, seen.camera, seen.read_id, pairs, arrival.typed_by, now)


def note_entry(conn: sqlite3.Connection, stay: StayRow, plate: str, by: str, now: Moment) -> None:
    """A person mended the plate of a stay: the cameras of its entry misread it."""
    decided = decisions.get(conn, stay.decision_in)
    reads = json.loads(decided.body)["inputs"]["seen"] if decided else []
    for seen in reads:
        if seen["live"] and seen["plate"] == stay.plate:
            pairs = misread_characters(stay.plate, plate)
            misreads.note(conn, seen["camera"], seen["read_id"], pairs, by, now)


def table_of(conn: sqlite3.Connection, camera: str, now: Moment) -> Lookalikes:
    """Look-alikes as this camera sees them; "" is a camera nobody knows anything of."""
    return lookalikes(CONFUSION_GROUPS, learned_groups(misreads.counts(conn, camera, WITHIN_DAYS, now)))
