"""The example lot with a garage inside its yard at work: four cameras, four barriers, one way through, and SIGKILL."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from domain.zones import Charge
from drivers.barrier.simulated import SimulatedRelayBoard
from drivers.camera.simulated import Sight, SimulatedVzenith
from edge.db import moves, stays
from edge.provisioning import prepare, with_database
from edge.services.checking import check_books, replay
from edge.services.lot import Done
from edge.services.paying import Taken
from edge.settings import Devices, EdgeSettings, Listener, Listeners, load_settings
from plumbing.broker import free_port
from plumbing.files import write_private
from tests.edge.lots import HOURLY
from tests.edge.nested import HALF_HOURLY
from tests.edge.test_daemon import PLATE, QUICK, Running, running
from tests.edge.test_killed import daemon
from tests.services.needs import ROOT

LANES = ("in", "out", "garage-in", "garage-out")
SECRETS = {lane: f"{lane}-0123456789abcdef" for lane in LANES}


def example(folder: Path, board_port: int) -> EdgeSettings:
    """config/lots/nested.toml on simulated devices, with the price lists of docs/zones.md and "replaces"."""
    lot = load_settings(ROOT / "config" / "lots" / "nested.toml")
    yard, garage = lot.zones
    (folder / "yard.toml").write_text(HOURLY, encoding="utf-8")
    (folder / "garage.toml").write_text(HALF_HOURLY.replace("price = 5", "price = 4"), encoding="utf-8")
    for lane, secret in SECRETS.items():
        if not (folder / lane).exists():
            write_private(folder / lane, secret.encode())
    relay = {"type": "modbus_tcp", "host": "127.0.0.1", "port": board_port}
    return replace(
        lot,
        zones=(
            replace(yard, tariffs=(folder / "yard.toml",)),
            replace(garage, tariffs=(folder / "garage.toml",), charge=Charge.REPLACES, shared_cap_fen=None),
        ),
        lanes=tuple(replace(lane, loop="", passage_loop="", loop_devices=()) for lane in lot.lanes),
        devices=Devices(
            cameras={lane: {"type": "vzenith", "secret_file": str(folder / lane)} for lane in LANES},
            barriers={lane: {**relay, "channel": channel} for channel, lane in enumerate(LANES)},
        ),
        calendars=(),
        data=folder / "data",
        listeners=Listeners(Listener(), Listener()),
        rules=QUICK,
    )


async def zones(lot: Running) -> list[str]:
    return [stay.zone_now for stay in await lot.opened.edge.cars_inside()]


async def test_a_car_goes_the_whole_way_across_restarts_and_pays_at_the_end(tmp_path: Path) -> None:
    async with running(tmp_path, example, SECRETS) as lot:
        await lot.passes("in", PLATE, 1)
        lot.later(10)
        await lot.passes("garage-in", PLATE, 2)
        assert await zones(lot) == ["garage"]

    async with running(tmp_path, example, SECRETS) as lot:
        lot.later(130)
        assert await zones(lot) == ["garage"]
        await lot.passes("garage-out", PLATE, 1)
        assert [pulse.channel for pulse in lot.board.pulses] == [LANES.index("garage-out")]
        assert await zones(lot) == ["yard"]

    async with running(tmp_path, example, SECRETS) as lot:
        edge = lot.opened.edge
        lot.later(160)
        await lot.cameras["out"].see(Sight(PLATE))
        await lot.until(lambda: (view := edge.live.get("out")) is not None and view.verdict == "PayFirst")
        view = edge.live.get("out")
        assert view is not None
        charged = [(line["zone"], line["rule"], line["fen"]) for line in view.lines if "zone" in line]
        assert charged == [("yard", "time:all", 500), ("yard", "paused", 0), ("garage", "time:all", 1600)]
        assert lot.board.pulses == []

        taken = await edge.take_cash("p1", view.stay_id, 2100, "li")
        assert isinstance(taken, Taken)
        await lot.until(lambda: len(lot.board.pulses) == 1)

        (gone,) = await edge.recent_stays()
        assert (gone.fee_fen, gone.paid_fen, gone.owed_fen) == (2100, 2100, 0)
        went = await edge.read(moves.of_stay, gone.stay_id)
        for decision in (gone.decision_in, *(move.decision_id for move in went), gone.decision_out):
            assert (await edge.read(replay, decision)).same
        assert await edge.read(check_books) == []


async def test_the_booth_can_let_a_car_on_that_found_the_garage_full(tmp_path: Path) -> None:
    def small(folder: Path, board_port: int) -> EdgeSettings:
        lot = example(folder, board_port)
        yard, garage = lot.zones
        return replace(lot, zones=(yard, replace(garage, places=1)))

    async with running(tmp_path, small, SECRETS) as lot:
        edge = lot.opened.edge
        await lot.passes("in", "京A54321", 1)
        await lot.passes("garage-in", "京A54321", 2)
        await lot.passes("in", PLATE, 3)
        await lot.cameras["garage-in"].see(Sight(PLATE))
        await lot.until(lambda: (view := edge.live.get("garage-in")) is not None and view.code == "lot_full")
        view = edge.live.get("garage-in")
        assert view is not None
        assert (view.stay_plate, view.verdict) == (PLATE, "Refuse")

        assert isinstance(await edge.lanes.open_by_hand("garage-in", "li", "the other one leaves"), Done)
        await lot.until(lambda: len(lot.board.pulses) == 4)

        assert await zones(lot) == ["garage", "garage"]


LOT = """
lot_id = 7
name = "Example lot"
[[zones]]
name = "yard"
tariffs = ["hourly.toml"]
[[zones]]
name = "garage"
tariffs = ["hourly.toml"]
inside = "yard"
[[lanes]]
name = "in"
direction = "entry"
source = "outside"
target = "yard"
cameras = ["in"]
barrier = "in"
[[lanes]]
name = "down"
direction = "entry"
source = "yard"
target = "garage"
cameras = ["down"]
barrier = "down"
[devices.cameras.in]
type = "vzenith"
secret_file = "camera-in"
[devices.cameras.down]
type = "vzenith"
secret_file = "camera-down"
[devices.barriers.in]
type = "modbus_tcp"
host = "127.0.0.1"
port = {board}
[devices.barriers.down]
type = "modbus_tcp"
host = "127.0.0.1"
port = {board}
channel = 1
[listeners]
booth = {{ port = 0 }}
device = {{ port = {device} }}
[rules]
assumed_passage_s = 0
closing_s = 0
"""


async def seen_until_opened(camera: SimulatedVzenith, board: SimulatedRelayBoard) -> None:
    """The camera tells of the car until its barrier was pulsed: the daemon may still be starting."""
    pulses = len(board.pulses)
    async with asyncio.timeout(60):
        while len(board.pulses) == pulses:
            await camera.see(Sight(PLATE))
            await asyncio.sleep(0.2)


@pytest.mark.kill
async def test_killed_right_after_each_pulse_the_car_is_where_it_was_let_to(tmp_path: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        board = await stack.enter_async_context(SimulatedRelayBoard())
        device, cameras = free_port(), {}
        (tmp_path / "hourly.toml").write_text(HOURLY, encoding="utf-8")
        config = tmp_path / "lot.toml"
        config.write_text(LOT.format(board=board.port, device=device), encoding="utf-8")
        for lane in ("in", "down"):
            secret = f"{lane}-0123456789abcdef"
            write_private(tmp_path / f"camera-{lane}", secret.encode())
            url = f"http://127.0.0.1:{device}/device/{secret}"
            cameras[lane] = await stack.enter_async_context(SimulatedVzenith(url, timeout_s=0.5))
        await asyncio.to_thread(prepare, load_settings(config))
        for lane in ("in", "down"):
            async with daemon(config):
                await seen_until_opened(cameras[lane], board)

    settings = load_settings(config)

    def look(db: object) -> tuple[list[str], str, list[str]]:
        conn = db.conn  # type: ignore[attr-defined]
        stay = stays.find_open(conn, PLATE)
        assert stay is not None
        said = conn.execute("SELECT body FROM outbox WHERE type = 'stay.moved'")
        return check_books(conn), stay.zone_now, [json.loads(body)["d"]["zone"] for (body,) in said]

    assert with_database(settings, look) == ([], "garage", ["garage"])
