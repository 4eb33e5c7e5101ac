from __future__ import annotations

import pytesseract  # type: ignore[import-untyped]
import pytest

from domain.plate import PlateColour, PlateVerdict
from drivers.base import DeviceError
from drivers.pictures import jpeg
from drivers.recogniser import tesseract
from drivers.recogniser.localise import patches
from drivers.recogniser.tesseract import TesseractOptions, new_tesseract
from tests.drivers import scenes
from tests.services.needs import needs


def test_a_blue_plate_is_found_where_it_is() -> None:
    box = patches(scenes.with_plate("A58264"), most=3)[0].box

    assert 210 - 15 <= box.left < box.right <= 430 + 15
    assert 200 - 15 <= box.top < box.bottom <= 270 + 15
    assert box.right - box.left > 150  # the letters, with or without the province


def test_a_crop_of_a_plate_is_read_as_a_whole() -> None:
    crop = scenes.with_plate("A58264")[200:270, 210:430]

    assert [(patch.box.left, patch.box.right) for patch in patches(crop, most=3)] == [(0, 220)]
    assert patches(crop, most=3)[0].colour is PlateColour.BLUE


def test_an_empty_lane_has_no_plate() -> None:
    assert patches(scenes.lane(), most=3) == []


def test_the_baseline_reads_a_drawn_plate_and_leaves_the_province_open() -> None:
    needs("tesseract")
    recogniser = tesseract.TesseractRecogniser(TesseractOptions(), chinese=False)

    best = recogniser.recognise(scenes.plate_jpeg("A58264"))[0]

    assert (best.text, best.colour, best.verdict) == ("?A58264", PlateColour.BLUE, PlateVerdict.ASK)


def test_nothing_seen_is_an_empty_answer() -> None:
    needs("tesseract")

    assert new_tesseract().recognise(jpeg(scenes.lane())) == ()


@pytest.mark.parametrize(
    ("text", "colour", "serial"),
    [
        ("A12345", PlateColour.BLUE, "A12345"),
        ("KA12345", PlateColour.BLUE, "A12345"),  # the province read as a letter
        ("AD12345", PlateColour.GREEN, "AD12345"),
        ("1A2345", PlateColour.BLUE, ""),  # no office letter
        ("A1", PlateColour.BLUE, ""),
        ("a-12 345", PlateColour.UNKNOWN, "A12345"),
    ],
)
def test_only_texts_with_the_form_of_a_plate_are_kept(text: str, colour: PlateColour, serial: str) -> None:
    assert tesseract._serial(text, colour) == serial


def test_without_the_program_the_error_says_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pytesseract.pytesseract, "tesseract_cmd", "no-such-tesseract")

    with pytest.raises(DeviceError, match="sudo apt-get install tesseract-ocr"):
        new_tesseract()
    with pytest.raises(DeviceError, match="sudo apt-get install tesseract-ocr"):
        tesseract.TesseractRecogniser(TesseractOptions(), chinese=False).recognise(scenes.plate_jpeg("A58264"))
