"""Reading a TOML document strictly: every error names the file, the key path and what is allowed."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from domain.fen import Fen


class DocumentError(ValueError):
    """A document that cannot be used; the text names file, key path and what is allowed."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a document a value stands: file, key path, and the error class of that kind of file."""

    source: str
    path: str
    error: type[DocumentError]

    def fault(self, problem: str) -> DocumentError:
        """This document's error for this place, to be raised."""
        where = f"{self.source}: {self.path}" if self.path else self.source
        return self.error(f"{where}: {problem}")

    def at(self, key: str) -> Place:
        """The place of *key* below this one."""
        return Place(self.source, f"{self.path}.{key}" if self.path else key, self.error)

    def item(self, number: int) -> Place:
        """The place of list item *number* (people count from 1)."""
        return Place(self.source, f"{self.path}[{number}]", self.error)


def load(text: str, source: str, error: type[DocumentError]) -> tuple[dict[str, Any], Place]:
    """Parse TOML with exact decimals. Raises *error* with line and column when it is not TOML."""
    place = Place(source, "", error)
    try:
        return tomllib.loads(text, parse_float=Decimal), place
    except tomllib.TOMLDecodeError as exc:
        raise place.fault(f"not valid TOML: {exc}") from exc


def choice(value: object, place: Place, allowed: Iterable[str]) -> str:
    """*value* if it is one of the *allowed* words; the error lists them and guesses a slip."""
    words = list(allowed)
    if isinstance(value, str) and value in words:
        return value
    raise place.fault(f"{value!r} is not allowed; choose one of {', '.join(words)}{guess(value, words)}")


def guess(word: object, words: Iterable[str]) -> str:
    """`` (did you mean "x"?)`` when one of *words* is close to *word*, else nothing."""
    close = difflib.get_close_matches(word, list(words), 1) if isinstance(word, str) else []
    return f' (did you mean "{close[0]}"?)' if close else ""


def minutes(value: object, place: Place) -> int:
    """A length in whole minutes: 90, "90min", "2h" or "1h30"."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, str):
        hours, h, rest = value.strip().rpartition("h")
        rest = rest.removesuffix("min")
        if (not h or hours.isdecimal()) and (rest.isdecimal() or (h and not rest)):
            return int(hours or 0) * 60 + int(rest or 0)
    raise place.fault(f'{value!r} is not a length; write minutes as 90, or text such as "30min", "2h", "1h30"')


def time_of_day(value: object, place: Place) -> int:
    """Minutes since midnight from "HH:MM"; "24:00" is the end of the day."""
    if isinstance(value, str) and len(value) == 5 and value[2] == ":" and (value[:2] + value[3:]).isdecimal():
        minute = int(value[:2]) * 60 + int(value[3:])
        if int(value[3:]) < 60 and minute <= 1440:
            return minute
    raise place.fault(f'{value!r} is not a time of day; write "HH:MM" between "00:00" and "24:00"')


def amount(value: object, place: Place) -> Fen:
    """An amount in yuan (5, 2.5, 3.75) as whole fen, not negative."""
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        fen = Decimal(value) * 100
        if fen.is_finite() and fen >= 0 and fen == fen.to_integral_value():
            return Fen(int(fen))
    raise place.fault(
        f"{_shown(value)} is not an amount; write yuan as a number such as 5, 2.5 or 3.75 (whole fen, 0 or more)"
    )


def plain_date(value: object, place: Place) -> date:
    """A TOML date such as 2026-10-01, without a time."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise place.fault(f"{_shown(value)} is not a date; write it bare, such as 2026-10-01")


def _shown(value: object) -> str:
    return str(value) if isinstance(value, (Decimal, date)) else repr(value)


class Table:
    """One TOML table: its keys are known at once, and each is read with a type and a place."""

    def __init__(self, data: object, place: Place, allowed: Iterable[str]) -> None:
        """Refuses a value that is no table, and unknown keys by name with the nearest known one."""
        if not isinstance(data, Mapping):
            raise place.fault(f"must be a table, not {_shown(data)}")
        self.data: Mapping[str, Any] = data
        self.place = place
        known = list(allowed)
        for key in data:
            if key not in known:
                raise place.at(key).fault(f"unknown key; allowed here: {', '.join(known)}{guess(key, known)}")

    def __contains__(self, key: str) -> bool:
        return key in self.data

    def at(self, key: str) -> Place:
        """The place of *key*."""
        return self.place.at(key)

    def need(self, key: str) -> Any:
        """The raw value of *key*; its absence is an error."""
        if key not in self.data:
            raise self.place.at(key).fault("is required")
        return self.data[key]

    def text(self, key: str, default: str | None = None) -> str:
        """A text that is not empty."""
        value = self.need(key) if default is None else self.data.get(key, default)
        if not isinstance(value, str) or not (value or default == ""):
            raise self.at(key).fault(f"{_shown(value)} must be a text in quotes")
        return value

    def number(self, key: str, default: int | None = None, least: int = 0, most: int | None = None) -> int:
        """A whole number between *least* and *most*."""
        value = self.need(key) if default is None else self.data.get(key, default)
        fits = isinstance(value, int) and not isinstance(value, bool) and value >= least
        if not fits or (most is not None and value > most):
            span = f"{least} or more" if most is None else f"{least} to {most}"
            raise self.at(key).fault(f"{_shown(value)} must be a whole number, {span}")
        return int(value)

    def flag(self, key: str, default: bool = False) -> bool:
        """true or false."""
        value = self.data.get(key, default)
        if not isinstance(value, bool):
            raise self.at(key).fault(f"{_shown(value)} must be true or false")
        return value

    def minutes(self, key: str, default: int | None = None) -> int:
        """A length in minutes."""
        return minutes(self.need(key) if default is None else self.data.get(key, default), self.at(key))

    def time(self, key: str, default: str) -> int:
        """Minutes since midnight."""
        return time_of_day(self.data.get(key, default), self.at(key))

    def word(self, key: str, allowed: Iterable[str], default: str | None = None) -> str:
        """One of the *allowed* words."""
        value = self.need(key) if default is None else self.data.get(key, default)
        return choice(value, self.at(key), allowed)

    def words(self, key: str, allowed: Iterable[str] | None, default: Iterable[str] = ()) -> tuple[str, ...]:
        """A list of texts, each one of *allowed* when that is given, none twice."""
        value = self.data.get(key, list(default))
        if not isinstance(value, list) or any(not isinstance(item, str) or not item for item in value):
            raise self.at(key).fault('must be a list of texts such as ["a", "b"]')
        if allowed is not None:
            known = list(allowed)
            for number, item in enumerate(value, 1):
                choice(item, self.at(key).item(number), known)
        if len(set(value)) != len(value):
            raise self.at(key).fault("names something twice")
        return tuple(value)

    def tables(self, key: str) -> list[tuple[object, Place]]:
        """The items of an array of tables, or the single table, each with its place."""
        value = self.data.get(key, [])
        if isinstance(value, Mapping):
            return [(value, self.at(key))]
        if not isinstance(value, list):
            raise self.at(key).fault(f"must be a table [{key}] or tables [[{key}]]")
        return [(item, self.at(key).item(number)) for number, item in enumerate(value, 1)]
