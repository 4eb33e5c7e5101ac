"""Pricing a stay, against a closed form written by hand for one tariff (Guangzhou Baiyun Airport, small cars)."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from benchmarks.pairs import measure
from domain.calendar import CalendarSet, parse_calendar
from domain.tariff import VehicleClass, parse_tariff, quote

CONFIG = Path(__file__).parent.parent / "config"
ENTERED = datetime(2026, 3, 2, 8, 0)  # noqa: DTZ001 - lot-local, as tariffs are
DAY = 6000  # fen for 24 hours
ROUNDS = 200


def by_hand(minutes: int) -> int:
    """The same fee as a formula: 15 min free, 2 × 10, 8 × 5, then 60 yuan for 24 h, started hours."""
    if minutes <= 15:
        return 0
    days, rest = divmod(minutes, 1440)
    hours = -(-rest // 60)
    return days * DAY + (DAY if hours > 10 else min(hours, 2) * 1000 + max(0, hours - 2) * 500)


def main() -> None:
    """Print 3-day and 30-day stays in two tariffs."""
    tariff = parse_tariff((CONFIG / "tariffs/g2-baiyun-airport.toml").read_text(), "g2")
    night = parse_tariff((CONFIG / "tariffs/g4-guangzhou-day-night.toml").read_text(), "g4")
    calendars = CalendarSet([parse_calendar((CONFIG / "calendar/cn-2026.toml").read_text(), "cn-2026")])
    medians = {}
    for days in (3, 30):
        length = timedelta(days=days, hours=5, minutes=17)
        minutes = int(length.total_seconds()) // 60
        priced = quote(tariff, ENTERED, ENTERED + length, VehicleClass("small"), calendars).fee
        if priced != by_hand(minutes):
            raise SystemExit(f"{days} days: {priced} by the tariff, {by_hand(minutes)} by hand")
        for name, subject in (("airport", tariff), ("day and night", night)):
            pair = measure(
                f"tariff {name}, {days} days ({ROUNDS} quotes a sample)",
                "closed form by hand",
                lambda minutes=minutes: [by_hand(minutes) for _ in range(ROUNDS)],
                lambda subject=subject, length=length: [
                    quote(subject, ENTERED, ENTERED + length, VehicleClass("small"), calendars) for _ in range(ROUNDS)
                ],
                pairs=21,
            )
            medians[name, days] = pair.subject.p50 / ROUNDS
            print(f"{pair}\n  {medians[name, days] * 1e6:.0f} µs a quote")
    for name in ("airport", "day and night"):
        print(f"tariff {name}: 30 days take {medians[name, 30] / medians[name, 3]:.2f} × 3 days")


if __name__ == "__main__":
    main()
