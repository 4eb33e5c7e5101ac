"""How a stay is priced and ended: who carries which part of the fee, in the log and in the lot's own book.

Money that was paid counts first, then coupons, then what was waived; the rest is owed. Every end is one balanced
entry: ``fee`` is given up by the lot and lands in ``held`` (paid before), ``coupon``, ``waived`` and ``owed``.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace

from domain import leave_extension
from domain.decision import CouponGiven, Decision, ExitInputs, OpenStay, Owing, Priced, Seen, decide_exit
from domain.entitlement import ZoneSpan
from domain.events import CouponRedeemed, DebtRecorded, StayClosed, VoucherRedeemed
from domain.ledger import Commodity, Funds, Posting
from domain.moment import Moment, elapsed, possible_entry
from domain.plate import mask
from domain.stay import UnpaidCause, outcome_of
from edge.db import arrears, boots, journal, leave_extensions, log, money, plate_locks, stays, unseen, vouchers
from edge.db.stays import Closing, StayRow
from edge.services import bound, by_hand, entitled, excusing, facts, limiting, prepaid, shifts, zoning
from edge.services.lot import Lot
from edge.settings import MissedExit

logger = logging.getLogger(__name__)

MS_A_MINUTE = 60_000
MISSED_EXIT = "missed_exit"


@dataclass(frozen=True, slots=True)
class Ending:
    """A stay's final figures; *off* says which coupon carried which part."""

    fee_fen: int
    off: tuple[tuple[str, int], ...]
    off_fen: int
    waived_fen: int
    paid_fen: int
    owed_fen: int


def ending(priced: Priced, stay: StayRow) -> Ending:
    """Share the fee out: paid money, coupons, waiver, debt. A fee below what was paid is set to what was paid."""
    fee = max(priced.fee_fen, stay.paid_fen)
    charged = left = fee - stay.paid_fen
    off = []
    for ref, saved in priced.off:
        part = min(saved, left)
        left -= part
        if part:
            off.append((ref, part))
    waived = min(stay.waived_fen, left)
    return Ending(fee, tuple(off), charged - left, waived, stay.paid_fen, left - waived)


def standing(
    conn: sqlite3.Connection,
    lot: Lot,
    stay: StayRow,
    now: Moment,
    *,
    lane: str = "",
    plate: str = "",
    typed_by: str = "booth",
    seen: tuple[Seen, ...] = (),
    near: tuple[str, ...] | None = None,
) -> Decision:
    """What the exit would decide for this stay now; without reads, as if a person had named its plate."""
    inputs = exit_inputs(
        conn, lot, stay, now, lane=lane, plate=plate or stay.plate, typed_by=typed_by, seen=seen,
        near=(stay.plate,) if near is None else near,
    )  # fmt: skip
    return decide_exit(inputs, lot.price)


def _leave_within_min(
    conn: sqlite3.Connection, lot: Lot, stay: StayRow | None, settled_ms: int | None, now: Moment
) -> int:
    """Shorter after a restart, longer while a supervisor gives everybody more time."""
    minutes = prepaid.leave_within_min(lot, stay)
    if stay is not None and not stay.is_open and _before_start(lot, stay):
        minutes = min(minutes, lot.rules.restart_grace_min)
    if settled_ms is None:
        return minutes
    return leave_extension.leave_within_min(minutes, settled_ms, now.wall_ms, leave_extensions.of_late(conn, now))


