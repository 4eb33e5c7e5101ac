"""What truly happened at the lot, written down by the street itself and by nobody else."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from benchmarks.week.plan import Car


@dataclass(slots=True)
class Visit:
    """One car that came. Times are virtual seconds; None while it has not happened."""

    car: Car
    entered_s: float | None = None
    left_s: float | None = None
    how_in: str = ""  # pulse | tailgate | trailer | lifted | unseen
    how_out: str = ""
    went_away: str = ""  # why it never came in: lot_full, reversed, gave_up
    booked: str = ""  # under which plate the lot knows it, as its attendant sees it
    stay_in: str = ""
    stay_out: str = ""
    cash: dict[str, int] = field(default_factory=dict)  # payment -> fen handed over
    unpaid: str = ""  # why it left without paying what was due
    paper: str = ""  # a voucher in the driver's hand
    ticket: str = ""  # the number it was given instead of a plate
    doors: set[bool] = field(default_factory=set)  # ways on which its driver has asked at the lane's own door
    looked_back: bool = False  # at what it owes from earlier visits
    looked_up: str = ""  # the decision after which the attendant named its plate
    helps: list[str] = field(default_factory=list)  # what the attendant did for it

    @property
    def is_inside(self) -> bool:
        """Does it stand in the lot?"""
        return self.entered_s is not None and self.left_s is None


@dataclass(frozen=True, slots=True)
class Crossing:
    """A vehicle went under an arm. *seen*: a daemon was there, its loops worked, and it was no trailer to them."""

    at_s: float
    lane: str
    inwards: bool
    car: int
    how: str
    seen: bool


@dataclass(slots=True)
class Truth:
    """Everything true."""

    visits: dict[int, Visit] = field(default_factory=dict)
    crossings: list[Crossing] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)  # what nobody can explain: each is a fault of the product or of this
    told: Counter[str] = field(default_factory=Counter)  # how often what happened

    def visit(self, car: Car) -> Visit:
        """The visit of *car*, begun when first asked for."""
        return self.visits.setdefault(car.number, Visit(car))

    @property
    def inside(self) -> list[Visit]:
        """Cars that stand in the lot."""
        return [visit for visit in self.visits.values() if visit.is_inside]

    @property
    def cash_fen(self) -> int:
        """All money drivers handed over."""
        return sum(sum(visit.cash.values()) for visit in self.visits.values())
