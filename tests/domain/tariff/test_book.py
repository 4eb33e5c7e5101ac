"""Versions by start date, payment ahead, and rounding."""

from __future__ import annotations

from datetime import datetime

import pytest

from domain.fen import Fen
from domain.tariff import Method, TariffBook, VehicleClass, parse_tariff, quote, quote_after_payment, round_due
from tests.domain.tariff.test_golden import CALENDAR, G2, load

SMALL = VehicleClass("small")
at = datetime.fromisoformat
VERSION = """
code = "lot"
version = {version}
starts = {starts}
across_start = "{across}"
[free]
minutes = 30
[[window]]
name = "hours"
unit = 60
price = {price}
"""


def book(across: str) -> TariffBook:
    texts = [
        VERSION.format(version=1, starts="2026-01-01", across="split", price=5),
        VERSION.format(version=2, starts="2026-04-01", across=across, price=8),
    ]
    return TariffBook(parse_tariff(text, "lot.toml") for text in texts)


@pytest.mark.parametrize(
    ("across", "fen", "versions"), [("split", 1300, [1, 2]), ("entry", 1000, [1]), ("exit", 1600, [2])]
)
def test_a_stay_across_a_new_version_follows_its_rule(across: str, fen: int, versions: list[int]) -> None:
    result = book(across).quote(at("2026-03-31T23:00"), at("2026-04-01T01:00"), SMALL, CALENDAR)

    assert result.fee == fen
    assert [ref.version for ref in result.tariffs] == versions


def test_a_short_stay_across_the_change_is_still_free() -> None:
    result = book("split").quote(at("2026-03-31T23:45"), at("2026-04-01T00:15"), SMALL, CALENDAR)

    assert result.fee == 0


def test_the_part_under_the_new_version_has_no_free_minutes_of_its_own() -> None:
    result = book("split").quote(at("2026-03-31T23:30"), at("2026-04-01T00:20"), SMALL, CALENDAR)

    assert result.fee == 500 + 800


def test_a_day_before_the_first_version_is_priced_by_it() -> None:
    assert book("split").at(at("2025-06-01T00:00")).version == 1
    assert book("split").at(at("2026-04-01T00:00")).version == 2


def test_two_versions_may_not_start_together() -> None:
    with pytest.raises(ValueError, match="start date of its own"):
        TariffBook([load(G2), load(G2)])


def airport(late: str) -> TariffBook:
    return TariffBook([parse_tariff(load(G2).text.replace('"new_stay"', f'"{late}"'), "g2")])


@pytest.mark.parametrize(
    ("late", "left", "owed"),
    [
        ("new_stay", "2026-03-03T10:15", 0),
        ("new_stay", "2026-03-03T10:16", 1000),
        ("difference", "2026-03-03T10:15", 0),
        ("difference", "2026-03-03T10:16", 500),
        ("difference", "2026-03-03T11:59", 1000),
    ],
)
def test_who_paid_ahead_leaves_in_time_or_pays_by_the_tariffs_rule(late: str, left: str, owed: int) -> None:
    entered, paid_at = at("2026-03-03T08:00"), at("2026-03-03T10:00")

    result = quote_after_payment(airport(late), entered, paid_at, Fen(2000), at(left), SMALL, CALENDAR)

    assert result.fee == owed


def test_paying_more_than_the_fee_never_leaves_a_negative_one() -> None:
    entered, paid_at = at("2026-03-03T08:00"), at("2026-03-03T08:05")

    result = quote_after_payment(
        airport("difference"), entered, paid_at, Fen(9000), at("2026-03-03T09:00"), SMALL, CALENDAR
    )

    assert result.fee == 0


@pytest.mark.parametrize(
    ("mode", "off", "due"), [("down", 0, 1250), ("up", 0, 1300), ("nearest", 0, 1250), ("down", 300, 950)]
)
def test_the_due_is_rounded_by_a_line_of_its_own(mode: str, off: int, due: int) -> None:
    text = f'code = "r"\n[[window]]\nname = "h"\nflat = 12.55\n[rounding]\ncash = {{ to = 0.5, mode = "{mode}" }}'
    tariff = parse_tariff(text, "r")
    plain = quote(tariff, at("2026-03-03T08:00"), at("2026-03-03T09:00"), SMALL, CALENDAR)

    rounded = round_due(tariff, plain, Method.CASH, Fen(off))

    assert rounded.fee - off == due
    assert rounded.lines[-1].rule == "rounding:cash"
    assert round_due(tariff, plain, Method.ELECTRONIC) == plain
