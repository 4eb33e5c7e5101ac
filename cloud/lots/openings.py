"""Barriers that people opened, at the lot or from afar, and the cars they were opened for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, RowMapping, and_, func, select

from cloud.lots.tables import barrier_opening, stay

SHOWN: Final = 20


def by_hand(conn: Connection, operator_id: int, lot_id: int) -> Sequence[RowMapping]:
    """The last ones of a lot, the newest first; *plate* is "" where nobody said for which car."""
    of_car = and_(
        stay.c.stay_id == barrier_opening.c.stay_id,
        stay.c.lot_id == barrier_opening.c.lot_id,
        barrier_opening.c.stay_id != "",
    )
    query = (
        select(barrier_opening, func.coalesce(stay.c.plate, "").label("plate"))
        .join(stay, of_car, isouter=True)
        .where(
            barrier_opening.c.operator_id == operator_id,
            barrier_opening.c.lot_id == lot_id,
            barrier_opening.c.opened_by != "",
        )
        .order_by(barrier_opening.c.happened_ms.desc(), barrier_opening.c.event_id)
        .limit(SHOWN)
    )
    return conn.execute(query).mappings().all()
