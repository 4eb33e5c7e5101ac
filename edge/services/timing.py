"""What a better clock changes: entry times nobody vouched for are mended, no driver is charged again (sync §8)."""

from __future__ import annotations

import logging

from domain.events import ClockStepped, TimeCorrected
from domain.moment import Moment, better_known
from edge.db import boots, journal, log, stays
from edge.db.database import Database, DiskFullError, transaction
from edge.db.stays import StayRow

logger = logging.getLogger(__name__)


def note_clocks(db: Database, now: Moment) -> None:
    """Remember both clocks, so that a cold boot starts near this time. A full disk only costs the note."""
    try:
        with transaction(db) as conn:
            boots.note(conn, now)
    except DiskFullError as exc:
        logger.warning("the clocks were not noted: %s", exc)


def note_step(db: Database, step_ms: int, now: Moment) -> None:
    """The wall clock jumped."""
    with transaction(db) as conn:
        log.append(conn, ClockStepped(step_ms), now)


def raise_wrong_clock(db: Database, error_ms: int, now: Moment) -> None:
    """This machine's wall clock is too far from the cloud's for a person not to look."""
    with transaction(db) as conn:
        journal.incident(conn, "clock_wrong", "", f"{error_ms} ms", now)


def correct_entries(db: Database, now: Moment) -> int:
    """Give open stays of this boot the entry time *now* implies, once each; returns how many.

    A stay that was paid for, settled or has a fee frozen at an exit goes on by the time its driver was charged by: the
    correction is recorded and its fee does not follow.
    """
    with transaction(db) as conn:
        found = [
            (stay, mended)
            for stay in stays.uncorrected(conn, now.boot)
            if (mended := better_known(stay.entered, now)) is not None
        ]
        for stay, mended in found:
            stays.correct_entry(conn, stay, mended, applied=not _is_promised(stay))
            log.append(conn, TimeCorrected(stay.stay_id, stay.entered.wall_ms, mended.wall_ms), now)
    return len(found)


def _is_promised(stay: StayRow) -> bool:
    return bool(stay.paid_fen or stay.settled or stay.arrived or stay.base_fee_fen)
