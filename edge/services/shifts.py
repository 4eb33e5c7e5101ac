"""Shifts at the booths (E34): begun with change, cash dropped into the safe, closed with a count, handed over.

Everything a shift reports is summed from postings of the lot's book that were put to it in the transaction that wrote
them, so it cannot say other than the book. A drawer's cash comes from the safe and goes back there.
"""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, dataclass, replace

from domain.decision import Refuse
from domain.events import CashDropped, ShiftClosed, ShiftOpened
from domain.ledger import Commodity, Funds, move
from domain.moment import Moment
from domain.shift import CASH, OVER_SHORT, SAFE, ShiftTotals, total
from edge.db import given_back, journal, log, money
from edge.db import shifts as rows
from edge.db.database import Database, transaction
from edge.db.shifts import ENTRY, OPENING, ShiftRow
from edge.services import staffing
from edge.services.lot import Done, Lot, Result
from edge.workstations import Shifts

MOST_FEN = 100_000_000  # a drawer with more than a million yuan is a slip of the keypad


@dataclass(frozen=True, slots=True)
class Count:
    """The cash somebody counted at the end of a shift, and who begins the next one with *kept_fen* of it."""

    counted_fen: int
    reason: str = ""
    takes_over: str = ""
    kept_fen: int = 0


def open_shift(db: Database, lot: Lot, workstation: str, float_fen: int, by: str, now: Moment) -> Result:
    """Begin a shift. Refuses ``workstation_needed``, ``shift_is_open`` and ``bad_amount``."""
    if workstation not in lot.workstations:
        return Refuse("workstation_needed")
    if not 0 <= float_fen <= MOST_FEN:
        return Refuse("bad_amount")
    with transaction(db) as conn:
        if rows.open_at(conn, workstation) is not None:
            return Refuse("shift_is_open")
        return Done(_begin(conn, lot, workstation, float_fen, by, now).shift_id)


def _begin(conn: sqlite3.Connection, lot: Lot, workstation: str, float_fen: int, by: str, now: Moment) -> ShiftRow:
    shift = rows.insert(conn, lot.new_id(now), workstation, by, now)
    _move(conn, shift, f"float:{shift.shift_id}", SAFE, CASH, float_fen, now)
    log.append(conn, ShiftOpened(shift.shift_id, shift.number, workstation, by, float_fen), now, shift.shift_id)
    journal.act(conn, by, "shift.open", shift.shift_id, workstation, now)
    return shift


def drop_cash(db: Database, lot: Lot, shift_id: str, drop_id: str, amount_fen: int, by: str, now: Moment) -> Result:
    """Put cash of the drawer into the safe; the same *drop_id* again drops nothing.

    Refuses ``bad_amount``, ``more_than_in_drawer`` and whatever ``_of`` refuses.
    """
    with transaction(db) as conn:
        shift = _of(conn, shift_id, by)
        if isinstance(shift, Refuse):
            return shift
        legs = rows.legs(conn, shift_id)
        if any(leg.entry == f"drop:{drop_id}" for leg in legs):
            return Done(shift_id)
        if amount_fen <= 0:
            return Refuse("bad_amount")
        if amount_fen > total(legs, 0).expected_fen:
            return Refuse("more_than_in_drawer")
        _move(conn, shift, f"drop:{drop_id}", CASH, SAFE, amount_fen, now)
        log.append(conn, CashDropped(drop_id, shift_id, amount_fen, by), now, shift_id)
        journal.act(conn, by, "shift.drop", shift_id, str(amount_fen), now)
        return Done(shift_id)


def close_shift(
    db: Database, lot: Lot, shift_id: str, count: Count, by: str, now: Moment, *, approved_by: str = ""
) -> Result:
    """End a shift with its cash counted; with *takes_over* the next one begins in the same commit.

    A shift of somebody else is closed by a supervisor, or with one beside (*approved_by*), with a reason. Refuses
    ``bad_amount``, ``more_than_counted``, ``reason_missing`` and whatever ``_of`` refuses. Done names the shift
    that is open now, else the one that ended.
    """
    if not 0 <= count.counted_fen <= MOST_FEN:
        return Refuse("bad_amount")
    if not 0 <= count.kept_fen <= count.counted_fen:
        return Refuse("more_than_counted")
    with transaction(db) as conn:
        shift = _of(conn, shift_id, by, approved_by)
        if isinstance(shift, Refuse):
            return shift
        if shift.opened_by != by and not count.reason.strip():
            return Refuse("reason_missing")
        journal.approved(conn, approved_by, "shift.close", shift_id, by, now)
        _end(conn, shift, count, by, now)
        if not count.takes_over:
            return Done(shift_id)
        return Done(_begin(conn, lot, shift.workstation, count.kept_fen, count.takes_over, now).shift_id)


