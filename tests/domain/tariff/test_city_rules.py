"""Rules met in other cities' notices, each written as TOML only."""

from __future__ import annotations

from datetime import datetime

import pytest

from domain.calendar import CalendarSet, parse_calendar
from domain.fen import Fen
from domain.tariff import StayFacts, VehicleClass, parse_tariff, quote
from tests.domain.tariff.test_golden import CALENDAR

OWN = parse_calendar('name = "lot"\nversion = 3\nyear = 2026\n[own_days]\nevent = [2026-03-07]', "lot.toml")
WITH_EVENTS = CalendarSet([*CALENDAR.calendars, OWN])
at = datetime.fromisoformat

GROWING = """
code = "growing"
[[window]]
name = "hours"
unit = 60
price = 10
[[cap]]
per = "day"
amounts = [30, 40, 50]
[restart]
every = "day"
"""
FIRST_STAY = """
code = "first-stay"
classes = ["small", "nev"]
[[free]]
classes = ["nev"]
first_stay_of_day = true
minutes = "2h"
[[free]]
minutes = 15
[[window]]
name = "hours"
unit = 60
price = { nev = 3, other = 4 }
"""
HALF_PRICE = """
code = "half-price"
[[window]]
name = "hours"
steps = [{ until = "2h", free = true }, { until = "4h", unit = 60, price = 1.5 }, { unit = 60, price = 3 }]
"""
CHARGING = """
code = "charging"
[free]
minutes = "1h"
while_charging = "2h"
[[window]]
name = "hours"
unit = 30
price = 2
"""
DAYS = """
code = "days"
own_days = ["event"]
[[window]]
name = "event"
days = ["event"]
from = "18:00"
to = "23:00"
unit = 60
price = 20
[[window]]
name = "off"
days = ["weekend", "holiday"]
unit = 60
price = 8
[[window]]
name = "work"
unit = 60
price = 4
[[cap]]
per = "day"
days = ["workday"]
amount = 20
"""
NIGHT = """
code = "night"
[[window]]
name = "night"
from = "20:00"
to = "08:00"
flat = 10
[[window]]
name = "day"
unit = 60
price = 6
cap = 30
"""
NIGHT_CAP = NIGHT.replace("flat = 10", "unit = 60\nprice = 3\ncap = 12")
NIGHT_FREE = NIGHT.replace("flat = 10", "free = true")
CARRY = """
code = "carry"
[[window]]
name = "day"
from = "08:00"
to = "20:00"
unit = 60
price = 6
[[window]]
name = "night"
unit = 120
price = 2
[restart]
at_window = []
"""
PAST_MIDNIGHT = """
code = "past-midnight"
day_begins = "02:00"
[[window]]
name = "later"
from_day = 2
unit = 60
price = 9
[[window]]
name = "first"
unit = 60
price = 5
"""
TWO_CAPS = """
code = "two-caps"
[[window]]
name = "hours"
unit = 60
price = 5
[[cap]]
per = "12h"
amount = 20
[[cap]]
per = "24h"
amount = 30
[[cap]]
per = "stay"
amount = 100
"""
CLASSES = """
code = "classes"
classes = ["small", "large", "coach", "nev", "police"]
[class.coach]
like = "large"
[class.nev]
like = "small"
percent = 50
[class.police]
like = "small"
exempt = true
[free]
minutes = { small = 15, other = 0 }
[[window]]
name = "large"
classes = ["large"]
flat = 30
[[window]]
name = "hours"
classes = ["small"]
unit = 60
price = 3.75
"""
EACH_DAY_FREE = """
code = "each-day-free"
[free]
minutes = 30
mode = "deducted"
every_period = true
[[window]]
name = "hours"
unit = 30
price = 2
[restart]
every = "day"
"""
ONCE = """
code = "once"
[[window]]
name = "day"
from = "07:00"
to = "19:00"
steps = [{ until = "1h", unit = 60, price = 10 }, { unit = 60, price = 5 }]
[[window]]
name = "night"
unit = "2h"
price = 1
[restart]
at_window = ["units"]
steps_count = "own_window"
"""
TOLERANT = """
code = "tolerant"
[[window]]
name = "hours"
unit = 60
price = 5
grace = 15
"""
LUNCH = """
code = "lunch"
classes = ["small", "nev"]
[[free]]
from = "11:30"
to = "13:30"
minutes = "1h"
[[window]]
name = "hours"
steps = [{ until = { nev = "2h", other = "1h" }, unit = 60, price = 2 }, { unit = 60, price = 6 }]
"""

