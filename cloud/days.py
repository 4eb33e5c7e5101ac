"""Days as people write them, and the moments they begin at; UTC milliseconds throughout."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, tzinfo


def parse_day(text: str) -> date | None:
    """The day somebody typed; None for no day, and for one that this trade could not mean."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year <= 2200 else None


def day_at(ms: int, zone: tzinfo) -> date:
    """The day it is at a moment."""
    return datetime.fromtimestamp(ms / 1000, zone).date()


def today_began_ms(now_ms: int, zone: tzinfo) -> int:
    """When the day it is now began."""
    here = datetime.fromtimestamp(now_ms / 1000, zone)
    return round(here.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)


def began_ms(day: date, zone: tzinfo) -> int:
    """When *day* begins."""
    return int(datetime.combine(day, time(), zone).timestamp()) * 1000


def span_ms(first: date, last: date, zone: tzinfo) -> tuple[int, int]:
    """[start, end) of the days from *first* to *last*."""
    return began_ms(first, zone), began_ms(last + timedelta(days=1), zone)


def day_began(text: str, zone: tzinfo, days: int = 0) -> int | None:
    """When the day somebody typed began, *days* later; None for no day."""
    day = parse_day(text)
    return None if day is None else began_ms(day + timedelta(days), zone)
