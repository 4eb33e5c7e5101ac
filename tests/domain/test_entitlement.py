"""Entitlements: which minutes of a stay they cover."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.entitlement import (
    Covered,
    CutStay,
    Entitlement,
    Grant,
    Welcome,
    WhenFull,
    Window,
    ZoneSpan,
    cut_stay,
    places_held,
    welcome,
)

PLATE = "京A12345"
FRIDAY = datetime(2026, 11, 20, 18, 0)  # noqa: DTZ001  lot-local
MONTHLY = Entitlement("m", Grant.MONTHLY, frozenset({PLATE, "京B00001", "京B00002"}))


def stay(minutes: int, zone: str = "P1") -> tuple[ZoneSpan, ...]:
    return (ZoneSpan(zone, 0, minutes),)


def after(minutes: int) -> datetime:
    return FRIDAY + timedelta(minutes=minutes)


def test_a_monthly_car_pays_nothing() -> None:
    assert cut_stay(PLATE, FRIDAY, stay(300), [MONTHLY]) == CutStay((Covered(0, 300, "m"),), ())


def test_another_plate_is_not_covered() -> None:
    assert cut_stay("川Z99999", FRIDAY, stay(300), [MONTHLY]) == CutStay((), ((0, 300),))


@pytest.mark.parametrize(
    ("begins", "ends", "covered", "uncovered"),
    [
        (None, after(100), ((0, 100),), ((100, 300),)),  # the month ends during the stay
        (after(100), None, ((100, 300),), ((0, 100),)),  # bought while inside
        (after(100), after(200), ((100, 200),), ((0, 100), (200, 300))),
        (after(-9), after(0), (), ((0, 300),)),
        (after(300), None, (), ((0, 300),)),
    ],
)
def test_only_the_part_within_its_dates_is_covered(
    begins: datetime | None,
    ends: datetime | None,
    covered: tuple[tuple[int, int], ...],
    uncovered: tuple[tuple[int, int], ...],
) -> None:
    cut = cut_stay(PLATE, FRIDAY, stay(300), [replace(MONTHLY, begins=begins, ends=ends)])

    assert tuple((part.begins, part.ends) for part in cut.covered) == covered
    assert cut.uncovered == uncovered


def test_a_night_pass_covers_the_nights_of_the_days_on_which_it_begins() -> None:
    nights = replace(MONTHLY, windows=(Window(20 * 60, 8 * 60, frozenset({4})),))  # Friday 20:00 to Saturday 08:00

    cut = cut_stay(PLATE, FRIDAY, stay(3 * 1440), [nights])

    assert cut == CutStay((Covered(120, 840, "m"),), ((0, 120), (840, 3 * 1440)))


def test_a_window_that_began_before_the_entry_counts() -> None:
    nights = replace(MONTHLY, windows=(Window(20 * 60, 8 * 60),))

    cut = cut_stay(PLATE, FRIDAY.replace(hour=6), stay(180), [nights])

    assert cut == CutStay((Covered(0, 120, "m"),), ((120, 180),))


def test_whole_days_of_a_weekday_pass_join_without_a_gap() -> None:
    weekdays = replace(MONTHLY, windows=(Window(weekdays=frozenset(range(5))),))

    cut = cut_stay(PLATE, FRIDAY - timedelta(days=1), stay(2 * 1440), [weekdays])

    assert cut == CutStay((Covered(0, 1800, "m"),), ((1800, 2880),))  # Thursday 18:00 to Saturday 00:00


def test_only_its_zones_are_covered() -> None:
    zones = (ZoneSpan("P1", 0, 60), ZoneSpan("P2", 60, 200), ZoneSpan("P1", 200, 230))

    cut = cut_stay(PLATE, FRIDAY, zones, [replace(MONTHLY, zones=frozenset({"P1"}))])

    assert cut == CutStay((Covered(0, 60, "m"), Covered(200, 230, "m")), ((60, 200),))


@pytest.mark.parametrize(
    ("places", "others", "uncovered"),
    [
        (1, [(-100, 50)], ((0, 50),)),  # covered once the other car has gone
        (1, [(-100, 999)], ((0, 300),)),
        (2, [(-100, 999)], ()),
        (2, [(-100, 999), (100, 200)], ((100, 200),)),
        (0, [(-100, 999), (-100, 999)], ()),  # as many places as plates
        (1, [(0, 50), (50, 80)], ((0, 80),)),
    ],
)
def test_more_cars_than_places_pay_like_anyone(
    places: int, others: list[tuple[int, int]], uncovered: tuple[tuple[int, int], ...]
) -> None:
    cut = cut_stay(PLATE, FRIDAY, stay(300), [replace(MONTHLY, places=places)], {"m": others})

    assert cut.uncovered == uncovered


def test_a_second_entitlement_covers_what_the_first_leaves() -> None:
    visitor = Entitlement("v", Grant.VISITOR, frozenset({PLATE}), begins=after(50), ends=after(250))

    cut = cut_stay(PLATE, FRIDAY, stay(300), [replace(MONTHLY, ends=after(100)), visitor])

    assert cut == CutStay((Covered(0, 100, "m"), Covered(100, 250, "v")), ((250, 300),))


def test_a_stay_of_no_minutes_is_neither_covered_nor_not() -> None:
    assert cut_stay(PLATE, FRIDAY, stay(0), [MONTHLY]) == CutStay((), ())


@pytest.mark.parametrize(
    ("at", "zone", "in_use", "good"),
    [
        (after(0), "P1", {}, True),
        (after(0), "P2", {}, False),
        (after(1440), "P1", {}, False),
        (after(0), "P1", {"m": 1}, True),
        (after(0), "P1", {"m": 2}, False),
        (after(0), "P1", {"other": 9}, True),
    ],
)
def test_at_the_entry_it_is_known_who_is_covered(at: datetime, zone: str, in_use: dict[str, int], good: bool) -> None:
    card = replace(MONTHLY, places=2, zones=frozenset({"P1"}), ends=after(1440))
    others = {name: [(-60, 60)] * count for name, count in in_use.items()}

    assert welcome(PLATE, zone, at, [card], others).by == (card if good else None)


@pytest.mark.parametrize("policy", list(WhenFull))
def test_at_the_entry_a_full_entitlement_says_what_that_means(policy: WhenFull) -> None:
    family = replace(MONTHLY, places=1, when_full=policy, begins=after(-600), ends=after(600))
    taken = {"m": [(-60, 60)]}

    assert welcome(PLATE, "P1", FRIDAY, [family], taken) == Welcome(full=policy)
    assert welcome(PLATE, "P1", after(700), [family], taken) == Welcome()
    assert welcome("粤B98765", "P1", FRIDAY, [family], taken) == Welcome()


def test_another_entitlement_covers_a_car_whose_family_place_is_taken() -> None:
    family = replace(MONTHLY, places=1, when_full=WhenFull.REFUSE)
    visitor = Entitlement("v", Grant.VISITOR, frozenset({PLATE}))

    assert welcome(PLATE, "P1", FRIDAY, [family, visitor], {"m": [(-60, 60)]}) == Welcome(visitor)


@pytest.mark.parametrize(
    ("policy", "covered"),
    [
        (WhenFull.TEMPORARY, [(50, 300)]),
        (WhenFull.ASK, [(50, 300)]),
        (WhenFull.REFUSE, [(50, 300)]),  # somebody opened by hand: it gets the place once it is free
        (WhenFull.WHOLE_STAY, []),
    ],
)
def test_a_car_that_found_no_place_is_covered_later_or_never(policy: WhenFull, covered: list[tuple[int, int]]) -> None:
    family = replace(MONTHLY, places=1, when_full=policy)

    cut = cut_stay(PLATE, FRIDAY, stay(300), [family], {"m": [(-30, 50)]})

    assert [(part.begins, part.ends) for part in cut.covered] == covered


def test_whether_a_place_is_free_is_asked_in_the_first_minute_it_would_be_good() -> None:
    family = replace(MONTHLY, places=1, when_full=WhenFull.WHOLE_STAY, begins=after(60))

    assert cut_stay(PLATE, FRIDAY, stay(300), [family], {"m": [(-30, 60)]}).uncovered == ((0, 60),)
    assert cut_stay(PLATE, FRIDAY, stay(300), [family], {"m": [(-30, 61)]}).uncovered == ((0, 300),)


def test_a_car_that_is_temporary_for_its_whole_stay_holds_no_place() -> None:
    stays = [(-90, 10), (-60, 999), (20, 30)]

    assert places_held(stays, 1, WhenFull.WHOLE_STAY) == [(-90, 10), (20, 30)]
    assert places_held(stays, 2, WhenFull.WHOLE_STAY) == stays
    assert places_held(stays, 1, WhenFull.TEMPORARY) == stays


def test_days_of_grace_follow_the_last_day() -> None:
    card = replace(MONTHLY, ends=after(-2 * 1440), grace_days=2)

    assert cut_stay(PLATE, FRIDAY, stay(30), [card]).uncovered == ((0, 30),)
    assert cut_stay(PLATE, FRIDAY, stay(30), [replace(card, grace_days=3)]).uncovered == ()


@given(
    st.integers(0, 5000),
    st.lists(
        st.builds(
            Entitlement,
            st.sampled_from("abc"),
            st.just(Grant.STAFF),
            st.just(frozenset({PLATE})),
            st.integers(0, 2),
            st.just(frozenset()) | st.just(frozenset({"P1"})),
            st.none() | st.integers(-3000, 6000).map(after),
            st.none() | st.integers(-3000, 6000).map(after),
            st.lists(
                st.builds(
                    Window, st.integers(0, 1439), st.integers(0, 1440), st.frozensets(st.integers(0, 6), max_size=3)
                ),
                max_size=2,
            ).map(tuple),
        ),
        max_size=3,
    ),
    st.lists(st.tuples(st.integers(-100, 2000), st.integers(0, 5000)), max_size=3),
)
def test_every_minute_is_covered_or_not_and_never_both(
    minutes: int, entitlements: list[Entitlement], others: list[tuple[int, int]]
) -> None:
    held = [(begins, ends) for begins, ends in others if begins < ends]

    cut = cut_stay(PLATE, FRIDAY, stay(minutes), entitlements, {"a": held})

    spans = sorted([(part.begins, part.ends) for part in cut.covered] + list(cut.uncovered))
    assert sum(ends - begins for begins, ends in spans) == minutes
    assert all(begins < ends for begins, ends in spans)
    assert all(ends <= begins for (_, ends), (begins, _) in pairwise(spans))
