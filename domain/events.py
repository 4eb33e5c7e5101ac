"""Every fact an edge reports: type, version, priority, fields and ledger legs (docs/events.md is made from here).

Names are subject + past tense. Money fields end in ``_fen``. A new field is optional or the version goes up.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from json import JSONDecoder
from operator import itemgetter
from typing import ClassVar, TypeVar

from domain.ledger import OUTSTANDING, REDEEMED, VOID_PENDING, Leg
from domain.moment import Moment, Quality
from domain.wire import LARGEST, BadMessageError, Json, canonical


class Priority(IntEnum):
    """What may be dropped when the disk fills: never P0 or P1 while unacked (sync §3)."""

    P0 = 0  # money, barrier, audit
    P1 = 1  # passages
    P2 = 2  # telemetry: not kept while room is short


class Event:
    """Base of all event payloads; a subclass is a frozen dataclass registered with ``@event``."""

    TYPE: ClassVar[str]
    VERSION: ClassVar[int]
    PRIORITY: ClassVar[Priority]
    LEGS: ClassVar[tuple[Leg, ...]]
    FIELDS: ClassVar[tuple[tuple[str, type], ...]]  # name and JSON type of every field, in order


E = TypeVar("E", bound=type[Event])
TYPES: dict[tuple[str, int], type[Event]] = {}
_QUALITIES = {int(quality): quality for quality in Quality}
_KINDS: dict[str, type] = {"str": str, "int": int, "bool": bool}
_JSON = JSONDecoder()
_parts = itemgetter("b", "t", "q", "d", "s", "tv", "m", "w", "u")


def event(name: str, version: int, priority: Priority, legs: tuple[Leg, ...] = ()) -> Callable[[E], E]:
    """Register a payload class as event type *name*, *version*."""

    def register(cls: E) -> E:
        cls.TYPE, cls.VERSION, cls.PRIORITY, cls.LEGS = name, version, priority, legs
        fields = dataclasses.fields(cls)  # type: ignore[arg-type]
        cls.FIELDS = tuple((field.name, _KINDS[str(field.type)]) for field in fields)
        TYPES[name, version] = cls
        return cls

    return register


@event("prices.loaded", 1, Priority.P1)
@dataclass(frozen=True, slots=True)
class PricesLoaded(Event):
    """The price lists this lot charges by from now on; *said* is the text of a ``PriceNotice``."""

    said: str


@event("edge.started", 1, Priority.P0)
@dataclass(frozen=True, slots=True)
class EdgeStarted(Event):
    """The daemon came up; *clean* is False when the last run did not end by itself."""

    release: str
    mode: str
    clean: bool


@event("stay.opened", 1, Priority.P1)
@dataclass(frozen=True, slots=True)
class StayOpened(Event):
    """A vehicle was let in."""

    stay_id: str
    lane: str
    zone: str
    plate: str
    plate_raw: str
    vehicle_class: str
    decision_id: str


@event("stay.corrected", 1, Priority.P0)
@dataclass(frozen=True, slots=True)
class StayCorrected(Event):
    """An attendant mended the plate of an open stay; the old value is kept (E28)."""

    stay_id: str
    old_plate: str
    plate: str
    by: str


@event("stay.classed", 1, Priority.P0)
@dataclass(frozen=True, slots=True)
class StayClassed(Event):
    """An open stay is charged as another vehicle class: picked at the booth, or its corrected plate points to it."""

    stay_id: str
    old_class: str
    vehicle_class: str
    by: str


@event("fee.overridden", 1, Priority.P0)
@dataclass(frozen=True, slots=True)
class FeeOverridden(Event):
    """A person set the fee of an open stay by hand (E35); *approved_by* where that was more than *by* may alone."""

    set_id: str
    stay_id: str
    plate: str
    before_fen: int
    fee_fen: int
    by: str
    approved_by: str
    reason: str


@event("stay.moved", 1, Priority.P1)
@dataclass(frozen=True, slots=True)
class StayMoved(Event):
    """A car inside went from zone to zone; *how*: seen, guessed (a read was missed), undone, tailgate or hand."""

    stay_id: str
    lane: str
    from_zone: str
    zone: str
    plate: str
    how: str
    decision_id: str


@event("stay.closed", 1, Priority.P0)
@dataclass(frozen=True, slots=True)
class StayClosed(Event):
    """A stay ended: fee = discount + waived + paid + owed, always."""

    stay_id: str
    lane: str
    plate: str
    outcome: str
    cause: str
    fee_fen: int
    discount_fen: int
    waived_fen: int
    paid_fen: int
    owed_fen: int
    decision_id: str
    tariff: str


@event("stay.reopened", 1, Priority.P0)
@dataclass(frozen=True, slots=True)
class StayReopened(Event):
    """A stay was ended by mistake and is open again; what its end redeemed and left owing is taken back beside it."""

    stay_id: str
    plate: str
    by: str
    reason: str


@event("payment.taken", 1, Priority.P0)
@dataclass(frozen=True, slots=True)
class PaymentTaken(Event):
    """Money was taken for a stay at the lot (cash at the booth)."""

    payment_id: str
    stay_id: str
    method: str
    amount_fen: int
    by: str


@event("payment.applied", 1, Priority.P0)
@dataclass(frozen=True, slots=True)
class PaymentApplied(Event):
    """A payment by phone reached the lot: *used_fen* were for something, *back_fen* go back to whoever paid.

    *told*: by list, pass or code; *outcome*: settled, part (more is due), debt (for what was owed) or returned.
    """

    payment_id: str
    quote: str
    stay_id: str
    told: str
    outcome: str
    used_fen: int
    back_fen: int


@event("payment.given_back", 1, Priority.P0)
@dataclass(frozen=True, slots=True)
class PaymentGivenBack(Event):
    """A part of a payment by phone goes back: the coupon *coupon_id* came after the car had paid, and counts."""

    back_id: str
    payment_id: str
    quote: str
    stay_id: str
    coupon_id: str
    amount_fen: int


@event("debt.recorded", 1, Priority.P0)
@dataclass(frozen=True, slots=True)
class DebtRecorded(Event):
    """A vehicle left owing; the plate carries the debt."""

    debt_id: str
    stay_id: str
    plate: str
    owed_fen: int


@event("debt.moved", 1, Priority.P0)
@dataclass(frozen=True, slots=True)
class DebtMoved(Event):
    """What became of a debt: paid, waived or reversed (*amount_fen* less is owed), disputed or upheld."""

    move_id: str
    debt_id: str
    kind: str
    amount_fen: int
    payment_id: str
    by: str
    reason: str


@event("coupon.redeemed", 1, Priority.P0, (Leg(OUTSTANDING, REDEEMED, "the value reserved at issue"),))
@dataclass(frozen=True, slots=True)
class CouponRedeemed(Event):
    """A coupon bound to a car reduced its fee."""

    redemption_id: str
    coupon_id: str
    stay_id: str
    off_fen: int


@event("coupon.kept", 1, Priority.P0)
@dataclass(frozen=True, slots=True)
class CouponKept(Event):
    """The cloud withdrew a coupon or voucher (*ref*) a car inside had paid with: it counts until that car leaves."""

    ref: str
    stay_id: str


@event("coupon.restored", 1, Priority.P0, (Leg(REDEEMED, OUTSTANDING, "the value reserved at issue"),))
@dataclass(frozen=True, slots=True)
class CouponRestored(Event):
    """A redemption was taken back with the end of its stay; the coupon may be used again, once."""

    redemption_id: str
    coupon_id: str
    stay_id: str


@event("voucher.issued", 1, Priority.P0, (Leg("lease:{lease_id}", OUTSTANDING, "amount"),))
@dataclass(frozen=True, slots=True)
class VoucherIssued(Event):
    """A counter was reserved and its value set aside; printing starts only after this is committed."""

    key_id: int
    counter: int
    lease_id: int
    merchant_id: int
    template_id: int
    amount: int
    cap_fen: int
    not_after_min: int
    by: str


@event("voucher.printed", 1, Priority.P0)
@dataclass(frozen=True, slots=True)
class VoucherPrinted(Event):
    """How the printing of a voucher ended: confirmed, failed or unknown."""

    key_id: int
    counter: int
    state: str


@event("voucher.redeemed", 1, Priority.P0, (Leg(OUTSTANDING, REDEEMED, "the value reserved at issue"),))
@dataclass(frozen=True, slots=True)
class VoucherRedeemed(Event):
    """A printed voucher reduced a fee."""

    redemption_id: str
    key_id: int
    counter: int
    stay_id: str
    off_fen: int


@event("voucher.restored", 1, Priority.P0, (Leg(REDEEMED, OUTSTANDING, "the value reserved at issue"),))
@dataclass(frozen=True, slots=True)
class VoucherRestored(Event):
    """A redemption was taken back with the end of its stay; the voucher may be used again, once."""

    redemption_id: str
    key_id: int
    counter: int
    stay_id: str


@event("voucher.voided", 1, Priority.P0, (Leg(OUTSTANDING, VOID_PENDING, "the value reserved at issue"),))
@dataclass(frozen=True, slots=True)
class VoucherVoided(Event):
    """The booth withdrew a voucher that was not redeemed."""

    key_id: int
    counter: int
    reason: str
    by: str


@event("lease.applied", 1, Priority.P0)
@dataclass(frozen=True, slots=True)
class LeaseApplied(Event):
    """A granted lease is now spendable here."""

    lease_id: int
    granted: int


@event("lease.returned", 1, Priority.P0, (Leg("lease:{lease_id}", "available", "amount"),))
@dataclass(frozen=True, slots=True)
class LeaseReturned(Event):
    """The edge closed a lease and gives back what it did not spend."""

    lease_id: int
    amount: int


@event("barrier.opened", 1, Priority.P0)
@dataclass(frozen=True, slots=True)
class BarrierOpenedBefore(Event):
    """A pulse is about to be given, before it was said for whom."""

    lane: str
    decision_id: str
    by: str
    reason: str


@event("barrier.opened", 2, Priority.P0)
@dataclass(frozen=True, slots=True)
class BarrierOpened(Event):
    """A pulse is about to be given (written before the act); *by* and *reason* are set for a manual opening.

    *stay_id*: of the car it is given for, "" where none is known.
    """

    lane: str
    decision_id: str
    by: str
    reason: str
    stay_id: str


@event("zone.counted", 1, Priority.P0)
@dataclass(frozen=True, slots=True)
class ZoneCounted(Event):
    """A person counted *counted* cars in a zone where the books had *books*; *vehicle_class* "" is the common pool."""

    zone: str
    vehicle_class: str
    books: int
    counted: int
    by: str
    reason: str


@event("passage.seen", 1, Priority.P1)
@dataclass(frozen=True, slots=True)
class PassageSeen(Event):
    """A vehicle crossed the lane; *decision_id* is empty when nobody let it through."""

    lane: str
    decision_id: str
    plate: str


@event("passage.reversed", 1, Priority.P1)
@dataclass(frozen=True, slots=True)
class PassageReversed(Event):
    """A vehicle that was let through backed out instead."""

    lane: str
    decision_id: str
    plate: str


@event("incident.raised", 1, Priority.P0)
@dataclass(frozen=True, slots=True)
class IncidentRaised(Event):
    """Something a person should look at: tail-gating, barrier fault, forged voucher, clock step."""

    code: str
    lane: str
    detail: str


@event("act.recorded", 1, Priority.P0)
@dataclass(frozen=True, slots=True)
class ActRecorded(Event):
    """A person did something at this edge (audit): every act has a name."""

    by: str
    act: str
    subject: str
    reason: str


@event("visitor.added", 1, Priority.P0)
@dataclass(frozen=True, slots=True)
class VisitorAdded(Event):
    """The booth lets a visitor's car park free for a while; times are UTC milliseconds."""

    visitor_id: str
    plate: str
    host: str
    from_ms: int
    until_ms: int
    by: str


