"""Part of a plate, with one character misread."""

from __future__ import annotations

import re
from random import Random

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


def test_the_database_is_asked_for_what_may_be_wrong() -> None:
    assert patterns("371") == (("%3_1%", "%37_%"),)  # nor a 3
    assert patterns("京A1") == (("%_A1%", "%京A_%"),)  # no reader takes an A for another
    assert patterns("A34") == (("%A34%",),)
    assert patterns("A123") == (("%A1%", "%23%"), ("%A_23%", "%A1_3%"))
    assert patterns("A3456") == (("%A3%", "%456%"), ("%_3456%", "%A_456%", "%A3_56%", "%A34_6%", "%A345_%"))


ALPHABET = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def test_whatever_is_forgiven_is_what_the_database_was_asked_for() -> None:
    random = Random(20261122)
    for _ in range(3_000):
        plate = "京" + "".join(random.choices(ALPHABET, k=random.choice((6, 7))))
        start = random.randrange(len(plate) - 3)
        typed = list(plate[start : start + random.randint(3, 8)])
        if random.random() < 0.8:
            typed[random.randrange(len(typed))] = random.choice("沪津" + ALPHABET)
        text = "".join(typed)
        fits = all(any(_like(pattern, plate) for pattern in group) for group in patterns(text))

        assert fits or misreads(text, plate) is None, (text, plate)


def _like(pattern: str, plate: str) -> bool:
    return re.search(pattern.strip("%").replace("_", "."), plate) is not None
