"""Walks through the lot that put the books right, for a running edge's pages."""

from __future__ import annotations

from dataclasses import dataclass

from edge.lanes.office import Office
from edge.services import stocktaking
from edge.services.lot import Result


@dataclass(frozen=True, slots=True)
class StockTakes:
    """One walk at a time."""

    office: Office

    async def start(self, zone: str, by: str) -> Result:
        """Begin a walk through the lot, or a zone of it."""
        return await self.office.do(stocktaking.start, self.office.lot, zone, by)

    async def mark(self, plate: str, by: str) -> Result:
        """The walk saw this car."""
        return await self.office.do(stocktaking.mark, plate, by)

    async def unmark(self, plate: str, by: str) -> Result:
        """The walk did not see it after all."""
        return await self.office.do(stocktaking.unmark, plate, by)

    async def finish(self, take_id: str, by: str) -> Result:
        """Close what was not seen and enter what nobody knew, in one act."""
        return await self.office.do(stocktaking.finish, self.office.lot, take_id, by)

    async def drop(self, take_id: str, by: str) -> Result:
        """Give the walk up."""
        return await self.office.do(stocktaking.drop, take_id, by)

    async def undo(self, take_id: str, by: str, reason: str) -> Result:
        """Take back what a walk did, as far as it still can be."""
        return await self.office.do(stocktaking.undo, self.office.lot, take_id, by, reason)

    async def write_off(self, stay_id: str, by: str, reason: str) -> Result:
        """One car is not here any more, whatever the books say."""
        return await self.office.do(stocktaking.gone, self.office.lot, stay_id, by, reason)