def exit_inputs(
    conn: sqlite3.Connection,
    lot: Lot,
    stay: StayRow | None,
    now: Moment,
    *,
    lane: str,
    plate: str,
    typed_by: str,
    seen: tuple[Seen, ...],
    near: tuple[str, ...],
    repeated: bool = False,
    left_ms: int | None = None,
) -> ExitInputs:
    """Everything the exit decision looks at, read in the caller's transaction."""
    length_ms, estimated, possible = _length(conn, lot, stay, now) if stay else (0, False, (0, 0))
    is_open = stay is not None and stay.is_open
    settled_ms = _settled_ms(conn, lot, stay, now) if stay else None
    coupons = bound.coupons_for(conn, lot, stay, now) if stay and is_open else ()
    ways = limiting.ways(conn, lot) if coupons else ""
    tariffs = zoning.tariffs(conn, lot, stay) if stay else ()
    new_stay_after_ms = prepaid.new_stay_after_ms(conn, lot, stay) if stay and is_open else None
    return ExitInputs(
        lane=lane,
        plate=plate,
        typed_by=typed_by,
        seen=seen,
        repeated=repeated,
        near=near,
        stay=_open_view(conn, lot, stay, again=new_stay_after_ms is not None) if stay else None,
        length_ms=length_ms,
        estimated=estimated,
        entry_from_min=possible[0],
        entry_to_min=possible[1],
        settled_ms=settled_ms,
        settled_fee_fen=stay.settled_fee_fen if stay else 0,
        settled_off=stay.settled_off if stay else (),
        new_stay_after_ms=new_stay_after_ms,
        first_stay_of_day=prepaid.is_first_stay_of_day(conn, lot, stay) if stay else True,
        charging_min=facts.charging_min(conn, lot, stay, tariffs) if stay else 0,
        charged_before_fen=facts.charged_before_fen(conn, lot, stay) if stay and is_open else 0,
        tariffs=tariffs,
        calendars=lot.calendars,
        coupons=coupons,
        covered=_covered(conn, lot, stay, length_ms) if stay and is_open and not stay.moves else (),
        cash=True,
        rules=lot.rules.for_decisions(_leave_within_min(conn, lot, stay, settled_ms, now), ways),
        owing=_owing(conn, stay.plate) if stay and is_open else (),
        paid_here=_paid_here(stay) if stay else False,
        nested=zoning.nested(conn, lot, stay, length_ms) if stay and is_open else None,
        locked=stay is not None and plate_locks.get(conn, stay.plate) is not None,
        left_ms=left_ms,
    )


def _owing(conn: sqlite3.Connection, plate: str) -> tuple[Owing, ...]:
    return tuple(Owing(debt.debt_id, debt.left_fen, debt.wall_ms) for debt in arrears.open_of(conn, plate))


def _paid_here(stay: StayRow) -> bool:
    """Was it settled with money while its car stood at an exit and had been told what it owes?"""
    arrived, settled = stay.arrived, stay.settled
    if arrived is None or settled is None or not stay.paid_fen:
        return False
    return arrived.boot == settled.boot and arrived.boot_ms <= settled.boot_ms


def _open_view(conn: sqlite3.Connection, lot: Lot, stay: StayRow, *, again: bool) -> OpenStay:
    return OpenStay(
        stay_id=stay.stay_id,
        plate=stay.plate,
        vehicle_class=stay.vehicle_class,
        zone=stay.zone,
        entered=lot.local(stay.entered.wall_ms).isoformat(timespec="minutes"),
        entered_wall_ms=stay.entered.wall_ms,
        entered_quality=int(stay.entered.quality),
        paid_fen=stay.paid_fen + (0 if stay.is_open else stay.owed_fen),
        waived_fen=stay.waived_fen,
        base_fee_fen=stay.base_fee_fen,
        no_entry=unseen.rule(conn, stay.stay_id),
        by_hand_fen=by_hand.by_hand_fen(conn, stay, again=again),
    )


def _length(conn: sqlite3.Connection, lot: Lot, stay: StayRow, now: Moment) -> tuple[int, bool, tuple[int, int]]:
    """Milliseconds inside by the boot clock, and how far off its recorded entry the car may have come.

    While the fee is frozen, those at the car's arrival at the exit.
    """
    until = now
    arrived = stay.arrived
    if arrived is not None and boots.since(conn, arrived, now).total_seconds() <= lot.rules.frozen_fee_min * 60:
        until = arrived
    inside = elapsed(stay.entered, until, boots.between(conn, stay.entered, until))
    return round(inside.length.total_seconds() * 1000), inside.estimated, possible_entry(stay.entered, until, inside)


def _before_start(lot: Lot, stay: StayRow) -> bool:
    settled = stay.settled
    if settled is None:
        return False
    return settled.boot != lot.started.boot or settled.boot_ms < lot.started.boot_ms


