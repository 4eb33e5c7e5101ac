"""What every decision leaves behind: its record, its pictures, and the right to one pulse (write, then act)."""

from __future__ import annotations

import sqlite3

from domain.decision import Admit, Decision, PayFirst
from domain.events import BarrierOpened
from domain.moment import Moment
from edge.db import decisions, log
from edge.services import learning
from edge.services.lot import Arrival


def record(
    conn: sqlite3.Connection, decision_id: str, decision: Decision, stay_id: str, arrival: Arrival, now: Moment
) -> None:
    """Keep a decision, that there are pictures of it (they follow after the commit), and what a person corrected."""
    decisions.insert(conn, decision_id, decision, stay_id, now)
    if arrival.typed_by and isinstance(decision.verdict, Admit | PayFirst):
        learning.note_arrival(conn, arrival, now)
    for kind, image in (("frame", arrival.frame), ("crop", arrival.crop)):
        if image:
            decisions.note_picture(conn, decision_id, kind, now)


def reserve_pulse(
    conn: sqlite3.Connection, decision_id: str, lane: str, stay_id: str, now: Moment, by: str = "", reason: str = ""
) -> None:
    """Commit to one pulse for this decision; it may be given only after the caller's transaction is committed."""
    log.append_all(conn, [pulse(conn, decision_id, lane, stay_id, now, by, reason)], now)


def pulse(
    conn: sqlite3.Connection, decision_id: str, lane: str, stay_id: str, now: Moment, by: str = "", reason: str = ""
) -> log.Fact:
    """The same without a word in the log: what that must say is returned, for who has more to say."""
    decisions.reserve_pulse(conn, decision_id, lane, stay_id, now, by, reason)
    return BarrierOpened(lane, decision_id, by, reason, stay_id), decision_id


def already_acted(conn: sqlite3.Connection, arrival: Arrival) -> bool:
    """Did one of these very records open a barrier before? A resent record never opens (sync §10)."""
    live = [read.read_id for read in arrival.seen if read.live]
    return bool(live) and all(decisions.acted_on(conn, read_id) for read_id in live) and not arrival.typed_by


def mark_acted(conn: sqlite3.Connection, arrival: Arrival, decision_id: str, now: Moment) -> None:
    """Remember the records this opening rests on."""
    decisions.mark_acted(conn, [read.read_id for read in arrival.seen], decision_id, now)