CASES = [
    (LUNCH, "small", "2026-03-03T11:30", "2026-03-03T12:30", 0),
    (LUNCH, "small", "2026-03-03T13:30", "2026-03-03T14:30", 200),
    (LUNCH, "small", "2026-03-03T14:00", "2026-03-03T16:00", 800),
    (LUNCH, "nev", "2026-03-03T14:00", "2026-03-03T16:00", 400),
    (GROWING, "small", "2026-03-03T08:10", "2026-03-03T10:00", 2000),
    (GROWING, "small", "2026-03-03T08:10", "2026-03-04T12:00", 7000),
    (GROWING, "small", "2026-03-03T08:10", "2026-03-08T01:00", 3000 + 4000 + 5000 * 3 + 1000),
    (FIRST_STAY, "nev", "2026-03-03T08:00", "2026-03-03T10:00", 0),
    (FIRST_STAY, "nev", "2026-03-03T08:00", "2026-03-03T10:01", 900),
    (FIRST_STAY, "small", "2026-03-03T08:00", "2026-03-03T10:00", 800),
    (HALF_PRICE, "small", "2026-03-03T08:00", "2026-03-03T10:00", 0),
    (HALF_PRICE, "small", "2026-03-03T08:00", "2026-03-03T10:01", 150),
    (HALF_PRICE, "small", "2026-03-03T08:00", "2026-03-03T12:00", 300),
    (HALF_PRICE, "small", "2026-03-03T08:00", "2026-03-03T15:30", 1500),
    (DAYS, "small", "2026-03-03T10:00", "2026-03-03T12:00", 800),
    (DAYS, "small", "2026-02-14T10:00", "2026-02-14T12:00", 800),  # Saturday, worked
    (DAYS, "small", "2026-02-17T10:00", "2026-02-17T12:00", 1600),  # Tuesday, Spring Festival
    (DAYS, "small", "2026-03-07T17:30", "2026-03-07T23:10", 800 + 5 * 2000 + 800),
    (DAYS, "small", "2026-03-06T22:30", "2026-03-07T01:10", 800 + 1600),
    (DAYS, "small", "2026-03-03T10:00", "2026-03-03T22:00", 2000),
    (NIGHT, "small", "2026-03-03T21:00", "2026-03-04T05:00", 1000),
    (NIGHT, "small", "2026-03-03T21:00", "2026-03-04T09:01", 1000 + 1200),
    (NIGHT, "small", "2026-03-03T21:00", "2026-03-05T09:00", 1000 + 3000 + 1000 + 600),
    (NIGHT_CAP, "small", "2026-03-03T21:00", "2026-03-03T23:30", 900),
    (NIGHT_CAP, "small", "2026-03-03T21:00", "2026-03-04T08:00", 1200),
    (NIGHT_FREE, "small", "2026-03-03T19:30", "2026-03-04T08:00", 600),
    (CARRY, "small", "2026-03-03T19:30", "2026-03-03T20:30", 600),
    (CARRY, "small", "2026-03-03T19:30", "2026-03-03T20:31", 800),
    (PAST_MIDNIGHT, "small", "2026-03-03T23:00", "2026-03-04T02:00", 1500),
    (PAST_MIDNIGHT, "small", "2026-03-03T23:00", "2026-03-04T03:30", 1500 + 1800),
    (TWO_CAPS, "small", "2026-03-03T08:00", "2026-03-03T19:00", 2000),
    (TWO_CAPS, "small", "2026-03-03T08:00", "2026-03-03T21:00", 2500),
    (TWO_CAPS, "small", "2026-03-03T08:00", "2026-03-04T08:00", 3000),
    (TWO_CAPS, "small", "2026-03-03T08:00", "2026-03-13T08:00", 10000),
    (CLASSES, "small", "2026-03-03T08:00", "2026-03-03T08:15", 0),
    (CLASSES, "nev", "2026-03-03T08:00", "2026-03-03T08:16", 187),
    (CLASSES, "coach", "2026-03-03T08:00", "2026-03-03T08:01", 3000),
    (CLASSES, "police", "2026-03-03T08:00", "2026-03-05T08:01", 0),
    (EACH_DAY_FREE, "small", "2026-03-03T23:00", "2026-03-04T01:00", 200 + 200),
    (ONCE, "small", "2026-03-03T18:00", "2026-03-04T08:00", 1000 + 600 + 500),
    (TOLERANT, "small", "2026-03-03T08:00", "2026-03-03T08:15", 0),
    (TOLERANT, "small", "2026-03-03T08:00", "2026-03-03T09:15", 500),
    (TOLERANT, "small", "2026-03-03T08:00", "2026-03-03T09:16", 1000),
]


