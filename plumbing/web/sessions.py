"""Server-side sessions: the cookie holds a random token, the store holds who it belongs to under the token's hash."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from aiohttp import web

from plumbing.web.request import Visit, visit

TOUCH_MS = 60_000  # a session is written again at most once a minute while in use


@dataclass(frozen=True, slots=True)
class Session:
    """Who signed in and what they may be. Times are UTC epoch milliseconds; *data* holds the owner's own notes."""

    user_id: str
    name: str
    role: str
    created_ms: int
    seen_ms: int
    data: Mapping[str, str] = field(default_factory=dict)


class SessionStore(Protocol):
    """Keeps sessions by an opaque key, never seeing the token itself."""

    async def load(self, key: str) -> Session | None: ...

    async def save(self, key: str, session: Session) -> None: ...

    async def drop(self, key: str) -> None: ...

    async def drop_user(self, user_id: str) -> None:
        """End every session of *user_id*: password changed, account closed."""
        ...


class MemorySessionStore:
    """Sessions of one process; a restart signs everybody out."""

    def __init__(self, limit: int = 10_000) -> None:
        self._limit = limit
        self._sessions: dict[str, Session] = {}

    async def load(self, key: str) -> Session | None:
        return self._sessions.get(key)

    async def save(self, key: str, session: Session) -> None:
        self._sessions.pop(key, None)
        self._sessions[key] = session
        while len(self._sessions) > self._limit:
            del self._sessions[next(iter(self._sessions))]  # the one longest unsaved

    async def drop(self, key: str) -> None:
        self._sessions.pop(key, None)

    async def drop_user(self, user_id: str) -> None:
        for key in [key for key, session in self._sessions.items() if session.user_id == user_id]:
            del self._sessions[key]


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


class Sessions:
    """Signs people in and out of one listener. *audience* keeps its sessions apart from every other listener's."""

    def __init__(
        self,
        store: SessionStore,
        audience: str,
        *,
        idle_minutes: int = 30,
        absolute_hours: int = 12,
        now_ms: Callable[[], int] = _wall_ms,
    ) -> None:
        self.store = store
        self._audience = audience
        self._idle_ms = idle_minutes * 60_000
        self._absolute_ms = absolute_hours * 3_600_000
        self._now_ms = now_ms

    async def sign_in(
        self,
        request: web.Request,
        response: web.StreamResponse,
        *,
        user_id: str,
        name: str,
        role: str,
        data: Mapping[str, str] | None = None,
    ) -> Session:
        """Begin a new session under a new token, ending the one the browser had (no fixation)."""
        notes = visit(request)
        await self._forget(notes)
        now = self._now_ms()
        session = Session(user_id, name, role, now, now, dict(data or {}))
        notes.token, notes.session = secrets.token_urlsafe(32), session
        await self.store.save(self._key(notes.token), session)
        set_cookie(response, notes, "session", notes.token)
        return session

    async def sign_out(self, request: web.Request, response: web.StreamResponse) -> None:
        """End the session here and in the browser."""
        notes = visit(request)
        await self._forget(notes)
        delete_cookie(response, notes, "session")

    async def remember(self, request: web.Request, **data: str) -> Session:
        """Add to the signed-in session's own notes. Raises LookupError when nobody is signed in."""
        notes = visit(request)
        if notes.session is None:
            raise LookupError("nobody is signed in")
        notes.session = replace(notes.session, data={**notes.session.data, **data})
        await self.store.save(self._key(notes.token), notes.session)
        return notes.session

    async def recognise(self, request: web.Request) -> None:
        """Note whose token the cookie holds, unless idle or absolute time has run out."""
        notes = visit(request)
        token = request.cookies.get(cookie_name(notes, "session"), "")
        if not token or len(token) > 100:
            return
        session = await self.store.load(self._key(token))
        if session is None:
            return
        now = self._now_ms()
        idle, age = now - session.seen_ms, now - session.created_ms
        if idle > self._idle_ms or age > self._absolute_ms or age < 0:
            await self.store.drop(self._key(token))
            return
        if idle >= TOUCH_MS:
            session = replace(session, seen_ms=now)
            await self.store.save(self._key(token), session)
        notes.token, notes.session = token, session

    async def is_alive(self, request: web.Request) -> bool:
        """Whether the session that *request* began with still holds; asking does not prolong it (open streams)."""
        notes = visit(request)
        session = await self.store.load(self._key(notes.token)) if notes.token else None
        if session is None:
            return False
        now = self._now_ms()
        return now - session.seen_ms <= self._idle_ms and now - session.created_ms <= self._absolute_ms

    async def _forget(self, notes: Visit) -> None:
        if notes.token:
            await self.store.drop(self._key(notes.token))
        notes.token, notes.session = "", None

    def _key(self, token: str) -> str:
        return hashlib.sha256(f"{self._audience}:{token}".encode()).hexdigest()


def cookie_name(notes: Visit, purpose: str) -> str:
    """Cookies of one host are shared by all its ports, so the listener's name is part of each."""
    prefix = "__Host-" if notes.shell.https else ""
    return f"{prefix}lg_{notes.shell.name}_{purpose}"


def set_cookie(response: web.StreamResponse, notes: Visit, purpose: str, value: str) -> None:
    """HttpOnly, SameSite=Lax, Secure when the listener is HTTPS; gone with the browser."""
    response.set_cookie(
        cookie_name(notes, purpose), value, path="/", httponly=True, samesite="Lax", secure=notes.shell.https
    )


def delete_cookie(response: web.StreamResponse, notes: Visit, purpose: str) -> None:
    """Take a cookie back."""
    response.del_cookie(cookie_name(notes, purpose), path="/", httponly=True, samesite="Lax", secure=notes.shell.https)
