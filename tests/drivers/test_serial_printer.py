"""Printers on a pseudo-terminal, and the USB driver against a device that is told what to answer."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.slip import Cut, Slip, Text
from drivers.base import DeviceRefusedError, DeviceUnreachableError, PrinterStatus
from drivers.printer.escpos_serial import EscposSerialOptions, EscposSerialPrinter, open_escpos_serial
from drivers.printer.escpos_usb import EscposUsbOptions, EscposUsbPrinter
from drivers.printer.simulated import PrinterFault, answer
from drivers.printer.simulated_serial import SimulatedSerialPrinter
from drivers.wiring import Wiring
from plumbing.paper.commands import split
from plumbing.paper.encode import encode

JOB = encode(Slip(32, (Text("停车券 ￥12.50"), Text("京A12345"), Cut())))
USB = EscposUsbOptions(vendor=0x0416, product=0x5011)


@pytest.fixture
async def device(tmp_path: Path) -> AsyncIterator[SimulatedSerialPrinter]:
    async with SimulatedSerialPrinter(tmp_path / "ttyUSB0") as device:
        yield device


@pytest.fixture
async def printer(device: SimulatedSerialPrinter) -> AsyncIterator[EscposSerialPrinter]:
    printer = await open_escpos_serial(EscposSerialOptions(device=device.path, status_ms=200), Wiring("counter"))
    yield printer
    await printer.aclose()


async def test_a_job_arrives_whole(device: SimulatedSerialPrinter, printer: EscposSerialPrinter) -> None:
    await printer.print(JOB)

    assert bytes(device.printed) == JOB
    assert await printer.status() is PrinterStatus.READY


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (PrinterFault.PAPER_OUT, PrinterStatus.PAPER_OUT),
        (PrinterFault.COVER_OPEN, PrinterStatus.COVER_OPEN),
        (PrinterFault.MUTE, PrinterStatus.UNKNOWN),
    ],
)
async def test_what_it_says_of_itself_is_told(
    device: SimulatedSerialPrinter, printer: EscposSerialPrinter, fault: PrinterFault, status: PrinterStatus
) -> None:
    device.fault = fault

    assert await printer.status() is status
    if status is PrinterStatus.UNKNOWN:
        await printer.print(JOB)
    else:
        with pytest.raises(DeviceRefusedError, match=status.value):
            await printer.print(JOB)


async def test_unplugged_and_plugged_in_again_it_prints(
    device: SimulatedSerialPrinter, printer: EscposSerialPrinter
) -> None:
    await printer.print(JOB)
    device.unplug()
    with pytest.raises(DeviceUnreachableError, match="printer counter"):
        await printer.print(JOB)

    device.plug_in()
    await printer.print(JOB)

    assert bytes(device.printed) == JOB + JOB


class ToldUsb:
    """What python-escpos gives for an open printer."""

    def __init__(self, fault: PrinterFault | None = None) -> None:
        self.fault = fault
        self.written = b""
        self.closed = 0
        self.timeout = 0

    def _raw(self, data: bytes) -> None:
        (command, *rest), _ = split(data)
        if rest:
            self.written += data
        self.question = command

    def _read(self) -> list[int]:
        said = list(answer(self.question, self.fault))
        if not said:
            raise OSError(errno.ETIMEDOUT, "Operation timed out")
        return said

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("fault", [None, PrinterFault.MUTE])
async def test_a_job_over_usb_arrives_and_the_device_is_let_go(fault: PrinterFault | None) -> None:
    device = ToldUsb(fault)
    printer = EscposUsbPrinter("counter", USB, lambda options: device)

    await printer.print(JOB)
    await printer.aclose()

    assert (device.written, device.closed, device.timeout) == (JOB, 1, USB.status_ms)


async def test_usb_paper_out_and_unplugged_are_told(caplog: pytest.LogCaptureFixture) -> None:
    present = [True]

    def plugged(_: EscposUsbOptions) -> ToldUsb:
        if not present[0]:
            raise OSError(errno.ENODEV, "No such device")
        return ToldUsb(PrinterFault.PAPER_OUT)

    printer = EscposUsbPrinter("counter", USB, plugged)
    with pytest.raises(DeviceRefusedError, match="paper_out"):
        await printer.print(JOB)
    present[0] = False
    for _ in range(2):
        with pytest.raises(DeviceUnreachableError, match="USB 0416:5011"):
            await printer.status()
    await printer.aclose()

    assert len(caplog.records) == 1


def test_numbers_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="lsusb"):
        EscposUsbOptions(vendor=0, product=1)