def _settled_ms(conn: sqlite3.Connection, lot: Lot, stay: StayRow, now: Moment) -> int | None:
    """How long ago it was settled; after a crash a car that could not leave counts from the restart (sync §10)."""
    if stay.settled is None:
        return None
    since = lot.started if not stay.is_open and _before_start(lot, stay) else stay.settled
    return round(boots.since(conn, since, now).total_seconds() * 1000)


def _covered(conn: sqlite3.Connection, lot: Lot, stay: StayRow, length_ms: int) -> tuple[tuple[int, int], ...]:
    """Spans of this stay an entitlement pays for; the minute begun counts as covered too."""
    minutes = length_ms // MS_A_MINUTE + 1
    return entitled.covered(conn, lot, stay.plate, [ZoneSpan(stay.zone, 0, minutes)], stay.entered, minutes)


def close(
    conn: sqlite3.Connection,
    lot: Lot,
    stay: StayRow,
    priced: Priced,
    now: Moment,
    *,
    lane: str,
    decision_id: str,
    coupons: tuple[CouponGiven, ...] = (),
    cause: str = "",
    passed: bool = False,
    told: Sequence[log.Fact] = (),
) -> Ending:
    """End an open stay with everything that belongs to it, in the caller's transaction; *told* follows in the log."""
    final = ending(priced, stay)
    tariff = ",".join(f"{ref.code}@{ref.version}" for ref in zoning.tariffs(conn, lot, stay))
    outcome = outcome_of(final.fee_fen, final.off_fen, final.waived_fen, final.paid_fen).value
    closing = Closing(
        lane, decision_id, outcome, cause, final.fee_fen, final.off_fen, final.waived_fen, final.paid_fen,
        final.owed_fen, tariff,
    )  # fmt: skip
    redeemed = _redeem(conn, lot, stay, final, coupons, now)
    if not stays.close(conn, stay, closing, final.off, now, passed=passed):
        raise ValueError(f"stay {stay.stay_id} is not open")
    closed = StayClosed(
        stay.stay_id, lane, stay.plate, outcome, cause, final.fee_fen, final.off_fen, final.waived_fen,
        final.paid_fen, final.owed_fen, decision_id, tariff,
    )  # fmt: skip
    excused = excusing.note(conn, stay, priced, final.waived_fen, lane, decision_id, cause, now)
    log.append_all(conn, [*redeemed, *excused, (closed, decision_id or None), *told], now)
    money.post(conn, _entry_of(stay), postings(final), stay.stay_id, now)
    shifts.note_closing(conn, lot, lane, stay.stay_id, _entry_of(stay))
    if final.owed_fen:
        _record_debt(conn, lot, stay, final.owed_fen, cause, now)
    if final.fee_fen > priced.fee_fen:
        detail = f"{mask(stay.plate)} {stay.stay_id} {final.fee_fen - priced.fee_fen}"
        journal.incident(conn, "paid_more_than_fee", lane, detail, now)
    return final


def _redeem(
    conn: sqlite3.Connection, lot: Lot, stay: StayRow, final: Ending, coupons: tuple[CouponGiven, ...], now: Moment
) -> list[log.Fact]:
    """Use up what took something off; returns what the log must say of it."""
    given = {coupon.ref: coupon for coupon in coupons}
    facts: list[log.Fact] = []
    for ref, part in final.off:
        redemption, coupon = lot.new_id(now), given.get(ref)
        worth = (coupon.spec, coupon.merchant_id) if coupon else ("", 0)
        kind = coupon.kind if coupon else _kind_of(ref)
        use = vouchers.Use(kind, ref, redemption, stay.stay_id, part, *worth)
        if kind == "voucher":
            key_id, counter = (int(number) for number in ref.split(":"))
            vouchers.use(conn, key_id, counter, use, now)
            facts.append((VoucherRedeemed(redemption, key_id, counter, stay.stay_id, part), redemption))
        else:
            vouchers.use_coupon(conn, ref, use, now)
            facts.append((CouponRedeemed(redemption, ref, stay.stay_id, part), redemption))
    if given or facts:
        vouchers.clear_laid(conn, stay.stay_id)
    return facts


