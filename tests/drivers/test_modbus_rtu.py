"""Barrier and loop drivers over RS-485, against simulated boards on a pseudo-terminal."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from drivers.barrier.modbus_rtu import ModbusRtuBarrierOptions, open_modbus_rtu_barrier
from drivers.barrier.modbus_tcp import ModbusBarrier
from drivers.barrier.simulated import RelayModel
from drivers.barrier.simulated_rtu import RtuFault, SimulatedRtuBus
from drivers.base import DeviceUnreachableError, LoopChange
from drivers.loop.modbus_rtu import ModbusRtuLoopOptions, open_modbus_rtu_loop
from drivers.modbus_frames import WRITE_ONE_COIL
from drivers.wiring import Wiring

WIRING = Wiring("exit-1")


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[SimulatedRtuBus]:
    async with SimulatedRtuBus(tmp_path / "ttyUSB0", {1: RelayModel(), 2: RelayModel()}) as bus:
        yield bus


@pytest.fixture
async def barrier(bus: SimulatedRtuBus) -> AsyncIterator[ModbusBarrier]:
    options = ModbusRtuBarrierOptions(device=bus.path, channel=0, pulse_ms=700, timeout_ms=150)
    barrier = await open_modbus_rtu_barrier(options, WIRING)
    yield barrier
    await barrier.aclose()


def pulse_frames(bus: SimulatedRtuBus) -> list[str]:
    return [frame.hex(" ").upper() for frame in bus.requests if frame[1] == WRITE_ONE_COIL]


async def test_a_pulse_is_the_manuals_frame_on_the_wire(bus: SimulatedRtuBus, barrier: ModbusBarrier) -> None:
    await barrier.open()

    assert pulse_frames(bus) == ["01 05 02 00 00 07 8D B0"]
    assert [(pulse.channel, round(pulse.length_s, 3)) for pulse in bus.pulses()] == [(0, 0.7)]


@pytest.mark.parametrize(
    ("fault", "pulses"),
    [
        (RtuFault.SILENCE, 0),
        (RtuFault.ANSWER_LOST, 1),
        (RtuFault.BAD_CRC, 1),
        (RtuFault.HALF_FRAME, 1),
        (RtuFault.LATE, 1),
        (RtuFault.NOISE, 1),
    ],
)
async def test_whatever_goes_wrong_the_pulse_is_asked_for_once(
    bus: SimulatedRtuBus, barrier: ModbusBarrier, fault: RtuFault, pulses: int
) -> None:
    bus.inject(fault)

    with pytest.raises(DeviceUnreachableError, match="exit-1"):
        await barrier.open()

    assert len(pulse_frames(bus)) == 1
    assert len(bus.pulses()) == pulses
    await barrier.open()  # the next decision finds a quiet line
    assert len(bus.pulses()) == pulses + 1


async def test_a_late_echo_is_not_taken_for_the_next_pulse(bus: SimulatedRtuBus, barrier: ModbusBarrier) -> None:
    bus._late_s = 0.2  # after the timeout, within the silence that follows
    bus.inject(RtuFault.LATE)
    with pytest.raises(DeviceUnreachableError):
        await barrier.open()
    bus.inject(RtuFault.SILENCE)

    with pytest.raises(DeviceUnreachableError):
        await barrier.open()

    assert len(bus.pulses()) == 1


async def test_unplugged_and_plugged_in_again_it_works_and_says_so_once_each(
    bus: SimulatedRtuBus, barrier: ModbusBarrier, caplog: pytest.LogCaptureFixture
) -> None:
    await barrier.open()
    with caplog.at_level(logging.INFO, logger="drivers"):
        bus.unplug()
        for _ in range(2):
            with pytest.raises(DeviceUnreachableError):
                await barrier.open()
        bus.plug_in()
        await barrier.open()

    assert len(bus.pulses()) == 2
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == 2
    assert "lost" in messages[0]
    assert messages[1].endswith("is back")


async def test_boards_of_one_bus_share_the_port_and_answer_for_themselves(bus: SimulatedRtuBus) -> None:
    shared: dict[str, object] = {}
    one, two = [
        await open_modbus_rtu_barrier(
            ModbusRtuBarrierOptions(device=bus.path, unit=unit, channel=3), Wiring(f"lane-{unit}", shared=shared)
        )
        for unit in (1, 2)
    ]

    await asyncio.gather(one.open(), two.open())

    assert [len(bus.pulses(unit)) for unit in (1, 2)] == [1, 1]
    await one.aclose()
    await two.open()
    await two.aclose()


async def test_a_board_that_is_not_on_the_bus_stays_silent(bus: SimulatedRtuBus) -> None:
    barrier = await open_modbus_rtu_barrier(ModbusRtuBarrierOptions(device=bus.path, unit=9, timeout_ms=80), WIRING)

    with pytest.raises(DeviceUnreachableError, match=r"no answer from .*ttyUSB0"):
        await barrier.open()
    await barrier.aclose()


async def test_inputs_of_the_bus_are_loops(bus: SimulatedRtuBus) -> None:
    options = ModbusRtuLoopOptions(device=bus.path, inputs={"approach": 1}, poll_ms=5, debounce_ms=20)
    loop = await open_modbus_rtu_loop(options, WIRING)
    changes = loop.changes()

    assert await asyncio.wait_for(anext(changes), 2) == LoopChange("approach", occupied=False)
    bus.boards[1].inputs[1] = True
    assert await asyncio.wait_for(anext(changes), 2) == LoopChange("approach", occupied=True)
    bus.unplug()
    with pytest.raises(DeviceUnreachableError):
        await asyncio.wait_for(anext(changes), 2)
    await loop.aclose()


def test_a_speed_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="baud is 9601; one of 1200"):
        ModbusRtuBarrierOptions(device=Path("/dev/ttyUSB0"), baud=9601)
