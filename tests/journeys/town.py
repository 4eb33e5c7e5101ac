"""A lot and its cloud in one process with a real broker between them, both clocks put forward together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from aiohttp import web
from sqlalchemy import Connection

from cloud.act import Refused
from cloud.app import make_app, open_cloud
from cloud.lots import edges as lot_edges
from cloud.lots import service as lots
from cloud.lots.service import LaneSpec
from cloud.payments.provider import PaymentProvider
from cloud.payments.settings import PaymentSettings
from cloud.settings import BrokerSettings, CloudSettings
from cloud.web.state import Cloud
from domain.claim import write_claim
from domain.stay import Direction
from drivers.camera.simulated import Sight
from edge.provisioning import claim, prepare
from edge.settings import Broker, EdgeSettings
from lotgate.demo.scenes import draw_scene
from plumbing.broker import EmbeddedBroker, free_port
from tests.edge.test_daemon import Running, lot_settings, running

LANES = (
    LaneSpec("in", Direction.ENTRY, "outside", "main"),
    LaneSpec("out", Direction.EXIT, "main", "outside"),
)


@dataclass
class Town:
    """What runs; *ahead* is by how many milliseconds the cloud's clock was put forward."""

    lot: Running
    cloud: Cloud
    app: web.Application
    broker: EmbeddedBroker
    lot_id: int
    ahead: list[int]

    def later(self, minutes: int) -> None:
        """*minutes* pass for the lot and for the cloud."""
        self.lot.later(minutes)
        self.ahead[0] += minutes * 60_000

    async def enters(self, plate: str, pulses: int) -> None:
        """A car comes in by the *pulses*-th pulse of the day, and the cloud knows of it."""
        await self.lot.cameras["in"].see(Sight(plate, image=draw_scene(plate)))
        await self.lot.until(lambda: len(self.lot.board.pulses) == pulses)
        async with asyncio.timeout(30):
            while not await self.cloud.db.run(lots.open_stay_of, self.cloud.operator_id, self.lot_id, plate):
                await asyncio.sleep(0.02)


def _found(cloud: Cloud, name: str) -> tuple[int, str, str]:
    """A lot and the claim of its edge."""

    def make(conn: Connection) -> tuple[int, str, str]:
        lot_id = lots.create_lot(conn, cloud.act("admin"), name, "Asia/Shanghai", 60, LANES)
        assert isinstance(lot_id, int)
        made = lot_edges.create_edge(
            conn, cloud.act("admin"), lot_id, "north", cloud.public_url, cloud.config_key.public.raw
        )
        assert not isinstance(made, Refused)
        return lot_id, made.edge_id, write_claim(made)

    return cloud.db.run_here(make)


@asynccontextmanager
async def open_town(
    folder: Path,
    providers: Mapping[str, PaymentProvider] | None = None,
    payments: PaymentSettings | None = None,
    name: str = "North",
) -> AsyncIterator[Town]:
    """All of it up and in touch, paid through *providers* or whatever *payments* names."""
    async with AsyncExitStack() as stack:
        broker = await stack.enter_async_context(EmbeddedBroker(folder, {}))
        port = free_port()
        settings = CloudSettings(
            data=folder / "cloud", public_url=f"http://127.0.0.1:{port}",
            first_password_file=folder / "first", broker=BrokerSettings(port=broker.port),
            payments=payments or PaymentSettings(),
        )  # fmt: skip
        cloud = await asyncio.to_thread(open_cloud, settings)
        now_ms, ahead = cloud.now_ms, [0]
        cloud.now_ms = lambda: now_ms() + ahead[0]
        lot_id, edge_id, text = await asyncio.to_thread(_found, cloud, name)
        app = make_app(cloud, providers)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", port).start()

        def make(folder: Path, board: int) -> EdgeSettings:
            lot = lot_settings(folder, board)
            return replace(lot, lot_id=lot_id, edge=edge_id, broker=Broker(port=broker.port))

        made = make(folder, 1)
        await asyncio.to_thread(prepare, made)
        await claim(made, text)
        lot = await stack.enter_async_context(running(folder, make=make))
        await lot.until(lambda: lot.opened.edge.link_state() == "online", 20)
        yield Town(lot, cloud, app, broker, lot_id, ahead)
