"""A picture of what was not decided on one: a barrier opened by hand (E30). It follows the act and never delays it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from drivers.base import DeviceError, PlateRead
from edge.db import decisions
from edge.db.database import Database, DiskFullError, transaction
from edge.lanes.office import Office

LOOKS_S = 2.0  # a camera slower than that is not waited for

Look = Callable[[str], Awaitable[PlateRead | DeviceError | None]]


async def keep_picture(office: Office, act_id: str, picture_of: str, cameras: Sequence[str], look: Look) -> None:
    """Keep under *act_id* the picture of the car that stands there (decision *picture_of*), else what is seen now."""
    image = await _of_decision(office, picture_of) if picture_of else b""
    for camera in cameras[:1] if not image else ():
        image = await _now(camera, look)
    if not image:
        return
    now = office.now()

    def note(db: Database) -> None:
        with transaction(db) as conn:
            decisions.note_picture(conn, act_id, "frame", now)

    try:
        await office.commit(note, office.db)
    except DiskFullError:
        return  # the act is on record; its picture found no room
    office.pictures.keep(act_id, "frame", image, now.wall_ms)


async def _of_decision(office: Office, decision_id: str) -> bytes:
    wall_ms = await office.thread.run(decisions.picture_time, office.db.conn, decision_id, "frame")
    return b"" if wall_ms is None else await office.pictures.get(decision_id, "frame", wall_ms) or b""


async def _now(camera: str, look: Look) -> bytes:
    try:
        async with asyncio.timeout(LOOKS_S):
            seen = await look(camera)
    except TimeoutError:
        return b""
    return seen.image if isinstance(seen, PlateRead) else b""