@event("visitor.ended", 1, Priority.P0)
@dataclass(frozen=True, slots=True)
class VisitorEnded(Event):
    """The booth took that back; from *until_ms* on the car pays."""

    visitor_id: str
    until_ms: int
    by: str


@event("stay.excused", 1, Priority.P1)
@dataclass(frozen=True, slots=True)
class StayExcused(Event):
    """A stay ended without its fee being paid; *why*: free_kind, covered by a list, or waived (by *by*).

    "" takes back what was said before of a stay that was opened again and then paid.

    *detail* is the kind of plate, the grants of the list, or the reason given; the picture is that of the decision.
    """

    stay_id: str
    lane: str
    plate: str
    why: str
    detail: str
    by: str
    waived_fen: int
    decision_id: str


@event("shift.opened", 1, Priority.P0)
@dataclass(frozen=True, slots=True)
class ShiftOpened(Event):
    """Somebody began a shift at a workstation, with *float_fen* of change in the drawer."""

    shift_id: str
    number: int
    workstation: str
    by: str
    float_fen: int


@event("cash.refunded", 1, Priority.P0)
@dataclass(frozen=True, slots=True)
class CashRefunded(Event):
    """Cash was given back for a stay at the booth; *approved_by* where that was more than *by* may alone."""

    refund_id: str
    stay_id: str
    amount_fen: int
    by: str
    approved_by: str
    reason: str


