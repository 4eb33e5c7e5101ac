"""Every layout as an interpreter that is not ours reads it: both papers and languages, text and QR in each way. And
that its printers' own words for how they are mean to us what they mean to it.

It has no font with hanzi: their bytes are read from its text, drawn lines from the dots of its picture. The QR is
decoded from its picture by a decoder that is nobody's of the two, and what was signed is checked with the lot's key.
"""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

import pytest
import zxingcpp
from PIL import Image

from domain import ticket, voucher
from domain.scanned import Scanned, ScannedKind, link_of, recognise
from domain.slip import Paper, Qr, Rule, Slip, Text
from domain.slip_faces import Face, Language, Ticket, Voucher
from domain.slip_layouts import lay_out
from domain.slip_samples import LAYOUTS, SAMPLES
from domain.voucher import Valid
from drivers.base import DeviceRefusedError, Printer, PrinterStatus
from drivers.printer.escpos import EscposNetworkOptions, open_escpos_network
from drivers.wiring import Wiring
from plumbing.paper.encode import encode
from plumbing.paper.picture import MARGIN, render
from plumbing.paper.profile import DEFAULT, Profile
from plumbing.paper.shipped import layout_of
from plumbing.signing import PrivateKey
from tests.domain.test_voucher import KEYS, PAYLOAD, TOKEN, at, verify
from tests.services.drawn_text import read_lines
from tests.services.emupos import DOTS, Emupos, emupos_printers

pytestmark = [pytest.mark.emupos, pytest.mark.xdist_group("emupos")]  # it takes seconds to start

LOT, LOT_ID, HOST, AT = "西湖文化广场地下停车场", 3, "park.example.com", datetime(2026, 11, 22, 12, 30)  # noqa: DTZ001 - lot-local
EDGE = PrivateKey.generate()
TICKET_NUMBER = ticket.number_of(123_456_789)
PROFILES = {
    "as it comes": DEFAULT,
    "its own QR": Profile(qr="native"),
    "all drawn": Profile(text="drawn"),
}


@pytest.fixture(scope="module")
def printers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Paper, Emupos]]:
    with emupos_printers(tmp_path_factory.mktemp("emupos")) as running:
        yield running


def face_of(name: str, paper: Paper, language: Language) -> Face:
    """The sample, with a code on it that a lot has signed."""
    face = SAMPLES[name](LOT, AT, paper, language)
    if isinstance(face, Voucher):
        return replace(face, qr=voucher.paper_text(HOST, TOKEN))
    if isinstance(face, Ticket):
        token = ticket.issue(LOT_ID, TICKET_NUMBER, 29_000_000, EDGE)
        return replace(face, number=TICKET_NUMBER, qr=link_of(HOST, ScannedKind.ENTRY_TICKET, token))
    return face


def words_of(slip: Slip) -> list[str]:
    """Its lines of text, as they are written."""
    return [
        (line.mark * slip.columns if isinstance(line, Rule) else line.text).rstrip()
        for line in slip.lines
        if isinstance(line, Rule | Text)
    ]


def is_genuine(text: str) -> bool:
    """Does the lot that signed it take what was scanned?"""
    match recognise(text):
        case Scanned(ScannedKind.VOUCHER, token):
            return isinstance(voucher.check(token, KEYS, verify, at(-5), PAYLOAD.home_lot), Valid)
        case Scanned(ScannedKind.ENTRY_TICKET, token):
            return ticket.read(token, LOT_ID, verify, EDGE.public.raw) == TICKET_NUMBER
    return False


@asynccontextmanager
async def printer_of(one: Emupos) -> AsyncIterator[Printer]:
    """Our driver before it."""
    options = EscposNetworkOptions("127.0.0.1", one.printer_port, status_ms=3000)
    printer = await open_escpos_network(options, Wiring("counter"))
    yield printer
    await printer.aclose()


async def print_at(one: Emupos, data: bytes) -> tuple[list[str], Image.Image]:
    """What it read in *data*, and its picture."""
    known = one.receipts()
    async with printer_of(one) as printer:
        await printer.print(data)
    lines, picture = one.newest(known)
    return lines, Image.open(io.BytesIO(picture)).convert("L")


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("how", PROFILES)
@pytest.mark.parametrize("paper", list(Paper))
@pytest.mark.parametrize("name", LAYOUTS)
async def test_another_interpreter_reads_every_layout(
    printers: dict[Paper, Emupos], name: str, paper: Paper, how: str, language: Language
) -> None:
    slip = lay_out(face_of(name, paper, language), layout_of(name), paper, language)
    data = encode(slip, PROFILES[how])

    lines, picture = await print_at(printers[paper], data)

    assert picture.width == DOTS[paper]
    read = list(read_lines(picture, slip)) if how == "all drawn" else [one for one in lines if one and one[0] != "["]
    assert [one.rstrip() for one in read] == words_of(slip)
    codes = [one.text for one in zxingcpp.read_barcodes(picture)]
    assert codes == [line.text for line in slip.lines if isinstance(line, Qr)]
    assert all(map(is_genuine, codes)) or name == "test"  # whose code says nothing
    if how == "all drawn":
        assert picture.tobytes() == ours(data, paper, picture.height).tobytes()
    assert printers[paper].not_understood() == []


def ours(data: bytes, paper: Paper, height: int) -> Image.Image:
    """The same job in our own virtual printer's picture, without its white edge and what comes after the last dot."""
    picture = Image.open(io.BytesIO(render(data, paper))).convert("L")
    return picture.crop((MARGIN, MARGIN, MARGIN + DOTS[paper], MARGIN + height))


async def test_its_status_bytes_are_understood(printers: dict[Paper, Emupos]) -> None:
    one = printers[Paper.MM58]
    async with printer_of(one) as printer:
        assert await printer.status() is PrinterStatus.READY
        one.fault("paper-near-end")
        assert await printer.status() is PrinterStatus.PAPER_LOW
        one.fault("cover-open")
        assert await printer.status() is PrinterStatus.COVER_OPEN
        one.fault("paper-out")
        assert await printer.status() in (PrinterStatus.PAPER_OUT, PrinterStatus.COVER_OPEN)
        with pytest.raises(DeviceRefusedError):
            await printer.print(encode(Slip(32, (Text("停车券"),))))
    for name in ("paper-near-end", "cover-open", "paper-out"):
        one.fault(name, mended=True)
