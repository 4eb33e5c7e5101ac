"""What an entitlement says, as an administrator or a line of a file gives it, and why it may not be so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cloud.act import Refused
from domain.entitlement import Grant, WhenFull
from domain.plate import classify

LONGEST_NAME, LONGEST_REMARK, MOST_PLATES, MOST_GRACE, MOST_WINDOWS = 60, 128, 50, 366, 3
Windows = tuple[tuple[int, int, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class Terms:
    """Who, which cars, where and when. *zones* are (lot, zone), zone "" for the whole lot; *plates* in normal form.

    *windows* are (from minute, to minute, weekdays from 0 Monday), none for any time; *ends_ms* is not included.
    """

    kind: Grant
    name: str
    plates: tuple[str, ...]
    zones: tuple[tuple[int, str], ...]
    phone: str = ""
    host: str = ""
    remark: str = ""
    places: int = 0
    begins_ms: int | None = None
    ends_ms: int | None = None
    grace_days: int = 0
    windows: Windows = ()
    when_full: WhenFull = WhenFull.TEMPORARY


def wrong(terms: Terms, offered: Mapping[int, Iterable[str]]) -> Refused | None:
    """Why *terms* will not do; *offered* are the operator's lots with their zones."""
    return _wrong_person(terms) or _wrong_cars(terms) or _wrong_places(terms, offered) or _wrong_times(terms)


def _wrong_person(terms: Terms) -> Refused | None:
    if not terms.name.strip():
        return Refused("name_missing")
    for text, most in ((terms.name, LONGEST_NAME), (terms.host, LONGEST_NAME), (terms.remark, LONGEST_REMARK)):
        if len(text) > most:
            return Refused("text_too_long", {"most": most})
    if terms.phone and not (terms.phone.isascii() and terms.phone.isdigit() and 6 <= len(terms.phone) <= 15):
        return Refused("phone_malformed")
    if terms.kind is Grant.VISITOR and not terms.host.strip():
        return Refused("host_missing")
    return None


def _wrong_cars(terms: Terms) -> Refused | None:
    if not terms.plates:
        return Refused("plate_missing")
    if len(terms.plates) > MOST_PLATES:
        return Refused("plates_too_many", {"most": MOST_PLATES})
    for plate in terms.plates:
        if classify(plate) is None:
            return Refused("plate_malformed", {"plate": plate})
    if len(set(terms.plates)) != len(terms.plates):
        return Refused("plate_twice")
    if not 0 <= terms.places <= len(terms.plates):
        return Refused("places_beyond_plates", {"most": len(terms.plates)})
    return None


def _wrong_places(terms: Terms, offered: Mapping[int, Iterable[str]]) -> Refused | None:
    if not terms.zones:
        return Refused("zones_missing")
    if any(lot_id not in offered or zone not in ("", *offered[lot_id]) for lot_id, zone in terms.zones):
        return Refused("zone_unknown")
    return None


def _wrong_times(terms: Terms) -> Refused | None:
    if terms.begins_ms is not None and terms.ends_ms is not None and terms.begins_ms >= terms.ends_ms:
        return Refused("ends_before_it_begins")
    if terms.kind is Grant.VISITOR and (terms.begins_ms is None or terms.ends_ms is None):
        return Refused("visit_without_times")
    if not 0 <= terms.grace_days <= MOST_GRACE:
        return Refused("grace_malformed", {"most": MOST_GRACE})
    if len(terms.windows) > MOST_WINDOWS or not all(_is_window(window) for window in terms.windows):
        return Refused("window_malformed")
    return None


def _is_window(window: tuple[int, int, Sequence[int]]) -> bool:
    begins, ends, days = window
    return 0 <= begins < 1440 and 0 <= ends <= 1440 and begins != ends and all(0 <= day <= 6 for day in days)
