"""Tickets: numbers that are not mistyped into another's, codes that only the lot's own edge writes."""

from __future__ import annotations

from itertools import product

import pytest

from domain import ticket
from domain.plate import is_virtual, normalise
from plumbing.signing import PrivateKey, PublicKey

KEY = PrivateKey.generate()
NUMBER = ticket.number_of(0b10_11011_00110_11100_01010_10101_1010)


def verify(public: bytes, purpose: bytes, message: bytes, signature: bytes) -> bool:
    return PublicKey.from_raw(public)(purpose, message, signature)


@pytest.mark.parametrize("random", [0, 1, 12345, 2**30 - 1])
def test_a_number_is_a_plate_of_ours_in_normal_form(random: int) -> None:
    number = ticket.number_of(random)
    plate = ticket.plate_of(number)

    assert is_virtual(plate)
    assert normalise(plate) == plate
    assert not set(number) & set("01IO")
    assert ticket.number_in(number) == number


def test_it_may_be_typed_with_blanks_dashes_and_small_letters() -> None:
    assert ticket.number_in(f" 无{NUMBER[:3].lower()}-{NUMBER[3:]} ") == NUMBER


def test_one_wrong_character_is_nearly_always_another_number_of_nobody() -> None:
    wrong = [
        NUMBER[:place] + other + NUMBER[place + 1 :]
        for place, other in product(range(7), ticket.LETTERS)
        if other != NUMBER[place]
    ]

    taken = sum(ticket.number_in(one) is not None for one in wrong)

    assert taken * 20 < len(wrong)


@pytest.mark.parametrize("text", ["", "1234567", "ABC", NUMBER + "A", "京A12345", "0000000"])
def test_what_is_no_number_is_none(text: str) -> None:
    assert ticket.number_in(text) is None


def test_a_code_is_read_by_its_own_lot_and_by_no_other() -> None:
    token = ticket.issue(7, NUMBER, 29_000_000, KEY)

    assert ticket.read(token, 7, verify, KEY.public.raw) == NUMBER
    assert ticket.read(token, 8, verify, KEY.public.raw) is None
    assert ticket.read(token, 7, verify, PrivateKey.generate().public.raw) is None
    assert ticket.number_on(token) == NUMBER


def test_a_changed_or_foreign_code_is_none() -> None:
    token = ticket.issue(7, NUMBER, 29_000_000, KEY)
    other = {place: "B" if token[place] == "A" else "A" for place in range(len(token))}
    changed = [token[:place] + letter + token[place + 1 :] for place, letter in other.items()]

    assert [text for text in changed if ticket.read(text, 7, verify, KEY.public.raw)] == []
    assert ticket.read("LG1" + token[3:], 7, verify, KEY.public.raw) is None
    assert ticket.number_on("LT1") == ""