@event("cash.dropped", 1, Priority.P0)
@dataclass(frozen=True, slots=True)
class CashDropped(Event):
    """Cash went from a shift's drawer into the safe."""

    drop_id: str
    shift_id: str
    amount_fen: int
    by: str


@event("shift.closed", 1, Priority.P0)
@dataclass(frozen=True, slots=True)
class ShiftClosedBefore(Event):
    """A shift ended, before fees could be set by hand."""

    shift_id: str
    number: int
    workstation: str
    opened_by: str
    opened_ms: int
    closed_by: str
    takes_over: str
    reason: str
    cars: int
    payments: int
    fee_fen: int
    coupon_fen: int
    waived_fen: int
    owed_fen: int
    debts_fen: int
    cash_fen: int
    electronic_fen: int
    refund_fen: int
    float_fen: int
    drop_fen: int
    openings: int
    expected_fen: int
    counted_fen: int
    log_seq: int
    log_head: str


@event("shift.closed", 2, Priority.P0)
@dataclass(frozen=True, slots=True)
class ShiftClosed(Event):
    """A shift ended with its cash counted; *takes_over* begins the next one. Sums are those of its postings.

    *log_seq* and *log_head* say where this log stood before: a cloud that holds the same head has seen all of it.
    """

    shift_id: str
    number: int
    workstation: str
    opened_by: str
    opened_ms: int
    closed_by: str
    takes_over: str
    reason: str
    cars: int
    payments: int
    fee_fen: int
    by_hand_fen: int
    coupon_fen: int
    waived_fen: int
    owed_fen: int
    debts_fen: int
    cash_fen: int
    electronic_fen: int
    refund_fen: int
    float_fen: int
    drop_fen: int
    openings: int
    expected_fen: int
    counted_fen: int
    log_seq: int
    log_head: str


