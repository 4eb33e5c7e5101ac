"""Who may sign in at a running edge, for its pages."""

from __future__ import annotations

from dataclasses import dataclass, replace

from edge.db import people
from edge.db.people import Attendant
from edge.lanes.office import Office
from edge.services import locking, staffing
from edge.services.lot import Result


@dataclass(frozen=True, slots=True)
class StaffRoom:
    """People of the booth and of the counter; PIN hashes are closed on the way in and opened on the way out."""

    office: Office

    async def get(self, name: str) -> Attendant | None:
        """Someone who may sign in, with the hash to compare with ("" where this device cannot open it)."""
        person = await self.office.read(people.get, name)
        if person is None:
            return None
        return replace(person, pin_hash=self.office.pins.open(name, person.pin_hash) or "")

    async def everyone(self) -> list[Attendant]:
        """Everyone who may sign in."""
        return await self.office.read(people.everyone)

    async def employ(self, name: str, role: str, pin_hash: str, by: str) -> Result:
        """Let somebody sign in: one of the booth's roles, or a merchant's staff."""
        return await self.office.do(staffing.employ, name, role, self.office.pins.close(name, pin_hash), by)

    async def set_pin(self, name: str, pin_hash: str, by: str) -> Result:
        """Give somebody another PIN; who was locked out may try again."""
        result = await self.office.do(staffing.set_pin, name, self.office.pins.close(name, pin_hash), by)
        await self.office.do(locking.tried, name, True)
        return result

    async def dismiss(self, name: str, by: str) -> Result:
        """Let somebody sign in no more."""
        return await self.office.do(staffing.dismiss, name, by)

    async def locked_ms(self, name: str) -> int:
        """For how much longer somebody is locked out."""
        return await self.office.read(locking.locked_ms, name, self.office.now())

    async def locked(self) -> set[str]:
        """Everybody who is locked out."""
        return await self.office.read(locking.locked, self.office.now())

    async def tried(self, name: str, *, is_right: bool) -> None:
        """A PIN was typed."""
        await self.office.do(locking.tried, name, is_right)

    async def unlock(self, name: str, by: str) -> Result:
        """Let somebody try again."""
        return await self.office.do(locking.unlock, name, by)
