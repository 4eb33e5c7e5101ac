"""Our bytes read by an interpreter that is not ours: emupos prints them to a picture and a text."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from domain.slip import Align, Cut, Paper, Qr, Rule, Slip, Text
from drivers.base import DeviceRefusedError, PrinterStatus
from drivers.printer.escpos import EscposNetworkOptions, open_escpos_network
from drivers.wiring import Wiring
from plumbing.paper.encode import encode
from plumbing.paper.profile import Profile
from tests.services.emupos import Emupos, emupos_printers

pytestmark = pytest.mark.emupos

TOKEN = "HTTPS://PARK.EXAMPLE/V/LG1" + "0123456789ABCDEFGHJKMNPQRSTVWXYZ" * 5 + "0123456789"
SLIP = Slip(
    32,
    (
        Text("停车券", Align.CENTRE, size=2, bold=True),
        Rule(),
        Text("减免 ￥12.50，当日有效"),
        Text("京A12345"),
        Qr(TOKEN),
        Cut(),
    ),
)


@pytest.fixture
def emupos(tmp_path: Path) -> Iterator[Emupos]:
    with emupos_printers(tmp_path) as printers:
        yield printers[Paper.MM58]


@pytest.mark.parametrize("qr", ["raster", "native"])
async def test_another_interpreter_reads_our_chinese_and_our_qr(emupos: Emupos, qr: str) -> None:
    printer = await open_escpos_network(
        EscposNetworkOptions("127.0.0.1", emupos.printer_port, status_ms=3000), Wiring("counter")
    )

    await printer.print(encode(SLIP, Profile(qr=qr)))  # type: ignore[arg-type]
    await printer.aclose()

    lines, picture = emupos.newest([])
    text = [line.strip() for line in lines]
    for expected in ("停车券", "减免 ￥12.50，当日有效", "京A12345", "-" * 32):
        assert expected in text
    image = Image.open(io.BytesIO(picture))
    assert image.width == 384
    assert [found.text for found in zxingcpp.read_barcodes(image)] == [TOKEN]


async def test_its_status_bytes_are_understood(emupos: Emupos) -> None:
    printer = await open_escpos_network(
        EscposNetworkOptions("127.0.0.1", emupos.printer_port, status_ms=3000), Wiring("counter")
    )

    assert await printer.status() is PrinterStatus.READY
    emupos.fault("paper-near-end")
    assert await printer.status() is PrinterStatus.PAPER_LOW
    emupos.fault("cover-open")
    assert await printer.status() is PrinterStatus.COVER_OPEN
    emupos.fault("paper-out")
    assert await printer.status() in (PrinterStatus.PAPER_OUT, PrinterStatus.COVER_OPEN)
    with pytest.raises(DeviceRefusedError):
        await printer.print(encode(SLIP))
    await printer.aclose()
