"""A TCP proxy that misbehaves on demand: what happens between a lot and its cloud, on real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from enum import StrEnum

CHUNK = 65536
HELD_CHUNKS = 64  # about what a router would buffer before the sender feels it


class Way(StrEnum):
    """Which way bytes travel: UP to the server, DOWN to the client."""

    UP = "up"
    DOWN = "down"


class Fate(StrEnum):
    """What becomes of bytes in one direction."""

    PASS = "pass"
    STALL = "stall"  # kept, in order, and delivered once they may pass again
    SWALLOW = "swallow"  # taken and lost; the sender never learns


@dataclass(eq=False)
class _Link:
    """One client's connection and the one made for it."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    tasks: list[asyncio.Task[None]] = field(default_factory=list)


class FaultProxy:
    """Stands before a loopback server at *port*; made by :func:`fault_proxy`, all in one event loop."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self.latency = 0.0  # seconds, each way, for bytes read from now on
        self.connections = 0  # accepted since the start
        self.refusing = False  # new connections are reset at once
        self._target = target
        self._fates = dict.fromkeys(Way, Fate.PASS)
        self._changed = asyncio.Event()
        self._links: set[_Link] = set()

    def let_pass(self) -> None:
        """Heal: bytes flow both ways, held ones first, and new connections are taken."""
        self.refusing = False
        self._decide(Fate.PASS, *Way)

    def stall(self, *ways: Way) -> None:
        """Hold bytes back (both ways unless named); connections stay up."""
        self._decide(Fate.STALL, *(ways or Way))

    def swallow(self, *ways: Way) -> None:
        """Lose bytes silently: both ways is a black hole, one way a half-open connection."""
        self._decide(Fate.SWALLOW, *(ways or Way))

    def cut(self) -> None:
        """Reset every connection now, towards both ends."""
        for link in list(self._links):
            for task in link.tasks:
                task.cancel()
            _reset(link.client)
            _reset(link.server)

    def half_close(self, way: Way) -> None:
        """Say end-of-stream in one direction of every connection; the other goes on."""
        for link in self._links:
            writer = link.server if way is Way.UP else link.client
            if not writer.is_closing():
                writer.write_eof()

    def _decide(self, fate: Fate, *ways: Way) -> None:
        self._fates.update(dict.fromkeys(ways, fate))
        self._changed.set()
        self._changed = asyncio.Event()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one client's connection until either end is done with it."""
        self.connections += 1
        if self.refusing:
            _reset(writer)
            return
        try:
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            _reset(writer)
            return
        link = _Link(writer, server_writer)
        self._links.add(link)
        link.tasks += [
            asyncio.create_task(self._carry(reader, server_writer, Way.UP)),
            asyncio.create_task(self._carry(server_reader, writer, Way.DOWN)),
        ]
        await asyncio.gather(*link.tasks, return_exceptions=True)
        self._links.discard(link)
        for end in (writer, server_writer):
            end.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Way) -> None:
        held: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(HELD_CHUNKS)
        delivery = asyncio.create_task(self._deliver(held, writer, way))
        try:
            while data := await reader.read(CHUNK):
                await held.put((asyncio.get_running_loop().time() + self.latency, data))
            await held.put((0.0, b""))
            await delivery
        except ConnectionError:  # this end was reset, so the other is
            _reset(writer)
        finally:
            delivery.cancel()

    async def _deliver(self, held: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter, way: Way) -> None:
        while True:
            due, data = await held.get()
            await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
            while self._fates[way] is Fate.STALL:
                await self._changed.wait()
            if self._fates[way] is Fate.PASS:
                await _write(writer, data)
            if not data:
                return


async def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Send *data*, or end-of-stream for none; an end that is gone takes nothing more."""
    with contextlib.suppress(ConnectionError):
        if writer.is_closing():
            return
        if data:
            writer.write(data)
            await writer.drain()
        else:
            writer.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST instead of FIN: no linger, nothing flushed."""
    plug: socket.socket = writer.get_extra_info("socket")
    if plug.fileno() >= 0:
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@contextlib.asynccontextmanager
async def fault_proxy(target: int) -> AsyncIterator[FaultProxy]:
    """A proxy on a free loopback port before the loopback port *target*; it starts out honest."""
    proxy = FaultProxy(target)
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.cut()
        await server.wait_closed()
