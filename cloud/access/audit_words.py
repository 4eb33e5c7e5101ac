"""What an act changed, in words: fields before and after, only those that differ (E69)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from domain.fen import yuan
from domain.plate import mask
from domain.wire import canonical
from plumbing.i18n import Texts

_NOTHING: Any = object()
_PLATES = frozenset({"plate", "plates", "old_plate"})
_IN_FEN = frozenset({"fen"})
_LISTS = frozenset({"scopes", "facts"})
_AMOUNTS = frozenset(
    {"paid", "bonus", "amount", "balance", "bonus_balance", "branch_balance"}
)  # of the commodity beside them
_IN_MONEY = frozenset({"AMOUNT"})  # kinds of coupons whose value is money
_GROUPS = {
    "commodity": ("unit",),
    "kind": ("kind", "grant"),
    "role": ("role", "office", "booth_role"),
    "scopes": ("scope",),
    "facts": ("fact",),
    "state": ("coupon", "refund_state"),
    "slip": ("slip_kind",),
    "payment_mode": ("mode",),
    "settlement_mode": ("mode",),
    "amount_basis": ("basis",),
    "duration_basis": ("basis",),
    "waiver_basis": ("basis",),
}
"""Whose words a coded value has, where those are not under its own name."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that an act changed, as a person reads it; "" where there was nothing."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: their language, their time zone and whether they may see plates."""

    t: Texts
    zone: ZoneInfo
    plates: bool

    def differences(self, before: str, after: str) -> list[Difference]:
        """What differs between two stored texts of values."""
        old, new = dict(_flat(_values(before))), dict(_flat(_values(after)))
        return [
            Difference(
                self.name(name),
                self.value(name, old.get(name, _NOTHING), old | new),
                self.value(name, new.get(name, _NOTHING), old | new),
            )
            for name in old | new
            if old.get(name, _NOTHING) != new.get(name, _NOTHING)
        ]

    def name(self, path: str) -> str:
        """A field in words where it has some; inside another one after that one's."""
        return " · ".join(self._named(part) for part in path.split("."))

    def _named(self, part: str) -> str:
        for group in ("recorded", "field"):
            if self.t.catalogue.has(f"{group}.{part}"):
                return self.t(f"{group}.{part}")
        return part

    def value(self, path: str, value: Any, beside: dict[str, Any]) -> str:
        """A value in words, *beside* the others of its act: an amount is of their commodity."""
        name = path.rpartition(".")[2]
        if value is _NOTHING or value is None or value == "":
            return ""
        if isinstance(value, bool):
            return self.t("word.yes" if value else "word.no")
        if name in _PLATES and not self.plates:
            return " ".join(map(mask, value)) if isinstance(value, list) else mask(str(value))
        if isinstance(value, int):
            return self._number(name, value, beside)
        if isinstance(value, str):
            return self._listed(name, value.split()) if name in _LISTS else self._coded(name, value)
        return self._listed(name, value) if _is_plain(value) else canonical(value).decode()

    def _listed(self, name: str, values: list[Any]) -> str:
        return (" · " if name in _LISTS else " ").join(self._coded(name, str(one)) for one in values)

    def _number(self, name: str, value: int, beside: dict[str, Any]) -> str:
        of_money = beside.get("commodity") == "FEN" and name in _AMOUNTS
        of_money |= name == "value" and beside.get("kind") in _IN_MONEY
        if of_money or name in _IN_FEN or name.endswith("_fen"):
            return f"¥{yuan(value)}"
        if name.endswith("_ms"):
            return f"{datetime.fromtimestamp(value / 1000, self.zone):%Y-%m-%d %H:%M}"
        return str(value)

    def _coded(self, name: str, value: str) -> str:
        for group in _GROUPS.get(name, (name,)):
            if self.t.catalogue.has(f"{group}.{value}"):
                return self.t(f"{group}.{value}")
        return value

    def act(self, code: str) -> str:
        """An act in words."""
        return self._coded("act", code)

    def acts_like(self, typed: str) -> tuple[str, ...]:
        """Acts whose words in the reader's language contain what was *typed*."""
        words = self.t.catalogue.templates.get(self.t.language, {})
        wanted = typed.casefold()
        return tuple(
            key.removeprefix("act.")
            for key, text in words.items()
            if key.startswith("act.") and wanted in text.casefold()
        )


def _values(text: str) -> dict[str, Any]:
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {"value": found}


def _flat(values: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def _is_plain(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str | int) for one in value)
