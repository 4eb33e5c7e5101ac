"""What the demo may ask of its running edge as the command line does: over the daemon's own socket, looking only."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import aiohttp

from domain.wire import Json
from plumbing.unixpath import socket_path


class LocalEdge:
    """Use as a context manager."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._session: aiohttp.ClientSession | None = None
        self._open = ExitStack()

    async def __aenter__(self) -> LocalEdge:
        path = self._open.enter_context(socket_path(self._socket))
        self._session = aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(path), timeout=aiohttp.ClientTimeout(total=10)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
        self._open.close()

    async def answers(self) -> bool:
        """Is the daemon up?"""
        try:
            await self.standing()
        except (aiohttp.ClientError, OSError):
            return False
        return True

    async def standing(self) -> Json:
        """How the edge is: link, backlog, every lane."""
        value: Json = await self._get("/standing")
        return value

    async def lane(self, name: str) -> Json:
        """One lane as its screen shows it."""
        found: list[Json] = (await self.standing())["lanes"]
        return next(view for view in found if view["lane"] == name)

    async def wrong_books(self) -> list[str]:
        """Everything in the lot's own books that does not hold."""
        found: list[str] = (await self._get("/verify"))["wrong"]
        return found

    async def _get(self, path: str) -> Any:
        if self._session is None:
            raise RuntimeError("use it as a context manager")
        async with self._session.get(f"http://edge{path}") as answer:
            answer.raise_for_status()
            return await answer.json()
