"""What a lane tells its driver: pages chosen and filled from templates, and how loud by the hour.

A template belongs to an event, and may be for one lane or one vehicle class only; the most particular one is taken.
A line whose variables are all empty is left out, so that "free places" vanishes where a zone is never full.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.decision import Admit, Ask, PayFirst, Verdict
from domain.scan_refusals import SCAN_REFUSALS

EVENTS = (
    "idle", "idle.full",
    "welcome", "move",
    "goodbye", "goodbye.nothing_due", "goodbye.free_kind", "goodbye.covered", "goodbye.within_leave_time",
    "pay",
    "ask", "ask.no_plate", "ask.no_open_stay", "ask.left_already",
    "ask.which_stay", "ask.unconfirmed", "ask.unlikely_plate",
    "ask.low_confidence", "ask.places_taken", "ask.debt_unpaid",
    "scan", "scan.no_plate", "scan.no_open_stay", "scan.left_already",
    "scan.which_stay", "scan.unconfirmed", "scan.unlikely_plate",
    "scan.low_confidence", "scan.places_taken", "scan.debt_unpaid",
    "scan.typed_unlike_read", "scan.typed_unseen", "scan.typed_inside", "scan.typed_no_stay", "call", "bell",
    "refuse", "refuse.lot_full", "refuse.places_taken", "refuse.blocked", "refuse.already_inside", "refuse.not_live",
    "refuse.repeated_record", "refuse.not_recorded", "refuse.debt_unpaid",
    "code", "code.no_car", "code.unknown", "code.entry_ticket", "code.exit_pass", "code.claim_code", "code.claimed",
    "code.pass_other_car", "code.payment_code", "code.paying", "code.pay_failed",
    *(f"code.{code}" for code in SCAN_REFUSALS),
)  # fmt: skip
"""``scan`` stands in for ``ask`` where nobody attends the lane, and ``call`` follows when that takes too long;
``code`` is what the scanner took in vain."""

VARIABLES = (
    "lot",
    "lane",
    "plate",
    "yuan",
    "fee",
    "off",
    "owed",
    "stayed",
    "minutes",
    "free",
    "zones",
    "notice",
    "time",
)
MINUTES_A_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Template:
    """What is shown and said at *event*; *lane* and *vehicle_class* "" hold for all."""

    event: str
    lines: tuple[str, ...]
    speak: str = ""
    lane: str = ""
    vehicle_class: str = ""

    def __post_init__(self) -> None:
        if self.event not in EVENTS:
            raise ValueError(f"no event {self.event!r}; there are {', '.join(EVENTS)}")
        for text in (*self.lines, self.speak):
            for name in _variables(text):
                if name not in VARIABLES:
                    raise ValueError(f"no variable {{{name}}}; there are {', '.join(VARIABLES)}")


@dataclass(frozen=True, slots=True)
class Page:
    """What a driver sees and hears."""

    lines: tuple[str, ...]
    speak: str = ""


def page(templates: Sequence[Template], event: str, lane: str, vehicle_class: str, values: Mapping[str, str]) -> Page:
    """The page for *event*; of equally particular templates the first. An event without any is an empty page."""
    base = event.partition(".")[0]
    fitting = [
        one
        for one in templates
        if one.event in (event, base) and one.lane in ("", lane) and one.vehicle_class in ("", vehicle_class)
    ]
    if not fitting:
        return Page(())
    best = max(fitting, key=lambda one: (one.event == event, bool(one.lane), bool(one.vehicle_class)))
    lines = (_filled(line, values) for line in best.lines)
    return Page(tuple(line for line in lines if line), _filled(best.speak, values).strip(","))


def event_of(verdict: Verdict, *, leaving: bool, attended: bool) -> str:
    """The event a decision is to the driver, in its most particular form."""
    match verdict:
        case Admit(reason=reason):
            if reason == "moved":
                return "move"
            return f"goodbye.{reason}" if leaving else "welcome"
        case PayFirst():
            return "pay"
        case Ask(code=code):
            return f"{'ask' if attended else 'scan'}.{code}"
        case refused:
            return f"refuse.{refused.code}"


def volume_at(steps: Mapping[str, int], minute: int) -> int:
    """How loud at *minute* of the day, 0 for no voice: *steps* name the times it changes, "07:00" to percent."""
    if not steps:
        return 0
    by_minute = sorted((minute_of(at), percent) for at, percent in steps.items())
    past = [percent for at, percent in by_minute if at <= minute % MINUTES_A_DAY]
    return past[-1] if past else by_minute[-1][1]  # before the first step the last one of yesterday holds


def minute_of(text: str) -> int:
    """Minutes since midnight of "HH:MM". Raises ValueError."""
    hour, colon, minute = text.partition(":")
    if not (colon and len(hour) == len(minute) == 2 and (hour + minute).isdecimal()):
        raise ValueError(f'{text!r} is not a time such as "07:00"')
    if int(hour) > 23 or int(minute) > 59:
        raise ValueError(f'{text!r} is not a time such as "07:00"')
    return int(hour) * 60 + int(minute)


def _variables(text: str) -> list[str]:
    try:
        fields = list(string.Formatter().parse(text))
    except ValueError as exc:
        raise ValueError(f"{text!r}: {exc}") from exc
    if any(spec or conversion for _, _, spec, conversion in fields):
        raise ValueError(f"{text!r}: a variable is a name in braces and nothing else")
    return [name for _, name, _, _ in fields if name is not None]


def _filled(text: str, values: Mapping[str, str]) -> str:
    names = _variables(text)
    if names and not any(values.get(name) for name in names):
        return ""
    return text.format_map({name: values.get(name, "") for name in names}).strip()
