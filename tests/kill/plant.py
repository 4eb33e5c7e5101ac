"""A plant of real processes that may be killed: broker, ``lotgate cloud``, ``lotgate edge``. Its devices stay alive."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from drivers.barrier.simulated import SimulatedRelayBoard
from drivers.camera.simulated import Sight, SimulatedVzenith
from drivers.printer.simulated import SimulatedPrinter
from edge.provisioning import claim, prepare
from edge.settings import EdgeSettings, load_settings
from lotgate.demo.folder import DemoError
from lotgate.demo.pages import Counter, Pages
from plumbing.broker import EmbeddedBroker, free_port
from plumbing.files import write_private
from plumbing.unixpath import socket_path
from tests.edge.lots import HOURLY

HERE = Path(__file__).parents[2]
SECRET = "one-camera-0123456789"
NUMBER = re.compile(rb"\b\d+-(\d{6})\b")  # of a voucher, on its slip
CLOUD = """
data = "cloud"
first_password_file = "first"
[listen]
port = {port}
[broker]
port = {broker}
longest_wait_s = 3
"""
LOT = """
lot_id = {lot_id}
name = "Example lot"
edge = "{edge}"
data = "lot"
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
[devices.cameras.in]
type = "vzenith"
secret_file = "camera"
[devices.barriers.in]
type = "modbus_tcp"
host = "127.0.0.1"
port = {board}
timeout_ms = 3000  # the board shares a loop with the test, and a lane in doubt about its arm waits for a person
[devices.printers.desk]
type = "escpos_network"
host = "127.0.0.1"
port = {printer}
[listeners]
booth = {{ port = 0 }}
device = {{ port = {device} }}
counter = {{ port = {counter} }}
[broker]
port = {broker}
longest_wait_s = 3
[rules]
assumed_passage_s = 0
closing_s = 0
"""


class Daemon:
    """One ``lotgate`` process; its words go to a log file."""

    def __init__(self, name: str, config: Path) -> None:
        self.name, self._config = name, config
        self._process: subprocess.Popen[bytes] | None = None
        self.kills = 0

    def start(self) -> None:
        """Run it."""
        command = [sys.executable, "-m", "lotgate", self.name, "--config", str(self._config)]
        environment = {**os.environ, "PYTHONPATH": str(HERE)}
        with (self._config.parent / f"{self.name}.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=HERE)  # noqa: S603

    def kill(self) -> None:
        """SIGKILL: nothing is flushed, nobody says goodbye."""
        self.kills += 1
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait(10)

    async def stop(self) -> None:
        """SIGTERM, and wait; meanwhile the devices of this process answer it."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            await asyncio.to_thread(process.wait, 30)


@dataclass
class Plant:
    """Everything, and what the world outside saw of it."""

    folder: Path
    broker: EmbeddedBroker
    cloud: Daemon
    edge: Daemon
    board: SimulatedRelayBoard
    printer: SimulatedPrinter
    camera: SimulatedVzenith
    counter_url: str
    pin: str
    merchant_id: int
    template_id: int
    settings: EdgeSettings
    broker_kills: int = 0
    cars: int = 0
    orders: int = 0
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def acts(self) -> tuple[int, int]:
        """Pulses given and slips printed so far."""
        return len(self.board.pulses), len(self.printer.jobs)

    def printed(self) -> list[int]:
        """The counter of every voucher that reached the printer, in order."""
        return [int(counter) for job in self.printer.jobs for counter in NUMBER.findall(job)]

    async def drive(self) -> None:
        """Different cars, one after another, for ever."""
        while True:
            self.cars += 1
            plate = f"粤{chr(65 + self.cars % 8)}{self.cars * 7919 % 100000:05d}"
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                await self.camera.see(Sight(plate))
            await asyncio.sleep(0.05)

    async def sell(self) -> None:
        """A merchant at the counter orders voucher after voucher, and signs in again when the page is gone."""
        while True:
            with contextlib.suppress(aiohttp.ClientError, DemoError, TimeoutError):
                async with Pages(self.counter_url) as pages:
                    await pages.sign_in("booth", self.pin)
                    counter = Counter(pages)
                    await counter.serve(self.merchant_id)
                    while (await counter.print_voucher(self.template_id)).status == 200:
                        self.orders += 1
                        await asyncio.sleep(0.1)
            await asyncio.sleep(0.3)

    async def standing(self) -> dict[str, Any] | None:
        """What the edge says of itself; None while it does not answer."""
        with (
            contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError),
            socket_path(self.settings.socket) as path,
        ):
            connector = aiohttp.UnixConnector(path)
            timeout = aiohttp.ClientTimeout(total=2)
            async with (
                aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
                session.get("http://edge/standing") as answer,
            ):
                told: dict[str, Any] = await answer.json()
                return told
        return None

    async def until_told(self, seconds: float = 60) -> None:
        """Wait until the cloud holds everything the lot wrote."""
        async with asyncio.timeout(seconds):
            while True:
                standing = await self.standing()
                if standing and standing["link"] == "online" and not standing["backlog"]:
                    return
                await asyncio.sleep(0.1)

    async def until_moving(self, seconds: float = 40) -> None:
        """Wait until another pulse was given: the edge is up and works."""
        pulses = self.acts[0]
        async with asyncio.timeout(seconds):
            while self.acts[0] == pulses:
                await asyncio.sleep(0.02)

    async def until_selling(self, seconds: float = 60) -> None:
        """Wait for the first slip: the lot counts as active and has its allowance."""
        async with asyncio.timeout(seconds):
            while not self.printed():
                await asyncio.sleep(0.1)


