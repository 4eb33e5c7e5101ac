"""Operators, lots and lanes; and questions about what their edges reported."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    Table,
    bindparam,
    case,
    exists,
    func,
    insert,
    or_,
    select,
)

from cloud.access import audit
from cloud.act import Act, Refused
from cloud.db import new_id, paged
from cloud.lots.edges import BELIEVED
from cloud.lots.tables import (
    barrier_opening,
    edge,
    lane,
    lot,
    operator,
    passage,
    payment,
    stay,
    zone,
)
from cloud.prepared import Found
from cloud.reach import EVERY, Lots
from domain import lookalike
from domain.plate_search import misreads, patterns
from domain.stay import OUTSIDE, Direction
from plumbing.web.paging import Page


@dataclass(frozen=True, slots=True)
class LaneSpec:
    """A lane as an administrator draws it; *name* is the one in the edge's lot file."""

    name: str
    direction: Direction
    from_zone: str
    to_zone: str


def create_operator(conn: Connection, name: str, now_ms: int) -> int:
    """A new operator; nothing of it ever crosses to another."""
    return new_id(conn, insert(operator).values(name=name, created_ms=now_ms))


def first_operator(conn: Connection) -> int | None:
    """The operator of this installation, or None before the first start."""
    return conn.execute(select(operator.c.operator_id).order_by(operator.c.operator_id).limit(1)).scalar_one_or_none()


def create_lot(
    conn: Connection, act: Act, name: str, time_zone: str, places: int, lanes: Sequence[LaneSpec]
) -> int | Refused:
    """A lot with its zones (outside is one) and lanes."""
    if not name.strip():
        return Refused("name_missing")
    values = {"operator_id": act.operator_id, "name": name, "time_zone": time_zone, "places": places}
    lot_id = new_id(conn, insert(lot).values(**values, created_ms=act.now_ms))
    zones = {OUTSIDE} | {name for spec in lanes for name in (spec.from_zone, spec.to_zone)}
    conn.execute(
        insert(zone), [{"operator_id": act.operator_id, "lot_id": lot_id, "name": name} for name in sorted(zones)]
    )
    if lanes:
        conn.execute(
            insert(lane),
            [
                {
                    "operator_id": act.operator_id,
                    "lot_id": lot_id,
                    "name": spec.name,
                    "direction": spec.direction.value,
                    "from_zone": spec.from_zone,
                    "to_zone": spec.to_zone,
                }
                for spec in lanes
            ],
        )
    audit.record(conn, act, "lot.created", f"lot:{lot_id}", after={"name": name, "lanes": len(lanes)})
    return lot_id


def get_lot(conn: Connection, operator_id: int, lot_id: int) -> RowMapping | None:
    """One lot."""
    query = select(lot).where(lot.c.lot_id == lot_id, lot.c.operator_id == operator_id)
    return conn.execute(query).mappings().one_or_none()


def lock_lot(conn: Connection, lot_id: int) -> None:
    """Whoever does this with the same lot waits until this transaction ends."""
    conn.execute(select(lot.c.lot_id).where(lot.c.lot_id == lot_id).with_for_update())


def lots(conn: Connection, operator_id: int, within: Lots = EVERY) -> Sequence[RowMapping]:
    """Every lot with how many cars are inside and how many edges it has."""
    inside = (
        select(func.count()).select_from(stay).where(stay.c.lot_id == lot.c.lot_id, stay.c.left_ms.is_(None))
    ).scalar_subquery()
    edges = select(func.count()).select_from(edge).where(edge.c.lot_id == lot.c.lot_id).scalar_subquery()
    query = select(lot, inside.label("inside"), edges.label("edges")).where(lot.c.operator_id == operator_id)
    return conn.execute(query.where(within.hold(lot.c.lot_id)).order_by(lot.c.lot_id)).mappings().all()


def names(conn: Connection, operator_id: int, within: Lots = EVERY) -> dict[int, str]:
    """What every lot is called."""
    query = select(lot.c.lot_id, lot.c.name).where(lot.c.operator_id == operator_id, within.hold(lot.c.lot_id))
    return {int(lot_id): str(name) for lot_id, name in conn.execute(query.order_by(lot.c.lot_id))}


def zone_of(conn: Connection, operator_id: int, lot_id: int) -> ZoneInfo:
    """Where a lot's clock stands."""
    return ZoneInfo(time_zone(conn, operator_id, lot_id) or "UTC")


def time_zone(conn: Connection, operator_id: int, lot_id: int) -> str | None:
    """Where a lot's clock stands, or None when it is not the operator's."""
    query = select(lot.c.time_zone).where(lot.c.lot_id == lot_id, lot.c.operator_id == operator_id)
    return conn.execute(query).scalar_one_or_none()


def lanes(conn: Connection, operator_id: int) -> Sequence[RowMapping]:
    """Every lane, by lot."""
    query = select(lane).where(lane.c.operator_id == operator_id).order_by(lane.c.lot_id, lane.c.lane_id)
    return conn.execute(query).mappings().all()


