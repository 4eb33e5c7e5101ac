"""A printed voucher laid on a stay: genuine, in time, not used, and on one stay only (I10, I12)."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import asdict, dataclass

from domain import voucher
from domain.decision import Refuse
from domain.events import VoucherPrinted
from domain.moment import Moment
from domain.scanned import ScannedKind, recognise
from edge.db import channels, coupons_aside, journal, log, stays, vouchers
from edge.db.coupons_aside import Aside
from edge.db.database import Database, transaction
from edge.db.stays import StayRow
from edge.services import bound, limiting, paying
from edge.services.lot import Done, Lot, Result

NUMBER = re.compile(r"(\d{1,9})-(\d{1,12})")  # as it is printed: key, then counter
NOT_A_VOUCHER = {
    ScannedKind.ENTRY_TICKET: "scanned_entry_ticket",
    ScannedKind.EXIT_PASS: "scanned_exit_pass",
    ScannedKind.CLAIM_CODE: "scanned_claim_code",
    ScannedKind.PAYMENT_CODE: "scanned_payment_code",
    ScannedKind.UNKNOWN: "scanned_unknown",
}
FORGED = (voucher.Refusal.BAD_SIGNATURE, voucher.Refusal.FOREIGN_KEY, voucher.Refusal.ABOVE_REVOKED_COUNTER)


@dataclass(frozen=True, slots=True)
class LaidOn:
    """The voucher counts for this stay; *due_fen* is what is left to pay."""

    ref: str
    stay_id: str
    due_fen: int


def lay_number(db: Database, lot: Lot, stay_id: str, typed: str, by: str, lane: str, now: Moment) -> LaidOn | Refuse:
    """Lay a voucher whose QR cannot be scanned, by the number printed on it (E36): only one that this edge printed,
    and only by somebody signed in at the booth, whose name is kept. Refuses ``no_such_number``.
    """
    found = NUMBER.fullmatch(typed.strip())
    row = vouchers.get(db.conn, int(found[1]), int(found[2])) if found else None
    if row is None or row.voided:
        return Refuse("no_such_number")
    with transaction(db) as conn:
        journal.act(conn, by, "voucher.type", f"{row.key_id}:{row.counter}", stay_id, now)
    return lay_voucher(db, lot, stay_id, row.token, by, lane, now)


def lay_voucher(db: Database, lot: Lot, stay_id: str, scanned: str, by: str, lane: str, now: Moment) -> LaidOn | Refuse:
    """Lay a scanned voucher on an open stay; it is used up only when that stay closes with it.

    A voucher whose printing was in doubt is proven printed by being here. A forged one becomes an incident.
    """
    told = recognise(scanned)
    if told.kind is not ScannedKind.VOUCHER:
        return Refuse(NOT_A_VOUCHER[told.kind])
    token = told.token
    with transaction(db) as conn:
        stay = stays.get(conn, stay_id)
        if stay is None or not stay.is_open:
            return Refuse("no_open_stay")
        checked = voucher.check(token, _keys(conn, lot), lot.verify, now, lot.lot_id)
        if isinstance(checked, voucher.Refused):
            return _refused(conn, checked.code, lane, now)
        payload = checked.payload
        ref = f"{payload.key_id}:{payload.counter}"
        refusal = _use_refusal(conn, payload, ref, stay)
        refusal = refusal or limiting.paper_refusal(conn, lot, stay, payload, now)
        if refusal is not None:
            return refusal
        _prove_printed(conn, payload, now)
        spec = bound.voucher_spec(conn, lot, asdict(payload))
        laid = vouchers.Laid(ref, stay_id, "voucher", spec, payload.merchant_id, by, now.wall_ms)
        vouchers.lay(conn, laid)
        return LaidOn(ref, stay_id, paying.settle_if_paid(conn, lot, stay_id, now))


def take_off(db: Database, lot: Lot, ref: str, by: str, now: Moment) -> Result:
    """Take a paper off its open stay again, before it is used (E36)."""
    with transaction(db) as conn:
        stay_id = vouchers.laid_where(conn, ref)
        if stay_id is None:
            return Refuse("not_on_a_stay")
        vouchers.take_off(conn, ref)
        return _counted_anew(conn, lot, stay_id, "voucher.take_off", ref, by, now)


def set_aside(db: Database, lot: Lot, stay_id: str, ref: str, by: str, now: Moment) -> Result:
    """Take a coupon the cloud tied to a car off its open stay: it is not used, its driver keeps it (E36).

    Refuses ``no_open_stay`` and ``not_on_a_stay``.
    """
    with transaction(db) as conn:
        stay = stays.get(conn, stay_id)
        if stay is None or not stay.is_open:
            return Refuse("no_open_stay")
        if ref not in {one.ref for one in bound.coupons_for(conn, lot, stay, now)} or vouchers.laid_where(conn, ref):
            return Refuse("not_on_a_stay")
        coupons_aside.put(conn, Aside(stay_id, ref, by, now.wall_ms))
        return _counted_anew(conn, lot, stay_id, "coupon.set_aside", ref, by, now)


def put_back(db: Database, lot: Lot, stay_id: str, ref: str, by: str, now: Moment) -> Result:
    """Let a coupon count again that was taken off this stay. Refuses ``no_open_stay`` and ``not_on_a_stay``."""
    with transaction(db) as conn:
        stay = stays.get(conn, stay_id)
        if stay is None or not stay.is_open:
            return Refuse("no_open_stay")
        if not coupons_aside.drop(conn, stay_id, ref):
            return Refuse("not_on_a_stay")
        return _counted_anew(conn, lot, stay_id, "coupon.put_back", ref, by, now)


def _counted_anew(conn: sqlite3.Connection, lot: Lot, stay_id: str, act: str, ref: str, by: str, now: Moment) -> Result:
    stays.unsettle(conn, stay_id)
    journal.act(conn, by, act, ref, stay_id, now)
    paying.settle_if_paid(conn, lot, stay_id, now)
    return Done(stay_id)


def _refused(conn: sqlite3.Connection, code: voucher.Refusal, lane: str, now: Moment) -> Refuse:
    if code in FORGED:
        journal.incident(conn, "voucher_forged", lane, code.value, now)
    return Refuse(code.value)


def _keys(conn: sqlite3.Connection, lot: Lot) -> dict[int, voucher.VoucherKey]:
    """The key list of the cloud; a row that cannot be read is no key."""
    keys = {}
    for row in channels.rows(conn, "keys"):
        value = row.value or {}
        try:
            key = voucher.VoucherKey(
                key_id=int(value["key_id"]),
                public=bytes.fromhex(value["public"]),
                lot_id=int(value["lot_id"]),
                not_before_ms=int(value.get("not_before_ms") or 0),
                not_after_ms=int(value.get("not_after_ms") or 1 << 62),
                revoked_at_counter=value.get("revoked_at_counter"),
            )
        except (KeyError, TypeError, ValueError):
            continue
        keys[key.key_id] = key
    return keys


def own_key_id(conn: sqlite3.Connection, lot: Lot) -> int | None:
    """The number the cloud certified this device's key under, or None before it has."""
    mine = [key.key_id for key in _keys(conn, lot).values() if key.public == lot.public_key]
    return max(mine) if mine else None


def _use_refusal(conn: sqlite3.Connection, payload: voucher.Payload, ref: str, stay: StayRow) -> Refuse | None:
    if vouchers.is_used(conn, *payload.voucher_id):
        return Refuse("voucher_used")
    ours = vouchers.get(conn, *payload.voucher_id)
    if ours is not None and ours.voided:
        return Refuse("voucher_voided")
    if bound.is_withdrawn(conn, ref):
        return Refuse("voucher_voided")
    state = channels.get(conn, "vstate", ref)
    if state is not None and state.get("state") == bound.SLIP_BOUND and state.get("plate") != stay.plate:
        return Refuse(voucher.Refusal.OTHER_PLATE.value)
    where = vouchers.laid_where(conn, ref)
    if where is not None:
        return Refuse("voucher_already_laid" if where == stay.stay_id else "voucher_on_other_stay")
    return None


def _prove_printed(conn: sqlite3.Connection, payload: voucher.Payload, now: Moment) -> None:
    doubtful = ("unknown", "printing", "failed")
    if vouchers.set_state(conn, *payload.voucher_id, "confirmed", expected=doubtful):
        log.append(conn, VoucherPrinted(*payload.voucher_id, "confirmed"), now)