@pytest.mark.parametrize(("text", "vehicle", "entered", "left", "fen"), CASES)
def test_a_rule_from_another_city_needs_only_toml(text: str, vehicle: str, entered: str, left: str, fen: int) -> None:
    result = quote(parse_tariff(text, "city.toml"), at(entered), at(left), VehicleClass(vehicle), WITH_EVENTS)

    assert result.fee == fen


@pytest.mark.parametrize(("charging", "fen"), [(0, 1000), (90, 0), (60, 1000), (300, 0)])
def test_charging_adds_free_minutes_up_to_a_limit(charging: int, fen: int) -> None:
    facts = StayFacts(charging_minutes=charging)
    entered, left = at("2026-03-03T08:00"), at("2026-03-03T10:20")

    assert quote(parse_tariff(CHARGING, "c"), entered, left, VehicleClass("small"), CALENDAR, facts).fee == fen


def test_only_the_first_stay_of_a_day_has_its_two_free_hours() -> None:
    tariff, nev = parse_tariff(FIRST_STAY, "f"), VehicleClass("nev")
    entered, left = at("2026-03-03T08:00"), at("2026-03-03T09:30")

    first, second = (quote(tariff, entered, left, nev, CALENDAR, StayFacts(once)).fee for once in (True, False))

    assert (first, second) == (0, 600)


def test_what_an_earlier_stay_paid_counts_against_the_first_cap() -> None:
    facts = StayFacts(charged_before=Fen(2500))
    tariff = parse_tariff(GROWING, "g")

    result = quote(tariff, at("2026-03-03T08:10"), at("2026-03-04T09:00"), VehicleClass("small"), CALENDAR, facts)

    assert result.fee == 500 + 4000


def test_calendars_are_named_and_a_missing_year_is_said() -> None:
    tariff, small = parse_tariff(DAYS, "d"), VehicleClass("small")

    known = quote(tariff, at("2026-03-03T08:00"), at("2026-03-03T09:00"), small, WITH_EVENTS)
    unknown = quote(tariff, at("2026-12-31T23:00"), at("2027-01-01T01:00"), small, WITH_EVENTS)

    assert (known.calendars, known.notes) == (("cn-2026 v1", "lot-2026 v3"), ())
    assert unknown.notes == ("calendar_missing:2027",)
    assert unknown.fee == 800  # 1 January 2027 is a Friday: a plain weekday without its calendar


def test_a_class_the_tariff_does_not_know_pays_as_the_first_and_is_noted() -> None:
    tariff = parse_tariff(CLASSES, "c")

    result = quote(tariff, at("2026-03-03T08:00"), at("2026-03-03T09:00"), VehicleClass("tractor"), CALENDAR)

    assert (result.fee, result.notes) == (375, ("class_unknown:tractor",))