def zones(conn: Connection, operator_id: int, within: Lots = EVERY) -> dict[int, tuple[str, ...]]:
    """The zones inside every lot, by lot."""
    query = select(lot.c.lot_id, zone.c.name).outerjoin(
        zone, (zone.c.lot_id == lot.c.lot_id) & (zone.c.name != OUTSIDE)
    )
    found: dict[int, tuple[str, ...]] = {}
    own = (lot.c.operator_id == operator_id) & within.hold(lot.c.lot_id)
    for lot_id, name in conn.execute(query.where(own).order_by(lot.c.lot_id, zone.c.name)):
        found[int(lot_id)] = (*found.get(int(lot_id), ()), *([name] if name else []))
    return found


OPEN_STAY = (
    select(
        stay,
        select(edge.c.edge_id)
        .where(edge.c.lot_id == stay.c.lot_id, edge.c.state.in_(BELIEVED))
        .scalar_subquery()
        .label("lot_edge"),
    )
    .where(stay.c.stay_id == bindparam("of_stay"), stay.c.operator_id == bindparam("of_operator"))
    .where(stay.c.left_ms.is_(None))
    .with_for_update(of=stay)
)
"""A stay whose car is still inside, with the *lot_edge* that runs its lot, as a part of another question; locked."""


LOT_OF_STAY, PLATE_OF_STAY = (
    select(column).where(stay.c.stay_id == bindparam("of_stay")).scalar_subquery()
    for column in (stay.c.lot_id, stay.c.plate)
)
"""Of any stay, as parts of other questions."""


def open_stay_of(conn: Connection, operator_id: int, lot_id: int, plate: str) -> RowMapping | None:
    """The newest stay of a plate in a lot whose car is still inside, locked until the transaction ends."""
    query = select(stay).where(
        stay.c.operator_id == operator_id, stay.c.lot_id == lot_id, stay.c.plate == plate, stay.c.left_ms.is_(None)
    )
    newest = query.order_by(stay.c.entered_ms.desc(), stay.c.stay_id.desc()).limit(1)
    return conn.execute(newest.with_for_update()).mappings().one_or_none()


def alike_inside(conn: Connection, operator_id: int, lot_id: int, plate: str) -> RowMapping | None:
    """The one car inside a lot whose plate as it was read is *plate* with one look-alike character; else None.

    By the rule that lanes go by where nobody is asked (``lookalike.match``): never of two that both may be it.
    """
    holed = [stay.c.plate.like(f"{plate[:place]}_{plate[place + 1 :]}") for place in range(len(plate))]
    query = select(stay).where(
        stay.c.operator_id == operator_id, stay.c.lot_id == lot_id, stay.c.left_ms.is_(None), or_(*holed)
    )
    near = {row["plate"]: row for row in conn.execute(query.order_by(stay.c.entered_ms)).mappings()}
    found = lookalike.match(plate, near) if plate.isalnum() else None
    return near[found.match.plate] if isinstance(found, lookalike.Fuzzy) else None


def name_of(conn: Connection, operator_id: int, lot_id: int, within: Lots = EVERY) -> str:
    """What a lot is called; "" for none of those asked for."""
    query = select(lot.c.name).where(
        lot.c.lot_id == lot_id, lot.c.operator_id == operator_id, within.hold(lot.c.lot_id)
    )
    return conn.execute(query).scalar_one_or_none() or ""


def stays(conn: Connection, operator_id: int, stay_ids: Sequence[str]) -> dict[str, RowMapping]:
    """Stays by id, whatever became of them."""
    query = select(stay).where(stay.c.operator_id == operator_id, stay.c.stay_id.in_(stay_ids))
    return {row["stay_id"]: row for row in conn.execute(query).mappings()}


def stays_of_plate(conn: Connection, operator_id: int, plate: str) -> list[str]:
    """The ids of a car's stays, whatever became of them."""
    query = select(stay.c.stay_id).where(stay.c.operator_id == operator_id, stay.c.plate == plate)
    return list(conn.execute(query).scalars())


