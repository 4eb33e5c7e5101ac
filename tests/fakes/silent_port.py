"""A port of a machine that can be unplugged: while it is, nothing is refused and nothing is answered."""

from __future__ import annotations

import asyncio
import contextlib
import socket

BACKLOG = 16
HELD = 4  # half-open connections beyond what a backlog of none takes in


class SilentPort:
    """Listens on loopback. The kernel drops what comes beyond a full backlog, as a network without a camera does."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
        self._socket.setblocking(False)
        self.port = int(self._socket.getsockname()[1])
        self._held: list[socket.socket] = []
        self._answering: asyncio.Task[None] | None = None

    async def __aenter__(self) -> SilentPort:
        await self.plug_in()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop_answering()
        self._let_go()
        self._socket.close()

    async def plug_in(self) -> None:
        """Answer again."""
        self._let_go()
        self._socket.listen(BACKLOG)
        self._answering = asyncio.create_task(self._answer())

    async def unplug(self) -> None:
        """Answer no more."""
        await self._stop_answering()
        self._socket.listen(0)
        for _ in range(HELD):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", self.port))
            self._held.append(one)

    async def _answer(self) -> None:
        while True:
            connection, _ = await asyncio.get_running_loop().sock_accept(self._socket)
            connection.close()

    async def _stop_answering(self) -> None:
        task, self._answering = self._answering, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def _let_go(self) -> None:
        for one in self._held:
            one.close()
        self._held.clear()
