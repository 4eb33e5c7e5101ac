"""Pricing a stay, against a closed form written by hand for one tariff (Guangzhou Baiyun Airport, small cars)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from benchmarks.figures import Figure, Options
from benchmarks.pairs import Spread, interleave, shown
from domain.calendar import CalendarSet, parse_calendar
from domain.tariff import Tariff, VehicleClass, parse_tariff, quote

CONFIG = Path(__file__).parent.parent / "config"
ENTERED = datetime(2026, 3, 2, 8, 0)  # noqa: DTZ001 - lot-local, as tariffs are
DAY = 6000  # fen for 24 hours
MOST_S = 300e-6
LONG_MOST = 2.0
REPEATED = 100


def length(days: int) -> timedelta:
    """So many days and a bit."""
    return timedelta(days=days, hours=5, minutes=17)


def minutes(days: int) -> int:
    """The same in minutes."""
    return int(length(days).total_seconds()) // 60


def by_hand(minutes: int) -> int:
    """The same fee as a formula: 15 min free, 2 × 10, 8 × 5, then 60 yuan for 24 h, started hours."""
    if minutes <= 15:
        return 0
    days, rest = divmod(minutes, 1440)
    hours = -(-rest // 60)
    return days * DAY + (DAY if hours > 10 else min(hours, 2) * 1000 + max(0, hours - 2) * 500)


def repeat_by_hand(minutes: int) -> None:
    """One sample of the formula: a single call is below the clock's grain."""
    for _ in range(REPEATED):
        by_hand(minutes)


def run(options: Options) -> list[Figure]:
    """3-day and 30-day stays in two tariffs, each beside the closed form of one of them."""
    airport = parse_tariff((CONFIG / "tariffs/g2-baiyun-airport.toml").read_text(), "g2")
    night = parse_tariff((CONFIG / "tariffs/g4-guangzhou-day-night.toml").read_text(), "g4")
    calendars = CalendarSet([parse_calendar((CONFIG / "calendar/cn-2026.toml").read_text(), "cn-2026")])

    def fee(tariff: Tariff, days: int) -> int:
        return quote(tariff, ENTERED, ENTERED + length(days), VehicleClass("small"), calendars).fee

    for days in (3, 30):
        if fee(airport, days) != by_hand(minutes(days)):
            raise SystemExit(f"{days} days: {fee(airport, days)} by the tariff, {by_hand(minutes(days))} by hand")
    works: dict[str, Callable[[], object]] = {f"by hand {d}": partial(repeat_by_hand, minutes(d)) for d in (3, 30)}
    for name, tariff in (("airport", airport), ("day and night", night)):
        works |= {f"{name} {days}": partial(fee, tariff, days) for days in (3, 30)}
    taken = interleave(works, 20 if options.smoke else 2000)
    return [figure for name in ("airport", "day and night") for figure in figures_of(name, taken)]


def figures_of(name: str, taken: Mapping[str, Sequence[float]]) -> list[Figure]:
    """3 days against the clock and the closed form, 30 days against 3."""
    short, long = (Spread.of(taken[f"{name} {days}"]) for days in (3, 30))
    formula = Spread.of(taken["by hand 3"])
    times = short.p50 / formula.p50 * REPEATED
    ratio = long.p50 / short.p50
    return [
        Figure(
            f"tariff {name}, 3 days",
            f"≤ {shown(MOST_S)}",
            f"{short}, {times:.0f} × the formula by hand (p50 {formula.p50 / REPEATED * 1e6:.2f} µs)",
            short.p50 <= MOST_S,
        ),
        Figure(f"tariff {name}, 30 days", f"≤ {LONG_MOST:g} × 3 days", f"{ratio:.2f} × ({long})", ratio <= LONG_MOST),
    ]
