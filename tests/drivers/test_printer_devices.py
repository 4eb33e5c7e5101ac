"""The ESC/POS drivers against the simulated printer on a real socket, and against files."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.slip import Cut, Slip, Text
from drivers.base import DeviceRefusedError, DeviceUnreachableError, Printer, PrinterStatus
from drivers.printer.escpos import (
    EscposFileOptions,
    EscposNetworkOptions,
    EscposNetworkPrinter,
    open_escpos_file,
    open_escpos_network,
)
from drivers.printer.simulated import (
    PrinterFault,
    SimulatedPrinter,
    SimulatedPrinterOptions,
    open_simulated_printer,
)
from drivers.wiring import Wiring
from plumbing.paper.encode import encode

WIRING = Wiring("counter")
JOB = encode(Slip(32, (Text("停车券 ￥12.50"), Text("京A12345"), Cut())))


@pytest.fixture
async def device() -> AsyncIterator[SimulatedPrinter]:
    async with SimulatedPrinter() as device:
        yield device


@pytest.fixture
async def printer(device: SimulatedPrinter) -> AsyncIterator[EscposNetworkPrinter]:
    printer = await open_escpos_network(EscposNetworkOptions("127.0.0.1", device.port, status_ms=150), WIRING)
    yield printer
    await printer.aclose()


async def test_jobs_arrive_byte_for_byte_and_apart(device: SimulatedPrinter, printer: Printer) -> None:
    await printer.print(JOB)
    await printer.print(JOB)

    assert device.jobs == [JOB, JOB]


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (None, PrinterStatus.READY),
        (PrinterFault.PAPER_LOW, PrinterStatus.PAPER_LOW),
        (PrinterFault.PAPER_OUT, PrinterStatus.PAPER_OUT),
        (PrinterFault.COVER_OPEN, PrinterStatus.COVER_OPEN),
        (PrinterFault.OFFLINE, PrinterStatus.OFFLINE),
        (PrinterFault.CUTTER, PrinterStatus.CUTTER),
        (PrinterFault.MUTE, PrinterStatus.UNKNOWN),
    ],
)
async def test_the_status_is_the_printers_own_word(
    device: SimulatedPrinter, printer: Printer, fault: PrinterFault | None, status: PrinterStatus
) -> None:
    device.fault = fault

    assert await printer.status() is status


async def test_paper_that_ends_in_the_middle_is_an_error_and_half_a_slip(
    device: SimulatedPrinter, printer: Printer
) -> None:
    device.break_after(8, PrinterFault.PAPER_OUT)

    with pytest.raises(DeviceRefusedError, match="paper_out; see what came out"):
        await printer.print(JOB)

    assert 0 < len(device.jobs[0]) < len(JOB)
    assert JOB.startswith(device.jobs[0])


async def test_a_printer_that_never_answers_still_prints(device: SimulatedPrinter, printer: Printer) -> None:
    device.fault = PrinterFault.MUTE

    await printer.print(JOB)

    assert device.jobs == [JOB]


async def test_unplugged_and_plugged_in_again_it_prints_and_says_so_once_each(
    device: SimulatedPrinter, printer: Printer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="drivers"):
        await device.stop()
        for _ in range(2):
            with pytest.raises(DeviceUnreachableError, match="does not take the job"):
                await printer.print(JOB)
        with pytest.raises(DeviceUnreachableError):
            await printer.status()
        await device.start()
        await printer.print(JOB)

    assert device.jobs == [JOB]
    messages = [record.getMessage() for record in caplog.records if record.name.startswith("drivers")]
    assert [message.split(" (")[0] for message in messages] == [
        "printer counter: lost 127.0.0.1",
        "printer counter is back",
    ]


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


async def test_a_folder_gets_one_file_a_job(tmp_path: Path) -> None:
    printer = await open_escpos_file(EscposFileOptions(tmp_path), WIRING)

    await printer.print(JOB)
    await printer.print(b"second")

    assert files_in(tmp_path) == {"000001.bin": JOB, "000002.bin": b"second"}
    assert await printer.status() is PrinterStatus.UNKNOWN
    await printer.aclose()


async def test_a_device_node_that_is_gone_is_not_made_a_file(tmp_path: Path) -> None:
    printer = await open_escpos_file(EscposFileOptions(tmp_path / "lp0"), WIRING)

    with pytest.raises(DeviceUnreachableError, match="is not there"):
        await printer.print(JOB)
    with pytest.raises(DeviceUnreachableError, match="is not there"):
        await printer.status()

    assert not (tmp_path / "lp0").exists()
    await printer.aclose()


async def test_the_simulated_printer_can_be_named_in_a_lot_file() -> None:
    printer = await open_simulated_printer(SimulatedPrinterOptions(), WIRING)

    await printer.print(JOB)

    assert printer.printer.jobs == [JOB]
    assert await printer.status() is PrinterStatus.READY
    await printer.aclose()
