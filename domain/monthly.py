"""One month more of a monthly pass (月租): until when, and what it costs."""

from __future__ import annotations

import calendar
from datetime import datetime

from domain.fen import Fen


def month_after(ends: datetime, begins: datetime | None = None) -> datetime:
    """The end of the month that follows *ends*, both lot-local and not included.

    The same day of the next month, or its last day where it is shorter. A pass that began on the 31st ends on the
    30th of April and on the 31st of May again: the day it began on is not lost to a short month.
    """
    year, month = (ends.year, ends.month + 1) if ends.month < 12 else (ends.year + 1, 1)
    is_cut = begins is not None and ends.day == calendar.monthrange(ends.year, ends.month)[1] and begins.day > ends.day
    day = begins.day if begins is not None and is_cut else ends.day
    return ends.replace(year=year, month=month, day=min(day, calendar.monthrange(year, month)[1]))


def month_price(place_fen: Fen, plates: int, places: int) -> Fen:
    """What a month costs: a place's price for each of its *places*; 0 places means one for each of its *plates*."""
    return Fen(place_fen * (places or plates))
