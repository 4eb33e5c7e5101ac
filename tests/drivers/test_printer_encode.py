from __future__ import annotations

import io

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from domain.slip import Align, Cut, Feed, Qr, Rule, Slip, Text
from drivers.base import PrinterStatus
from drivers.printer.status import is_answer, status_back, status_of
from plumbing.paper.commands import CUT, HANZI_OFF, HANZI_ON, RASTER, BadBytesError, Command, split
from plumbing.paper.encode import encode, gb_bytes
from plumbing.paper.picture import render
from plumbing.paper.profile import Profile

TOKEN = "HTTPS://PARK.EXAMPLE/V/LG1" + "0123456789ABCDEFGHJKMNPQRSTVWXYZ" * 5 + "0123456789"  # as long as a real one
SLIP = Slip(
    32,
    (
        Text("停车券", Align.CENTRE, size=2, bold=True),
        Rule(),
        Text("减免 ￥12.50"),
        Feed(1),
        Qr(TOKEN),
        Cut(),
    ),
)


def test_a_slip_is_these_bytes() -> None:
    commands, rest = split(encode(Slip(32, (Text("停车 A1", Align.RIGHT, size=2, bold=True), Feed(2), Cut()))))

    assert rest == b""
    assert [command.name + command.data for command in commands] == [
        b"\x1b@",
        b"\x1ba\x02",
        b"\x1bE\x01",
        b"\x1d!\x11",
        b"\x1c&",
        bytes.fromhex("CDA3 B3B5") + b" A1",
        b"\x1c.",
        b"\n",
        b"\x1bd\x02",
        b"\x1dVB\x00",
    ]


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("￥12.50", "A3A4 31322E3530"),  # no hanzi beside it: libraries print a question mark here
        ("¥5", "A3A4 35"),
        ("，。！", "A3AC A1A3 A3A1"),
        ("𠀀", "A1FE"),  # beyond the printer's font: one sign of the same width
        ("a\x1b@\n\x7f", "61 3F 40 3F 3F"),  # a merchant's name cannot give the printer orders
    ],
)
def test_text_is_written_in_bytes_every_printer_knows(text: str, data: str) -> None:
    assert gb_bytes(text) == bytes.fromhex(data)


@settings(deadline=None)  # a busy machine is no failure
@given(st.text(max_size=40))
def test_no_text_contains_a_command(text: str) -> None:
    assert all(byte >= 0x20 for byte in gb_bytes(text))


def test_text_is_between_hanzi_on_and_off_and_the_qr_comes_last_before_the_cut() -> None:
    commands, _ = split(encode(SLIP))
    names = [command.name for command in commands]

    assert names.count(HANZI_ON) == names.count(HANZI_OFF) == 3
    assert names[-2:] == [RASTER, CUT]


@pytest.mark.parametrize("qr", ["raster", "native"])
@pytest.mark.parametrize("columns", [32, 48])
def test_a_drawn_slip_can_be_scanned(qr: str, columns: int) -> None:
    slip = Slip(columns, SLIP.lines)

    picture = Image.open(io.BytesIO(render(encode(slip, Profile(qr=qr)), columns)))  # type: ignore[arg-type]

    assert [found.text for found in zxingcpp.read_barcodes(picture)] == [TOKEN]
    assert picture.width == columns * 12 + 32


def height_of(slip: Slip) -> int:
    raster = next(command for command in split(encode(slip))[0] if command.name == RASTER)
    return raster.data[3] + raster.data[4] * 256


def test_modules_have_the_dots_asked_for_as_long_as_the_paper_is_wide_enough() -> None:
    height = height_of(SLIP)

    assert height % 4 == 0
    assert height // 4 - 8 in range(45, 60, 4)  # a version of this length, level M
    assert height_of(Slip(32, (Qr(TOKEN, dots=8),))) == height // 4 * 6  # 8 would need more than its 384 dots
    assert height_of(Slip(48, (Qr(TOKEN, dots=8),))) == height // 4 * 8
    with pytest.raises(ValueError, match="wider than the paper"):
        encode(Slip(4, (Qr(TOKEN),)))


def dark_rows(picture: Image.Image) -> int:
    """How many rows have any black."""
    width, data = picture.width, picture.convert("L").tobytes()
    return sum(min(data[start : start + width]) < 128 for start in range(0, len(data), width))


