"""What lots are told of people: rows of the ``people`` channel, one a plate, for as long as a stay may ask for them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, and_, or_, select, update

from cloud.bulk import rows_among
from cloud.lots import edges as lot_edges
from cloud.members.tables import blocked_plate, entitled_plate, entitled_zone, entitlement
from cloud.sync.channels import put_rows
from domain.entitlement import WhenFull
from domain.wire import Json

CHANNEL: Final = "people"
DAY_MS: Final = 86_400_000
KEPT_MS: Final = 62 * DAY_MS  # a car that came in before the end may stay so long and still be cut right
Rows = dict[str, Json | None]


def tell(
    conn: Connection, operator_id: int, ids: Sequence[int], now_ms: int, before: dict[int, set[str]] | None = None
) -> None:
    """Put the rows of these entitlements into the lists of their lots, and take away those that are gone.

    *before* is ``audience`` from before a change.
    """
    wanted: dict[int, Rows] = {}
    for lot_id, keys in (before or {}).items():
        wanted.setdefault(lot_id, {}).update(dict.fromkeys(keys))
    for lot_id, rows in _rows_by_lot(conn, ids).items():
        wanted.setdefault(lot_id, {}).update(rows)
    _put(conn, operator_id, wanted, now_ms)


def audience(conn: Connection, ids: Sequence[int]) -> dict[int, set[str]]:
    """Which keys which lots hold of these entitlements."""
    return {lot_id: set(rows) for lot_id, rows in _rows_by_lot(conn, ids).items()}


def tell_blocked(conn: Connection, operator_id: int, ids: Sequence[int], now_ms: int) -> None:
    """Put these rows of the block list into the lists of the lots they are for."""
    every_lot = [lot_id for lot_id, _ in lot_edges.lots_with_edges(conn, operator_id)]
    wanted: dict[int, Rows] = {}
    for row in rows_among(conn, select(blocked_plate), blocked_plate.c.blocked_id, ids):
        is_over = row["ended_ms"] is not None or (row["ends_ms"] is not None and row["ends_ms"] <= now_ms)
        for lot_id in every_lot if row["lot_id"] is None else [row["lot_id"]]:
            wanted.setdefault(lot_id, {})[f"block:{row['blocked_id']}"] = None if is_over else _blocked_row(row)
    _put(conn, operator_id, wanted, now_ms)


def tell_lot(conn: Connection, operator_id: int, lot_id: int, now_ms: int) -> None:
    """Everything the edge of a lot holds of people, for one that is new."""
    query = (
        select(entitlement.c.entitlement_id)
        .join(entitled_zone, entitled_zone.c.entitlement_id == entitlement.c.entitlement_id)
        .where(entitlement.c.operator_id == operator_id, entitlement.c.is_told, entitled_zone.c.lot_id == lot_id)
    )
    ids = conn.execute(query.distinct()).scalars().all()
    _put(conn, operator_id, {lot_id: _rows_by_lot(conn, ids).get(lot_id, {})}, now_ms)
    of_lot = or_(blocked_plate.c.lot_id.is_(None), blocked_plate.c.lot_id == lot_id)
    held = select(blocked_plate.c.blocked_id).where(
        blocked_plate.c.operator_id == operator_id, blocked_plate.c.is_told, of_lot
    )
    tell_blocked(conn, operator_id, conn.execute(held).scalars().all(), now_ms)


def forget_old(conn: Connection, operator_id: int, now_ms: int, most: int = 500) -> int:
    """Take out of the lots' lists what has been over for long; returns how many entries that were."""
    before = now_ms - KEPT_MS
    over = or_(entitlement.c.ended_ms < before, entitlement.c.ends_ms + entitlement.c.grace_days * DAY_MS < before)
    mine = and_(entitlement.c.operator_id == operator_id, entitlement.c.is_told, over)
    ids = conn.execute(select(entitlement.c.entitlement_id).where(mine).limit(most)).scalars().all()
    gone = audience(conn, ids)
    _put(conn, operator_id, {lot_id: dict.fromkeys(keys) for lot_id, keys in gone.items()}, now_ms)
    conn.execute(update(entitlement).where(entitlement.c.entitlement_id.in_(ids)).values(is_told=False))
    over = or_(blocked_plate.c.ended_ms < before, blocked_plate.c.ends_ms < before)
    mine = and_(blocked_plate.c.operator_id == operator_id, blocked_plate.c.is_told, over)
    blocked = conn.execute(select(blocked_plate.c.blocked_id).where(mine).limit(most)).scalars().all()
    tell_blocked(conn, operator_id, blocked, now_ms)
    conn.execute(update(blocked_plate).where(blocked_plate.c.blocked_id.in_(blocked)).values(is_told=False))
    return len(ids) + len(blocked)


