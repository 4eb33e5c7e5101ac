"""What happened at a lane, put on record: a fact cannot be refused, so a full disk is waited for (I23)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from domain.lane import RecordPassage, RecordReversal, RecordUnpaid
from edge.db.database import DiskFullError
from edge.lanes.heard import HeardReads
from edge.lanes.office import Office
from edge.supervise import Health

DISK_AGAIN_S = 1.0


class LaneRecords:
    """Writes the passages and incidents of one lane."""

    def __init__(self, lane: str, office: Office, heard: HeardReads, health: Health) -> None:
        self._lane, self._office, self._heard, self._health = lane, office, heard, health

    async def write(self, what: RecordPassage | RecordReversal | RecordUnpaid) -> None:
        """A car through, one that went back, or one that nobody let through."""
        lane, office = self._lane, self._office
        match what:
            case RecordPassage(decision_id=decision_id, plate=plate):
                await self._keep(lambda: office.passage(lane, decision_id, plate))
            case RecordReversal(decision_id=decision_id, car=car):
                await self._keep(lambda: office.reversal(lane, decision_id, self._heard.plate(car)))
            case RecordUnpaid(cause=cause, car=car, decision_id=decision_id):
                plate, image = self._heard.plate(car), self._heard.picture(car)
                await self._keep(lambda: office.unpaid(lane, cause, plate, image, decision_id))

    async def incident(self, code: str, detail: str) -> None:
        """Something a person should look at."""
        await self._keep(lambda: self._office.incident(code, self._lane, detail))

    async def _keep(self, write: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await write()
            except DiskFullError as exc:
                self._health.set("disk", str(exc))
                await asyncio.sleep(DISK_AGAIN_S)
            else:
                self._health.set("disk", "")
                return
