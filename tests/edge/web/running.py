"""A whole edge with its pages over real sockets, and a browserless visitor who can fill in forms."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import aiohttp
from argon2 import PasswordHasher

from domain.lease import Lease, LeaseState
from domain.ledger import Commodity, Funds
from domain.moment import Moment
from domain.sync.channel import Part, Row, digest, digest_text
from drivers.barrier.simulated import SimulatedRelayBoard
from drivers.base import Camera
from drivers.camera.simulated import Sight, SimulatedVzenith
from drivers.printer.simulated import SimulatedPrinter
from edge.clock import Clock
from edge.daemon import Opened, run_edge
from edge.db import channels, leases, people
from edge.db.database import Database, transaction
from edge.facade import Edge
from edge.lanes.live import LaneView
from edge.settings import EdgeSettings, Listener
from plumbing.passwords import Passwords
from tests.edge.test_daemon import QUICK, SECRETS, lot_settings

PIN = "408517"
PLATE = "京A12345"
ALWAYS = {"not_before_ms": 0, "not_after_ms": 1 << 60, "revoked_at_counter": None}
TERMS = {"amount_percent": 100, "duration_percent": 100, "waiver_cap_fen": 3000}
WALL = {
    "attendant": ("王芳", "attendant"),
    "manager": ("王主管", "manager"),
    "shop": ("咖啡店-小李", "merchant:3"),
    "other": ("书店-小赵", "merchant:4"),
}


@dataclass
class Lot:
    """The running edge with its simulated devices; `later` lets both clocks run ahead."""

    opened: Opened
    board: SimulatedRelayBoard
    cameras: dict[str, SimulatedVzenith]
    printer: SimulatedPrinter
    shift_ms: list[int]
    rows: dict[str, list[Row]] = field(default_factory=dict)

    @property
    def edge(self) -> Edge:
        return self.opened.edge

    def url(self, listener: str, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.opened.ports[listener]}{path}"

    def later(self, minutes: int) -> None:
        self.shift_ms[0] += minutes * 60_000

    async def until(self, holds: Callable[[], bool], seconds: float = 15.0) -> None:
        async with asyncio.timeout(seconds):
            while not holds():
                await asyncio.sleep(0.005)

    def see_through(self, cameras: Mapping[str, object]) -> None:
        """Put these cameras in the place of those that are there; each needs no more than whoever looks asks of it."""
        self.edge.lanes.cameras = cast("Mapping[str, Camera]", cameras)

    def view(self, lane: str) -> LaneView:
        found = self.edge.live.get(lane)
        assert found is not None
        return found

    async def enters(self, plate: str = PLATE, minutes_ago: int = 30) -> str:
        """A car enters by its lane and then stays a while; returns its stay."""
        pulses = len(self.board.pulses)
        await self.cameras["in"].see(Sight(plate))
        await self.until(lambda: len(self.board.pulses) == pulses + 1)
        self.later(minutes_ago)
        return (await self.edge.cars_inside(plate))[0].stay_id

    async def waits_to_pay(self, plate: str = PLATE) -> None:
        """It stands at the exit and owes."""
        await self.cameras["out"].see(Sight(plate))
        await self.until(lambda: self.view("out").verdict == "PayFirst")

    async def put(self, channel: str, key: str, value: dict[str, object]) -> None:
        """The cloud puts a row into a channel."""
        rows = self.rows.setdefault(channel, [])
        version = len(rows) + 1
        rows.append(Row(key, version, value))
        live = {row.key: row for row in rows}
        part = Part(channel, version - 1, version, 1, 1, (rows[-1],), digest_text(digest(live.values())))

        def take(db: Database) -> None:
            with transaction(db) as conn:
                assert channels.take(conn, part)

        await self.edge.office.thread.run(take, self.edge.office.db)

    async def grant(self, merchant_id: int, granted: int, commodity: Commodity = Commodity.FEN) -> None:
        """The cloud grants a lease."""
        now = self.edge.office.now()
        lease = Lease(int(time.monotonic_ns() % 1_000_000), granted, 0, LeaseState.ACTIVE)
        held = leases.HeldLease(lease, merchant_id, commodity, Funds.PAID, now.boot, now.boot_ms + 36_000_000)

        def insert(db: Database) -> None:
            with transaction(db) as conn:
                leases.insert(conn, held, 1)

        await self.edge.office.thread.run(insert, self.edge.office.db)

    async def opens_shop(self, merchant_id: int = 3, name: str = "咖啡店", granted: int = 2000) -> None:
        """A merchant with two templates, a key to sign with and an allowance."""
        if "keys" not in self.rows:
            public = self.edge.office.lot.public_key.hex()
            await self.put("keys", "1", {"key_id": 1, "public": public, "lot_id": 7, **ALWAYS})
        merchant = {"merchant_id": merchant_id, "name": name, "enabled": True, "contracts": {"7": TERMS}}
        await self.put("rules", f"merchant:{merchant_id}", merchant)
        common = {"merchant_id": merchant_id, "cap_fen": 0, "meaning": "end", "remainder": "lost", "valid_min": 1440}
        for template_id, kind, value, words in (
            (merchant_id * 10, "AMOUNT", 500, "5 元券"),
            (merchant_id * 10 + 1, "DURATION", 60, "1 小时券"),
        ):
            row = {"template_id": template_id, "name": words, "kind": kind, "value": value, **common}
            await self.put("rules", f"template:{template_id}", row)
        if granted:
            await self.grant(merchant_id, granted)

    async def employ(self) -> None:
        """Somebody at the booth and somebody in each shop, all with the same PIN."""
        passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))  # quick: it guards nothing
        pin_hash = passwords.hash_blocking(PIN)
        passwords.close()

        def put(db: Database, now: Moment) -> None:
            with transaction(db) as conn:
                for name, role in WALL.values():
                    people.put(conn, name, pin_hash, role, now)

        await self.edge.office.thread.run(put, self.edge.office.db, self.edge.office.now())


@asynccontextmanager
async def running(
    folder: Path, change: Callable[[EdgeSettings], EdgeSettings] = lambda one: one, shift_ms: int | None = None
) -> AsyncIterator[Lot]:
    """An edge with all its listeners on free ports; *shift_ms* where it is one that ran before, with its people."""
    async with contextlib.AsyncExitStack() as stack:
        board = await stack.enter_async_context(SimulatedRelayBoard())
        printer = await stack.enter_async_context(SimulatedPrinter())
        settings = change(_settings(folder, board.port, printer.port))
        ready: asyncio.Future[Opened] = asyncio.get_running_loop().create_future()
        stop, shift = asyncio.Event(), [shift_ms or 0]
        clock = Clock(
            boot_ms=lambda: time.monotonic_ns() // 1_000_000 + shift[0],
            wall_ms=lambda: time.time_ns() // 1_000_000 + shift[0],
        )
        task = asyncio.create_task(run_edge(settings, stop, clock=clock, on_ready=ready.set_result))
        await asyncio.wait((task, ready), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        opened = await ready
        base = f"http://127.0.0.1:{opened.ports['device']}/device/"
        cameras = {
            name: await stack.enter_async_context(SimulatedVzenith(base + secret, serial=f"serial-{name}"))
            for name, secret in SECRETS.items()
        }
        lot = Lot(opened, board, cameras, printer, shift)
        if shift_ms is None:
            await lot.employ()
        try:
            yield lot
        finally:
            stop.set()
            await asyncio.wait_for(task, 15)


def _settings(folder: Path, board_port: int, printer_port: int) -> EdgeSettings:
    plain = lot_settings(folder, board_port, QUICK)
    printers = {"counter": {"type": "escpos_network", "host": "127.0.0.1", "port": printer_port}}
    return replace(
        plain,
        name="示例停车场",
        devices=replace(plain.devices, printers=printers),
        listeners=replace(plain.listeners, counter=Listener()),
    )


class Visitor:
    """A browser without scripts: keeps cookies, fills in forms."""

    def __init__(self, base: str, session: aiohttp.ClientSession) -> None:
        self.base = base
        self.session = session

    async def get(self, path: str) -> str:
        """A page, which must be there."""
        async with self.session.get(self.base.rstrip("/") + path) as answer:
            text = await answer.text()
            assert answer.status == 200, text
            return text

    @asynccontextmanager
    async def streaming(self, path: str) -> AsyncIterator[Callable[[float], Awaitable[str]]]:
        """A stream of events: call to hear what comes within so many seconds, or until it ends."""
        async with self.session.get(self.base.rstrip("/") + path) as answer:
            assert answer.status == 200

            async def hear(seconds: float) -> str:
                text = b""
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(seconds):
                        while chunk := await answer.content.readany():
                            text += chunk
                return text.decode()

            yield hear

    async def status(self, path: str, method: str = "GET", **options: Any) -> int:
        """What asking for *path* is answered with."""
        async with self.session.request(
            method, self.base.rstrip("/") + path, allow_redirects=False, **options
        ) as answer:
            return answer.status

    async def send(self, path: str, form: Mapping[str, str], page: str = "") -> tuple[int, str]:
        """Send a form with the token and the hidden fields that its page has."""
        text = await self.get(page or path)
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', text))
        async with self.session.post(self.base.rstrip("/") + path, data={**hidden, **form}) as answer:
            return answer.status, await answer.text()

    async def token(self) -> str:
        """The token this browser would send with a form."""
        return await self.page_token("/login")

    async def page_token(self, path: str) -> str:
        """The token of the page at *path*."""
        found = re.search(r'name="csrf-token" content="([^"]+)"', await self.get(path))
        assert found is not None
        return found.group(1)

    async def sign_in(self, who: str = "attendant", pin: str = PIN) -> int:
        """Sign in by name and PIN."""
        status, _ = await self.send("/login", {"account": WALL[who][0], "password": pin})
        return status


@asynccontextmanager
async def visiting(lot: Lot, listener: str) -> AsyncIterator[Visitor]:
    """A fresh browser at one listener, in Chinese."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar, cookies={"lg_lang": "zh-CN"}) as session:
        yield Visitor(lot.url(listener), session)
