"""Where nobody knows when a car came, the lowest of all possible fees counts, and it is found among few tries."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from domain.calendar import CalendarSet
from domain.cautious import CautiousPriceLists, possible_shifts
from domain.decision import ExitInputs, OpenStay, Rules, TariffRef
from domain.moment import WEEK_MIN, Elapsed, Moment, Quality, Run, better_known, elapsed, possible_entry
from domain.pricing import PriceLists
from domain.tariff import Tariff, parse_tariff

TARIFFS = sorted((Path(__file__).parents[2] / "config" / "tariffs").glob("*.toml"))
MINUTE_MS = 60_000
DAY_MIN = 1440
BOOTS = [Run("a", 5_000), Run("b", 7_000), Run("c", 1_000)]


def inputs(digest: str, vehicle: str, minutes: int, first: int, last: int) -> ExitInputs:
    stay = OpenStay("s", "京A12345", vehicle, "main", "2026-11-20T13:07", 0, 0, 0, 0)
    return ExitInputs(
        lane="out", plate=stay.plate, typed_by="li", seen=(), repeated=False, near=(stay.plate,), stay=stay,
        length_ms=minutes * MINUTE_MS, estimated=True, entry_from_min=first, entry_to_min=last,
        settled_ms=None, settled_fee_fen=0, settled_off=(), new_stay_after_ms=None, first_stay_of_day=True,
        charging_min=0, charged_before_fen=0,
        tariffs=(TariffRef("main", "t", "1", digest),), calendars=(), coupons=(), covered=(), cash=True,
        rules=Rules((), 60, 15, 10),
    )  # fmt: skip


def read(path: Path) -> tuple[str, Tariff]:
    text = path.read_text(encoding="utf-8")
    return hashlib.sha256(text.encode()).hexdigest(), parse_tariff(text, path.name)


@pytest.mark.parametrize("path", TARIFFS, ids=lambda path: path.stem)
@pytest.mark.parametrize("minutes", [29, 61, 305, 800, 1700])
def test_the_lowest_fee_is_that_of_trying_every_minute(path: Path, minutes: int) -> None:
    digest, tariff = read(path)
    plain = PriceLists({digest: tariff}, CalendarSet())
    given = inputs(digest, tariff.classes[0], minutes, -120, DAY_MIN - 121)
    assert given.stay is not None
    entered = datetime.fromisoformat(given.stay.entered)

    lowest = min(
        plain(given, replace(given.stay, entered=(entered + timedelta(minutes=shift)).isoformat())).fee_fen
        for shift in range(-120, DAY_MIN - 120)
    )

    assert CautiousPriceLists(plain.tariffs, plain.calendar)(given, given.stay).fee_fen == lowest


def test_a_price_list_that_never_looks_at_the_clock_is_asked_once() -> None:
    tariff = parse_tariff(
        'code = "x"\nversion = 1\nstarts = 2026-01-01\nfree = 15\n[[window]]\nname = "all"\nunit = 60\nprice = 5\n', "x"
    )

    assert possible_shifts([tariff], "2026-11-20T13:07", 90, 0, WEEK_MIN) == [WEEK_MIN]


def test_a_price_list_of_whole_hours_is_not_tried_every_minute() -> None:
    _, tariff = read(next(path for path in TARIFFS if path.stem.startswith("g4")))

    assert len(possible_shifts([tariff], "2026-11-20T13:07", 90, 0, DAY_MIN)) < 600


@pytest.mark.parametrize(
    ("earlier", "later", "seconds"),
    [
        (Moment("a", 1_000, 0, Quality.RESTORED), Moment("c", 500, 90_000), 4 + 7 + 0.5),
        (Moment("b", 1_000, 0), Moment("c", 500, 90_000, Quality.UNKNOWN), 6 + 0.5),
        (Moment("a", 1_000, 0), Moment("c", 500, 90_000), 90),
        (Moment("a", 1_000, 85_000), Moment("c", 500, 90_000), 4 + 7 + 0.5),
        (Moment("gone", 1_000, 0, Quality.RESTORED), Moment("c", 500, 90_000), 0),
        (Moment("c", 1_000, 0, Quality.UNKNOWN), Moment("d", 500, 90_000), 0.5),
    ],
)
def test_across_boots_counts_what_clocks_vouch_for_or_the_time_it_ran(
    earlier: Moment, later: Moment, seconds: float
) -> None:
    assert elapsed(earlier, later, BOOTS) == Elapsed(timedelta(seconds=seconds), estimated=True)


HOUR = Elapsed(timedelta(hours=1), estimated=True)
SAME = Elapsed(timedelta(hours=1), estimated=False)


@pytest.mark.parametrize(
    ("entered", "later", "inside", "possible"),
    [
        (Moment("a", 0, 0, Quality.RTC), Moment("a", 0, 0), SAME, (0, 0)),
        (Moment("a", 0, 90_000, Quality.CLOUD, 40_000), Moment("b", 0, 0), HOUR, (-1, 1)),
        (Moment("a", 0, 0, Quality.RESTORED), Moment("a", 0, 0), SAME, (0, WEEK_MIN)),
        (Moment("a", 0, 0, Quality.RESTORED), Moment("b", 0, 180 * MINUTE_MS), HOUR, (0, 120)),
        (Moment("a", 0, 0, Quality.UNKNOWN), Moment("b", 0, 180 * MINUTE_MS), HOUR, (120 - WEEK_MIN, 120)),
        (Moment("a", 0, 0, Quality.RESTORED), Moment("b", 0, 0, Quality.RESTORED), HOUR, (0, WEEK_MIN)),
    ],
)
def test_how_far_off_an_entry_may_be(
    entered: Moment, later: Moment, inside: Elapsed, possible: tuple[int, int]
) -> None:
    assert possible_entry(entered, later, inside) == possible


@pytest.mark.parametrize(
    ("entered", "now", "wall_ms"),
    [
        (Moment("a", 1_000, 0, Quality.RESTORED), Moment("a", 5_000, 94_000, Quality.CLOUD, 20), 90_000),
        (Moment("a", 1_000, 80_000, Quality.RTC), Moment("a", 5_000, 94_000, Quality.NTP), 90_000),
        (Moment("a", 1_000, 89_500, Quality.RTC), Moment("a", 5_000, 94_000, Quality.NTP), None),
        (Moment("a", 1_000, 0, Quality.RESTORED), Moment("a", 5_000, 94_000, Quality.RTC), None),
        (Moment("a", 1_000, 0, Quality.RESTORED), Moment("b", 5_000, 94_000, Quality.CLOUD), None),
    ],
)
def test_a_better_clock_of_the_same_boot_mends_an_entry(entered: Moment, now: Moment, wall_ms: int | None) -> None:
    mended = better_known(entered, now)

    assert (mended.wall_ms if mended else None) == wall_ms
