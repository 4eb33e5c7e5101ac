"""Which stretch of time a statement covers: a month from a chosen day, half a month, or a week, by local days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

MONTH, HALF, WEEK = "month", "half", "week"
HALF_BEGINS: Final = 16
LAST_DAY: Final = 28  # every month has it


@dataclass(frozen=True, slots=True)
class Billing:
    """*kind* and where it begins: the day of a month (1 to 28) or of a week (1 Monday to 7); halves have no choice."""

    kind: str = MONTH
    begins: int = 1

    @property
    def text(self) -> str:
        """As it is kept: "month:5", "half", "week:1"."""
        return HALF if self.kind == HALF else f"{self.kind}:{self.begins}"


EVERY: Final = (
    *(Billing(MONTH, day) for day in range(1, LAST_DAY + 1)),
    Billing(HALF),
    *(Billing(WEEK, day) for day in range(1, 8)),
)
"""Every way there is to choose."""

_BY_TEXT: Final = {each.text: each for each in EVERY}


def billing_of(text: str) -> Billing | None:
    """What a text means, or None."""
    return _BY_TEXT.get(text)


def began(billing: Billing, now: datetime) -> datetime:
    """The first moment of the period *now* (with its zone) is in."""
    return datetime.combine(_first_day(billing, now.date()), time(), now.tzinfo)


def _first_day(billing: Billing, today: date) -> date:
    if billing.kind == WEEK:
        return today - timedelta(days=(today.isoweekday() - billing.begins) % 7)
    if billing.kind == HALF:
        return today.replace(day=HALF_BEGINS if today.day >= HALF_BEGINS else 1)
    if today.day >= billing.begins:
        return today.replace(day=billing.begins)
    return (today.replace(day=1) - timedelta(days=1)).replace(day=billing.begins)
