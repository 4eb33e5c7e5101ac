"""What to do with the vehicle at a lane: pure, explained, and the same bytes whenever it is worked out again.

A decision keeps every value it rested on. ``lotgate replay`` feeds the stored inputs back in and compares bytes.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from domain import lookalike
from domain.driver_word import Support, is_driver, support
from domain.entitlement import WhenFull
from domain.no_entry import first_segment
from domain.plate import classify, is_no_plate, is_virtual
from domain.wire import LATER, BadMessageError, Json, canonical
from domain.zones import Nested

T = TypeVar("T")
MS_A_MINUTE = 60_000
SET_BY_HAND = "set_by_hand"


@dataclass(frozen=True, slots=True)
class Admit:
    """Open. *reason*: entered, nothing_due, free_kind, covered, within_leave_time."""

    reason: str


@dataclass(frozen=True, slots=True)
class PayFirst:
    """The barrier stays shut until *due_fen* is paid, covered or waived."""

    due_fen: int


@dataclass(frozen=True, slots=True)
class Ask:
    """A person must say which plate this is; *candidates* likeliest first."""

    candidates: tuple[str, ...]
    code: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """Not through here; *code* says why and has words in both languages."""

    code: str


Verdict = Admit | PayFirst | Ask | Refuse


@dataclass(frozen=True, slots=True)
class Seen:
    """One plate read as it counted: *plate* in normal form, "" when the reader found none."""

    read_id: str
    camera: str
    plate: str
    plate_raw: str
    confidence: int
    colour: str
    live: bool
    trusted: bool


@dataclass(frozen=True, slots=True)
class Rules:
    """The lot's settings a decision rests on. Minutes whole; *free_kinds* are ``PlateKind`` values."""

    free_kinds: tuple[str, ...]
    least_confidence: int
    leave_within_min: int
    frozen_fee_min: int
    arrears: str = field(default="show", metadata=LATER)  # of a car that owes from before: show, collect, ask, refuse
    typed_free: str = field(default="ask", metadata=LATER)
    """A plate the driver typed, that no camera vouches for and nothing is due for: ask or mark."""
    coupons: str = field(default="", metadata=LATER)
    """The lot's number and its ways with several coupons, as canonical JSON; "" where no coupon was looked at."""


@dataclass(frozen=True, slots=True)
class TariffRef:
    """Which price list, to the byte: *digest* is SHA-256 of its source text, kept for ever."""

    zone: str
    code: str
    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class CouponGiven:
    """A coupon or voucher laid on the stay: *spec* is its canonical value, *ref* says which paper or row it is."""

    ref: str
    kind: str  # coupon | voucher
    spec: str
    merchant_id: int


@dataclass(frozen=True, slots=True)
class Owing:
    """What one earlier visit of the car still owes, since when by the wall clock."""

    debt_id: str
    left_fen: int
    since_wall_ms: int


@dataclass(frozen=True, slots=True)
class OpenStay:
    """The stay a fee is asked for. *entered* is lot-local to the minute; *base_fee_fen* was charged by the stay
    this one continues (a car that settled, did not leave in time and is still here)."""

    stay_id: str
    plate: str
    vehicle_class: str
    zone: str
    entered: str
    entered_wall_ms: int
    entered_quality: int
    paid_fen: int
    waived_fen: int
    base_fee_fen: int = 0
    no_entry: str = ""  # first seen at the exit, it pays by this: first_segment or fixed_fee:FEN
    by_hand_fen: int = field(default=0, metadata=LATER)  # added to what the price lists say, below 0 taken off


@dataclass(frozen=True, slots=True)
class EntryInputs:
    """Everything an entry decision looks at.

    *places_taken* is what the plate's entitlement says of a car that finds all its places taken ("" where that is not
    so); *agreed*: the attendant was asked about it and lets the car in.
    """

    lane: str
    zone: str
    plate: str
    typed_by: str
    seen: tuple[Seen, ...]
    repeated: bool  # these very records opened a barrier before
    blocked: str
    inside: str  # "" not inside, "again" asked for again before crossing, "just_entered", "earlier" never seen leaving
    covered: bool
    places_left: int | None
    rules: Rules
    places_taken: str = field(default="", metadata=LATER)
    agreed: bool = field(default=False, metadata=LATER)
    owed_fen: int = field(default=0, metadata=LATER)  # from earlier visits


