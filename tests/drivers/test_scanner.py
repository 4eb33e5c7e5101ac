"""A reader of codes on a pseudo-terminal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.base import DeviceUnreachableError
from drivers.scanner.codes import LONGEST, Codes
from drivers.scanner.serial_reader import SerialScanner, SerialScannerOptions, open_serial_scanner
from drivers.serial_simulated import SimulatedSerial
from drivers.wiring import Wiring


@pytest.fixture
async def device(tmp_path: Path) -> AsyncIterator[SimulatedSerial]:
    async with SimulatedSerial(tmp_path / "ttyACM0") as device:
        yield device


@pytest.fixture
async def scanner(device: SimulatedSerial) -> AsyncIterator[SerialScanner]:
    scanner = await open_serial_scanner(SerialScannerOptions(device=device.path), Wiring("exit-1"))
    yield scanner
    await scanner.aclose()


async def until_open(device: SimulatedSerial) -> None:
    await asyncio.sleep(0.2)


async def test_each_code_is_told_once_while_it_is_held_there(device: SimulatedSerial, scanner: SerialScanner) -> None:
    scans = scanner.scans()
    first = asyncio.ensure_future(anext(scans))
    await until_open(device)

    device.say(b"]Q1LG1ABC\r\n")
    assert await asyncio.wait_for(first, 3) == "LG1ABC"
    device.say(b"LG1ABC\rHTTPS://PARK.EXAMPLE/V/1\r")
    assert await asyncio.wait_for(anext(scans), 3) == "HTTPS://PARK.EXAMPLE/V/1"


async def test_a_reader_without_line_ends_is_understood_by_its_silence(
    device: SimulatedSerial, scanner: SerialScanner
) -> None:
    first = asyncio.ensure_future(anext(scanner.scans()))
    await until_open(device)

    device.say(b"LG1ABC")

    assert await asyncio.wait_for(first, 3) == "LG1ABC"


async def test_unplugged_it_is_an_error_and_plugged_in_it_reads_again(
    device: SimulatedSerial, scanner: SerialScanner
) -> None:
    first = asyncio.ensure_future(anext(scanner.scans()))
    await until_open(device)
    device.unplug()
    with pytest.raises(DeviceUnreachableError, match="scanner exit-1"):
        await asyncio.wait_for(first, 3)

    device.plug_in()
    again = asyncio.ensure_future(anext(scanner.scans()))
    await until_open(device)
    device.say(b"LG1ABC\n")

    assert await asyncio.wait_for(again, 3) == "LG1ABC"


def test_what_is_too_long_or_no_text_is_thrown_away_whole() -> None:
    codes = Codes()

    said = [
        text for data in (b"A" * (LONGEST + 1), b"B\n", b"\xff\xfe\n", b"\x07\n", b"C\n") for text in codes.feed(data)
    ]

    assert said == ["C"]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=80), max_size=8))
def test_any_bytes_are_texts_or_nothing(pieces: list[bytes]) -> None:
    codes = Codes()
    for piece in pieces:
        assert all(text.isprintable() and len(text) <= LONGEST for text in codes.feed(piece))
