"""Barrier and loop drivers against the simulated relay board on a real socket."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadCoilsResponse

from drivers import modbus_line
from drivers.barrier.modbus_tcp import ModbusBarrier, ModbusBarrierOptions, open_modbus_barrier
from drivers.barrier.simulated import (
    Fault,
    SimulatedBarrierOptions,
    SimulatedRelayBoard,
    open_simulated_barrier,
)
from drivers.base import DeviceRefusedError, DeviceUnreachableError, LoopChange
from drivers.loop.modbus_tcp import Debounce, ModbusLoop, ModbusLoopOptions, open_modbus_loop
from drivers.modbus_frames import WRITE_MANY_COILS, WRITE_ONE_COIL
from drivers.modbus_line import ModbusConnection
from drivers.wiring import Wiring

WIRING = Wiring("exit-1")
Loops = Callable[..., Awaitable[AsyncIterator[LoopChange]]]


@pytest.fixture
async def board() -> AsyncIterator[SimulatedRelayBoard]:
    async with SimulatedRelayBoard(slow_s=0.6) as board:
        yield board


@pytest.fixture
async def barrier(board: SimulatedRelayBoard) -> AsyncIterator[ModbusBarrier]:
    options = ModbusBarrierOptions(host="127.0.0.1", port=board.port, channel=2, pulse_ms=700, timeout_ms=250)
    barrier = await open_modbus_barrier(options, WIRING)
    yield barrier
    await barrier.aclose()


def pulse_requests(board: SimulatedRelayBoard) -> list[str]:
    return [request.hex(" ") for request in board.requests if request[0] == WRITE_ONE_COIL]


async def test_opening_is_one_pulse_that_the_board_times(board: SimulatedRelayBoard, barrier: ModbusBarrier) -> None:
    await barrier.open()

    assert pulse_requests(board) == ["05 02 02 00 07"]
    assert [(pulse.channel, round(pulse.length_s, 3)) for pulse in board.pulses] == [(2, 0.7)]
    assert board.model.outputs[2]


@pytest.mark.parametrize(
    ("fault", "error", "pulses"),
    [
        (Fault.IGNORED, DeviceUnreachableError, 0),
        (Fault.ANSWER_LOST, DeviceUnreachableError, 1),
        (Fault.CLOSED, DeviceUnreachableError, 0),
        (Fault.HALF_FRAME, DeviceUnreachableError, 1),
        (Fault.SLOW, DeviceUnreachableError, 1),
        (Fault.EXCEPTION, DeviceRefusedError, 0),
    ],
)
async def test_whatever_goes_wrong_the_pulse_is_asked_for_once(
    board: SimulatedRelayBoard, barrier: ModbusBarrier, fault: Fault, error: type[Exception], pulses: int
) -> None:
    board.inject(fault)

    with pytest.raises(error, match="exit-1"):
        await barrier.open()

    assert len(pulse_requests(board)) == 1
    assert len(board.pulses) == pulses
    await barrier.open()  # the next decision finds a working line, and no late answer takes the place of its own
    assert len(board.pulses) == pulses + 1


async def test_preparing_writes_every_output_off_and_reads_it_back(
    board: SimulatedRelayBoard, barrier: ModbusBarrier
) -> None:
    board.model.answer(bytes.fromhex("05 00 05 FF 00"))

    await barrier.prepare()

    assert not any(board.model.outputs)
    assert [request[0] for request in board.requests] == [WRITE_MANY_COILS, 0x01]


async def test_a_relay_that_stays_on_is_named_at_start(board: SimulatedRelayBoard, barrier: ModbusBarrier) -> None:
    board.model.welded.add(3)

    with pytest.raises(DeviceRefusedError, match="output 3 stays on"):
        await barrier.prepare()


async def test_unplugged_and_plugged_in_again_it_works_and_says_so_once_each(
    board: SimulatedRelayBoard, barrier: ModbusBarrier, caplog: pytest.LogCaptureFixture
) -> None:
    await barrier.open()
    with caplog.at_level(logging.INFO, logger="drivers"):
        await board.stop()
        for _ in range(3):
            with pytest.raises(DeviceUnreachableError):
                await barrier.open()
        await board.start()
        await barrier.open()

    assert len(board.pulses) == 2
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == 2
    assert messages[0].startswith("modbus: lost 127.0.0.1:")
    assert messages[1].endswith("is back")


async def test_a_board_restarted_without_a_goodbye_still_opens_at_the_first_try(
    board: SimulatedRelayBoard, barrier: ModbusBarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modbus_line, "IDLE_S", 0.0)
    await barrier.prepare()
    board.inject(Fault.IGNORED, function=0x01)  # the old connection is dead, but nobody has said so

    await barrier.open()

    assert len(board.pulses) == 1


async def test_nobody_listening_is_an_error_within_the_timeout() -> None:
    async with SimulatedRelayBoard() as gone:
        port = gone.port
    barrier = await open_modbus_barrier(ModbusBarrierOptions(host="127.0.0.1", port=port), WIRING)

    with pytest.raises(DeviceUnreachableError, match="no answer from"):
        await asyncio.wait_for(barrier.open(), 10)
    await barrier.aclose()


async def test_another_register_map_is_configuration(board: SimulatedRelayBoard) -> None:
    options = ModbusBarrierOptions(
        host="127.0.0.1", port=board.port, flash_base=0x01FF, channel=1, coil_base=1, outputs=4
    )
    barrier = await open_modbus_barrier(options, WIRING)

    await barrier.open()

    assert pulse_requests(board) == ["05 02 00 00 05"]
    await barrier.aclose()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"gate_input": "toggle"}, "toggle input would close the boom"),
        ({"channel": 8}, "channel 8 is not one of 8"),
        ({"pulse_ms": 0}, "pulse_ms is 0"),
        ({"pulse_ms": 550}, "a multiple of 100"),
        ({"pulse_ms": 60_000}, "up to 5000"),
    ],
)
def test_wirings_that_could_hurt_are_refused(changes: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        ModbusBarrierOptions(host="127.0.0.1", **changes)  # type: ignore[arg-type]


async def test_the_simulated_barrier_pulses_its_own_board() -> None:
    barrier = await open_simulated_barrier(SimulatedBarrierOptions(), WIRING)

    await barrier.prepare()
    await barrier.open()

    assert [pulse.length_s for pulse in barrier.board.pulses] == [0.5]
    await barrier.aclose()


@pytest.fixture
async def loops(board: SimulatedRelayBoard) -> AsyncIterator[Loops]:
    opened: list[ModbusLoop] = []

    async def start(**changes: object) -> AsyncIterator[LoopChange]:
        options = ModbusLoopOptions(
            host="127.0.0.1",
            port=board.port,
            inputs={"approach": 0, "safety": 1},
            poll_ms=5,
            debounce_ms=50,
            timeout_ms=1000,
            **changes,  # type: ignore[arg-type]
        )
        opened.append(await open_modbus_loop(options, WIRING))
        return opened[-1].changes()

    yield start
    for loop in opened:
        await loop.aclose()


async def test_loops_tell_their_present_state_first_and_then_each_change(
    board: SimulatedRelayBoard, loops: Loops
) -> None:
    board.set_input(1, on=True)
    changes = await loops()

    assert {await anext(changes), await anext(changes)} == {
        LoopChange("approach", occupied=False),
        LoopChange("safety", occupied=True),
    }
    board.set_input(0, on=True)
    assert await asyncio.wait_for(anext(changes), 1) == LoopChange("approach", occupied=True)


async def test_a_loop_wired_the_other_way_round_is_turned_back(board: SimulatedRelayBoard, loops: Loops) -> None:
    changes = await loops(inverted=True)

    assert (await anext(changes)).occupied


async def test_a_board_gone_ends_the_changes_and_a_new_start_begins_with_the_state(
    board: SimulatedRelayBoard, loops: Loops
) -> None:
    changes = await loops()
    await anext(changes)
    await anext(changes)
    await board.stop()

    with pytest.raises(DeviceUnreachableError):
        await anext(changes)

    await board.start()
    assert (await anext(await loops())).loop == "approach"


@pytest.mark.parametrize(
    ("samples", "news"),
    [
        ([(0, False), (50, False)], [50]),
        ([(0, True), (20, False), (40, True), (60, True), (89, True), (90, True)], [90]),  # chatter
        ([(0, False), (50, False), (60, True), (70, False), (130, False)], [50]),  # a spike is no vehicle
        ([(0, False), (50, False), (60, True), (110, True), (120, True)], [50, 110]),
    ],
)
def test_a_state_counts_once_it_has_held(samples: list[tuple[int, bool]], news: list[int]) -> None:
    debounce = Debounce(50)

    assert [at for at, state in samples if debounce.sample(state, at)] == news


async def test_the_devices_of_a_board_share_one_connection_and_one_poll(board: SimulatedRelayBoard) -> None:
    shared: dict[str, object] = {}
    barriers = [
        await open_modbus_barrier(
            ModbusBarrierOptions("127.0.0.1", board.port, channel=channel), Wiring(f"lane-{channel}", shared=shared)
        )
        for channel in range(4)
    ]
    lanes = [
        await open_modbus_loop(
            ModbusLoopOptions("127.0.0.1", {f"loop-{place}": place}, board.port, poll_ms=20, debounce_ms=60),
            Wiring(f"lane-{place}", shared=shared),
        )
        for place in range(8)
    ]

    async def first(loop: ModbusLoop) -> LoopChange:
        return await anext(loop.changes())

    changes = await asyncio.gather(*map(first, lanes), *(barrier.open() for barrier in barriers))

    assert [change.loop for change in changes[:8] if change] == [f"loop-{place}" for place in range(8)]
    assert sorted(pulse.channel for pulse in board.pulses) == [0, 1, 2, 3]
    assert board.connections == 1
    polls = [request for request in board.requests if request[0] == 0x02]
    assert len(polls) <= 16  # eight loops that asked for themselves would have made 32 and more
    for close in (*(barrier.aclose for barrier in barriers), *(lane.aclose for lane in lanes)):
        await close()
        await close()


async def test_a_board_seen_late_is_written_off_only_when_no_lane_gives_a_pulse(board: SimulatedRelayBoard) -> None:
    shared: dict[str, object] = {}
    early, late = [
        await open_modbus_barrier(
            ModbusBarrierOptions("127.0.0.1", board.port, channel=channel, pulse_ms=500),
            Wiring(f"lane-{channel}", shared=shared),
        )
        for channel in (0, 1)
    ]
    await early.open()  # nobody could prepare the board yet: it has just come back

    preparing = asyncio.create_task(late.prepare())
    await asyncio.sleep(0.1)
    assert board.model.outputs[0]
    await preparing

    written = [request for request in board.requests if request[0] == WRITE_MANY_COILS]
    assert (len(written), board.model.outputs[0], len(board.pulses)) == (1, False, 1)
    await early.aclose()
    await late.aclose()


async def test_a_lane_that_starts_again_leaves_the_other_lanes_pulse_alone(board: SimulatedRelayBoard) -> None:
    shared: dict[str, object] = {}
    one, other = [
        await open_modbus_barrier(
            ModbusBarrierOptions("127.0.0.1", board.port, channel=channel, pulse_ms=1000),
            Wiring(f"lane-{channel}", shared=shared),
        )
        for channel in (0, 1)
    ]
    board.model.answer(bytes.fromhex("05 00 05 FF 00"))
    board.inject(Fault.EXCEPTION, function=WRITE_MANY_COILS)

    with pytest.raises(DeviceRefusedError):
        await one.prepare()
    await one.prepare()  # the first try did not count
    assert not any(board.model.outputs)
    await one.open()
    preparing = asyncio.create_task(other.prepare())
    await asyncio.sleep(0.1)

    assert board.model.outputs[:2] == [True, False]
    await preparing
    await one.aclose()
    await other.open()  # the connection stays while someone uses it
    await other.aclose()


class AnswersNow:
    """A pymodbus client whose answer comes when the test says so, waited for as pymodbus does."""

    connected = True

    def __init__(self) -> None:
        self.answer = asyncio.get_running_loop().create_future()

    async def execute(self, _no_response: bool, _request: object) -> object:
        return await asyncio.wait_for(self.answer, 5)

    def register(self, _pdu: object) -> None:
        pass

    def close(self) -> None:
        self.connected = False


async def test_a_stop_that_comes_together_with_an_answer_still_stops() -> None:
    client = AnswersNow()
    connection = ModbusConnection("127.0.0.1:1", client)  # type: ignore[arg-type]
    asking = asyncio.create_task(connection.ask(ReadCoilsRequest(address=0, count=1)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    client.answer.set_result(ReadCoilsResponse(bits=[False]))
    asking.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_a_held_barrier_stays_up_through_decisions_preparing_and_a_board_that_forgot(
    board: SimulatedRelayBoard, barrier: ModbusBarrier
) -> None:
    await barrier.hold()
    await barrier.open()  # the board's pulse would end in "off"
    await barrier.prepare()

    assert board.pulses == []
    assert [channel for channel, on in enumerate(board.model.outputs) if on] == [2]

    board.model.power_off()
    await barrier.hold()
    assert board.model.outputs[2]

    await barrier.release()
    assert not any(board.model.outputs)
    await barrier.open()
    assert len(board.pulses) == 1


async def test_another_lane_of_the_board_that_starts_leaves_a_held_output_alone(board: SimulatedRelayBoard) -> None:
    shared = Wiring("board")
    held, other = [
        await open_modbus_barrier(ModbusBarrierOptions(host="127.0.0.1", port=board.port, channel=channel), shared)
        for channel in (0, 1)
    ]
    await held.hold()

    await other.prepare()

    assert board.model.outputs[0]
    assert all(request[1:] != bytes.fromhex("00 00 00 00") for request in board.requests)
    for one in (held, other):
        await one.aclose()


async def test_a_gate_with_a_contact_of_its_own_for_holding_is_pulsed_as_ever(board: SimulatedRelayBoard) -> None:
    options = ModbusBarrierOptions(host="127.0.0.1", port=board.port, channel=2, hold_channel=5)
    barrier = await open_modbus_barrier(options, WIRING)

    await barrier.hold()
    await barrier.open()

    assert [pulse.channel for pulse in board.pulses] == [2]
    assert board.model.outputs[5]
    await barrier.aclose()


async def test_letting_go_of_what_was_never_held_writes_nothing(
    board: SimulatedRelayBoard, barrier: ModbusBarrier
) -> None:
    await barrier.release()

    assert board.requests == []
