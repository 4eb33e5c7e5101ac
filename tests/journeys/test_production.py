"""The stack as it is installed: two cloud workers on PostgreSQL, Mosquitto with certificates, and one lot's daemon."""

from __future__ import annotations

import asyncio
import contextlib
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cloud.checking import CHECKS
from domain.voucher import strip_to_token
from drivers.barrier.simulated import SimulatedRelayBoard
from drivers.camera.simulated import Sight, SimulatedVzenith
from drivers.printer.simulated import SimulatedPrinter
from lotgate.demo.cloud_api import CloudApi
from lotgate.demo.local import LocalEdge
from lotgate.demo.pages import Booth, Counter, Pages
from lotgate.demo.qr import read_qr
from plumbing.broker import free_port
from plumbing.demo_clock import DemoClock
from plumbing.files import write_private
from plumbing.paper.picture import render
from plumbing.tls import TlsFiles
from tests.edge.lots import HOURLY
from tests.services.mosquitto import SecureBroker
from tests.services.needs import ROOT
from tests.services.processes import stop

pytestmark = [pytest.mark.broker, pytest.mark.postgres]

WITH_COUPON, WITH_VOUCHER = "京A12345", "粤B98765"
CLOUD = """
data = "cloud"
database_url = "{database}"
first_password_file = "first"
demo_clock = "clock"

[listen]
port = {port}

[broker]
port = {broker}
longest_wait_s = 3
client_id = "{name}"
workers = 2
tls = {{ ca = "{tls.ca}", cert = "{tls.cert}", key = "{tls.key}" }}
"""
LOT = """
lot_id = {lot_id}
name = "North"
edge = "{edge}"
data = "lot"
demo_clock = "clock"

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

[devices.printers.desk]
type = "escpos_network"
host = "127.0.0.1"
port = {printer}

[listeners]
booth = {{ port = {booth} }}
counter = {{ port = {counter} }}
device = {{ port = {device} }}

[rules]
merge_window_ms = 50
assumed_passage_s = 0
closing_s = 0

[broker]
port = {broker}
longest_wait_s = 3
ca = "{tls.ca}"
certificate = "{tls.cert}"
key = "{tls.key}"
"""
LANES = [
    {"name": "in", "direction": "entry", "from": "outside", "to": "main"},
    {"name": "out", "direction": "exit", "from": "main", "to": "outside"},
]


def lotgate(*arguments: str) -> subprocess.CompletedProcess[str]:
    """One run of the program to its end."""
    command = [sys.executable, "-m", "lotgate", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603


@contextlib.contextmanager
def daemon(config: Path, name: str) -> Iterator[None]:
    """``lotgate <name>`` until the block ends."""
    command = [sys.executable, "-m", "lotgate", name, "--config", str(config)]
    with config.with_suffix(".log").open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)  # noqa: S603
    try:
        yield
    finally:
        stop(process)


async def until(look: Callable[[], Awaitable[Any]], holds: Callable[[Any], bool], seconds: float = 40) -> Any:
    """What *look* tells as soon as it *holds*."""
    async with asyncio.timeout(seconds):
        while not holds(told := await look()):
            await asyncio.sleep(0.1)
    return told


@dataclass
class Stack:
    """Everything up and the lot in touch with the cloud."""

    folder: Path
    workers: list[CloudApi]
    edge: LocalEdge
    cameras: dict[str, SimulatedVzenith]
    board: SimulatedRelayBoard
    printer: SimulatedPrinter
    booth: Booth
    counter: Counter
    merchant_id: int
    template_id: int

    async def passes(self, lane: str, plate: str) -> None:
        """A car is seen at *lane* and its barrier opens."""
        before = len(self.board.pulses)
        await self.cameras[lane].see(Sight(plate))
        async with asyncio.timeout(20):
            while len(self.board.pulses) == before:
                await asyncio.sleep(0.05)


async def workers_up(
    stack: contextlib.AsyncExitStack, folder: Path, database: str, broker: SecureBroker
) -> list[CloudApi]:
    """Two cloud processes on one database, and a way to call each."""
    apis = []
    for name in ("one", "two"):
        port, config = free_port(), folder / f"{name}.toml"
        tls = TlsFiles(folder_of(broker, "ca.pem"), folder_of(broker, "cloud.crt"), folder_of(broker, "cloud.key"))
        text = CLOUD.format(database=database, port=port, broker=broker.cloud_port, name=name, tls=tls)
        config.write_text(text, encoding="utf-8")
        stack.enter_context(daemon(config, "cloud"))
        apis.append(await stack.enter_async_context(CloudApi(f"http://127.0.0.1:{port}")))
        await until(apis[-1].answers, bool)
    first = (folder / "first").read_text(encoding="utf-8").strip()
    token = await apis[0].sign_in("admin", first, "seven cars waiting")
    for api in apis:
        api.token = token
    return apis


def folder_of(broker: SecureBroker, name: str) -> Path:
    """A file ``lotgate broker-ca init`` made."""
    return broker.folder / name


