"""What administrators type about entitlements, turned into terms; dates are days of the cloud's time zone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cloud.act import Refused
from cloud.members.service import Entitled
from cloud.members.terms import MOST_WINDOWS, Terms, Windows
from cloud.web.state import whole
from domain.entitlement import Grant, WhenFull
from domain.plate import normalise

BETWEEN = re.compile(r"[\s,，、;；/|]+")
TEXTS = ("name", "phone", "host", "remark")


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a posted form as texts; *several* are those that may come more than once."""

    texts: Mapping[str, str]
    several: Mapping[str, tuple[str, ...]]


def form_of(posted: Any) -> Form:
    """The texts of a posted form, trimmed; files are left aside."""
    several: dict[str, list[str]] = {}
    for name, value in posted.items():
        if isinstance(value, str):
            several.setdefault(name, []).append(value.strip())
    return Form({name: values[0] for name, values in several.items()}, {n: tuple(v) for n, v in several.items()})


def plates_in(text: str) -> tuple[str, ...]:
    """Plates somebody typed, in normal form, each as often as it was typed."""
    return tuple(normalise(part) for part in BETWEEN.split(text) if part)


def terms_in(form: Form, tz: ZoneInfo) -> Terms | Refused:
    """The terms a form gives; what cannot be read is refused here, what makes no sense by the service."""
    texts = form.texts
    try:
        kind, when_full = Grant(texts.get("kind", "")), WhenFull(texts.get("when_full") or "temporary")
    except ValueError:
        return Refused("kind_unknown")
    numbers = [whole(texts.get(name) or "0") for name in ("places", "grace_days")]
    if None in numbers:
        return Refused("number_malformed")
    begins, ends = moment_in(texts.get("begins", ""), tz), moment_in(texts.get("ends", ""), tz, is_end=True)
    windows = _windows_in(form)
    zones = [zone_in(each) for each in form.several.get("zone", ())]
    if isinstance(begins, Refused) or isinstance(ends, Refused):
        return Refused("date_malformed")
    if windows is None:
        return Refused("window_malformed")
    if None in zones:
        return Refused("zone_unknown")
    return Terms(
        kind=kind,
        plates=plates_in(texts.get("plates", "")),
        zones=tuple(zone for zone in zones if zone is not None),
        places=numbers[0] or 0,
        begins_ms=begins,
        ends_ms=ends,
        grace_days=numbers[1] or 0,
        windows=windows,
        when_full=when_full,
        **{name: texts.get(name, "") for name in TEXTS},
    )


def moment_in(text: str, tz: ZoneInfo, *, is_end: bool = False) -> int | Refused | None:
    """A day or a time as UTC ms; "" is None. A day that *is_end* is the last one: its midnight follows it."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return Refused("date_malformed")
    if not 2000 <= at.year <= 2200 or at.tzinfo is not None:
        return Refused("date_malformed")
    if is_end and len(text) == len("2026-01-31"):
        at += timedelta(days=1)
    return round(at.replace(tzinfo=tz).timestamp() * 1000)


def _windows_in(form: Form) -> Windows | None:
    windows = []
    for number in range(1, MOST_WINDOWS + 1):
        begins, ends = (_minute_in(form.texts.get(f"w{number}_{name}", "")) for name in ("from", "to"))
        days = tuple(sorted({int(day) for day in form.several.get(f"w{number}_day", ()) if day in tuple("0123456")}))
        if begins == -1 or ends == -1 or (begins is None) != (ends is None):
            return None
        if begins is not None and ends is not None:
            windows.append((begins, ends, days))
        elif days:
            windows.append((0, 1440, days))
    return tuple(windows)


def _minute_in(text: str) -> int | None:
    """Minute of the day of "HH:MM", None for "", -1 for anything else."""
    if not text:
        return None
    found = re.fullmatch(r"([01]?\d|2[0-4]):([0-5]\d)", text)
    minute = int(found[1]) * 60 + int(found[2]) if found else -1
    return minute if minute <= 1440 else -1


def zone_in(text: str) -> tuple[int, str] | None:
    """ "7" is the whole lot, "7:P2" a zone of it; None for anything else."""
    lot, _, zone = text.partition(":")
    lot_id = whole(lot)
    return None if lot_id is None else (lot_id, zone)


def form_from(held: Entitled, tz: ZoneInfo) -> Form:
    """The form that gives what is held."""
    row = held.row
    timed = row["kind"] == Grant.VISITOR
    texts = {name: row[name] for name in ("kind", *TEXTS, "when_full")}
    texts |= {
        "plates": "\n".join(held.plates),
        "places": str(row["places"] or ""),
        "grace_days": str(row["grace_days"]),
    }
    texts |= {"begins": shown(row["begins_ms"], tz, timed), "ends": shown(row["ends_ms"], tz, timed, is_end=True)}
    several = {"zone": tuple(f"{lot_id}:{zone}" if zone else str(lot_id) for lot_id, zone in held.zones)}
    for number, (begins, ends, days) in enumerate(held.windows, 1):
        if (begins, ends) != (0, 1440):
            texts |= {f"w{number}_from": clock(begins), f"w{number}_to": clock(ends)}
        several[f"w{number}_day"] = tuple(str(day) for day in days)
    return Form(texts, several)


def clock(minute: int) -> str:
    """ "HH:MM" of a minute of the day, as a field of a form takes it: midnight is 00:00 at both ends."""
    return f"{minute // 60 % 24:02}:{minute % 60:02}"


def shown(ms: int | None, tz: ZoneInfo, timed: bool, *, is_end: bool = False) -> str:
    """A moment as ``moment_in`` takes it: with its time, or the day; of an end the last day."""
    if ms is None:
        return ""
    at = datetime.fromtimestamp(ms / 1000, tz)
    if timed:
        return f"{at:%Y-%m-%dT%H:%M}"
    return f"{at - timedelta(minutes=1) if is_end else at:%Y-%m-%d}"


def blank(kind: Grant, now_ms: int, tz: ZoneInfo, zones: tuple[str, ...]) -> Form:
    """A form to begin with: a visitor comes today, a month begins today."""
    now = datetime.fromtimestamp(now_ms / 1000, tz)
    today = now.replace(hour=0, minute=0)
    if kind is Grant.VISITOR:
        texts = {"begins": f"{now:%Y-%m-%dT%H:%M}", "ends": f"{today + timedelta(days=1):%Y-%m-%dT%H:%M}"}
    else:
        texts = {"begins": f"{now:%Y-%m-%d}", "ends": ""}
    texts |= {"kind": kind.value, "when_full": "temporary", "grace_days": "0"}
    return Form(texts, {"zone": zones if len(zones) == 1 else ()})