@dataclass(frozen=True, slots=True)
class ExitInputs:
    """Everything an exit decision looks at. *length_ms* is by the boot clock; *stay* None when none is near.

    *settled_ms* is how long ago nothing more was due, None when it never was so; *settled_fee_fen* and
    *settled_off* are the fee and the coupons' parts of that time. *new_stay_after_ms* is how long after entry it was
    paid ahead, where the price list begins a new stay for who did not leave in time, else None. *covered* lists
    spans an entitlement pays for, as pairs of minutes since entry. *entry_from_min* and *entry_to_min* say within how
    many minutes of the recorded entry it really was: both 0 where its time is known. *charging_min* is how long the car
    charged, *charged_before_fen* what its earlier stays took of the same caps.
    """

    lane: str
    plate: str
    typed_by: str
    seen: tuple[Seen, ...]
    repeated: bool
    near: tuple[str, ...]
    stay: OpenStay | None
    length_ms: int
    estimated: bool
    entry_from_min: int
    entry_to_min: int
    settled_ms: int | None
    settled_fee_fen: int
    settled_off: tuple[tuple[str, int], ...]
    new_stay_after_ms: int | None
    first_stay_of_day: bool
    charging_min: int
    charged_before_fen: int
    tariffs: tuple[TariffRef, ...]
    calendars: tuple[str, ...]
    coupons: tuple[CouponGiven, ...]
    covered: tuple[tuple[int, int], ...]
    cash: bool
    rules: Rules
    owing: tuple[Owing, ...] = field(default=(), metadata=LATER)  # from earlier visits, the oldest first
    paid_here: bool = field(default=False, metadata=LATER)  # it was paid while its car stood at an exit
    nested: Nested | None = field(default=None, metadata=LATER)  # it moved; then *covered* is empty
    locked: bool = field(default=False, metadata=LATER)  # somebody said that this plate is not to leave
    left_ms: int | None = field(default=None, metadata=LATER)  # how long ago it left, where it did and is not inside


@dataclass(frozen=True, slots=True)
class MoveInputs:
    """Everything a decision between two zones of the lot looks at; *stay_id* is "" when no stay is near.

    *again*: "" a new move, "again" asked for again before it crossed, "just_moved" it crossed here a moment ago.
    """

    lane: str
    source: str
    target: str
    plate: str
    typed_by: str
    seen: tuple[Seen, ...]
    repeated: bool
    near: tuple[str, ...]
    stay_id: str
    zone: str  # where the books have the car; another than *source* when a read was missed
    again: str
    covered: bool
    places_left: int | None  # None too where the lane leads outwards: nobody is kept in
    rules: Rules


@dataclass(frozen=True, slots=True)
class Priced:
    """A fee with its lines, and what coupons took off it. *off* maps a coupon's ref to the fen it saved."""

    fee_fen: int
    lines: tuple[Json, ...]
    off: tuple[tuple[str, int], ...] = ()
    steps: tuple[Json, ...] = ()
    rounding_fen: int = 0

    @property
    def off_fen(self) -> int:
        return sum(saved for _, saved in self.off)


Inputs = EntryInputs | MoveInputs | ExitInputs
Pricer = Callable[["ExitInputs", OpenStay], Priced]


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict with what it rested on. *text()* is what is stored and what a replay must reproduce."""

    kind: str
    verdict: Verdict
    inputs: Inputs
    explanation: Json
    priced: Priced | None = None

    def text(self) -> bytes:
        """Canonical JSON of the whole decision."""
        said = self.verdict
        verdict = {"is": type(said).__name__, **{one.name: getattr(said, one.name) for one in fields(said)}}
        return canonical(
            {"v": 1, "kind": self.kind, "inputs": self.inputs, "verdict": verdict, "why": self.explanation}
        )


def decide_entry(inputs: EntryInputs) -> Decision:
    """Let in, ask, or refuse. An unconfirmed or unlikely read always asks; a typed plate is a person's word."""
    verdict = _doubt(inputs) or _admission(inputs)
    owed = {"owed_fen": inputs.owed_fen} if inputs.owed_fen else {}
    return Decision("entry", verdict, inputs, {"plate": inputs.plate, **owed})