def test_a_line_the_printer_has_no_letters_for_is_drawn_in_its_place_and_looks_the_same() -> None:
    slip = Slip(32, (Text("𠮷野家 ￥5", Align.RIGHT, size=2), Cut()))
    common = Slip(32, (Text("停车券 ￥5", Align.RIGHT, size=2), Cut()))

    assert RASTER in encode(slip)
    assert RASTER not in encode(common)
    assert RASTER in encode(common, Profile(text="drawn"))
    pages = [Image.open(io.BytesIO(render(encode(common, Profile(text=text))))) for text in ("font", "drawn")]
    assert dark_rows(pages[0]) == dark_rows(pages[1]) > 20
    assert pages[0].size == pages[1].size


def test_a_printer_without_a_knife_feeds_past_its_tear_bar() -> None:
    assert encode(SLIP, Profile(cutter=False)).endswith(b"\x1bd\x04")


def test_commands_cut_in_the_middle_wait_for_the_rest() -> None:
    data = encode(SLIP)
    whole, _ = split(data)

    for place in range(0, len(data), 7):
        first, rest = split(data[:place])
        second, end = split(rest + data[place:])
        assert end == b""
        assert b"".join(c.name + c.data for c in first + second) == b"".join(c.name + c.data for c in whole)


def test_a_status_question_inside_a_picture_is_picture() -> None:
    picture = RASTER + b"\0\x01\0\x03\0" + b"\x10\x04\x01"

    assert split(picture) == ([Command(RASTER, picture[len(RASTER) :])], b"")


@pytest.mark.parametrize("data", [b"\x1b\x99x", b"\x01", b"\x1dv0\0\xff\xff\xff\xff", b"\x1d(k\xff\xff"])
def test_commands_never_sent_and_lengths_out_of_bounds_are_refused(data: bytes) -> None:
    with pytest.raises(BadBytesError, match="printer"):
        split(data)


@settings(deadline=None)  # a busy machine is no failure
@given(st.binary(max_size=100))
def test_no_bytes_break_the_splitter(data: bytes) -> None:
    try:
        commands, rest = split(data)
    except BadBytesError:
        return
    assert b"".join(command.name + command.data for command in commands) + rest == data


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        ("12 12 12 12", PrinterStatus.READY),
        ("1A 32 12 7E", PrinterStatus.PAPER_OUT),
        ("1A 32 12 12", PrinterStatus.PAPER_OUT),  # units without the paper sensor
        ("12 12 12 1E", PrinterStatus.PAPER_LOW),
        ("1A 16 12 12", PrinterStatus.COVER_OPEN),
        ("1A 12 12 12", PrinterStatus.OFFLINE),
        ("1A 52 1A 12", PrinterStatus.CUTTER),
        ("1A 56 1A 12", PrinterStatus.CUTTER),  # its cover open meanwhile
        ("1A 52 32 12", PrinterStatus.FAULT),
        ("1A 52 52 12", PrinterStatus.FAULT),
        ("1A", PrinterStatus.OFFLINE),
        ("", PrinterStatus.UNKNOWN),
    ],
)
def test_answers_to_dle_eot_mean_their_worst(answers: str, status: PrinterStatus) -> None:
    said = dict(enumerate(bytes.fromhex(answers), start=1))

    assert all(is_answer(byte) for byte in said.values())
    assert status_of(said) is status


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("10 00 00 00", PrinterStatus.READY),
        ("10 00 03 00", PrinterStatus.PAPER_LOW),
        ("18 00 0F 00", PrinterStatus.PAPER_OUT),
        ("38 00 00 00", PrinterStatus.COVER_OPEN),
        ("18 08 00 00", PrinterStatus.CUTTER),
        ("18 20 00 00", PrinterStatus.FAULT),
        ("18 40 00 00", PrinterStatus.FAULT),
        ("10 00 00 00 18 00 0F 00", PrinterStatus.PAPER_OUT),  # the newest word counts
        ("12", PrinterStatus.UNKNOWN),
        ("00 00 10 00", PrinterStatus.UNKNOWN),
        ("", PrinterStatus.UNKNOWN),
    ],
)
def test_status_told_back_means_its_worst(said: str, status: PrinterStatus) -> None:
    assert status_back(bytes.fromhex(said)) is status


def test_a_byte_that_cannot_be_an_answer_is_told_apart() -> None:
    assert not any(is_answer(byte) for byte in (0x00, 0xFF, 0x10, 0x13, 0x92))
