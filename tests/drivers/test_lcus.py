from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from drivers.barrier.lcus import OFF, ON, LcusBarrier, LcusOptions, frame, open_lcus
from drivers.barrier.simulated_lcus import SimulatedLcus
from drivers.base import DeviceUnreachableError
from drivers.wiring import Wiring


@pytest.fixture
async def board(tmp_path: Path) -> AsyncIterator[SimulatedLcus]:
    async with SimulatedLcus(tmp_path / "ttyUSB0") as board:
        yield board


@pytest.fixture
async def barrier(board: SimulatedLcus) -> AsyncIterator[LcusBarrier]:
    barrier = await open_lcus(options(board.path), Wiring("exit-1"))
    yield barrier
    await barrier.aclose()


def options(device: Path, **changes: object) -> LcusOptions:
    return LcusOptions(device=device, gate_input="momentary", **({"pulse_ms": 150} | changes))  # type: ignore[arg-type]


def test_orders_are_the_makers_bytes() -> None:
    assert frame(1, ON).hex(" ").upper() == "A0 01 01 A2"
    assert frame(1, OFF).hex(" ").upper() == "A0 01 00 A1"


async def test_opening_is_one_on_and_one_off(board: SimulatedLcus, barrier: LcusBarrier) -> None:
    await barrier.open()
    await asyncio.sleep(0.3)

    (risen, *up), (fallen, *down) = board.switched
    assert (up, down) == ([1, True], [1, False])
    assert 0.1 < fallen - risen < 1.0


async def test_a_caller_that_is_stopped_does_not_leave_the_relay_on(board: SimulatedLcus, barrier: LcusBarrier) -> None:
    async def lane() -> None:
        await barrier.open()
        await asyncio.sleep(9)

    working = asyncio.create_task(lane())
    await asyncio.sleep(0.1)
    working.cancel()
    await barrier.aclose()
    await asyncio.sleep(0.05)

    assert not board.on


async def test_at_start_the_output_is_written_off(board: SimulatedLcus, barrier: LcusBarrier) -> None:
    board.on.add(1)  # a crash between on and off

    await barrier.prepare()
    await asyncio.sleep(0.05)

    assert not board.on


async def test_held_open_it_stays_on_until_it_is_let_go(board: SimulatedLcus, barrier: LcusBarrier) -> None:
    await barrier.hold()
    await barrier.open()
    await barrier.prepare()
    await asyncio.sleep(0.3)
    assert board.on == {1}

    await barrier.release()
    await asyncio.sleep(0.05)
    assert not board.on


async def test_channels_of_a_board_share_its_port(board: SimulatedLcus) -> None:
    shared: dict[str, object] = {}
    barriers = [
        await open_lcus(options(board.path, channel=channel), Wiring(f"lane-{channel}", shared=shared))
        for channel in (1, 2)
    ]

    await asyncio.gather(*(barrier.open() for barrier in barriers))
    await asyncio.sleep(0.05)

    assert board.on == {1, 2}
    for barrier in barriers:
        await barrier.aclose()
    await asyncio.sleep(0.05)
    assert not board.on


async def test_unplugged_and_plugged_in_again_it_works_and_says_so_once_each(
    board: SimulatedLcus, barrier: LcusBarrier, caplog: pytest.LogCaptureFixture
) -> None:
    await barrier.prepare()
    with caplog.at_level(logging.INFO, logger="drivers"):
        board.unplug()
        for _ in range(2):
            with pytest.raises(DeviceUnreachableError, match="exit-1: serial port"):
                await barrier.open()
        board.plug_in()
        await barrier.open()
        await asyncio.sleep(0.05)

    assert board.on == {1}
    assert [record.getMessage().split()[1] for record in caplog.records] == ["lost", f"{board.path}"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"gate_input": "open"}, "cannot time a pulse"),
        ({"channel": 0}, "1 to 8"),
        ({"pulse_ms": 9000}, "100 to 3000"),
        ({"baud": 1}, "baud is 1"),
    ],
)
def test_what_this_relay_cannot_do_safely_is_refused(changes: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        LcusOptions(**({"device": Path("x"), "gate_input": "momentary"} | changes))  # type: ignore[arg-type]