def plates_of(conn: Connection, ids: Sequence[int]) -> dict[int, list[RowMapping]]:
    """Plates of entitlements, removed ones too, in order."""
    return _grouped(rows_among(conn, select(entitled_plate), entitled_plate.c.entitlement_id, ids), "plate")


def zones_of(conn: Connection, ids: Sequence[int]) -> dict[int, list[RowMapping]]:
    """Zones of entitlements, by lot."""
    return _grouped(rows_among(conn, select(entitled_zone), entitled_zone.c.entitlement_id, ids), "lot_id", "zone")


def when_full(row: RowMapping) -> WhenFull:
    """What a stored entitlement says of a car that finds no place."""
    return WhenFull(row["when_full"])


def _put(conn: Connection, operator_id: int, wanted: dict[int, Rows], now_ms: int) -> None:
    for lot_id, edge_id in lot_edges.lots_with_edges(conn, operator_id):
        if lot_id in wanted:
            put_rows(conn, operator_id, edge_id, CHANNEL, wanted[lot_id], now_ms)


def _rows_by_lot(conn: Connection, ids: Sequence[int]) -> dict[int, Rows]:
    plates, zones = plates_of(conn, ids), zones_of(conn, ids)
    wanted: dict[int, Rows] = {}
    for row in rows_among(conn, select(entitlement), entitlement.c.entitlement_id, ids):
        number = row["entitlement_id"]
        cars = plates.get(number, [])
        for lot_id, places in groupby(zones.get(number, ()), lambda zone: zone["lot_id"]):
            names = [place["zone"] for place in places]
            rows = wanted.setdefault(int(lot_id), {})
            for car in cars:
                rows[f"entitled:{number}:{car['plate']}"] = _row(row, cars, car, [] if "" in names else names)
    return wanted


def _row(row: RowMapping, cars: Iterable[RowMapping], car: RowMapping, zones: list[str]) -> Json:
    """What a lot needs to know of one plate; empty parts are left out (edge/services/entitled.py reads it)."""
    taken_back = [ms for ms in (row["ended_ms"], car["removed_ms"]) if ms is not None]
    until, grace_days = row["ends_ms"], row["grace_days"]
    if taken_back:  # a person's word ends the days of grace too
        until, grace_days = min([*taken_back, *([until + grace_days * DAY_MS] if until is not None else [])]), 0
    begins = [ms for ms in (row["begins_ms"], car["added_ms"]) if ms is not None]
    value: dict[str, Any] = {
        "list": "entitled",
        "plate": car["plate"],
        "id": str(row["entitlement_id"]),
        "grant": row["kind"],
        "plates": [one["plate"] for one in cars if one["removed_ms"] is None],
        "places": row["places"],
        "zones": zones,
        "from_ms": max(begins, default=None),
        "until_ms": until,
        "windows": json.loads(row["windows"]),
        "grace_days": grace_days,
        "when_full": row["when_full"],
        "name": row["name"],
        "host": row["host"],
    }
    return {name: each for name, each in value.items() if each not in ("", None, [], 0)}


def _blocked_row(row: RowMapping) -> Json:
    value = {"list": "block", "plate": row["plate"], "reason": row["reason"]}
    return value if row["ends_ms"] is None else value | {"until_ms": row["ends_ms"]}


def _grouped(rows: list[RowMapping], *order: str) -> dict[int, list[RowMapping]]:
    grouped: dict[int, list[RowMapping]] = {}
    for row in sorted(rows, key=lambda row: tuple(row[name] for name in order)):
        grouped.setdefault(row["entitlement_id"], []).append(row)
    return grouped
