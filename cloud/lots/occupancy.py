"""How many cars are in each zone of each lot: the stays, put right by who counted them at the lot."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from cloud.lots.tables import stay, zone_count


@dataclass(frozen=True, slots=True)
class ZoneNow:
    """One zone. *offset* is how many more cars than the stays said stood there when somebody last counted."""

    zone: str
    books: int
    offset: int

    @property
    def inside(self) -> int:
        return max(0, self.books + self.offset)


def by_lot(conn: Connection, operator_id: int) -> dict[int, list[ZoneNow]]:
    """Zones with cars, or with a count, of every lot; by name."""
    zone = func.coalesce(func.nullif(stay.c.zone_now, ""), stay.c.zone)
    inside = (
        select(stay.c.lot_id, zone, func.count())
        .where(stay.c.operator_id == operator_id, stay.c.left_ms.is_(None))
        .group_by(stay.c.lot_id, zone)
    )
    books = {(lot_id, name): count for lot_id, name, count in conn.execute(inside)}
    offsets = _offsets(conn, operator_id)
    found: dict[int, list[ZoneNow]] = {}
    for lot_id, name in sorted({*books, *offsets}):
        found.setdefault(lot_id, []).append(ZoneNow(name, books.get((lot_id, name), 0), offsets.get((lot_id, name), 0)))
    return found


def _offsets(conn: Connection, operator_id: int) -> dict[tuple[int, str], int]:
    """The newest count of each pool of places, added up by zone."""
    newest = func.row_number().over(
        partition_by=(zone_count.c.lot_id, zone_count.c.zone, zone_count.c.vehicle_class),
        order_by=(zone_count.c.counted_ms.desc(), zone_count.c.event_id.desc()),
    )
    ranked = select(zone_count, newest.label("place")).where(zone_count.c.operator_id == operator_id).subquery()
    query = (
        select(ranked.c.lot_id, ranked.c.zone, func.sum(ranked.c.counted - ranked.c.books))
        .where(ranked.c.place == 1)
        .group_by(ranked.c.lot_id, ranked.c.zone)
    )
    return {(lot_id, zone): int(offset) for lot_id, zone, offset in conn.execute(query)}
