"""Plates: one spelling, the kinds of GA 36-2018, masking."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.plate import (
    FREE_BY_KIND,
    KIND_COLOURS,
    PROVINCES,
    PlateColour,
    PlateKind,
    classify,
    colour_fits,
    is_electric,
    is_no_plate,
    is_virtual,
    mask,
    normalise,
)


def test_there_are_31_provinces() -> None:
    assert len(set(PROVINCES)) == len(PROVINCES) == 31


@pytest.mark.parametrize(
    ("raw", "plate"),
    [
        ("京A12345", "京A12345"),
        ("京A·12345", "京A12345"),
        ("京A•12345", "京A12345"),
        (" 京a 12-34.5 ", "京A12345"),
        ("京\uff21\uff11\uff12\uff13\uff14\uff15", "京A12345"),
        ("京E\u00b412345", "京E12345"),
        ("京AI2O45", "京A12045"),
        ("京O1234警", "京O1234警"),  # the office letter stays: old police plates carry it
        ("粤ZJ068澳|MX7742|ZM127", "粤ZJ068澳"),
        ("粤ZJ068澳|MX7742", "粤ZJ068澳"),
        ("粤bd12345", "粤BD12345"),
        ("_无_", "_无_"),
        ("", ""),
    ],
)
def test_every_spelling_comes_to_the_same_plate(raw: str, plate: str) -> None:
    assert normalise(raw) == plate


@given(st.text(max_size=24))
def test_normalising_twice_changes_nothing(raw: str) -> None:
    once = normalise(raw)

    assert normalise(once) == once


@pytest.mark.parametrize(
    ("plate", "kind"),
    [
        ("京A12345", PlateKind.NORMAL),
        ("桂ADT8513", PlateKind.NEV_SMALL),
        ("粤BD12345", PlateKind.NEV_SMALL),
        ("川A0A123", PlateKind.NORMAL),
        ("粤B12345D", PlateKind.NEV_LARGE),
        ("京A1234警", PlateKind.POLICE),
        ("京O1234警", PlateKind.POLICE),
        ("京O12345", PlateKind.POLICE_OLD),
        ("皖Q0686学", PlateKind.TRAINING),
        ("京A1234挂", PlateKind.TRAILER),
        ("京A1234试", PlateKind.TEST),
        ("京A1234超", PlateKind.OVERSIZE),
        ("粤ZJ068港", PlateKind.HK_MACAO),
        ("粤ZJ068澳", PlateKind.HK_MACAO),
        ("224578使", PlateKind.EMBASSY),
        ("使224578", PlateKind.EMBASSY),
        ("沪22423领", PlateKind.CONSULATE),
        ("沪A2345领", PlateKind.CONSULATE),
        ("WJ京12345", PlateKind.ARMED_POLICE),
        ("WJ12345", PlateKind.ARMED_POLICE),
        ("WJ123456A", PlateKind.ARMED_POLICE),
        ("VA12345", PlateKind.ARMY),
        ("晋X0101应急", PlateKind.EMERGENCY),
        ("晋S0101应急", PlateKind.EMERGENCY),
        ("民航A1234", PlateKind.AVIATION),
    ],
)
def test_a_plate_is_known_by_its_form(plate: str, kind: PlateKind) -> None:
    assert classify(plate) is kind


@pytest.mark.parametrize(
    "text",
    [
        "京AI2345",
        "_无_",
        "无ES16V2A",
        "京A1234",
        "京A123456",
        "京112345",
        "甲A12345",
        "京I12345",
        "粤BL12345",
        "粤Z1234香",
        "22457使",
        "WI12345",
        "晋A0101应急",
        "京A12345 ",
        "京A12345\n",
        "京A1234٣",
        "",
    ],
)
def test_what_is_no_plate_has_no_kind(text: str) -> None:
    assert classify(text) is None


def test_every_kind_has_its_colours() -> None:
    assert set(KIND_COLOURS) == set(PlateKind)


@pytest.mark.parametrize(
    ("plate", "free"),
    [("京A1234警", True), ("WJ京12345", True), ("VA12345", True), ("晋X0101应急", True), ("京A12345", False)],
)
def test_police_army_and_rescue_are_free_by_kind(plate: str, free: bool) -> None:
    assert (classify(plate) in FREE_BY_KIND) is free


@pytest.mark.parametrize("text", ["_无_", "", "无牌车"])
def test_a_reader_that_saw_no_plate_is_understood(text: str) -> None:
    assert is_no_plate(normalise(text))


def test_a_car_without_plates_goes_by_a_virtual_one() -> None:
    assert is_virtual("无ES16V2A")
    assert not is_virtual("京A12345")
    assert not is_virtual("无ES16V2")
    assert not is_no_plate("无ES16V2A")


@pytest.mark.parametrize(
    ("plate", "electric"),
    [("粤BD12345", True), ("粤BF12345", False), ("粤B12345D", True), ("粤B12345F", False), ("京A12345", False)],
)
def test_the_letter_of_a_new_energy_plate_says_electric(plate: str, electric: bool) -> None:
    assert is_electric(plate) is electric


@pytest.mark.parametrize(
    ("plate", "colour", "fits"),
    [
        ("京A12345", PlateColour.BLUE, True),
        ("京A12345", PlateColour.GREEN, False),
        ("粤BD12345", PlateColour.GREEN, True),
        ("粤BD12345", PlateColour.UNKNOWN, True),
        ("无ES16V2A", PlateColour.BLUE, True),
    ],
)
def test_a_colour_that_the_kind_is_not_made_in_stands_out(plate: str, colour: PlateColour, fits: bool) -> None:
    assert colour_fits(plate, colour) is fits


@pytest.mark.parametrize(
    ("plate", "shown"),
    [
        ("京A12345", "京A·1***5"),
        ("粤BD12345", "粤B·D****5"),
        ("WJ京12345", "WJ·京****5"),
        ("京A1", "京**"),
        ("", ""),
    ],
)
def test_logs_show_only_the_ends_of_a_plate(plate: str, shown: str) -> None:
    assert mask(plate) == shown
