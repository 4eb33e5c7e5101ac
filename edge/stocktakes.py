"""Walks through the lot that put the books right, for a running edge's pages."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import partial

from edge.lanes.live import LiveLanes
from edge.lanes.office import Office
from edge.services import stocktaking
from edge.services.lot import Result


@dataclass(frozen=True, slots=True)
class StockTakes:
    """One walk at a time."""

    office: Office
    live: LiveLanes

    def at_lanes(self) -> AbstractSet[str]:
        """The stays of cars that stand at a lane this moment."""
        return frozenset(view.stay_id for view in self.live.snapshot() if view.stay_id)

    async def start(self, zone: str, by: str) -> Result:
        """Begin a walk through the lot, or a zone of it."""
        return await self.office.do(stocktaking.start, self.office.lot, zone, by)

    async def mark(self, plate: str, by: str) -> Result:
        """The walk saw this car."""
        return await self.office.do(stocktaking.mark, plate, by)

    async def unmark(self, plate: str, by: str) -> Result:
        """The walk did not see it after all."""
        return await self.office.do(stocktaking.unmark, plate, by)

    async def finish(self, take_id: str, by: str, *, approved_by: str = "") -> Result:
        """Close what was not seen and enter what nobody knew, in one act, if need be with a supervisor's word."""
        act = partial(stocktaking.finish, approved_by=approved_by)
        return await self.office.do(act, self.office.lot, take_id, self.at_lanes(), by)

    async def drop(self, take_id: str, by: str) -> Result:
        """Give the walk up."""
        return await self.office.do(stocktaking.drop, take_id, by)

    async def undo(self, take_id: str, by: str, reason: str) -> Result:
        """Take back what a walk did, as far as it still can be."""
        return await self.office.do(stocktaking.undo, self.office.lot, take_id, by, reason)

    async def write_off(self, stay_id: str, by: str, reason: str, *, approved_by: str = "") -> Result:
        """One car is not here any more, whatever the books say; if need be with a supervisor's word."""
        act = partial(stocktaking.gone, approved_by=approved_by)
        return await self.office.do(act, self.office.lot, stay_id, self.at_lanes(), by, reason)
