"""Coupon serials (S1.41, Q4)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.serial import Serial, check_character, make_serial, parse_serial

OURS = make_serial(1691669087660, 174293128, 0x00A1B2C3)


def test_a_serial_says_when_it_was_made_and_for_whom() -> None:
    assert OURS[:-1] == "1691669087660174293128231F00A1B2C3"
    assert len(OURS) == 35
    assert parse_serial(OURS) == Serial(1691669087660, "174293128", "00A1B2C3", checked=True)


@pytest.mark.parametrize(
    ("text", "serial"),
    [
        ("1691669087660174293128231F", Serial(1691669087660, "174293128", "")),
        ("1691669087660174293128231F...", Serial(1691669087660, "174293128", "")),
        ("1691669087660174293128231F…", Serial(1691669087660, "174293128", "")),
        ("16916679697121174293128231F", Serial(1691667969712, "174293128", "", extra="1")),
        (" 1691666218079174293128231f09ab ", Serial(1691666218079, "174293128", "09AB")),
    ],
)
def test_both_forms_seen_elsewhere_are_read(text: str, serial: Serial) -> None:
    assert parse_serial(text) == serial


@pytest.mark.parametrize(
    "text",
    ["", "231F", "1691669087660174293128", "169166908766174293128231F", "x" + OURS, "١691669087660174293128231F"],
)
def test_anything_else_is_no_serial(text: str) -> None:
    assert parse_serial(text) is None


@given(st.integers(10**12, 10**13 - 1), st.integers(0, 10**9 - 1), st.integers(0, 2**32 - 1))
def test_every_serial_made_is_read_back(made_ms: int, account: int, unique: int) -> None:
    assert parse_serial(make_serial(made_ms, account, unique)) == Serial(
        made_ms, f"{account:09d}", f"{unique:08X}", checked=True
    )


def test_one_wrong_character_is_noticed_wherever_it_is() -> None:
    for place, right in enumerate(OURS):
        for wrong in "0123456789ABCDEF":
            if wrong != right:
                assert parse_serial(OURS[:place] + wrong + OURS[place + 1 :]) is None


def test_two_swapped_neighbours_are_noticed() -> None:
    for place in range(len(OURS) - 1):
        swapped = OURS[:place] + OURS[place + 1] + OURS[place] + OURS[place + 2 :]
        assert swapped == OURS or parse_serial(swapped) is None


def test_the_check_character_is_that_of_the_standard() -> None:
    assert check_character("A12425GABC1234002") == "M"  # a published example of MOD 37,36


@pytest.mark.parametrize(("made_ms", "account", "unique"), [(1, 1, 1), (10**12, 10**9, 1), (10**12, 1, 2**32)])
def test_what_does_not_fit_is_never_made(made_ms: int, account: int, unique: int) -> None:
    with pytest.raises(ValueError, match="13 digits"):
        make_serial(made_ms, account, unique)
