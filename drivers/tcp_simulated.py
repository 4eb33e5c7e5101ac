"""A network device without a device: the far end of a connection, on loopback."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from typing import Self


class SimulatedTcp(ABC):
    """Listens on loopback. Use as a context manager; ``stop`` and ``start`` unplug it and plug it in again."""

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self.connections = 0  # made so far
        self._server: asyncio.Server | None = None
        self._handlers: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def is_on(self) -> bool:
        """Does it listen?"""
        return self._server is not None

    async def start(self) -> None:
        """Power on, on the same port as before."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Pull the plug: every connection drops. Safe to call twice."""
        if self._server is None:
            return
        self._server.close()
        for handler in self._handlers:
            handler.cancel()
        await asyncio.gather(*self._handlers)
        await self._server.wait_closed()
        self._server = None

    @abstractmethod
    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Talk on one connection until it has heard enough; what breaks the connection may be raised."""

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handler = asyncio.current_task()
        assert handler is not None  # noqa: S101 - streams run this in a task
        self._handlers.add(handler)
        self.connections += 1
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
                await self.serve(reader, writer)
        finally:
            self._handlers.discard(handler)
            writer.transport.abort()
