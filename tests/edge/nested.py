"""A lot with a garage inside the yard: 5 yuan a started hour outside with 15 free minutes, 4 a half hour inside."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from domain.stay import Direction
from domain.zones import Charge
from edge.services.lot import Decided
from edge.services.moving import move
from edge.settings import Lane, LotRules, Zone
from tests.edge.lots import HOURLY, SmallLot, at, small_lot

PLATE = "京A12345"
HALF_HOURLY = HOURLY.replace('"hourly"', '"half-hourly"').replace("free = 15", "free = 0").replace("60", "30")
INNER = (
    Lane("down", Direction.ENTRY, "yard", "garage"),
    Lane("up", Direction.EXIT, "garage", "yard"),
)


def nested_lot(
    tmp_path: Path, *, yard: dict[str, object] | None = None, rules: LotRules | None = None, **garage: object
) -> SmallLot:
    """Street, yard, garage; *garage* and *yard* change the zones."""
    outer, inner = tmp_path / "hourly.toml", tmp_path / "half-hourly.toml"
    outer.write_text(HOURLY, encoding="utf-8")
    inner.write_text(HALF_HOURLY.replace("price = 5", "price = 4"), encoding="utf-8")
    zones = (
        replace(Zone("yard", (outer,)), **(yard or {})),  # type: ignore[arg-type]
        replace(Zone("garage", (inner,), inside="yard", charge=Charge.REPLACES), **garage),  # type: ignore[arg-type]
    )
    street = (Lane("in", Direction.ENTRY, "outside", "yard"), Lane("out", Direction.EXIT, "yard", "outside"))
    return small_lot(tmp_path, zones=zones, lanes=(*street, *INNER), rules=rules)


def go(lot: SmallLot, lane: str, minute: float, plate: str = PLATE, **changes: object) -> Decided:
    """A car at a lane inside."""
    return move(lot.db, lot.lot, replace(lot.arrival(lane, plate), **changes), at(minute))  # type: ignore[arg-type]
