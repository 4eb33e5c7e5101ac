"""The pages' sessions, kept in the edge's database: attendants stay signed in when the daemon starts again.

What is only for the next page (a flash) is kept in memory, so that an act costs no commit more than it has.
"""

from __future__ import annotations

from collections.abc import Mapping

from edge.db.signed_in import SignedIn
from edge.lanes.office import Office
from edge.services import sessions
from plumbing.web import MemorySessionStore, Session

FLASH = "flash"


class KeptSessions:
    """A ``SessionStore`` of one listener. A token is worth nothing at another device, nor once its owner is gone."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._device = office.lot.public_key.hex()
        self._here = MemorySessionStore()

    async def load(self, key: str) -> Session | None:
        """What is behind a token's hash; None once its owner may sign in no more, or no longer in that role."""
        known = await self._here.load(key)
        if known is not None:
            if await self._office.read(sessions.is_still, known.user_id, known.role):
                return known
            await self.drop(key)
            return None
        row = await self._office.read(sessions.holds, key, self._device)
        if row is None:
            return None
        session = Session(row.name, row.name, row.role, row.created_ms, row.seen_ms, row.data)
        await self._here.save(key, session)
        return session

    async def save(self, key: str, session: Session) -> None:
        """Write it down where more has changed than what the next page says."""
        before = await self._here.load(key)
        await self._here.save(key, session)
        if before is None or _lasting(before) != _lasting(session):
            await self._office.do(sessions.keep, self._row(key, session))

    async def drop(self, key: str) -> None:
        """End one."""
        await self._here.drop(key)
        await self._office.do(sessions.end, key)

    async def drop_user(self, user_id: str) -> None:
        """End all of somebody's, at every listener."""
        await self._here.drop_user(user_id)
        await self._office.do(sessions.end_all_of, user_id)

    def _row(self, key: str, session: Session) -> SignedIn:
        times = session.created_ms, session.seen_ms
        return SignedIn(key, self._device, session.user_id, session.role, *times, _notes(session.data))


def _notes(data: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in data.items() if name != FLASH}


def _lasting(session: Session) -> tuple[object, ...]:
    return session.user_id, session.role, session.created_ms, session.seen_ms, _notes(session.data)
