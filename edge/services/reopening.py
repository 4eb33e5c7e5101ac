"""Opening a stay again that was ended by mistake (E8): everything its end did is taken back, nothing is erased.

What it was charged leaves the book by a balanced entry of its own, the coupons and vouchers it used may be used again
exactly once, and the debt it made is reversed. Money that was paid stays with the stay.
"""

from __future__ import annotations

import sqlite3

from domain.decision import Priced, Refuse
from domain.events import CouponRestored, StayReopened, VoucherRestored
from domain.ledger import Posting
from domain.moment import Moment
from domain.plate import normalise
from edge.db import arrears, journal, log, money, refunds, stays, vouchers
from edge.db.database import Database, transaction
from edge.db.stays import StayRow
from edge.services import arrears as debts
from edge.services import manual, settling, shifts
from edge.services.lot import Done, Lot, Result
from edge.services.refunding import REFUNDED
from edge.services.staffing import is_at_least


def reopen(db: Database, lot: Lot, stay_id: str, by: str, role: str, reason: str, now: Moment) -> Result:
    """Open a closed stay again by name and reason.

    Refuses ``supervisor_only`` (the lot's ``reopen_by``), ``no_such_stay``, ``stay_is_open``, ``stay_continued``,
    ``plate_already_inside``, ``debt_touched`` (somebody paid or waived part of what it left owing) and
    ``refunded_before``: what it paid was given back since.
    """
    if not is_at_least(role, lot.rules.reopen_by):
        return Refuse("supervisor_only")
    if not reason.strip():
        return Refuse("reason_missing")
    with transaction(db) as conn:
        refused = refusal(conn, stay_id)
        if refused is not None:
            return refused
        take_back(conn, lot, stay_id, by, reason, now)
        return Done(stay_id)


def undo_second_entry(
    db: Database, lot: Lot, stay_id: str, typed: str, by: str, role: str, reason: str, now: Moment
) -> Result:
    """The second entry that ended this stay was a misread: open it again, and give the other car its plate.

    With *typed* "" no car came in at all. Refuses ``no_second_entry`` and whatever mending and opening again refuse.
    """
    plate = normalise(typed)
    if not is_at_least(role, lot.rules.reopen_by):
        return Refuse("supervisor_only")
    if not reason.strip():
        return Refuse("reason_missing")
    if plate and not manual.is_plate(plate):
        return Refuse("not_a_plate")
    with transaction(db) as conn:
        stay = stays.get(conn, stay_id)
        second = second_entry(conn, stay) if stay is not None else None
        if stay is None or second is None:
            return Refuse("no_second_entry")
        conn.execute("SAVEPOINT second_entry")
        refused = _give_way(conn, lot, stay, second, plate, by, now) or refusal(conn, stay_id)
        if refused is not None:
            conn.execute("ROLLBACK TO second_entry")
            return refused
        take_back(conn, lot, stay_id, by, reason, now)
        return Done(stay_id)


def second_entry(conn: sqlite3.Connection, stay: StayRow) -> StayRow | None:
    """The stay whose entry ended this one, if one did."""
    if stay.is_open or stay.lane_out or not stay.decision_out:
        return None
    return stays.by_entry_decision(conn, stay.decision_out)


def _give_way(
    conn: sqlite3.Connection, lot: Lot, stay: StayRow, second: StayRow, plate: str, by: str, now: Moment
) -> Refuse | None:
    """Free the plate: the second stay gets its right one, or never was."""
    if not second.is_open or second.plate != stay.plate:
        return None
    if plate:
        mended = manual.mend(conn, second, plate, by, now)
        return mended if isinstance(mended, Refuse) else None
    if second.paid_fen:
        return Refuse("already_paid")
    settling.close(conn, lot, second, Priced(0, ()), now, lane="", decision_id="", cause="misread", passed=True)
    return None


def refusal(conn: sqlite3.Connection, stay_id: str) -> Refuse | None:
    """Why this stay cannot be opened again, or None."""
    stay = stays.get(conn, stay_id)
    if stay is None:
        return Refuse("no_such_stay")
    if stay.is_open:
        return Refuse("stay_is_open")
    if stays.is_continued(conn, stay_id):
        return Refuse("stay_continued")
    here = stays.find_here(conn, stay.plate)
    if here is not None and here.stay_id != stay_id:
        return Refuse("plate_already_inside")
    if any(one.account == REFUNDED for one in refunds.of_stay(conn, stay_id)):
        return Refuse("refunded_before")
    touched = any(
        one.left_fen not in (0, one.owed_fen) or _settled(conn, one) for one in arrears.of_stay(conn, stay_id)
    )
    return Refuse("debt_touched") if touched else None


def _settled(conn: sqlite3.Connection, debt: arrears.Debt) -> bool:
    return any(move.kind in debts.LANDS_IN for move in arrears.moves(conn, debt.debt_id))


def take_back(conn: sqlite3.Connection, lot: Lot, stay_id: str, by: str, reason: str, now: Moment) -> StayRow:
    """Do it, in the caller's transaction; call only where `refusal` has none."""
    stay = stays.get(conn, stay_id)
    if stay is None:
        raise LookupError(stay_id)
    if stay.discount_fen:
        _give_back(conn, stay, now)
    for debt in arrears.of_stay(conn, stay_id):
        if debt.left_fen:
            debts.add_move(conn, lot, debt, "reversed", debt.left_fen, by, reason, now)
    off = (("", stay.discount_fen),)
    charged = settling.Ending(stay.fee_fen, off, stay.discount_fen, stay.waived_fen, stay.paid_fen, stay.owed_fen)
    back = [Posting(one.account, one.commodity, one.funds, -one.amount) for one in settling.postings(charged)]
    entry = f"reopen:{stay_id}:{stay.closings}"
    money.post(conn, entry, back, stay_id, now)
    shifts.note_entry(conn, shifts.at_lane(conn, lot, stay.lane_out), entry)
    stays.reopen(conn, stay)
    log.append(conn, StayReopened(stay_id, stay.plate, by, reason), now)
    journal.act(conn, by, "stay.reopen", stay_id, reason, now)
    opened = stays.get(conn, stay_id)
    if opened is None or not opened.is_open:
        raise LookupError(stay_id)
    return opened


def _give_back(conn: sqlite3.Connection, stay: StayRow, now: Moment) -> None:
    """Coupons and vouchers count as unused and lie on the stay again."""
    for used in vouchers.used_by(conn, stay.stay_id):
        vouchers.undo_use(conn, used.redemption_id, stay.stay_id, now)
        if used.kind == "voucher":
            key_id, counter = (int(number) for number in used.ref.split(":"))
            log.append(
                conn, VoucherRestored(used.redemption_id, key_id, counter, stay.stay_id), now, used.redemption_id
            )
        else:
            log.append(conn, CouponRestored(used.redemption_id, used.ref, stay.stay_id), now, used.redemption_id)
        if used.spec:
            paper = vouchers.Laid(used.ref, stay.stay_id, used.kind, used.spec, used.merchant_id, "", now.wall_ms)
            vouchers.lay(conn, paper)
