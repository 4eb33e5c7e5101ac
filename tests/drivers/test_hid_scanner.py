"""A USB reader that types like a keyboard, by the kernel's events through a pipe."""

from __future__ import annotations

import asyncio
import string
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import DeviceUnreachableError
from drivers.finding.serial_ports import find_typing
from drivers.scanner.hid import HidOptions, HidScanner, open_hid
from drivers.scanner.keys import EVENT, Keys, strokes
from drivers.scanner.simulated_hid import SimulatedHid
from drivers.wiring import Wiring

LETTERS = string.ascii_letters + string.digits + string.punctuation + " \n"


@given(st.text(alphabet=LETTERS, max_size=40), st.integers(1, 100))
def test_what_is_typed_comes_back_however_the_events_are_cut(text: str, size: int) -> None:
    keys, data = Keys(), b"".join(strokes(text))

    assert b"".join(keys.feed(data[at : at + size]) for at in range(0, len(data), size)).decode() == text


@given(st.binary(max_size=200))
def test_any_bytes_type_something_or_nothing(data: bytes) -> None:
    Keys().feed(data)


def test_repeats_and_keys_without_a_letter_type_nothing() -> None:
    events = [(30, 1), (30, 2), (30, 0), (58, 1), (58, 0), (28, 1)]

    assert Keys().feed(b"".join(EVENT.pack(0, 0, 1, code, value) for code, value in events)) == b"a\n"


@pytest.fixture
async def device(tmp_path: Path) -> AsyncIterator[SimulatedHid]:
    async with SimulatedHid(tmp_path / "usb-Reader-event-kbd") as device:
        yield device


@pytest.fixture
async def scanner(device: SimulatedHid) -> AsyncIterator[HidScanner]:
    scanner = await open_hid(HidOptions(device=device.path), Wiring("exit-1"))
    yield scanner
    await scanner.aclose()


async def test_each_code_is_told_once_while_it_is_held_there(device: SimulatedHid, scanner: HidScanner) -> None:
    device.type("HTTPS://PARK.EXAMPLE/V/LG1ABC\nHTTPS://PARK.EXAMPLE/V/LG1ABC\nlg1x?\n")
    scans = scanner.scans()

    async with asyncio.timeout(10):
        assert [await anext(scans), await anext(scans)] == ["HTTPS://PARK.EXAMPLE/V/LG1ABC", "lg1x?"]


async def test_a_reader_without_enter_is_understood_by_its_silence(device: SimulatedHid, scanner: HidScanner) -> None:
    device.type("LG1ABC")

    async with asyncio.timeout(10):
        assert await anext(scanner.scans()) == "LG1ABC"


async def test_unplugged_it_is_an_error_and_plugged_in_it_reads_again(
    device: SimulatedHid, scanner: HidScanner
) -> None:
    device.type("LG1\n")
    async with asyncio.timeout(10):
        await anext(scanner.scans())
        device.unplug()
        with pytest.raises(DeviceUnreachableError, match="is gone"):
            await anext(scanner.scans())
        with pytest.raises(DeviceUnreachableError, match="is it plugged in"):
            await scanner.check()

        device.plug_in()
        device.type("LG2\n")
        assert await anext(scanner.scans()) == "LG2"


def test_what_types_is_listed(tmp_path: Path) -> None:
    for name in ("usb-Reader-event-kbd", "usb-Mouse-event-mouse"):
        (tmp_path / name).touch()

    assert [one.where for one in find_typing(tmp_path)] == [str(tmp_path / "usb-Reader-event-kbd")]
    assert find_typing(tmp_path / "none") == []
