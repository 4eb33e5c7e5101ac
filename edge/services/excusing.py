"""Why a stay ended without its fee being paid: free by its kind, covered by a list, or waived; told to the cloud."""

from __future__ import annotations

import sqlite3

from domain.decision import Priced
from domain.events import StayExcused
from domain.moment import Moment
from domain.plate import classify
from edge.db import excused
from edge.db.excused import ExcusedRow
from edge.db.stays import StayRow
from edge.services import entitled

FREE_KIND, COVERED, WAIVED = "free_kind", "covered", "waived"


def note(
    conn: sqlite3.Connection, stay: StayRow, priced: Priced, waived_fen: int, lane: str, decision_id: str, cause: str,
    now: Moment,
) -> list[tuple[StayExcused, None]]:  # fmt: skip
    """Write down that this stay, which ends now, was let go; returns what the log must say of it.

    A stay that was let go before, was opened again and is paid now is taken back with an empty *why*.
    """
    why = _why(priced, waived_fen)
    if not why and not (stay.closings and excused.take_back(conn, stay.stay_id)):
        return []
    detail, by = _detail(conn, stay, why, cause)
    row = ExcusedRow(stay.stay_id, lane, stay.plate, why, detail, by, waived_fen, decision_id, now.wall_ms)
    if why:
        excused.put(conn, row)
    return [(StayExcused(stay.stay_id, lane, stay.plate, why, detail, by, waived_fen, decision_id), None)]


def _why(priced: Priced, waived_fen: int) -> str:
    if waived_fen:
        return WAIVED
    rules = {str(line.get("rule", "")) for line in priced.lines}
    if "free_kind" in rules:
        return FREE_KIND
    return COVERED if priced.fee_fen == 0 and "covered" in rules else ""


def _detail(conn: sqlite3.Connection, stay: StayRow, why: str, cause: str) -> tuple[str, str]:
    """More of why, in a code or in the words of who did it; and who."""
    if why == WAIVED:
        by, reason = excused.waived_by(conn, stay.stay_id)
        return reason or cause, by
    if why == FREE_KIND:
        kind = classify(stay.plate)
        return kind.value if kind else "", ""
    if not why:
        return "", ""
    grants = dict.fromkeys(str(row.get("grant", "monthly")) for row in entitled.rows_of(conn, stay.plate))
    return " ".join(grants), ""