def paid_by_method(conn: Connection, stay_ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """Fen that lots took for stays so far and did not give back, by stay and by the way it was paid."""
    query = select(payment.c.stay_id, payment.c.method, func.sum(payment.c.amount_fen).label("fen"))
    found: dict[str, dict[str, int]] = {stay_id: {} for stay_id in stay_ids}
    for row in conn.execute(query.where(payment.c.stay_id.in_(stay_ids)).group_by(payment.c.stay_id, payment.c.method)):
        if row.fen:
            found[row.stay_id][row.method] = int(row.fen)
    return found


def given_back(conn: Connection, stay_ids: Iterable[str], because: str) -> list[tuple[int, int]]:
    """When what of the payments of stays went back for the sake of *because*, and how many fen."""
    query = select(payment.c.taken_ms, -payment.c.amount_fen).where(
        payment.c.stay_id.in_(stay_ids), payment.c.taken_by == because, payment.c.amount_fen < 0
    )
    return [(at_ms, int(fen)) for at_ms, fen in conn.execute(query.order_by(payment.c.taken_ms)).all()]


@dataclass(frozen=True, slots=True)
class Standing:
    """What a lot knows of one stay."""

    zone: ZoneInfo
    paid_fen: int


def standing_of(lot_id: ColumnElement[int]) -> Select[Any]:
    """Where a lot's clock stands and what was paid for a stay so far, as a part of another question."""
    paid = select(func.coalesce(func.sum(payment.c.amount_fen), 0)).where(payment.c.stay_id == bindparam("of_stay"))
    return select(lot.c.time_zone, paid.scalar_subquery().label("paid_fen")).where(
        lot.c.lot_id == lot_id, lot.c.operator_id == bindparam("of_operator")
    )


def standing(row: Found | None) -> Standing:
    """The answer to ``standing_of``; UTC for a lot nobody knows."""
    return Standing(ZoneInfo("UTC"), 0) if row is None else Standing(ZoneInfo(row["time_zone"]), int(row["paid_fen"]))


def has_left(operator_id: int, stay_id: ColumnElement[str]) -> ColumnElement[bool]:
    """Has the car of a stay left, as a part of another question?"""
    return exists().where(stay.c.stay_id == stay_id, stay.c.operator_id == operator_id, stay.c.left_ms.is_not(None))


def cars_inside(
    conn: Connection,
    operator_id: int,
    search: str = "",
    lot_id: int | None = None,
    page: int = 1,
    within: Lots = EVERY,
) -> Page[RowMapping]:
    """Open stays, newest first; *search* is part of a plate in normal form."""
    query = (
        select(stay, lot.c.name.label("lot_name"))
        .join(lot, lot.c.lot_id == stay.c.lot_id)
        .where(stay.c.operator_id == operator_id, within.hold(stay.c.lot_id), stay.c.left_ms.is_(None))
        .order_by(stay.c.entered_ms.desc(), stay.c.stay_id)
    )
    if search:
        query = query.where(stay.c.plate.like(f"%{search}%"))
    if lot_id is not None:
        query = query.where(stay.c.lot_id == lot_id)
    return paged(conn, query, page)


MOST_ALIKE = 200  # looked at
MOST_FOUND = 20


@dataclass(frozen=True, slots=True)
class FoundCar:
    """An open stay; *misread* when one character differs from what was typed."""

    stay: RowMapping
    misread: bool


def look_for_cars(conn: Connection, operator_id: int, typed: str, within: Lots = EVERY) -> list[FoundCar]:
    """Cars inside whose plate holds *typed* (normal form), then those with one character misread; newest first."""
    alike = patterns(typed)
    if not alike:
        return []
    holds = case((stay.c.plate.contains(typed), 0), else_=1)
    query = (  # for EVERY nothing but what the index of cars inside has
        select(stay.c.stay_id, stay.c.plate)
        .where(stay.c.operator_id == operator_id, stay.c.left_ms.is_(None), within.hold(stay.c.lot_id))
        .where(*(or_(*(stay.c.plate.like(text) for text in group)) for group in alike))
        .order_by(holds, stay.c.entered_ms.desc(), stay.c.stay_id)
        .limit(MOST_ALIKE)
    )
    near = ((row.stay_id, misreads(typed, row.plate)) for row in conn.execute(query))
    found = dict(islice(((stay_id, wrong) for stay_id, wrong in near if wrong is not None), MOST_FOUND))
    whole = select(stay, lot.c.name.label("lot_name")).join(lot, lot.c.lot_id == stay.c.lot_id)
    rows = {row["stay_id"]: row for row in conn.execute(whole.where(stay.c.stay_id.in_(found))).mappings()}
    return [FoundCar(rows[stay_id], wrong == 1) for stay_id, wrong in found.items()]


@dataclass(frozen=True, slots=True)
class LaneNow:
    """What was last seen of a lane."""

    lane: RowMapping
    passage: RowMapping | None
    opening: RowMapping | None


def lanes_now(conn: Connection, operator_id: int) -> list[LaneNow]:
    """Every lane with its last passage and last opening, as far as reported."""
    passages, openings = (_last(conn, operator_id, table) for table in (passage, barrier_opening))
    return [
        LaneNow(row, passages.get(row["lane_id"]), openings.get(row["lane_id"])) for row in lanes(conn, operator_id)
    ]


def _last(conn: Connection, operator_id: int, table: Table) -> dict[int, RowMapping]:
    """The newest row of each lane, by lane."""
    newest = (
        select(table.c.event_id)
        .where(table.c.lot_id == lane.c.lot_id, table.c.lane == lane.c.name)
        .order_by(table.c.happened_ms.desc())
        .limit(1)
        .correlate(lane)
        .scalar_subquery()
    )
    query = (
        select(lane.c.lane_id, table).join(table, table.c.event_id == newest).where(lane.c.operator_id == operator_id)
    )
    return {int(row["lane_id"]): row for row in conn.execute(query).mappings()}


def taken_since(conn: Connection, operator_id: int, since_ms: int, within: Lots = EVERY) -> int:
    """Fen taken at the booths since *since_ms*."""
    query = select(func.coalesce(func.sum(payment.c.amount_fen), 0)).where(
        payment.c.operator_id == operator_id, within.hold(payment.c.lot_id), payment.c.taken_ms >= since_ms
    )
    return int(conn.execute(query).scalar_one())