def _admission(inputs: EntryInputs) -> Verdict:
    if inputs.blocked:
        return Refuse("blocked")
    if inputs.inside == "just_entered":
        return Refuse("already_inside")
    full = inputs.places_left is not None and inputs.places_left <= 0
    if full and not inputs.covered and not _is_free(inputs.plate, inputs.rules):
        return Refuse("lot_full")
    owing = _owing_before(inputs)
    if owing is not None:
        return owing
    if full and is_on_word_alone(inputs):
        return Ask((), "typed_unseen")
    if inputs.places_taken == WhenFull.REFUSE:
        return Refuse("places_taken")
    if inputs.places_taken == WhenFull.ASK and not inputs.agreed:
        return Ask((inputs.plate,), "places_taken")
    return Admit("entered")


def _owing_before(inputs: EntryInputs) -> Verdict | None:
    """What the lot does with a car that still owes."""
    if inputs.owed_fen and inputs.rules.arrears == "refuse":
        return Refuse("debt_unpaid")
    if inputs.owed_fen and inputs.rules.arrears == "ask" and not inputs.agreed:
        return Ask((inputs.plate,), "debt_unpaid")
    return None


def decide_move(inputs: MoveInputs) -> Decision:
    """Let a car that is inside on into the next zone, ask which it is, or refuse. Nobody is kept in an inner zone."""
    found = lookalike.match(inputs.plate, inputs.near)
    explanation: Json = {"plate": inputs.plate, "matched": _matched(found), "from": inputs.zone}
    verdict = _unclear(inputs, found, known=bool(inputs.stay_id)) or _move(inputs)
    return Decision("move", verdict, inputs, explanation)


def _move(inputs: MoveInputs) -> Verdict:
    if inputs.again == "just_moved":
        return Refuse("already_inside")
    full = inputs.places_left is not None and inputs.places_left <= 0
    if full and not inputs.covered and not _is_free(inputs.plate, inputs.rules):
        return Refuse("lot_full")
    return Admit("moved")


def decide_exit(inputs: ExitInputs, price: Pricer) -> Decision:
    """Let out, ask for money, ask which stay, or refuse; the explanation carries the fee line by line."""
    found = lookalike.match(inputs.plate, inputs.near)
    explanation: Json = {"plate": inputs.plate, "matched": _matched(found)}
    if is_driver(inputs.typed_by):
        explanation |= {"support": support(inputs.plate, inputs.seen).value}
    stay = inputs.stay
    unclear = _unclear(inputs, found, known=stay is not None)
    if stay is None or unclear is not None:
        return Decision("exit", _left_already(inputs, unclear or Ask((), "no_open_stay")), inputs, explanation)
    priced = _price(inputs, stay, price)
    due = max(0, priced.fee_fen - priced.off_fen - stay.waived_fen - stay.paid_fen)
    explanation |= {"fee_fen": priced.fee_fen, "off_fen": priced.off_fen, "due_fen": due}
    explanation |= {"lines": list(priced.lines), "coupons": list(priced.steps)}
    due += _collected(inputs, explanation)
    verdict: Verdict = Admit(_why_free(inputs, priced)) if due == 0 else PayFirst(due)
    if due == 0 and is_on_word_alone(inputs) and not inputs.paid_here and inputs.rules.typed_free == "ask":
        verdict = Ask((), "typed_unseen")
    if inputs.locked:
        verdict = Refuse("plate_locked")
    return Decision("exit", verdict, inputs, explanation, priced)


def _left_already(inputs: ExitInputs, asked: Ask | Refuse) -> Ask | Refuse:
    """A car with no stay that has left before is asked about as that; no second fee is taken by itself."""
    is_unknown = isinstance(asked, Ask) and asked.code == "no_open_stay"
    return Ask((), "left_already") if is_unknown and inputs.left_ms is not None else asked


def _collected(inputs: ExitInputs, explanation: Json) -> int:
    """What is to be paid beside the fee for earlier visits, as lines of its own; said in any case."""
    owed = sum(one.left_fen for one in inputs.owing)
    if not owed:
        return 0
    explanation["owed_fen"] = owed
    if inputs.rules.arrears != "collect":
        return 0
    explanation["fee_due_fen"] = explanation["due_fen"]
    explanation["due_fen"] += owed
    explanation["debts"] = [
        {"debt": one.debt_id, "since": one.since_wall_ms, "fen": one.left_fen} for one in inputs.owing
    ]
    return owed


def is_on_word_alone(inputs: Inputs) -> bool:
    """Does only the driver say that this is the plate? A ticket's number is not guessed, so it proves itself."""
    if not is_driver(inputs.typed_by) or is_virtual(inputs.plate):
        return False
    return support(inputs.plate, inputs.seen) is Support.NONE


