"""Who may sign in at a running edge, for its pages."""

from __future__ import annotations

from dataclasses import dataclass

from edge.db import people
from edge.lanes.office import Office
from edge.services import staffing
from edge.services.lot import Result


@dataclass(frozen=True, slots=True)
class StaffRoom:
    """People of the booth and of the counter."""

    office: Office

    async def get(self, name: str) -> people.Attendant | None:
        """Someone who may sign in."""
        return await self.office.read(people.get, name)

    async def everyone(self) -> list[people.Attendant]:
        """Everyone who may sign in."""
        return await self.office.read(people.everyone)

    async def employ(self, name: str, role: str, pin_hash: str, by: str) -> Result:
        """Let somebody sign in: one of the booth's roles, or a merchant's staff."""
        return await self.office.do(staffing.employ, name, role, pin_hash, by)

    async def set_pin(self, name: str, pin_hash: str, by: str) -> Result:
        """Give somebody another PIN."""
        return await self.office.do(staffing.set_pin, name, pin_hash, by)

    async def dismiss(self, name: str, by: str) -> Result:
        """Let somebody sign in no more."""
        return await self.office.do(staffing.dismiss, name, by)
