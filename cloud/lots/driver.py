"""The lane a driver's code stands for."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from cloud.lots.tables import lane, lot
from domain.driver_page import lane_code
from domain.stay import OUTSIDE


@dataclass(frozen=True, slots=True)
class FoundLane:
    """The lane of a code."""

    lot_id: int
    lot: str
    lane: str
    leads_out: bool


def find_lane(conn: Connection, operator_id: int, code: str) -> FoundLane | None:
    """The lane with this code; codes are made from lot and name, so nothing has to be kept."""
    query = (
        select(lane.c.lot_id, lane.c.name, lane.c.to_zone, lot.c.name.label("lot"))
        .join(lot, lot.c.lot_id == lane.c.lot_id)
        .where(lane.c.operator_id == operator_id)
    )
    for row in conn.execute(query):
        if lane_code(row.lot_id, row.name) == code:
            return FoundLane(row.lot_id, row.lot, row.name, row.to_zone == OUTSIDE)
    return None
