"""The cloud of the week and the line to it: both sides' own code, their messages carried by hand instead of MQTT."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from benchmarks.week.house import House
from cloud.act import Act, Refused
from cloud.coupons import service as coupons
from cloud.db import open_engine, upgrade
from cloud.joining import join
from cloud.lots import edges as lot_edges
from cloud.lots import service as lots
from cloud.merchants import contracts, leases
from cloud.merchants import service as merchants
from cloud.merchants.service import PaymentMode, SettlementMode
from cloud.sync.agent import CloudAgent
from cloud.sync.channels import put_row
from domain.ledger import Commodity
from domain.wire import Json, pack
from edge.services.leases import HANDLERS
from edge.settings import EdgeSettings
from edge.sync.agent import EdgeAgent, Outgoing
from plumbing.signing import PrivateKey, PublicKey, load_or_create_key

T = TypeVar("T")
EVERY_S = 30.0
SHOPS = ("咖啡", "超市", "影院")
TEMPLATES = (("抵扣 5 元", "AMOUNT", 500), ("免费 1 小时", "DURATION", 60), ("小票 10 元", "AMOUNT", 1000))
WORKS: dict[str, Json] = {"test": {"failed": []}}  # what the edge's hello says of its devices


@dataclass
class Cloud:
    """The service over its own database file, with a lot, merchants that have money, and people paid by the month."""

    file: Path
    rng: random.Random
    now_ms: Callable[[], int]
    operator_id: int = 0
    edge_id: str = ""
    secret: str = ""
    shops: dict[int, list[int]] = field(default_factory=dict)  # merchant -> templates

    def __post_init__(self) -> None:
        url = f"sqlite:///{self.file}"
        self.engine = open_engine(url)
        upgrade(self.engine)
        self.key: PrivateKey = load_or_create_key(self.file.parent / "cloud.key")
        self.agent = CloudAgent(self.key, PublicKey.from_raw)

    def do(self, work: Callable[[Connection, Act], T]) -> T:
        """One transaction of somebody in the cloud."""
        with self.engine.begin() as conn:
            return work(conn, Act(self.operator_id, "admin", self.now_ms(), self.rng.randbytes))

    def furnish(self, settings: EdgeSettings) -> None:
        """The operator, its lot as the lot file has it, and shops with filled purses."""
        with self.engine.begin() as conn:
            self.operator_id = lots.create_operator(conn, "示例运营", self.now_ms())

        def fill(conn: Connection, act: Act) -> None:
            lanes = [lots.LaneSpec(lane.name, lane.direction, lane.source, lane.target) for lane in settings.lanes]
            made = lots.create_lot(conn, act, settings.name, settings.time_zone, 800, lanes)
            assert not isinstance(made, Refused), made
            for name in SHOPS:
                self._open_shop(conn, act, name, settings.lot_id)
            claim = lot_edges.create_edge(conn, act, settings.lot_id, "岗亭", "https://cloud", b"")
            assert not isinstance(claim, Refused), claim
            self.edge_id, self.secret = claim.edge_id, claim.secret

        self.do(fill)

    def _open_shop(self, conn: Connection, act: Act, name: str, lot_id: int) -> None:
        shop = merchants.create_merchant(conn, act, name, "13800000000")
        assert not isinstance(shop, Refused)
        number = shop["merchant_id"]
        merchants.configure_settlement(conn, act, number, PaymentMode.PREPAID, SettlementMode.ON_ISSUE)
        contracts.set_contract(conn, act, number, lot_id)
        merchants.top_up(conn, act, number, Commodity.FEN, 5_000_000, 0, "")
        merchants.top_up(conn, act, number, Commodity.MIN, 600_000, 0, "")
        made = [coupons.create_template(conn, act, number, *template) for template in TEMPLATES]
        self.shops[number] = [one for one in made if isinstance(one, int)]

    def admit(self, public: bytes, monthly: list[str]) -> None:
        """The edge is claimed; its monthly cars are listed."""

        def work(conn: Connection, act: Act) -> None:
            joined = join(conn, self.edge_id, self.secret, public, act.now_ms)
            assert not isinstance(joined, Refused), joined
            for plate in monthly:
                row = {"list": "entitled", "plate": plate, "grant": "monthly", "id": plate}
                put_row(conn, self.operator_id, self.edge_id, "people", f"entitled:{plate}", row, act.now_ms)

        self.do(work)

    def give_coupon(self, plate: str, merchant_id: int) -> bool:
        """A shop gives a car that the cloud knows to be inside a coupon."""

        def work(conn: Connection, act: Act) -> bool:
            query = "SELECT stay_id FROM stay WHERE plate = ? AND left_ms IS NULL"
            found = conn.exec_driver_sql(query, (plate,)).first()
            if found is None:
                return False
            template = self.rng.choice(self.shops[merchant_id][:2])
            return not isinstance(coupons.issue(conn, act, merchant_id, template, found.stay_id), Refused)

        return self.do(work)

    def refill_leases(self) -> None:
        """The cloud's own job."""
        self.do(lambda conn, act: leases.refill(conn, act, self.edge_id))


class Line:
    """Carries messages while it is up and both ends live."""

    def __init__(self, house: House, cloud: Cloud) -> None:
        self._house, self._cloud = house, cloud
        self.is_up = True
        self._agent: EdgeAgent | None = None
        self._nonces = (f"n{number}" for number in itertools.count(1))

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.turn()
            await asyncio.sleep(EVERY_S)

    async def turn(self) -> None:
        """Everything there is to say now, both ways."""
        edge = self._house.edge
        if edge is None:
            self._agent = None
            return
        thread, db = edge.office.thread, edge.office.db
        if not self.is_up:
            if self._agent is not None:
                await thread.run(self._agent.disconnected)
                self._agent = None
            return
        if self._agent is None:
            key = load_or_create_key(edge.settings.key_file)
            self._agent = await thread.run(
                EdgeAgent, edge.settings.edge, db, key, self._cloud.key.public, lambda: next(self._nonces),
                HANDLERS, (), lambda: WORKS,
            )  # fmt: skip
            agent = self._agent
            out = await thread.run(lambda: agent.connected(edge.office.now()))
        else:
            agent = self._agent
            out = await thread.run(lambda: agent.tick(edge.office.now()))
        await self._exchange(agent, out)

    async def _exchange(self, agent: EdgeAgent, out: list[Outgoing]) -> None:
        edge = self._house.edge
        while edge is not None and edge is self._house.edge:
            down = [answer for sent in out for answer in self._received(sent)] + self._due()
            out = []
            for message in down:
                payload = pack(message.message)
                kind = message.kind
                out += await edge.office.thread.run(agent.received, kind, payload, edge.office.now())
                if agent.anchors:
                    anchors, agent.anchors = agent.anchors, []
                    edge.office.clock.keep(anchors)
            if not out:
                return

    def _received(self, sent: Outgoing) -> list:  # type: ignore[type-arg]
        cloud = self._cloud
        return cloud.do(
            lambda conn, act: cloud.agent.received(conn, cloud.edge_id, sent.kind, pack(sent.message), act.now_ms)
        )

    def _due(self) -> list:  # type: ignore[type-arg]
        cloud = self._cloud
        return cloud.do(lambda conn, act: cloud.agent.due(conn, cloud.edge_id, act.now_ms))