def _unclear(inputs: MoveInputs | ExitInputs, found: lookalike.Found, *, known: bool) -> Ask | Refuse | None:
    """Why nobody can say by itself which car inside this is, or None."""
    doubt = _doubt(inputs)
    if isinstance(doubt, Ask):
        return Ask(tuple(near.plate for near in lookalike.rank(inputs.plate, inputs.near)), doubt.code)
    if doubt is not None:
        return doubt
    if (is_on_word_alone(inputs) or is_virtual(inputs.plate)) and not isinstance(found, lookalike.Exact):
        return Ask((), "typed_no_stay")
    if isinstance(found, lookalike.Ask):
        return Ask(tuple(near.plate for near in found.candidates), "which_stay")
    return Ask((), "no_open_stay") if not known or isinstance(found, lookalike.NoMatch) else None


def _price(inputs: ExitInputs, stay: OpenStay, price: Pricer) -> Priced:
    if _is_free(stay.plate, inputs.rules):
        return Priced(0, ({"rule": "free_kind", "fen": 0},), steps=_kept(inputs.coupons))
    if _may_still_leave(inputs):
        return Priced(inputs.settled_fee_fen, ({"rule": "settled", "fen": inputs.settled_fee_fen},), inputs.settled_off)
    return _with_what_was_set(stay, _listed(inputs, stay, price))


def _with_what_was_set(stay: OpenStay, listed: Priced) -> Priced:
    """The lists' fee with what a person set as a line of its own; coupons never take off more than there is."""
    by_hand = max(stay.by_hand_fen, -listed.fee_fen)
    if not by_hand:
        return listed
    fee = listed.fee_fen + by_hand
    line: Json = {"rule": SET_BY_HAND, "fen": by_hand}
    return replace(listed, fee_fen=fee, lines=(*listed.lines, line), off=_capped(listed.off, fee))


def _listed(inputs: ExitInputs, stay: OpenStay, price: Pricer) -> Priced:
    """What the price lists say."""
    if stay.no_entry:
        return _without_entry(inputs, stay, price)
    priced = price(inputs, stay)
    if not stay.base_fee_fen or inputs.new_stay_after_ms is not None:
        return priced
    already = min(stay.base_fee_fen, priced.fee_fen)
    line: Json = {"rule": "charged_before", "fen": -already}
    fee = priced.fee_fen - already
    return Priced(fee, (*priced.lines, line), _capped(priced.off, fee), priced.steps, priced.rounding_fen)


def _without_entry(inputs: ExitInputs, stay: OpenStay, price: Pricer) -> Priced:
    """What a car pays that nobody saw come in; how long it stands at the exit does not matter, and no coupon counts."""
    rule, _, fixed_fen = stay.no_entry.partition(":")
    alone = replace(
        inputs, entry_from_min=0, entry_to_min=0, new_stay_after_ms=None, first_stay_of_day=False, charging_min=0,
        charged_before_fen=0, coupons=(), covered=(), settled_off=(),
    )  # fmt: skip
    unpaid = replace(stay, paid_fen=0, waived_fen=0, base_fee_fen=0)

    def fee_after(minutes: int) -> int:
        return price(replace(alone, length_ms=minutes * MS_A_MINUTE), unpaid).fee_fen

    fee = int(fixed_fen) if rule == "fixed_fee" else first_segment(fee_after)
    return Priced(fee, ({"rule": f"no_entry:{rule}", "fen": fee},), steps=_kept(inputs.coupons, "no_entry"))


def _kept(coupons: Sequence[CouponGiven], code: str = "nothing_due") -> tuple[Json, ...]:
    """Why coupons that were not even looked at keep their value."""
    return tuple({"coupon": one.ref, "refused": code} for one in coupons)


def _capped(off: tuple[tuple[str, int], ...], fee_fen: int) -> tuple[tuple[str, int], ...]:
    kept, left = [], fee_fen
    for ref, saved in off:
        kept.append((ref, min(saved, left)))
        left -= min(saved, left)
    return tuple(kept)


def _may_still_leave(inputs: ExitInputs) -> bool:
    return inputs.settled_ms is not None and inputs.settled_ms <= inputs.rules.leave_within_min * MS_A_MINUTE


def _why_free(inputs: ExitInputs, priced: Priced) -> str:
    if inputs.stay is not None and _is_free(inputs.stay.plate, inputs.rules):
        return "free_kind"
    if _may_still_leave(inputs):
        return "within_leave_time"
    covered = inputs.covered or (inputs.nested is not None and inputs.nested.covered)
    return "covered" if covered and priced.fee_fen == 0 else "nothing_due"