@event("channel.applied", 1, Priority.P1)
@dataclass(frozen=True, slots=True)
class ChannelApplied(Event):
    """All rows of a channel version became visible at once."""

    channel: str
    version: int


@event("command.done", 1, Priority.P0)
@dataclass(frozen=True, slots=True)
class CommandDone(Event):
    """A command of the cloud was carried out, refused, or its outcome is unknown."""

    cmd_seq: int
    result: str


@event("clock.stepped", 1, Priority.P2)
@dataclass(frozen=True, slots=True)
class ClockStepped(Event):
    """The wall clock jumped by more than two seconds against the boot clock."""

    step_ms: int


@event("time.corrected", 1, Priority.P2)
@dataclass(frozen=True, slots=True)
class TimeCorrected(Event):
    """A later clock comparison changed what we know of a stay's times; nobody is charged again for it."""

    stay_id: str
    old_wall_ms: int
    wall_ms: int


@event("settings.kept", 1, Priority.P1)
@dataclass(frozen=True, slots=True)
class SettingsKept(Event):
    """A file the lot runs by, as it is now: a successor of this device on a blank machine begins with it."""

    name: str
    text: str


@event("telemetry.shed", 1, Priority.P1)
@dataclass(frozen=True, slots=True)
class TelemetryShed(Event):
    """Room was short for a while, and so many telemetry events were not kept."""

    dropped: int


