"""What a plate has to pay at a lot, as the lot itself says it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from domain.wire import Json

KIND = "fee.ask"


@dataclass(frozen=True, slots=True)
class Said:
    """What the lot said: signed quotes for the car inside and for earlier visits, "" where there is none.

    *code* says why nothing is quoted for the car: no_open_stay, nothing_due, clock_unknown. *off* names coupons and
    papers as lots do, each with the fen it took. *by_cloud*: the lot has no line, and the cloud worked it out.
    """

    code: str = ""
    quote: str = ""
    debts: str = ""
    lines: tuple[Json, ...] = ()
    off: tuple[tuple[str, int], ...] = ()
    by_cloud: bool = False


SILENT, CHANGED = Said("silent"), Said("changed")


def read(text: str) -> Said:
    """A result in our terms; a command that was not carried out is silence."""
    try:
        said = json.loads(text)
        lines = tuple(line for line in said.get("lines", ()) if isinstance(line, dict))
        off = tuple((str(ref), int(fen)) for ref, fen in said.get("off", ()))
        return Said(str(said["code"]), str(said.get("quote", "")), str(said.get("debts", "")), lines, off)
    except (ValueError, TypeError, KeyError, AttributeError):
        return SILENT
