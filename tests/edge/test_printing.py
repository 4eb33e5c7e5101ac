"""A job cut off at every byte, over a real socket: confirmed is what came out whole, and nothing is printed twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from domain.slip import Cut, Qr, Slip, Text
from drivers.base import PrinterStatus
from drivers.printer.escpos import EscposNetworkOptions, EscposNetworkPrinter
from drivers.printer.simulated import PrinterFault, SimulatedPrinter
from drivers.printer.talk import Asks, Question, Talk, hold
from edge.printing import Ended, SlipPrinter
from plumbing.paper.encode import encode
from plumbing.paper.profile import Profile

SLIP = Slip(32, (Text("停车券 ￥12.50", bold=True), Qr("LG1-7-000345"), Cut()))
NATIVE = Profile(qr="native")
JOB = encode(SLIP, NATIVE)
CABLE = None  # pulled
QR_ROWS = (21 + 8) * 4


@pytest.fixture
async def device() -> AsyncIterator[SimulatedPrinter]:
    async with SimulatedPrinter() as device:
        yield device


def printer_at(
    device: SimulatedPrinter, asks: Asks = Asks.DLE_EOT, profile: Profile = NATIVE, status_ms: int = 5_000
) -> SlipPrinter:
    options = EscposNetworkOptions("127.0.0.1", device.port, asks=asks, status_ms=status_ms)
    return SlipPrinter(EscposNetworkPrinter("counter", options), profile)


@pytest.mark.parametrize("asks", [Asks.DLE_EOT, Asks.ASB])
async def test_a_job_that_breaks_at_any_byte_is_in_doubt_and_never_called_confirmed(
    device: SimulatedPrinter, asks: Asks
) -> None:
    printer = printer_at(device, asks)
    assert await printer.put_on_paper(SLIP) == Ended("confirmed")

    for byte in range(0, len(JOB) + 1, 1 if asks is Asks.DLE_EOT else 13):
        for fault in (PrinterFault.PAPER_OUT, PrinterFault.COVER_OPEN, CABLE):
            device.fault = None
            device.jobs.clear()
            device.break_at(byte, fault)

            assert await printer.put_on_paper(SLIP) == Ended("unknown"), (byte, fault)

            assert len(device.jobs) <= 1, (byte, fault)
            assert JOB.startswith(b"".join(device.jobs)), (byte, fault)

    device.fault = None
    device.jobs.clear()
    assert await printer.put_on_paper(SLIP) == Ended("confirmed")  # plugged in again, with no restart
    assert device.jobs == [JOB]
    await printer.device.aclose()


async def test_a_printer_that_cannot_be_reached_at_all_has_printed_nothing(device: SimulatedPrinter) -> None:
    printer = printer_at(device)
    await device.stop()

    assert await printer.put_on_paper(SLIP) == Ended("failed")
    assert not await printer.is_ready()
    await printer.device.aclose()


@pytest.mark.parametrize("confirms", ["printer", "attendant"])
async def test_a_printer_that_never_answers_leaves_it_to_somebody_where_its_profile_says_so(
    device: SimulatedPrinter, confirms: str
) -> None:
    device.fault = PrinterFault.MUTE
    printer = printer_at(device, profile=Profile(qr="native", confirms=confirms), status_ms=100)  # type: ignore[arg-type]

    ended = await printer.put_on_paper(SLIP)

    assert ended == Ended("unknown", silent=confirms == "attendant")
    assert device.jobs == [JOB]
    await printer.device.aclose()


async def test_a_slip_is_confirmed_when_its_paper_is_out_and_not_when_its_bytes_are(device: SimulatedPrinter) -> None:
    device.mm_s, printer = 500, printer_at(device)
    began = asyncio.get_running_loop().time()

    assert await printer.put_on_paper(SLIP) == Ended("confirmed")

    rows = 30 + QR_ROWS + 60  # a line of text, the code, up to the knife
    assert asyncio.get_running_loop().time() - began >= rows / 8 / 500
    assert printer.went_well
    device.break_at(5, PrinterFault.COVER_OPEN)
    assert await printer.put_on_paper(SLIP) == Ended("unknown")
    assert not printer.went_well
    await printer.device.aclose()


def told(*answers: str) -> Callable[[Question], bytes]:
    """An exchange that hears these bytes, one after another."""
    heard = iter(answers)
    return lambda question: bytes.fromhex(next(heard))


def test_a_printer_that_said_once_when_a_job_was_done_must_say_so_again() -> None:
    well, done, silence = ("12", "12", "12", "12"), "00", ""
    knows, does_not = Talk("one", Asks.DLE_EOT), Talk("other", Asks.DLE_EOT)

    assert hold(knows.after_job(), told(*well, done, *well)) is PrinterStatus.READY
    assert hold(knows.after_job(), told(well[0], silence, *well)) is PrinterStatus.UNKNOWN  # half may be in its memory
    assert hold(knows.after_job(), told("1a", "1a", "32", "12", "7e")) is PrinterStatus.PAPER_OUT  # not waited for
    assert hold(does_not.after_job(), told(*well, silence, *well)) is PrinterStatus.READY
    assert hold(does_not.after_job(), told(*well)) is PrinterStatus.READY  # it is not waited for again
