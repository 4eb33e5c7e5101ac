"""The acts of the scripted day with what was expected of each and what was seen."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from domain.fen import yuan

YES, NO = "✓", "✗"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that had to come out in one way."""

    what: str
    expected: object
    seen: object
    telling: bool = False  # worth its place in the table even when it held

    @property
    def held(self) -> bool:
        return self.expected == self.seen


@dataclass(slots=True)
class Act:
    """A scene of the day. *trouble* is what kept it from being played to its end."""

    name: str
    checks: list[Check] = field(default_factory=list)
    trouble: str = ""
    seconds: float = 0.0

    def expect(self, what: str, expected: object, seen: object, *, telling: bool = False) -> None:
        """Note a check."""
        self.checks.append(Check(what, expected, seen, telling))

    def expect_fen(self, what: str, expected: int, seen: int, *, telling: bool = False) -> None:
        """Note a check of money, told in yuan."""
        self.expect(what, yuan(expected), yuan(seen), telling=telling)

    @property
    def held(self) -> bool:
        return not self.trouble and bool(self.checks) and all(check.held for check in self.checks)

    def values(self) -> dict[str, Any]:
        """For demo.json."""
        checks = [
            {"what": check.what, "expected": _plain(check.expected), "seen": _plain(check.seen), "held": check.held}
            for check in self.checks
        ]
        return {
            "act": self.name,
            "held": self.held,
            "seconds": self.seconds,
            "checks": checks,
            "trouble": self.trouble,
        }


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | bool | type(None)) else str(value)


def table(acts: Sequence[Act]) -> Iterator[str]:
    """Lines of the table: one an act, and under it every check that did not hold."""
    width = max((columns(act.name) for act in acts), default=0)
    for act in acts:
        good = sum(check.held for check in act.checks)
        mark = YES if act.held else NO
        yield f"  {mark} {padded(act.name, width)}  {good:>2}/{len(act.checks):<2}  {_summary(act)}".rstrip()
        for check in act.checks:
            if not check.held:
                yield f"      {NO} {check.what}: expected {check.expected}, saw {check.seen}"
        if act.trouble:
            yield f"      {NO} {act.trouble}"


def _summary(act: Act) -> str:
    return " · ".join(f"{check.what} {check.seen}" for check in act.checks if check.telling)


def columns(text: str) -> int:
    """How many columns of a terminal *text* takes."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def padded(text: str, width: int) -> str:
    """*text* filled up to *width* columns."""
    return text + " " * (width - columns(text))
