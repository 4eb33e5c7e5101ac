"""An appliance dies for good with facts nobody else knows, and another takes its place: the drill of operations.md.

Everything is what runs at a lot: daemons as processes, a broker, cameras and a relay board on sockets, the commands.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from drivers.barrier.simulated import SimulatedRelayBoard
from drivers.camera.simulated import Sight, SimulatedVzenith
from lotgate.demo.cloud_api import CloudApi
from lotgate.demo.local import LocalEdge
from lotgate.demo.pages import Booth, Pages
from plumbing.broker import EmbeddedBroker, free_port
from plumbing.demo_clock import DemoClock
from plumbing.files import write_private
from tests.edge.lots import HOURLY
from tests.fakes.fault_proxy import FaultProxy, fault_proxy
from tests.services.needs import ROOT
from tests.services.processes import stop

pytestmark = pytest.mark.xdist_group("replacing")

WITH_COUPON, PAYS, UNKNOWN = "京A12345", "粤B98765", "沪C11223"
CLOUD = """
data = "cloud"
first_password_file = "first"
demo_clock = "clock"

[listen]
port = {port}

[broker]
port = {broker}
longest_wait_s = 3
"""
LOT = """
lot_id = {lot_id}
name = "North"
edge = "{edge}"  # as the cloud's page shows it
data = "data"
demo_clock = "../clock"

[[zones]]
name = "main"
tariffs = ["hourly.toml"]

[[lanes]]
name = "in"
direction = "entry"
source = "outside"
target = "main"
cameras = ["in"]
barrier = "in"

[[lanes]]
name = "out"
direction = "exit"
source = "main"
target = "outside"
cameras = ["out"]
barrier = "out"

[devices.cameras.in]
type = "vzenith"
secret_file = "camera-in"

[devices.cameras.out]
type = "vzenith"
secret_file = "camera-out"

[devices.barriers.in]
type = "modbus_tcp"
port = {board}
host = "127.0.0.1"
channel = 0

[devices.barriers.out]
type = "modbus_tcp"
port = {board}
host = "127.0.0.1"
channel = 1

[listeners]
booth = {{ port = {booth} }}
device = {{ port = {device} }}

[rules]
merge_window_ms = 50
assumed_passage_s = 0
closing_s = 0

[broker]
port = {broker}
longest_wait_s = 3
"""
LANES = [
    {"name": "in", "direction": "entry", "from": "outside", "to": "main"},
    {"name": "out", "direction": "exit", "from": "main", "to": "outside"},
]


def lotgate(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lotgate", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603


@contextlib.contextmanager
def daemon(config: Path, name: str) -> Any:
    command = [sys.executable, "-m", "lotgate", name, "--config", str(config)]
    with config.with_suffix(".log").open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)  # noqa: S603
    try:
        yield process
    finally:
        stop(process)


async def until(look: Callable[[], Awaitable[Any]], holds: Callable[[Any], bool], seconds: float = 60) -> Any:
    async with asyncio.timeout(seconds):
        while not holds(told := await look()):
            await asyncio.sleep(0.1)
    return told


@dataclass
class Box:
    """One appliance, running: its process, its own socket, its booth and cameras."""

    folder: Path
    process: subprocess.Popen[bytes]
    edge: LocalEdge
    booth: Booth
    board: SimulatedRelayBoard
    cameras: dict[str, SimulatedVzenith]

    async def passes(self, lane: str, plate: str) -> None:
        before = len(self.board.pulses)
        await self.cameras[lane].see(Sight(plate))
        await until(lambda: _soon(len(self.board.pulses)), lambda pulses: pulses > before)

    async def is_seen(self, lane: str, plate: str, shows: Callable[[Any], bool]) -> None:
        await self.cameras[lane].see(Sight(plate))
        await until(lambda: self.edge.lane(lane), shows)

    def dies(self) -> None:
        """The power goes, and the disk with it."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        shutil.rmtree(self.folder / "data")