def _end(conn: sqlite3.Connection, shift: ShiftRow, count: Count, by: str, now: Moment) -> None:
    sums, counted = totals(conn, shift.shift_id), count.counted_fen
    over = counted - sums.expected_fen
    source, target = (OVER_SHORT, CASH) if over > 0 else (CASH, OVER_SHORT)
    _move(conn, shift, f"count:{shift.shift_id}", source, target, abs(over), now)
    _move(conn, shift, f"empty:{shift.shift_id}", CASH, SAFE, counted, now)
    at = log.newest(conn)
    ended = replace(
        shift, log_seq=at.seq, log_head=at.head.hex(),
        closed_wall_ms=now.wall_ms, closed_by=by, takes_over=count.takes_over, reason=count.reason,
        counted_fen=counted, expected_fen=sums.expected_fen,
    )  # fmt: skip
    rows.close(conn, ended)
    closed = ShiftClosed(
        shift_id=shift.shift_id, number=shift.number, workstation=shift.workstation, opened_by=shift.opened_by,
        opened_ms=shift.opened_wall_ms, closed_by=by, takes_over=count.takes_over, reason=count.reason,
        **asdict(sums), expected_fen=sums.expected_fen, counted_fen=counted, log_seq=at.seq, log_head=at.head.hex(),
    )  # fmt: skip
    log.append(conn, closed, now, shift.shift_id)
    journal.act(conn, by, "shift.close", shift.shift_id, count.reason or count.takes_over, now)


def _of(conn: sqlite3.Connection, shift_id: str, by: str, approved_by: str = "") -> ShiftRow | Refuse:
    """The open shift. Refuses ``no_such_shift``, ``shift_is_closed`` and ``not_your_shift``."""
    shift = rows.get(conn, shift_id)
    if shift is None:
        return Refuse("no_such_shift")
    if not shift.is_open:
        return Refuse("shift_is_closed")
    if shift.opened_by != by and not staffing.ranks(conn, approved_by or by, staffing.SUPERVISOR):
        return Refuse("not_your_shift")
    return shift


def _move(
    conn: sqlite3.Connection, shift: ShiftRow, entry: str, source: str, target: str, amount_fen: int, now: Moment
) -> None:
    money.post(conn, entry, move(source, target, amount_fen, Commodity.FEN, Funds.PAID), "", now)
    rows.add(conn, shift.shift_id, ENTRY, entry)


def totals(conn: sqlite3.Connection, shift_id: str) -> ShiftTotals:
    """What a shift comes to, now or at its end."""
    return total(rows.legs(conn, shift_id), rows.openings(conn, shift_id))


def taking(conn: sqlite3.Connection, lot: Lot, workstation: str, by: str) -> ShiftRow | Refuse | None:
    """The shift that money taken at *workstation* goes to; None in a lot without shifts.

    Refuses ``workstation_needed``, ``shift_needed``, and ``shift_of_other`` below a supervisor.
    """
    if lot.rules.shifts is Shifts.OFF:
        return None
    if workstation not in lot.workstations:
        return Refuse("workstation_needed")
    shift = rows.open_at(conn, workstation)
    if shift is None:
        return Refuse("shift_needed")
    if shift.opened_by != by and not staffing.ranks(conn, by, staffing.SUPERVISOR):
        return Refuse("shift_of_other")
    return shift


def note_entry(conn: sqlite3.Connection, shift: ShiftRow | None, entry: str) -> None:
    """Put an entry of the book to the shift that made it."""
    if shift is not None:
        rows.add(conn, shift.shift_id, ENTRY, entry)


def at_lane(conn: sqlite3.Connection, lot: Lot, lane: str) -> ShiftRow | None:
    """The shift that is open at the workstation of a lane."""
    workstation = lot.workstation_of(lane) if lot.rules.shifts is not Shifts.OFF else ""
    return rows.open_at(conn, workstation) if workstation else None


def note_closing(conn: sqlite3.Connection, lot: Lot, lane: str, stay_id: str, entry: str) -> None:
    """A stay ended at a lane; what was paid for it by other means than cash is its shift's too."""
    shift = at_lane(conn, lot, lane)
    if shift is None:
        return
    rows.add(conn, shift.shift_id, ENTRY, entry)
    for payment in money.payments(conn, stay_id):
        if payment.method != CASH:
            rows.add(conn, shift.shift_id, ENTRY, f"pay:{payment.payment_id}")
    for back in given_back.of_stay(conn, stay_id):
        rows.add(conn, shift.shift_id, ENTRY, f"back:{back.back_id}")


def note_opening(conn: sqlite3.Connection, lot: Lot, lane: str, decision_id: str) -> None:
    """A barrier was opened by hand."""
    shift = at_lane(conn, lot, lane)
    if shift is not None:
        rows.add(conn, shift.shift_id, OPENING, decision_id)