@dataclass
class Api:
    """The cloud's interface, as a script would use it."""

    session: aiohttp.ClientSession
    base: str
    token: str = ""

    async def call(self, path: str, body: object = None) -> Any:
        """Raises AssertionError on anything but success."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        method = "GET" if body is None else "POST"
        async with self.session.request(method, f"{self.base}/api/v1/{path}", json=body, headers=headers) as answer:
            told = await answer.json()
            assert answer.status < 300, (path, told)
            return told

    async def ready(self) -> None:
        """Wait for the first answer."""
        async with asyncio.timeout(40):
            while True:
                with contextlib.suppress(aiohttp.ClientConnectorError):
                    await self.call("health")
                    return
                await asyncio.sleep(0.05)


@asynccontextmanager
async def running_plant(folder: Path) -> AsyncIterator[Plant]:
    """Set up by the product's own means: first password, lot, merchant with money, claim, counter."""
    async with contextlib.AsyncExitStack() as stack:
        broker = await stack.enter_async_context(EmbeddedBroker(folder, {}))
        board = await stack.enter_async_context(SimulatedRelayBoard())
        printer = await stack.enter_async_context(SimulatedPrinter())
        ports = {"port": free_port(), "device": free_port(), "counter": free_port()}
        (folder / "cloud.toml").write_text(CLOUD.format(port=ports["port"], broker=broker.port), encoding="utf-8")
        cloud = Daemon("cloud", folder / "cloud.toml")
        stack.push_async_callback(cloud.stop)
        cloud.start()
        session = await stack.enter_async_context(aiohttp.ClientSession())
        api = Api(session, f"http://127.0.0.1:{ports['port']}")
        made = await _found(api, folder)
        (folder / "hourly.toml").write_text(HOURLY, encoding="utf-8")
        write_private(folder / "camera", SECRET.encode())
        config = folder / "lot.toml"
        names = {"lot_id": made["lot_id"], "edge": made["edge_id"], "board": board.port, "printer": printer.port}
        config.write_text(LOT.format(broker=broker.port, **names, **ports), encoding="utf-8")
        settings = load_settings(config)
        prepared = await asyncio.to_thread(prepare, settings)
        await claim(settings, made["claim"])
        edge = Daemon("edge", config)
        stack.push_async_callback(edge.stop)
        edge.start()
        url = f"http://127.0.0.1:{ports['device']}/device/{SECRET}"
        camera = await stack.enter_async_context(SimulatedVzenith(url, timeout_s=1.0))
        counter = f"http://127.0.0.1:{ports['counter']}"
        plant = Plant(
            folder, broker, cloud, edge, board, printer, camera, counter, prepared.pin, made["merchant_id"],
            made["template_id"], settings,
        )  # fmt: skip
        await plant.until_told()
        await api.call(f"edges/{made['edge_id']}/refill", {})
        yield plant


async def _found(api: Api, folder: Path) -> dict[str, Any]:
    """A lot, its edge to be, and a merchant who may print there."""
    await api.ready()
    first = (folder / "first").read_text(encoding="utf-8").strip()
    login = {"account": "admin", "password": first, "new_password": "seven cars waiting"}
    api.token = (await api.call("tokens", login))["token"]
    lanes = [{"name": "in", "direction": "entry", "from": "outside", "to": "main"}]
    lot_id = (await api.call("lots", {"name": "North", "places": 9000, "lanes": lanes}))["lot_id"]
    joined = await api.call("edges", {"lot_id": lot_id, "name": "north"})
    shop = await api.call("merchants", {"name": "Shop", "phone": "13800000000", "lots": [lot_id]})
    merchant_id = shop["merchant_id"]
    await api.call(f"merchants/{merchant_id}/top-up", {"commodity": "FEN", "paid": 1_000_000})
    dime = {"name": "dime", "kind": "AMOUNT", "value": 10}
    template_id = (await api.call(f"merchants/{merchant_id}/templates", dime))["template_id"]
    return {
        "lot_id": lot_id,
        "edge_id": joined["edge_id"],
        "claim": joined["claim"],
        "merchant_id": merchant_id,
        "template_id": template_id,
    }