async def _soon(value: Any) -> Any:
    return value


@dataclass
class Site:
    """The cloud, the line, and what a new appliance is set up with."""

    folder: Path
    cloud: CloudApi
    line: FaultProxy
    lot_id: int
    merchant: str
    template_id: int
    stack: contextlib.AsyncExitStack
    pins: dict[str, str] = field(default_factory=dict)

    def later(self, minutes: int) -> None:
        DemoClock(self.folder / "clock").advance(minutes * 60_000)

    def lot_file(self, name: str, edge: str, board: SimulatedRelayBoard) -> Path:
        folder = self.folder / name
        folder.mkdir()
        ports = {name: free_port() for name in ("booth", "device")}
        config = folder / "lot.toml"
        text = LOT.format(lot_id=self.lot_id, edge=edge, board=board.port, broker=self.line.port, **ports)
        config.write_text(text, encoding="utf-8")
        (folder / "hourly.toml").write_text(HOURLY, encoding="utf-8")
        for lane in ("in", "out"):
            write_private(folder / f"camera-{lane}", f"{lane}-0123456789abcdef".encode())
        return config

    async def starts(self, config: Path, board: SimulatedRelayBoard, pin: str) -> Box:
        process = self.stack.enter_context(daemon(config, "edge"))
        edge = await self.stack.enter_async_context(LocalEdge(config.parent / "data" / "edge.sock"))
        await until(edge.answers, bool)
        await until(edge.standing, lambda now: now["link"] == "online")
        ports = ports_of(config)
        cameras = {
            lane: await self.stack.enter_async_context(
                SimulatedVzenith(f"http://127.0.0.1:{ports['device']}/device/{lane}-0123456789abcdef", f"serial-{lane}")
            )
            for lane in ("in", "out")
        }
        pages = await self.stack.enter_async_context(Pages(f"http://127.0.0.1:{ports['booth']}"))
        await pages.sign_in("booth", pin)
        return Box(config.parent, process, edge, Booth(pages), board, cameras)

    async def told(self, box: Box) -> None:
        """Until the cloud holds everything of the box."""
        await until(box.edge.standing, lambda now: now["backlog"] == 0 and now["salvage"] == 0)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with contextlib.AsyncExitStack() as stack:
        broker = await stack.enter_async_context(EmbeddedBroker(tmp_path, {}))
        line = await stack.enter_async_context(fault_proxy(broker.port))
        port, config = free_port(), tmp_path / "cloud.toml"
        config.write_text(CLOUD.format(port=port, broker=broker.port), encoding="utf-8")
        stack.enter_context(daemon(config, "cloud"))
        cloud = await stack.enter_async_context(CloudApi(f"http://127.0.0.1:{port}"))
        await until(cloud.answers, bool)
        first = (tmp_path / "first").read_text(encoding="utf-8").strip()
        cloud.token = await cloud.sign_in("admin", first, "seven cars waiting")
        lot_id = (await cloud.post("lots", name="North", places=60, lanes=LANES))["lot_id"]
        shop = await cloud.post("merchants", name="Shop", phone="13800000000", lots=[lot_id])
        merchant = f"merchants/{shop['merchant_id']}"
        await cloud.post(f"{merchant}/top-up", commodity="FEN", paid=100_000)
        template = await cloud.post(f"{merchant}/templates", name="five", kind="AMOUNT", value=500)
        yield Site(tmp_path, cloud, line, lot_id, merchant, template["template_id"], stack)


