"""A picture of what was not decided on one: a barrier opened by hand (E30). It follows the act and never delays it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from drivers.base import Camera, DeviceError, Snapshots, Viewable
from edge.db import decisions, journal
from edge.db.database import Database, DiskFullError, transaction
from edge.lanes.office import Office

LOOKS_S = 2.0  # a camera slower than that is not waited for


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody did at a lane."""

    act_id: str
    lane: str
    by: str


async def keep_picture(office: Office, act: Act, picture_of: str, camera: Camera | None) -> None:
    """Keep the picture of the car that stands there (decision *picture_of*), else what is seen now.

    Where there is neither, that is on record too: nobody shall take the lack of a picture for a lost one.
    """
    image = await _of_decision(office, picture_of) if picture_of else b""
    image = image or await _now(camera)
    now = office.now()

    def note(db: Database) -> None:
        with transaction(db) as conn:
            if image:
                decisions.note_picture(conn, act.act_id, "frame", now)
            else:
                journal.act(conn, act.by, "barrier.no_picture", act.lane, act.act_id, now)

    try:
        await office.commit(note, office.db)
    except DiskFullError:
        return  # the act is on record; its picture found no room
    if image:
        office.pictures.keep(act.act_id, "frame", image, now.wall_ms)


async def _of_decision(office: Office, decision_id: str) -> bytes:
    wall_ms = await office.thread.run(decisions.picture_time, office.db.conn, decision_id, "frame")
    return b"" if wall_ms is None else await office.pictures.get(decision_id, "frame", wall_ms) or b""


async def _now(camera: Camera | None) -> bytes:
    """What it sees this moment; what a camera that reads by itself said last may show another car."""
    try:
        async with asyncio.timeout(LOOKS_S):
            if isinstance(camera, Viewable):
                return (await camera.view()).image
            if isinstance(camera, Snapshots):
                return await camera.snapshot()
    except (TimeoutError, DeviceError):
        return b""
    return b""
