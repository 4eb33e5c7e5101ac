"""Our bytes read by an interpreter that is not ours: emupos prints them to a picture and a text."""

from __future__ import annotations

import io
import json
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from domain.slip import Align, Cut, Qr, Rule, Slip, Text
from drivers.base import DeviceRefusedError, PrinterStatus
from drivers.printer.escpos import EscposNetworkOptions, open_escpos_network
from drivers.wiring import Wiring
from plumbing.broker import free_port
from plumbing.paper.encode import encode
from plumbing.paper.profile import Profile
from tests.services.needs import needs
from tests.services.processes import server

pytestmark = pytest.mark.emupos

TOKEN = "HTTPS://PARK.EXAMPLE/V/LG1" + "0123456789ABCDEFGHJKMNPQRSTVWXYZ" * 5 + "0123456789"
PROFILE = """\
type: printer
name: 58 mm
dpi: 203
width_dots: 384
font_a: { width: 12, height: 24 }
font_b: { width: 9, height: 17 }
code_pages: { 0: PC437 }
default_code_page: 0
drawer_sensor_open_level: high
"""
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


@dataclass(frozen=True)
class Emupos:
    """A running interpreter: where it prints and where it tells."""

    printer_port: int
    api: str

    def receipt(self) -> tuple[list[str], bytes]:
        """Text lines and picture of the newest receipt; waits until one is there."""
        deadline = time.monotonic() + 10
        while not (receipts := json.loads(self.get("receipts"))):
            assert time.monotonic() < deadline, "no receipt came"
            time.sleep(0.05)
        number = receipts[0]["id"]
        text = self.get(f"receipts/{number}/text").decode("utf-8")
        return text.splitlines(), self.get(f"receipts/{number}/image")

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"{self.api}/devices/slip/{path}", timeout=5) as answer:  # noqa: S310 - loopback
            data: bytes = answer.read()
        return data

    def is_up(self) -> bool:
        try:
            return bool(self.get("receipts"))
        except OSError:  # it listens before it answers
            return False

    def fault(self, name: str) -> None:
        request = urllib.request.Request(f"{self.api}/devices/slip/faults/{name}", method="PUT")  # noqa: S310 - loopback
        urllib.request.urlopen(request, timeout=5).close()  # noqa: S310 - loopback


@pytest.fixture
def emupos(tmp_path: Path) -> Iterator[Emupos]:
    printer, api = free_port(), free_port()
    (tmp_path / "58mm.yaml").write_text(PROFILE)
    (tmp_path / "emupos.yaml").write_text(
        f"schema: 1\napi: {{ host: 127.0.0.1, port: {api} }}\n"
        f"devices: [{{ id: slip, type: printer, profile: ./58mm.yaml, job_idle_timeout_ms: 300,"
        f" receipts_dir: {tmp_path / 'receipts'}, connections: [{{ tcp: {{ port: {printer} }} }}] }}]\n"
    )
    command: list[str | Path] = [needs("emupos"), "run", "--config", tmp_path / "emupos.yaml"]
    running = Emupos(printer, f"http://127.0.0.1:{api}/api/v1")
    with server(command, running.is_up, tmp_path / "emupos.log", seconds=60):
        yield running


def chinese(line: str) -> str:
    """It shows each byte as code page 437; the bytes are GB18030."""
    return line.encode("cp437").decode("gb18030")


@pytest.mark.parametrize("qr", ["raster", "native"])
async def test_another_interpreter_reads_our_chinese_and_our_qr(emupos: Emupos, qr: str) -> None:
    printer = await open_escpos_network(
        EscposNetworkOptions("127.0.0.1", emupos.printer_port, status_ms=3000), Wiring("counter")
    )

    await printer.print(encode(SLIP, Profile(qr=qr)))  # type: ignore[arg-type]
    await printer.aclose()

    lines, picture = emupos.receipt()
    text = [chinese(line).strip() for line in lines]
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
