"""Published tariffs from config/tariffs, priced minute by minute as their notices say."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from domain.calendar import CalendarSet, parse_calendar
from domain.tariff import Tariff, VehicleClass, parse_tariff, quote

CONFIG = Path(__file__).parents[3] / "config"
CALENDAR_FILE = CONFIG / "calendar" / "cn-2026.toml"
CALENDAR = CalendarSet([parse_calendar(CALENDAR_FILE.read_text("utf-8"), CALENDAR_FILE.name)])


def load(name: str) -> Tariff:
    path = CONFIG / "tariffs" / name
    return parse_tariff(path.read_text("utf-8"), path.name)


def moment(text: str) -> datetime:
    """ "+1d 08:00" is the day after 2026-03-03."""
    days, _, clock = text.rpartition(" ")
    return datetime.fromisoformat(f"2026-03-03T{clock}") + timedelta(days=int(days[1:-1] or 0) if days else 0)


def cases(name: str, vehicle: str, entry: str, *exits: str) -> list[tuple[str, str, str, str, int]]:
    return [(name, vehicle, entry, *_split(text)) for text in exits]


def _split(text: str) -> tuple[str, int]:
    leave, _, fen = text.rpartition(" ")
    return leave, int(fen)


G1, G2, G3 = "g1-hongqiao-t1.toml", "g2-baiyun-airport.toml", "g3-beijing-kerb-1.toml"
G4, G5 = "g4-guangzhou-day-night.toml", "g5-qianshan-jicuimen.toml"
GOLDEN = [
    *cases(G1, "small", "08:00", "08:20 0", "08:21 700", "16:01 4200", "+1d 08:00 4200", "+1d 08:01 4900"),
    *cases(G1, "small", "08:00", "+1d 17:01 8400"),
    *cases(G2, "small", "08:00", "08:15 0", "08:16 1000", "10:01 2500", "+1d 07:00 6000", "+1d 09:01 8000"),
    *cases(G2, "large", "08:00", "11:00 4000", "20:00 11000"),
    *cases(G3, "small", "10:00", "10:14 0", "10:15 250", "11:14 1000", "11:15 1375"),
    *cases(G3, "small", "17:00", "21:00 2600"),
    *cases(G3, "small", "19:00", "20:59 0", "+1d 07:00 600"),
    *cases(G4, "small", "11:16", "12:16 300", "18:00 2100", "18:01 3100", "+1d 08:00 4000", "+1d 11:18 4300"),
    *cases(G4, "small", "11:16", "+1d 12:17 4600", "+1d 18:01 7100", "+2d 08:00 8000", "+2d 11:18 8300"),
    *cases(G5, "small", "07:00", "07:30 0", "07:31 200"),
    *cases(G5, "small", "18:30", "20:10 200"),
    *cases(G5, "small", "19:00", "+1d 07:00 600"),
    *cases(G5, "small", "10:00", "+1d 10:00 2000"),
    *cases(G5, "large", "07:00", "08:00 300", "+1d 07:00 3000"),
    *cases("g6-nanning-deducted.toml", "small", "08:00", "10:00 600", "08:31 200", "08:30 0"),
    *cases("g6-nanning-counted.toml", "small", "08:00", "10:00 800", "08:31 400", "08:30 0"),
]


@pytest.mark.parametrize(("name", "vehicle", "entry", "leave", "fen"), GOLDEN)
def test_published_examples_come_out_to_the_fen(name: str, vehicle: str, entry: str, leave: str, fen: int) -> None:
    result = quote(load(name), moment(entry), moment(leave), VehicleClass(vehicle), CALENDAR)

    assert result.fee == fen
    assert sum(line.fen for line in result.lines) == fen