@event("log.totalled", 1, Priority.P0)
@dataclass(frozen=True, slots=True)
class LogTotalled(Event):
    """Nightly check figure: all money fields of the events *first_seq … last_seq* of this log sum to *total_fen*."""

    first_seq: int
    last_seq: int
    total_fen: int


@dataclass(frozen=True, slots=True)
class Envelope:
    """An event as it travels: where it stands in the log, when it happened, what it belongs to."""

    seq: int
    type: str
    version: int
    moment: Moment
    correlation: str | None
    payload: Json

    def money_fen(self) -> int:
        """The sum of the payload's money fields, whatever they stand for: a check figure."""
        return sum(value for name, value in self.payload.items() if name.endswith("_fen") and type(value) is int)


def encode(seq: int, moment: Moment, payload: Event, correlation: str | None = None) -> bytes:
    """The body of one log entry: canonical JSON, hashed and stored exactly as given here."""
    body: Json = {
        "s": seq,
        "t": payload.TYPE,
        "tv": payload.VERSION,
        "b": moment.boot,
        "m": moment.boot_ms,
        "w": moment.wall_ms,
        "q": int(moment.quality),
        "u": moment.uncertainty_ms,
        "d": payload,
    }
    if correlation is not None:
        body["x"] = correlation
    return canonical(body)


def open_envelope(body: bytes) -> Envelope:
    """The envelope of *body*, its payload unchecked. Raises BadMessageError."""
    try:
        text = body.decode()
        raw, end = _JSON.raw_decode(text)
        boot, name, quality, payload, *numbers = _parts(raw)
        if end != len(text) or type(boot) is not str or type(name) is not str or type(payload) is not dict:
            raise TypeError("a text or the payload is none, or more follows")
        if {*map(type, numbers)} != {int} or max(numbers) > LARGEST or min(numbers) < -LARGEST:
            raise TypeError("an event's number is not whole or beyond 53 bits")
        seq, version, boot_ms, wall_ms, uncertainty_ms = numbers
        moment = Moment(boot, boot_ms, wall_ms, _QUALITIES[quality], uncertainty_ms)
        return Envelope(seq, name, version, moment, raw.get("x"), payload)
    except (KeyError, TypeError, ValueError, RecursionError) as exc:
        raise BadMessageError(f"not an event body: {exc}") from exc


def decode(envelope: Envelope) -> Event:
    """The payload as its class; unknown extra fields are left aside. Raises BadMessageError: the event is parked."""
    cls = TYPES.get((envelope.type, envelope.version))
    if cls is None:
        raise BadMessageError(f"unknown event type {envelope.type} {envelope.version}")
    payload, values = envelope.payload, []
    for name, kind in cls.FIELDS:
        value = payload.get(name)
        if type(value) is not kind:
            raise BadMessageError(f"{envelope.type}: {name!r} must be {kind.__name__}")
        if isinstance(value, int) and not -LARGEST <= value <= LARGEST:
            raise BadMessageError(f"{envelope.type}: {name!r} is beyond 53 bits")
        values.append(value)
    return cls(*values)
