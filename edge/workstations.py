"""Places in the lot where somebody sits with a drawer: which lanes they see to, and whether money needs a shift."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum


class Shifts(StrEnum):
    """Does cash need an open shift at the workstation where it is taken?"""

    OFF = "off"  # no shifts: whoever is signed in takes cash
    NEEDED = "needed"


class Receipts(StrEnum):
    """Is a receipt printed when cash is taken?"""

    NEVER = "never"  # only when somebody asks for one later
    ASK = "ask"  # the attendant ticks it
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Workstation:
    """A booth: the lanes it sees to, its printer, its drawer, its scanner. Each belongs to one workstation at most."""

    name: str
    lanes: tuple[str, ...] = ()
    printer: str = ""
    receipt: Receipts = Receipts.NEVER
    scanner: str = ""

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ValueError("a workstation needs a name")
        if self.receipt is not Receipts.NEVER and not self.printer:
            raise ValueError(f"workstation {self.name}: receipt needs a printer")


def check(
    places: tuple[Workstation, ...],
    lanes: Collection[str],
    printers: Collection[str],
    scanners: Collection[str],
    shifts: Shifts,
) -> None:
    """Raises ValueError for names that are not there or there twice, and for shifts without a workstation."""
    names = [place.name for place in places]
    named = [lane for place in places for lane in place.lanes]
    scanning = [place.scanner for place in places if place.scanner]
    for what, every in (("workstations", names), ("workstations: lane", named), ("workstations: scanner", scanning)):
        for name in every:
            if every.count(name) > 1:
                raise ValueError(f"{what}: {name!r} is given twice")
    for place in places:
        for lane in place.lanes:
            if lane not in lanes:
                raise ValueError(f"workstation {place.name}: no lane {lane!r}; known: {', '.join(sorted(lanes))}")
        if place.printer and place.printer not in printers:
            raise ValueError(f"workstation {place.name}: no printer {place.printer!r}")
        if place.scanner and place.scanner not in scanners:
            raise ValueError(f"workstation {place.name}: no scanner {place.scanner!r}")
    if shifts is Shifts.NEEDED and not places:
        raise ValueError('rules.shifts = "needed" needs at least one [[workstations]]')
