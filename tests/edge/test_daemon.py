"""A whole edge over real sockets: a camera that pushes, a relay board on Modbus, stops and starts."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
import pytest

from domain.decision import Refuse
from domain.moment import Anchor
from domain.stay import Direction
from drivers.barrier.simulated import Fault, SimulatedRelayBoard
from drivers.camera.simulated import Sight, SimulatedVzenith
from drivers.camera.vzenith import VzenithCamera
from edge.clock import Clock
from edge.daemon import Opened, run_edge
from edge.db.database import DatabaseInUseError
from edge.lanes import barrier
from edge.services.lot import Done
from edge.services.paying import Taken
from edge.settings import Devices, EdgeSettings, Lane, Listener, Listeners, LotRules, Zone
from plumbing.files import write_private
from tests.edge.lots import HOURLY

PLATE = "京A12345"
SECRETS = {"in": "in-0123456789abcdef", "out": "out-0123456789abcdef"}
QUICK = LotRules(merge_window_ms=50, read_timeout_ms=300, assumed_passage_s=0, closing_s=0)


def lot_settings(folder: Path, board_port: int, rules: LotRules = QUICK) -> EdgeSettings:
    tariff = folder / "hourly.toml"
    tariff.write_text(HOURLY, encoding="utf-8")
    relay = {"type": "modbus_tcp", "host": "127.0.0.1", "port": board_port}
    return EdgeSettings(
        lot_id=7,
        name="Example lot",
        zones=(Zone("main", (tariff,)),),
        lanes=(
            Lane("in", Direction.ENTRY, "outside", "main", ("in",), "in"),
            Lane("out", Direction.EXIT, "main", "outside", ("out",), "out"),
        ),
        edge="e1",
        data=folder / "data",
        devices=Devices(
            cameras={name: {"type": "vzenith", "secret_file": str(_secret(folder, name))} for name in SECRETS},
            barriers={"in": {**relay, "channel": 0}, "out": {**relay, "channel": 1}},
        ),
        listeners=Listeners(Listener(), Listener()),
        rules=rules,
    )


def _secret(folder: Path, name: str) -> Path:
    path = folder / f"camera-{name}"
    if not path.exists():
        write_private(path, SECRETS[name].encode())
    return path


@dataclass
class Running:
    opened: Opened
    board: SimulatedRelayBoard
    cameras: dict[str, SimulatedVzenith]
    shift_ms: list[int]

    def later(self, minutes: int) -> None:
        """Let both clocks run ahead."""
        self.shift_ms[0] += minutes * 60_000

    async def until(self, holds: Callable[[], bool], seconds: float = 15.0) -> None:
        async with asyncio.timeout(seconds):
            while not holds():
                await asyncio.sleep(0.005)

    async def passes(self, lane: str, plate: str, pulses: int) -> None:
        """A car is seen and its barrier pulses: the *pulses*-th of the day."""
        await self.cameras[lane].see(Sight(plate))
        await self.until(lambda: len(self.board.pulses) == pulses)


@asynccontextmanager
async def running(
    folder: Path,
    make: Callable[[Path, int], EdgeSettings] = lambda folder, port: lot_settings(folder, port),
    secrets: Mapping[str, str] = SECRETS,
) -> AsyncIterator[Running]:
    async with SimulatedRelayBoard() as board, contextlib.AsyncExitStack() as stack:
        ready: asyncio.Future[Opened] = asyncio.get_running_loop().create_future()
        stop = asyncio.Event()
        shift = [0]
        clock = Clock(
            boot_ms=lambda: time.monotonic_ns() // 1_000_000 + shift[0],
            wall_ms=lambda: time.time_ns() // 1_000_000 + shift[0],
        )
        settings = make(folder, board.port)
        task = asyncio.create_task(run_edge(settings, stop, clock=clock, on_ready=ready.set_result))
        await asyncio.wait((task, ready), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        opened = await ready
        base = f"http://127.0.0.1:{opened.ports['device']}/device/"
        cameras = {
            name: await stack.enter_async_context(SimulatedVzenith(base + secret, serial=f"serial-{name}"))
            for name, secret in secrets.items()
        }
        try:
            yield Running(opened, board, cameras, shift)
        finally:
            stop.set()
            await asyncio.wait_for(task, 15)


async def test_a_lane_with_one_camera_does_not_wait_for_another(tmp_path: Path) -> None:
    patient = replace(QUICK, merge_window_ms=60_000)

    async with running(tmp_path, lambda folder, port: lot_settings(folder, port, patient)) as lot:
        await lot.passes("in", PLATE, 1)

        assert [pulse.channel for pulse in lot.board.pulses] == [0]


async def test_a_car_enters_owes_pays_and_leaves_with_one_pulse_each_way(tmp_path: Path) -> None:
    async with running(tmp_path) as lot:
        edge = lot.opened.edge
        await lot.passes("in", PLATE, 1)
        (stay,) = await edge.cars_inside()
        lot.later(30)

        await lot.cameras["out"].see(Sight(PLATE))
        await lot.until(lambda: (view := edge.live.get("out")) is not None and view.verdict == "PayFirst")
        assert len(lot.board.pulses) == 1
        view = edge.live.get("out")
        assert view is not None
        assert (view.due_fen, view.stay_id, view.plate) == (500, stay.stay_id, PLATE)

        taken = await edge.take_cash("p1", stay.stay_id, 500, "li")
        await lot.until(lambda: len(lot.board.pulses) == 2)

        assert isinstance(taken, Taken)
        assert [pulse.channel for pulse in lot.board.pulses] == [0, 1]
        assert not any(delivery.fired_relay for camera in lot.cameras.values() for delivery in camera.deliveries)
        assert await edge.cars_inside() == []


async def test_records_replayed_from_a_dead_line_never_open(tmp_path: Path) -> None:
    async with running(tmp_path) as lot:
        await lot.cameras["in"].see_without_network(Sight(PLATE))
        await lot.cameras["in"].replay()
        await lot.passes("in", "粤B98765", 1)

        assert [stay.plate for stay in await lot.opened.edge.cars_inside()] == ["粤B98765"]


async def test_a_barrier_that_does_not_answer_is_pulsed_once_and_an_attendant_called(tmp_path: Path) -> None:
    async with running(tmp_path) as lot:
        lot.board.inject(Fault.ANSWER_LOST)
        await lot.cameras["in"].see(Sight(PLATE))
        edge = lot.opened.edge
        await lot.until(lambda: (view := edge.live.get("in")) is not None and view.phase == "Stuck")

        view = edge.live.get("in")
        assert view is not None
        assert view.call == "barrier_unknown"
        assert len(lot.board.pulses) == 1


async def test_an_attendant_opens_by_hand_once_and_with_a_reason(tmp_path: Path) -> None:
    async with running(tmp_path) as lot:
        edge = lot.opened.edge

        assert await edge.lanes.open_by_hand("out", "li", "") == Refuse("reason_missing")
        assert isinstance(await edge.lanes.open_by_hand("out", "li", "ambulance"), Done)
        await lot.until(lambda: len(lot.board.pulses) == 1)

        assert [act.act for act in await edge.acts()] == ["barrier.no_picture", "barrier.open"]


async def test_an_unread_car_waits_for_the_plate_an_attendant_types(tmp_path: Path) -> None:
    async with running(tmp_path) as lot:
        edge = lot.opened.edge
        await lot.cameras["in"].see(Sight(""))
        await lot.until(lambda: (view := edge.live.get("in")) is not None and view.verdict == "Ask")

        assert await edge.lanes.choose_plate("in", "京A12345", "li") == Done("in")
        await lot.until(lambda: len(lot.board.pulses) == 1)

        assert [stay.plate for stay in await edge.cars_inside()] == [PLATE]


async def test_after_a_restart_the_car_is_still_inside_and_the_fee_goes_on(tmp_path: Path) -> None:
    async with running(tmp_path) as lot:
        await lot.passes("in", PLATE, 1)

    async with running(tmp_path) as lot:
        (stay,) = await lot.opened.edge.cars_inside()
        assert stay.plate == PLATE


async def test_two_daemons_cannot_run_one_lot(tmp_path: Path) -> None:
    async with running(tmp_path):
        with pytest.raises(DatabaseInUseError):
            async with running(tmp_path):
                pass


async def test_a_dead_board_stops_its_lane_and_nothing_else(tmp_path: Path) -> None:
    async with running(tmp_path) as lot:
        edge = lot.opened.edge
        devices = lot.opened.devices
        assert isinstance(devices.cameras["in"], VzenithCamera)
        await lot.passes("in", PLATE, 1)
        lot.later(30)
        await lot.board.stop()
        await lot.cameras["in"].see(Sight("粤B98765"))
        await lot.until(lambda: (view := edge.live.get("in")) is not None and "barrier in" in view.wrong)

        await lot.cameras["out"].see(Sight(PLATE))
        await lot.until(lambda: (view := edge.live.get("out")) is not None and view.verdict == "PayFirst")


async def test_a_barrier_held_open_outlives_restarts_and_its_cars_go_free_until_it_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(barrier, "HOLD_AGAIN_S", 0.2)
    async with running(tmp_path) as lot:
        edge = lot.opened.edge
        await lot.passes("in", PLATE, 1)
        lot.later(70)
        await lot.cameras["out"].see(Sight(PLATE))
        await lot.until(lambda: (view := edge.live.get("out")) is not None and view.verdict == "PayFirst")

        assert await edge.lanes.hold_open("out", "li", "attendant", "fire") == Done("out")
        await lot.until(lambda: lot.board.model.outputs == [False, True] + [False] * 6)
        await lot.until(lambda: (view := edge.live.get("out")) is not None and view.held == "fire")
        lot.board.model.power_off()
        await lot.until(lambda: lot.board.model.outputs[1])

    async with running(tmp_path) as lot:  # another board: its outputs are off
        edge = lot.opened.edge
        await lot.until(lambda: lot.board.model.outputs[1])
        await lot.cameras["out"].see(Sight(PLATE))
        async with asyncio.timeout(10):
            while not (gone := await edge.recent_stays()):
                await asyncio.sleep(0.02)
        assert (gone[0].outcome, gone[0].cause, await edge.debts()) == ("WAIVED", "emergency", [])
        assert lot.board.pulses == []

        assert await edge.lanes.release_hold("out", "li", "attendant") == Done("out")
        await lot.until(lambda: not any(lot.board.model.outputs))

    async with running(tmp_path) as lot:
        await lot.passes("in", "粤B98765", 1)
        assert not lot.board.model.outputs[1]


async def test_health_says_how_the_lot_is_and_names_no_plate(tmp_path: Path) -> None:
    async with running(tmp_path) as lot, aiohttp.ClientSession() as session:
        await lot.passes("in", PLATE, 1)
        base = f"http://127.0.0.1:{lot.opened.ports['booth']}"

        async with session.get(f"{base}/healthz") as answer:
            text = await answer.text()
        async with session.get(f"{base}/metrics") as answer:
            figures = await answer.text()
        async with session.get(f"{base}/device/{SECRETS['in']}") as answer:
            foreign = answer.status

        assert '"inside": 1' in text
        assert PLATE not in text
        assert "lotgate_edge_db_waiting" in figures
        assert foreign == 404


async def test_a_wall_clock_off_the_clouds_is_one_incident(tmp_path: Path) -> None:
    async with running(tmp_path) as lot:
        edge = lot.opened.edge
        now = edge.clock.now()
        edge.clock.keep([Anchor(now.boot, now.boot_ms, now.wall_ms - 6_000, 10)])

        async with asyncio.timeout(10):
            while not await edge.incidents():
                await asyncio.sleep(0.1)
        await asyncio.sleep(1.2)

        assert [one.code for one in await edge.incidents()] == ["clock_wrong"]


def test_the_settings_of_these_tests_are_a_lot(tmp_path: Path) -> None:
    settings = lot_settings(tmp_path, 1)

    with pytest.raises(ValueError, match="no barrier"):
        replace(settings, devices=replace(settings.devices, barriers={}))
