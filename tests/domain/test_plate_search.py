"""Part of a plate, with one character misread."""

from __future__ import annotations

import pytest

from domain.plate_search import misreads, patterns


@pytest.mark.parametrize(
    ("typed", "plate", "wrong"),
    [
        ("123", "京A12345", 0),
        ("A12345", "京A12345", 0),
        ("8D1", "粤BD12345", 1),  # 8 for B
        ("B01", "粤BD12345", 1),  # 0 for D
        ("I23", "京A12345", 1),
        ("723", "京A12345", 1),  # 7 for 1
        ("923", "京A12345", None),  # three characters, and not alike
        ("京A19345", "京A12345", 1),  # long enough for any one
        ("京A19945", "京A12345", None),  # two wrong
        ("沪A1", "京A12345", 1),  # the province is often wrong
        ("京A12345D", "京A12345", None),
    ],
)
def test_one_misread_character_is_forgiven(typed: str, plate: str, wrong: int | None) -> None:
    assert misreads(typed, plate) == wrong


def test_what_no_plate_holds_asks_the_database_nothing() -> None:
    assert patterns("1_%") == ()
    assert patterns("A1") == ("%A1%", "%_1%", "%A_%")
