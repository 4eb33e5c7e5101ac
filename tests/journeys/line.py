"""Both ends of the line against each other over real databases, message by message."""

from __future__ import annotations

import itertools
from pathlib import Path

from sqlalchemy import Engine, insert, select

from cloud.db import open_engine, upgrade
from cloud.lots.tables import edge as edge_table
from cloud.lots.tables import lot, operator
from cloud.sync.agent import CloudAgent
from cloud.sync.agent import Outgoing as Down
from cloud.sync.commands import MOVES
from cloud.sync.tables import command, edge_cursor, inbox
from domain.events import ActRecorded, Event
from domain.moment import Moment
from domain.wire import GENESIS, pack
from edge.db import log
from edge.db.database import open_database, transaction
from edge.services.leases import HANDLERS
from edge.sync.agent import EdgeAgent
from edge.sync.agent import Outgoing as Up
from plumbing.signing import PrivateKey, PublicKey

UTC = 1_790_000_000_000


def at(boot_ms: int) -> Moment:
    return Moment("b1", boot_ms, UTC + boot_ms)


def act(number: int) -> Event:
    return ActRecorded("a1", "test", f"s{number}", "because")


class Line:
    """An edge, a cloud, and what is on its way between them."""

    def __init__(self, folder: Path, cloud_url: str = "") -> None:
        self.edge_key, self.cloud_key = PrivateKey.generate(), PrivateKey.generate()
        self.engine: Engine = open_engine(cloud_url or f"sqlite:///{folder / 'cloud.db'}")
        upgrade(self.engine)
        with self.engine.begin() as conn:
            conn.execute(insert(operator).values(operator_id=1, name="o", created_ms=0))
            conn.execute(
                insert(lot).values(lot_id=1, operator_id=1, name="l", time_zone="Asia/Shanghai", places=9, created_ms=0)
            )
            conn.execute(
                insert(edge_table).values(
                    edge_id="e1", operator_id=1, lot_id=1, name="", state="claimed", created_ms=0,
                    public_key=self.edge_key.public.raw,
                )
            )  # fmt: skip
            conn.execute(
                insert(edge_cursor).values(
                    edge_id="e1", operator_id=1, epoch=1, seq=0, head=GENESIS, told_seq=0, boot="", sid="", caps="[]"
                )
            )
        self.cloud = CloudAgent(self.cloud_key, PublicKey.from_raw)
        self.folder = folder
        self.db = open_database(folder / "lot.db")
        self.nonces = (f"n{number}" for number in itertools.count())
        self.edge = self.new_edge()

    def new_edge(self) -> EdgeAgent:
        return EdgeAgent(
            "e1", self.db, self.edge_key, self.cloud_key.public, lambda: next(self.nonces), HANDLERS, MOVES
        )

    def up(self, out: list[Up], now: Moment) -> list[Down]:
        answers = []
        for sent in out:
            with self.engine.begin() as conn:
                answers += self.cloud.received(conn, "e1", sent.kind, pack(sent.message), now.wall_ms)
        return answers

    def down(self, out: list[Down], now: Moment) -> list[Up]:
        return [up for sent in out for up in self.edge.received(sent.kind, pack(sent.message), now)]

    def settle(self, out: list[Up], now: Moment) -> None:
        while out:
            out = self.down(self.up(out, now), now)

    def write(self, *events: Event) -> None:
        with transaction(self.db) as conn:
            for event in events:
                log.append(conn, event, at(5))

    def copy(self) -> Path:
        """The lot's database as an image of the card would keep it."""
        path = self.folder / "copy.db"
        self.db.conn.execute("VACUUM INTO ?", (str(path),))
        return path

    def restore(self, copy: Path) -> None:
        self.db.close()
        self.db = open_database(copy)
        self.edge = self.new_edge()

    def applied(self) -> list[int]:
        with self.engine.begin() as conn:
            return [row.seq for row in conn.execute(select(inbox.c.seq).order_by(inbox.c.seq))]


def states(line: Line) -> list[tuple[str, str]]:
    with line.engine.begin() as conn:
        return [(row.state, row.result) for row in conn.execute(select(command).order_by(command.c.cmd_seq))]