async def first_box(site: Site) -> Box:
    """A lot that runs: two cars inside, one with a coupon from the cloud, one that paid two yuan in advance."""
    board = await site.stack.enter_async_context(SimulatedRelayBoard())
    joined = await site.cloud.post("edges", lot_id=site.lot_id, name="north")
    config = site.lot_file("box-1", joined["edge_id"], board)
    made = await asyncio.to_thread(lotgate, "provision", "--config", str(config), "--claim", joined["claim"])
    site.pins["booth"] = pin_of(made)
    box = await site.starts(config, board, site.pins["booth"])
    await box.passes("in", WITH_COUPON)
    await box.passes("in", PAYS)
    await until(lambda: site.cloud.get("cars"), lambda cars: len(cars) == 2)
    merchant_id = int(site.merchant.partition("/")[2])
    await site.cloud.post("coupons", merchant_id=merchant_id, template_id=site.template_id, plate=WITH_COUPON)
    await until(box.edge.standing, lambda now: now["coupons_version"] > 0)
    site.later(30)
    stays = {car["plate"]: car["stay_id"] for car in await site.cloud.get("cars")}
    assert (await box.booth.take_cash(stays[PAYS], "2")).status == 200
    await until(lambda: site.cloud.get("leases"), lambda rows: any(row["is_applied"] for row in rows))
    await site.told(box)
    return box


def ports_of(config: Path) -> dict[str, int]:
    text = config.read_text(encoding="utf-8")
    return {name: int(found) for name, found in re.findall(r"(booth|device) = \{ port = (\d+)", text)}


def pin_of(made: subprocess.CompletedProcess[str]) -> str:
    found = re.search(r"^PIN +([0-9]+)", made.stdout, re.MULTILINE)
    assert found is not None, made
    return found[1]


async def replaced(
    site: Site, old: str, *more: str, blank: SimulatedRelayBoard | None = None
) -> tuple[Path, SimulatedRelayBoard, subprocess.CompletedProcess[str]]:
    """What people do: the button on the cloud's page, then one command at the new machine.

    *blank*: there is nothing on it but the devices' passwords, and the lot's relay board is still the same.
    """
    board = blank if blank is not None else await site.stack.enter_async_context(SimulatedRelayBoard())
    claim = (await site.cloud.post(f"edges/{old}/replace"))["claim"]
    config = site.lot_file("box-2", old, board)
    if blank is not None:
        config.unlink()
        (config.parent / "hourly.toml").unlink()
    command = ("provision", "--config", str(config), "--replace", "--claim", claim, *more)
    return config, board, await asyncio.to_thread(lotgate, *command)


async def leave_rightly(site: Site, box: Box) -> None:
    """One leaves on its coupon, the other owes five yuan and has paid two; nobody is left, every book adds up."""
    await box.passes("out", WITH_COUPON)
    stays = {car["plate"]: car["stay_id"] for car in await site.cloud.get("cars")}
    await box.is_seen("out", PAYS, lambda lane: lane["due_fen"] == 300)
    before = len(box.board.pulses)
    assert (await box.booth.take_cash(stays[PAYS], "3")).status == 200
    await until(lambda: _soon(len(box.board.pulses)), lambda pulses: pulses > before)
    await site.told(box)
    coupons = await until(lambda: site.cloud.get("coupons"), lambda rows: rows[0]["state"] == "REDEEMED")
    assert len(coupons) == 1
    assert await box.edge.wrong_books() == []
    assert all(book["is_right"] for book in await site.cloud.get("books"))
    checked = await asyncio.to_thread(lotgate, "verify-ledger", "--cloud", "--config", str(site.folder / "cloud.toml"))
    assert checked.returncode == 0, checked.stdout


