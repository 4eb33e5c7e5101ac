"""What holds for every tariff one can write, tried on tariffs and stays drawn at random (the same ones every run)."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.calendar import CalendarSet
from domain.tariff import Quote, Tariff, TariffError, VehicleClass, parse_tariff, quote
from tests.domain.tariff.drawn import tariffs
from tests.domain.tariff.oracle import Oracle
from tests.domain.tariff.test_golden import CALENDAR, GOLDEN, load

SMALL = VehicleClass("small")
FIXED = settings(max_examples=100, derandomize=True, deadline=None, database=None)
EMPTY = CalendarSet()
at = datetime.fromisoformat


def parsed(text: str) -> Tariff:
    try:
        return parse_tariff(text, "drawn.toml")
    except TariffError:
        assume(False)
        raise


ENTRIES = st.integers(0, 60 * 24 * 40).map(lambda minutes: at("2026-02-01") + timedelta(minutes=minutes))


def price(tariff: Tariff, entered: datetime, length: int) -> Quote:
    return quote(tariff, entered, entered + timedelta(minutes=length), SMALL, CALENDAR)


@given(tariffs(), ENTRIES, st.integers(0, 60 * 24 * 4))
@FIXED
def test_every_fee_is_what_counting_minute_by_minute_gives(text: str, entered: datetime, length: int) -> None:
    tariff = parsed(text)
    left = entered + timedelta(minutes=length)

    result = quote(tariff, entered, left, SMALL, CALENDAR)

    assert result.fee == Oracle(tariff, "small", CALENDAR, entered, left).fee()


@given(tariffs(), ENTRIES, st.integers(0, 60 * 24 * 40), st.integers(0, 60 * 24 * 3))
@FIXED
def test_fees_are_never_negative_and_never_fall_as_the_stay_grows(
    text: str, entered: datetime, length: int, more: int
) -> None:
    tariff = parsed(text)

    shorter, longer = price(tariff, entered, length), price(tariff, entered, length + more)

    assert 0 <= shorter.fee <= longer.fee


@given(tariffs(), ENTRIES, st.integers(1, 60 * 24 * 40))
@FIXED
def test_lines_stay_within_the_stay_and_survive_their_json_values(text: str, entered: datetime, length: int) -> None:
    result = price(parsed(text), entered, length)

    assert all(entered <= line.begins < line.ends <= result.left for line in result.lines)
    spans = [line for line in result.lines if line.rule.split(":")[0] in ("time", "flat", "free", "whole_days")]
    assert all(one.ends <= other.begins for one, other in pairwise(spans))
    assert Quote.from_values(result.to_values()) == result


@given(ENTRIES, st.integers(0, 60 * 24 * 45))
@FIXED
def test_no_fee_is_above_the_caps(entered: datetime, length: int) -> None:
    tariff = load("g4-guangzhou-day-night.toml")

    result = price(tariff, entered, length)

    assert result.fee <= -(-length // 1440) * 4000


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe"])
def test_the_machines_time_zone_plays_no_part(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tariff = load("g3-beijing-kerb-1.toml")
    entered, left = at("2026-03-07T22:10"), at("2026-03-09T09:40")  # over the American change of clocks
    expected = quote(tariff, entered, left, SMALL, EMPTY)

    monkeypatch.setenv("TZ", zone)
    time.tzset()
    result = quote(tariff, entered, left, SMALL, EMPTY)
    monkeypatch.undo()
    time.tzset()

    assert result == expected


def test_seconds_are_cut_off_at_both_ends() -> None:
    tariff = load("g2-baiyun-airport.toml")

    result = quote(tariff, at("2026-03-03T08:00:59"), at("2026-03-03T08:15:58"), SMALL, EMPTY)

    assert result.fee == 0
    assert result.entered == at("2026-03-03T08:00")


def test_aware_times_and_reversed_stays_are_refused() -> None:
    tariff = load("g2-baiyun-airport.toml")
    noon = at("2026-03-03T12:00")

    with pytest.raises(ValueError, match="naive"):
        quote(tariff, noon.astimezone(), noon.astimezone(), SMALL, EMPTY)
    with pytest.raises(ValueError, match="is before"):
        quote(tariff, noon, noon - timedelta(minutes=1), SMALL, EMPTY)


def test_every_published_tariff_agrees_with_the_minutes(subtests: pytest.Subtests) -> None:
    for name in sorted({row[0] for row in GOLDEN}):
        with subtests.test(name):
            tariff, entered = load(name), at("2026-02-13T17:42")
            left = entered + timedelta(days=4, hours=3, minutes=21)

            assert (
                quote(tariff, entered, left, SMALL, CALENDAR).fee
                == Oracle(tariff, "small", CALENDAR, entered, left).fee()
            )


LONG = {
    "one visit under its cap": "[[window]]\nname = 'w'\nunit = 60\nprice = 1\ncap = 70",
    "a cap every ten hours": "[[window]]\nname = 'w'\nunit = 60\nprice = 3\n[[cap]]\nper = '10h'\namounts = [9, 17]",
    "steps that come back after thirty hours": (
        "[[window]]\nname = 'w'\nsteps = [{until = 60, unit = 60, price = 9}, {unit = 60, price = 1}]\n"
        "[restart]\nevery = '30h'"
    ),
    "units that never meet the day": (
        "[[window]]\nname = 'd'\nfrom = '07:00'\nto = '19:00'\nunit = 420\nprice = 4\n"
        "[[window]]\nname = 'n'\nunit = 45\nprice = 1\n[restart]\nat_window = []"
    ),
    "steps counted in their own window": (
        "[[window]]\nname = 'd'\nfrom = '07:00'\nto = '19:00'\n"
        "steps = [{until = 1800, unit = 60, price = 4}, {unit = 60, price = 1}]\n"
        "[[window]]\nname = 'n'\nflat = 6\n[restart]\nsteps_count = 'own_window'"
    ),
    "full units across the edges": (
        "counts = 'full'\n[[window]]\nname = 'd'\nfrom = '07:00'\nto = '19:00'\nunit = 420\nprice = 4\n"
        "[[window]]\nname = 'n'\nunit = 120\nprice = 1\n[restart]\nat_window = []"
    ),
    "a flat hour, then units that run on": (
        "[[window]]\nname = 'd'\nfrom = '07:00'\nto = '19:00'\n"
        "steps = [{until = 60, flat = 4}, {unit = 420, price = 2}]\n"
        "[[window]]\nname = 'n'\nunit = 45\nprice = 1\n[restart]\nat_window = ['steps']"
    ),
    "free minutes into another window": (
        "free = {minutes = 400, mode = 'deducted'}\n[[window]]\nname = 'd'\nfrom = '00:00'\nto = '19:00'\n"
        "steps = [{until = 30, unit = 15, price = 1}, {until = 720, flat = 4}, {unit = 60, price = 1}]\n"
        "[[window]]\nname = 'n'\nunit = 45\nprice = 1\n[restart]\nsteps_count = 'own_window'"
    ),
    "free minutes each day": (
        "[free]\nminutes = 100\nmode = 'deducted'\nevery_period = true\n"
        "[[window]]\nname = 'w'\nunit = 60\nprice = 1\n[restart]\nevery = 'day'"
    ),
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG.keys())
@pytest.mark.parametrize("entered", [at("2026-02-11T17:42"), at("2026-03-05T00:00"), at("2026-03-05T17:21")])
def test_whole_days_that_are_looked_up_agree_with_the_minutes(text: str, entered: datetime) -> None:
    tariff = parse_tariff(f"code = 'long'\n{text}", "long.toml")
    left = entered + timedelta(days=6, hours=7, minutes=8)

    fee = quote(tariff, entered, left, SMALL, CALENDAR).fee

    assert fee == Oracle(tariff, "small", CALENDAR, entered, left).fee()


@pytest.mark.parametrize("name", sorted({row[0] for row in GOLDEN} | {"example-mall.toml"}))
def test_a_stay_of_forty_days_walks_only_a_few_of_them(name: str) -> None:
    tariff = load(name)

    price(tariff, at("2026-02-09T17:42"), 40 * 1440)

    assert 0 < len(tariff.plan(SMALL).walked) <= 8
