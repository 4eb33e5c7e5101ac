"""A small lot for tests: one zone, 5 yuan a started hour with 15 free minutes, a database in a real file."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from pathlib import Path

from domain.decision import Seen
from domain.moment import Moment
from domain.stay import Direction
from domain.sync.channel import Part, Row, digest, digest_text
from edge.db import channels
from edge.db.database import Database, open_database, transaction
from edge.lot import build_lot
from edge.pricelists import load_prices
from edge.services.lot import Arrival, Decided, Lot
from edge.settings import EdgeSettings, Lane, LotRules, Zone
from plumbing.signing import PrivateKey

START = Moment("boot-a", 1_000_000, 1_795_219_200_000)  # 2026-11-21 08:00 at the lot
HOURLY = """
code = "hourly"
version = 1
starts = 2026-01-01
free = 15

[[window]]
name = "all"
unit = 60
price = 5
"""
MINUTE_MS = 60_000
NUMBERS = itertools.count(1)


def at(minutes: float, moment: Moment = START) -> Moment:
    """*minutes* after the start, both clocks in step."""
    shift = round(minutes * MINUTE_MS)
    return replace(moment, boot_ms=moment.boot_ms + shift, wall_ms=moment.wall_ms + shift)


def seen(plate: str, read_id: str, **changes: object) -> Seen:
    """A good read."""
    return replace(Seen(read_id, "cam", plate, plate, 96, "blue", live=True, trusted=True), **changes)  # type: ignore[arg-type]


@dataclass
class SmallLot:
    """The lot, its database, and what the cloud has put into it."""

    db: Database
    lot: Lot
    key: PrivateKey
    versions: dict[str, list[Row]] = field(default_factory=dict)

    def arrival(self, lane: str, plate: str, **changes: object) -> Arrival:
        """A car at a lane, read well by its camera."""
        return Arrival(lane, plate, plate, (seen(plate, f"r{next(NUMBERS)}", **changes),))

    def types(self) -> list[str]:
        """Event types in the log, in order."""
        return [row[0] for row in self.db.conn.execute("SELECT type FROM outbox ORDER BY seq")]

    def put(self, channel: str, key: str, value: dict[str, object] | None) -> None:
        """Let the cloud put a row into a channel, or with None take it out."""
        rows = self.versions.setdefault(channel, [])
        version = len(rows) + 1
        rows.append(Row(key, version, value))
        live = {row.key: row for row in rows}
        live = {key: row for key, row in live.items() if row.value is not None}
        part = Part(channel, version - 1, version, 1, 1, (rows[-1],), digest_text(digest(live.values())))
        with transaction(self.db) as conn:
            assert channels.take(conn, part)


def settings(tmp_path: Path, **changes: object) -> EdgeSettings:
    """Two lanes, one zone."""
    tariff = tmp_path / "hourly.toml"
    tariff.write_text(HOURLY, encoding="utf-8")
    lanes = (Lane("in", Direction.ENTRY, "outside", "main"), Lane("out", Direction.EXIT, "main", "outside"))
    lot = EdgeSettings(7, "Example lot", (Zone("main", (tariff,)),), lanes, edge="e1", data=tmp_path)
    return replace(lot, **changes)  # type: ignore[arg-type]


def small_lot(tmp_path: Path, *, rules: LotRules | None = None, started: Moment = START, **changes: object) -> SmallLot:
    """Open the lot on a database file in *tmp_path*."""
    chosen = settings(tmp_path, **changes)
    if rules is not None:
        chosen = replace(chosen, rules=rules)
    db = open_database(tmp_path / "lot.db")
    prices = load_prices(chosen)
    with transaction(db) as conn:
        prices.keep(conn)
    key = PrivateKey.generate()
    lot = build_lot(chosen, prices, key, started, lambda now: f"id{next(NUMBERS):06d}")
    return SmallLot(db, lot, key)


def verdict(decided: Decided) -> object:
    """What was decided."""
    return decided.decision.verdict