def certificate(broker: SecureBroker, folder: Path, edge: str) -> TlsFiles:
    """What the two people do for a lot's certificate: request at the edge, sign at the broker."""
    made = TlsFiles(folder_of(broker, "ca.pem"), folder / "edge.crt", folder / "edge.key")
    request = folder / "edge.csr"
    request.write_text(lotgate("broker-ca", "request", str(made.key), "--edge", edge).stdout, encoding="ascii")
    signed = lotgate("broker-ca", "sign", str(broker.folder), str(request), "--edge", edge)
    assert made.cert is not None
    made.cert.write_text(signed.stdout, encoding="ascii")
    return made


@pytest.fixture
async def production(tmp_path: Path, postgres_url: str, secure_broker: SecureBroker) -> AsyncIterator[Stack]:
    async with contextlib.AsyncExitStack() as stack:
        workers = await workers_up(stack, tmp_path, postgres_url, secure_broker)
        board = await stack.enter_async_context(SimulatedRelayBoard())
        printer = await stack.enter_async_context(SimulatedPrinter())
        lot_id = (await workers[0].post("lots", name="North", places=60, lanes=LANES))["lot_id"]
        joined = await workers[1].post("edges", lot_id=lot_id, name="north")
        shop = await workers[0].post("merchants", name="Shop", phone="13800000000", lots=[lot_id])
        merchant = f"merchants/{shop['merchant_id']}"
        await workers[0].post(f"{merchant}/top-up", commodity="FEN", paid=100_000)
        template = await workers[1].post(f"{merchant}/templates", name="five", kind="AMOUNT", value=500)
        ports = {name: free_port() for name in ("booth", "counter", "device")}
        config = tmp_path / "lot.toml"
        tls = certificate(secure_broker, tmp_path, joined["edge_id"])
        line = {"board": board.port, "printer": printer.port, "broker": secure_broker.port, "tls": tls}
        config.write_text(LOT.format(lot_id=lot_id, edge=joined["edge_id"], **ports, **line), encoding="utf-8")
        (tmp_path / "hourly.toml").write_text(HOURLY, encoding="utf-8")
        for name in ("in", "out"):
            write_private(tmp_path / f"camera-{name}", f"{name}-0123456789abcdef".encode())
        made = await asyncio.to_thread(lotgate, "provision", "--config", str(config), "--claim", joined["claim"])
        pin = re.search(r"^PIN +([0-9]+)", made.stdout, re.MULTILINE)
        assert pin is not None, made
        stack.enter_context(daemon(config, "edge"))
        edge = await stack.enter_async_context(LocalEdge(tmp_path / "lot" / "edge.sock"))
        await until(edge.answers, bool)
        await until(edge.standing, lambda now: now["link"] == "online")
        cameras, people = {}, {}
        for name in ("in", "out"):
            url = f"http://127.0.0.1:{ports['device']}/device/{name}-0123456789abcdef"
            cameras[name] = await stack.enter_async_context(SimulatedVzenith(url, f"serial-{name}"))
        for name in ("booth", "counter"):
            people[name] = await stack.enter_async_context(Pages(f"http://127.0.0.1:{ports[name]}"))
            await people[name].sign_in("booth", pin[1])
        booth, counter = Booth(people["booth"]), Counter(people["counter"])
        yield Stack(
            tmp_path,
            workers,
            edge,
            cameras,
            board,
            printer,
            booth,
            counter,
            shop["merchant_id"],
            template["template_id"],
        )


async def test_cars_coupons_and_vouchers_over_the_installed_stack(production: Stack) -> None:
    one, two = production.workers
    await production.passes("in", WITH_COUPON)
    await production.passes("in", WITH_VOUCHER)
    await until(lambda: two.get("cars"), lambda cars: len(cars) == 2)
    DemoClock(production.folder / "clock").advance(30 * 60_000)
    stays = {car["plate"]: car["stay_id"] for car in await one.get("cars")}

    await two.post("coupons", merchant_id=production.merchant_id, template_id=production.template_id, plate=WITH_COUPON)
    await until(production.edge.standing, lambda now: now["coupons_version"] > 0)
    await production.passes("out", WITH_COUPON)

    await until(lambda: one.get("leases"), lambda rows: any(row["is_applied"] for row in rows))
    await production.counter.serve(production.merchant_id)
    ordered = await production.counter.print_voucher(production.template_id)
    async with asyncio.timeout(20):
        while not production.printer.jobs:
            await asyncio.sleep(0.05)
    token = strip_to_token(read_qr(render(production.printer.jobs[0])))
    laid = await production.booth.scan(stays[WITH_VOUCHER], token)
    await production.passes("out", WITH_VOUCHER)

    await until(production.edge.standing, lambda now: now["backlog"] == 0 and now["inside"] == 0)
    coupons = await until(lambda: one.get("coupons"), lambda rows: rows[0]["state"] == "REDEEMED")
    vouchers = await until(lambda: two.get("vouchers"), lambda rows: rows[0]["state"] == "REDEEMED")
    assert (ordered.status, laid.status) == (200, 200)
    assert (len(coupons), len(vouchers), len(production.board.pulses)) == (1, 1, 4)
    assert await production.edge.wrong_books() == []
    for worker in production.workers:
        assert await worker.get("cars") == []
        assert await worker.get("incidents") == []
        assert all(book["is_right"] for book in await worker.get("books"))
    checked = await asyncio.to_thread(
        lotgate, "verify-ledger", "--cloud", "--config", str(production.folder / "one.toml")
    )
    assert (checked.returncode, checked.stdout) == (0, f"all {len(CHECKS)} checks hold\n")