def _is_free(plate: str, rules: Rules) -> bool:
    kind = classify(plate)
    return kind is not None and kind.value in rules.free_kinds


def _doubt(inputs: Inputs) -> Ask | Refuse | None:
    """Why this read may not act by itself, or None."""
    plate, seen, rules = inputs.plate, inputs.seen, inputs.rules
    if is_driver(inputs.typed_by) and plate:
        return _driver_doubt(inputs)
    if inputs.typed_by:
        return None if plate else Ask((), "no_plate")
    live = [read for read in seen if read.live]
    if seen and not live:  # a car no camera has spoken of is not refused: somebody must look at it
        return Refuse("not_live")
    if inputs.repeated:
        return Refuse("repeated_record")
    if not plate or is_no_plate(plate):
        return Ask((), "no_plate")
    of_plate = [read for read in live if read.plate == plate]
    if not any(read.trusted for read in of_plate):
        return Ask((plate,), "unconfirmed")
    if classify(plate) is None and not is_virtual(plate):
        return Ask((plate,), "unlikely_plate")
    if max(read.confidence for read in of_plate if read.trusted) < rules.least_confidence:
        return Ask((plate,), "low_confidence")
    return None


def _driver_doubt(inputs: Inputs) -> Ask | None:
    """A driver's word does not stand against a camera's, and ends no stay of a car that is inside by our books.

    At an exit a confirmed read of a car inside is that car: whoever types its neighbour's plate shall not get its fee.
    """
    supported = support(inputs.plate, inputs.seen)
    near = () if isinstance(inputs, EntryInputs) else inputs.near
    known = any(read.live and read.trusted and read.plate in near for read in inputs.seen)
    if supported is Support.UNLIKE or (known and supported is not Support.SEEN):
        return Ask((), "typed_unlike_read")
    if isinstance(inputs, EntryInputs) and inputs.inside == "earlier" and supported is not Support.SEEN:
        return Ask((), "typed_inside")
    return None


def _matched(found: lookalike.Found) -> Json:
    match found:
        case lookalike.Exact(plate):
            return {"how": "exact", "plate": plate}
        case lookalike.Fuzzy(near):
            return {"how": "fuzzy", "plate": near.plate, "slip": near.reason.value, "score": near.score}
        case lookalike.Ask(candidates):
            return {"how": "ask", "plates": [near.plate for near in candidates]}
        case _:
            return {"how": "none"}


def inputs_from(kind: str, value: Mapping[str, Any]) -> Inputs:
    """Read stored inputs back. Raises BadMessageError when they are of another shape."""
    if kind == "move":
        return _rebuild(MoveInputs, value)
    return _rebuild(EntryInputs, value) if kind == "entry" else _rebuild(ExitInputs, value)


def _rebuild(cls: type[T], value: Any) -> T:
    """What is not there and came later has its default."""
    hints = get_type_hints(cls)
    names = [one.name for one in fields(cls) if one.name in value or not one.metadata.get("later")]  # type: ignore[arg-type]
    try:
        return cls(**{name: _value(hints[name], value[name]) for name in names})
    except (KeyError, TypeError, ValueError) as exc:
        raise BadMessageError(f"stored decision: {exc}") from exc


def _value(kind: Any, value: Any) -> Any:
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        (inner,) = (one for one in get_args(kind) if one is not type(None))
        return None if value is None else _value(inner, value)
    if origin is tuple:
        args = get_args(kind)
        if len(args) == 2 and args[1] is Ellipsis:
            return tuple(_value(args[0], one) for one in value)
        return tuple(_value(arg, one) for arg, one in zip(args, value, strict=True))
    if is_dataclass(kind):
        return _rebuild(kind, value)  # type: ignore[arg-type]
    if type(value) is not kind:
        raise TypeError(f"{value!r} is not {kind.__name__}")
    return value


def replayed(stored: bytes, price: Pricer) -> bytes:
    """Work a stored decision out again; equal to *stored* unless code, tariff text or record changed."""
    value = json.loads(stored)
    inputs = inputs_from(value["kind"], value["inputs"])
    if isinstance(inputs, EntryInputs):
        return decide_entry(inputs).text()
    if isinstance(inputs, MoveInputs):
        return decide_move(inputs).text()
    return decide_exit(inputs, price).text()