def _kind_of(ref: str) -> str:
    """Of one that counted when the stay was settled and whose end came before its car left."""
    return "voucher" if ":" in ref else "coupon"


def _entry_of(stay: StayRow) -> str:
    """The name of a closing in the book; a stay that was opened again has one for each."""
    return f"close:{stay.stay_id}:{stay.closings}" if stay.closings else f"close:{stay.stay_id}"


def postings(final: Ending) -> list[Posting]:
    """What a closing moves: the fee is given up by the lot and shared out."""
    parts = (
        ("fee", -final.fee_fen),
        ("held", final.paid_fen),
        ("coupon", final.off_fen),
        ("waived", final.waived_fen),
        ("owed", final.owed_fen),
    )
    return [Posting(account, Commodity.FEN, Funds.PAID, amount) for account, amount in parts if amount]


def _record_debt(conn: sqlite3.Connection, lot: Lot, stay: StayRow, owed_fen: int, cause: str, now: Moment) -> None:
    debt_id = lot.new_id(now)
    money.insert_debt(conn, money.DebtRow(debt_id, stay.stay_id, stay.plate, cause, owed_fen, now.wall_ms))
    log.append(conn, DebtRecorded(debt_id, stay.stay_id, stay.plate, owed_fen), now)


def close_unpaid(
    conn: sqlite3.Connection, lot: Lot, stay: StayRow, cause: UnpaidCause, lane: str, decision_id: str, now: Moment
) -> Ending:
    """The car went without settling: the fee of now is fixed and what is missing becomes its debt."""
    decision = standing(conn, lot, stay, now)
    return close(
        conn, lot, stay, decision.priced or Priced(0, ()), now, lane=lane, decision_id=decision_id,
        coupons=given_in(decision), cause=cause.value, passed=True,
    )  # fmt: skip


def given_in(decision: Decision) -> tuple[CouponGiven, ...]:
    """The coupons an exit decision looked at."""
    return decision.inputs.coupons if isinstance(decision.inputs, ExitInputs) else ()


def close_missed_exit(conn: sqlite3.Connection, lot: Lot, stay: StayRow, decision_id: str, now: Moment) -> None:
    """The car comes in although it never left by our books (E27): end the old stay as the lot's setting says.

    *decision_id* let it in again; its picture shows what ended the old stay.
    """
    journal.incident(conn, "second_entry", stay.lane_in, f"{mask(stay.plate)} {stay.stay_id}", now)
    stay = zoning.drove_out(conn, lot, stay, now)
    if lot.rules.missed_exit is MissedExit.OWE:
        close_unpaid(conn, lot, stay, UnpaidCause.DEVICE, "", decision_id, now)
        return
    let_go(conn, lot, stay, MISSED_EXIT, "", decision_id, now)


def let_go(
    conn: sqlite3.Connection, lot: Lot, stay: StayRow, cause: str, lane: str, decision_id: str, now: Moment
) -> None:
    """The car is gone and nobody is to pay: what is missing is waived; its papers stay with their holders."""
    priced = _without_papers(conn, lot, stay, now)
    stays.let_go(conn, stay.stay_id, _missing_fen(priced, stay))
    waived = stays.get(conn, stay.stay_id) or stay
    close(conn, lot, waived, priced, now, lane=lane, decision_id=decision_id, cause=cause, passed=True)
    vouchers.clear_laid(conn, stay.stay_id)


def let_go_fen(conn: sqlite3.Connection, lot: Lot, stay: StayRow, now: Moment) -> int:
    """What ``let_go`` would have this stay waived in all, with what was waived before."""
    return stay.waived_fen + _missing_fen(_without_papers(conn, lot, stay, now), stay)


def _without_papers(conn: sqlite3.Connection, lot: Lot, stay: StayRow, now: Moment) -> Priced:
    return replace(standing(conn, lot, stay, now).priced or Priced(0, ()), off=())


def _missing_fen(priced: Priced, stay: StayRow) -> int:
    return max(0, priced.fee_fen - stay.paid_fen - stay.waived_fen)