async def test_a_box_that_died_with_unsent_events_is_replaced_by_what_the_cloud_knew(site: Site) -> None:
    box = await first_box(site)
    (old,) = await site.cloud.get("edges")
    site.line.swallow()
    await box.passes("in", UNKNOWN)
    box.dies()
    site.line.let_pass()

    began = time.monotonic()
    config, board, made = await replaced(site, old["edge_id"], blank=box.board)
    assert made.returncode == 0, made
    fresh = await site.starts(config, board, pin_of(made))
    took = time.monotonic() - began

    print(made.stdout, f"\nfrom the button to a lot that is online: {took:.0f} s")  # noqa: T201  (the drill's protocol)
    assert "inside       2 cars, 200 fen" in made.stdout
    assert "may be lost" in made.stdout
    edges = {row["edge_id"]: row for row in await site.cloud.get("edges")}
    (new,) = [row for row in edges.values() if row["edge_id"] != old["edge_id"]]
    assert (edges[old["edge_id"]]["state"], new["epoch"]) == ("revoked", old["epoch"] + 1)
    leases = await site.cloud.get("leases")
    assert {row["state"] for row in leases if row["edge_id"] == old["edge_id"]} == {"frozen"}
    found = [row for row in await site.cloud.get("incidents") if row["code"] == "edge_replaced"]
    assert any("may be lost" in row["detail"] for row in found)
    await until(fresh.edge.standing, lambda now: now["rules_version"] > 0 and now["coupons_version"] > 0)
    assert (await fresh.edge.standing())["inside"] == 2  # the third is only in the dead box
    assert f'edge = "{new["edge_id"]}"  # as the cloud' in config.read_text(encoding="utf-8")
    again = await asyncio.to_thread(lotgate, "edge", "--config", str(box.folder / "lot.toml"))
    assert again.returncode != 0
    await leave_rightly(site, fresh)
    assert await site.cloud.get("cars") == []
    logs = [site.folder / "cloud.log", box.folder / "lot.log", config.with_suffix(".log")]
    written = await asyncio.to_thread(lambda: "".join(log.read_text(encoding="utf-8") for log in logs))
    assert "started after" in written
    assert [plate for plate in (WITH_COUPON, PAYS, UNKNOWN) if plate in written or plate[1:] in written] == []


async def test_with_a_copy_that_knows_more_nothing_is_lost_and_the_cloud_hears_the_rest(site: Site) -> None:
    box = await first_box(site)
    (old,) = await site.cloud.get("edges")
    site.line.swallow()
    await box.passes("in", UNKNOWN)
    stick = site.folder / "stick"
    made = await asyncio.to_thread(lotgate, "backup", "--config", str(box.folder / "lot.toml"), str(stick))
    assert made.returncode == 0, made
    box.dies()
    site.line.let_pass()

    config, board, made = await replaced(site, old["edge_id"], "--copy", str(stick))
    assert made.returncode == 0, made
    fresh = await site.starts(config, board, pin_of(made))  # PINs of the copy open with the dead device alone

    assert "the copy of" in made.stdout
    cars = await until(lambda: site.cloud.get("cars"), lambda rows: len(rows) == 3)
    assert UNKNOWN in {car["plate"] for car in cars}
    await site.told(fresh)
    await fresh.passes("out", UNKNOWN)  # within the free minutes
    await leave_rightly(site, fresh)
    assert {row["code"] for row in await site.cloud.get("incidents")} == {"edge_replaced"}


async def test_repeated_after_a_power_cut_it_gives_the_same_and_a_lot_that_lives_is_refused(site: Site) -> None:
    box = await first_box(site)
    (old,) = await site.cloud.get("edges")
    claim = (await site.cloud.post(f"edges/{old['edge_id']}/replace"))["claim"]
    alive = await asyncio.to_thread(
        lotgate, "provision", "--config", str(box.folder / "lot.toml"), "--replace", "--claim", claim
    )
    box.dies()
    board = await site.stack.enter_async_context(SimulatedRelayBoard())
    config = site.lot_file("box-2", old["edge_id"], board)
    command = ("provision", "--config", str(config), "--replace", "--claim", claim)

    first = await asyncio.to_thread(lotgate, *command)
    second = await asyncio.to_thread(lotgate, *command)

    assert (alive.returncode, first.returncode, second.returncode) == (1, 0, 0), (alive, first, second)
    assert "inside       2 cars, 200 fen" in second.stdout
