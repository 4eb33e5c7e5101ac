"""A small world to test in: one operator, a lot with a claimed edge, a merchant with money, cars inside."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from sqlalchemy import Connection, update

from cloud.act import Act, Refused
from cloud.coupons import service as coupons
from cloud.joining import join
from cloud.lots import edges as lot_edges
from cloud.lots import incidents as lot_incidents
from cloud.lots import service as lots
from cloud.lots.service import LaneSpec
from cloud.lots.tables import edge
from cloud.merchants import contracts, ledger
from cloud.merchants import service as merchants
from cloud.merchants.service import PaymentMode, SettlementMode
from cloud.sync.appliers import MONEY, PROJECTIONS
from cloud.sync.context import ApplyContext
from domain import events
from domain.events import Envelope, Event
from domain.ledger import Commodity
from domain.moment import Moment
from domain.stay import Direction

NOW = 1_780_000_000_000
LANES = (
    LaneSpec("in", Direction.ENTRY, "outside", "inside"),
    LaneSpec("out", Direction.EXIT, "inside", "outside"),
)


def counted_bytes() -> itertools.count[int]:
    return itertools.count(1)


@dataclass
class World:
    """Ids of what ``build`` made, and short ways to do things in it."""

    conn: Connection
    operator_id: int = 0
    lot_id: int = 0
    edge_id: str = ""
    key_id: int = 0
    merchant_id: int = 0
    now_ms: int = NOW
    _bytes: itertools.count[int] = field(default_factory=counted_bytes)
    _seq: itertools.count[int] = field(default_factory=counted_bytes)

    def act(self, by: str = "admin") -> Act:
        return Act(
            self.operator_id, by, self.now_ms, lambda size: (next(self._bytes) * 2654435761).to_bytes(16)[-size:]
        )

    def ctx(self, edge_id: str = "") -> ApplyContext:
        """As an event of an edge comes in: an edge nobody knows is that of a lot of its own."""
        known = lot_edges.identity(self.conn, edge_id) if edge_id else {"lot_id": self.lot_id}
        lot_id = known["lot_id"] if known else self.lot_id + 1000
        return ApplyContext(edge_id or self.edge_id, lot_id, self.operator_id, 1, self.now_ms)

    def envelope(self, event: Event, seq: int | None = None) -> Envelope:
        number = next(self._seq) if seq is None else seq
        return Envelope(number, event.TYPE, event.VERSION, Moment("b", number, self.now_ms), None, {})

    def apply(self, event: Event, *, edge_id: str = "", seq: int | None = None) -> None:
        """One event of the edge, as the inbox would apply it."""
        envelope = self.envelope(event, seq)
        if event.TYPE in PROJECTIONS:
            PROJECTIONS[event.TYPE](self.conn, self.ctx(edge_id), [(envelope, event)])
        if event.TYPE in MONEY:
            MONEY[event.TYPE](self.conn, self.ctx(edge_id), envelope, event)

    def car(self, stay_id: str, plate: str = "京A12345") -> str:
        self.apply(events.StayOpened(stay_id, "in", "inside", plate, plate, "small", f"d-{stay_id}"))
        return stay_id

    def new_edge(self, lot_id: int, name: str) -> tuple[str, int]:
        claim = lot_edges.create_edge(self.conn, self.act(), lot_id, name, "https://cloud.example", b"k" * 32)
        assert not isinstance(claim, Refused)
        claimed = join(self.conn, claim.edge_id, claim.secret, name.encode().ljust(32, b"."), self.now_ms)
        assert not isinstance(claimed, Refused)
        self.conn.execute(update(edge).where(edge.c.edge_id == claim.edge_id).values(state="active"))
        return claimed.edge_id, claimed.voucher_key_id

    def template(self, kind: str = "AMOUNT", value: int = 500) -> int:
        made = coupons.create_template(self.conn, self.act(), self.merchant_id, f"{kind} {value}", kind, value)
        assert isinstance(made, int), made
        return made

    def accounts(self, commodity: Commodity = Commodity.FEN) -> dict[str, int]:
        """All accounts of the merchant summed over kinds of funds, empty ones left out; the books must be right."""
        sums: dict[str, int] = {}
        for books in ledger.merchant_books(self.conn, self.merchant_id):
            assert books.is_right, books
            if books.commodity is commodity:
                for name, amount in books.accounts.items():
                    sums[name] = sums.get(name, 0) + amount
        return {name: amount for name, amount in sums.items() if amount}

    def codes(self) -> list[str]:
        """Codes of all incidents."""
        return [row["code"] for row in lot_incidents.incidents(self.conn, self.operator_id, only_open=False).items]


def build(
    conn: Connection, *, paid: int = 10_000, bonus: int = 2_000, minutes: int = 600, first_byte: int = 1
) -> World:
    """Everything a merchant needs to issue; a second world in the same database begins with another *first_byte*."""
    world = World(conn, _bytes=itertools.count(first_byte), _seq=itertools.count(first_byte))
    world.operator_id = lots.create_operator(conn, "operator", NOW)
    lot_id = lots.create_lot(conn, world.act(), "north lot", "Asia/Shanghai", 100, LANES)
    assert isinstance(lot_id, int)
    world.lot_id = lot_id
    world.edge_id, world.key_id = world.new_edge(lot_id, "north")
    made = merchants.create_merchant(conn, world.act(), "面馆", "13800000000")
    assert not isinstance(made, Refused)
    world.merchant_id = made["merchant_id"]
    modes = PaymentMode.PREPAID, SettlementMode.ON_ISSUE
    assert merchants.configure_settlement(conn, world.act(), world.merchant_id, *modes) is None
    assert isinstance(contracts.set_contract(conn, world.act(), world.merchant_id, lot_id), int)
    assert merchants.top_up(conn, world.act(), world.merchant_id, Commodity.FEN, paid, bonus, "") is None
    if minutes:
        assert merchants.top_up(conn, world.act(), world.merchant_id, Commodity.MIN, minutes, 0, "") is None
    return world
