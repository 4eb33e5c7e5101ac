"""The faults are real: what a client on the other side of the proxy sees of each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.fakes.fault_proxy import FaultProxy, Way, fault_proxy

QUIET = 0.15  # long enough to say that nothing came


class Echo:
    """A server that answers every line and keeps what it was told."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.ended = asyncio.Event()
        self.connected = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connected.set()
        try:
            while line := await reader.readline():
                self.heard.append(line)
                writer.write(b"echo " + line)
                await writer.drain()
            writer.write(b"bye\n")
            await writer.drain()
        except ConnectionError:
            pass
        finally:
            self.ended.set()
            writer.close()


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def echo() -> Echo:
    return Echo()


@pytest.fixture
async def proxy(echo: Echo) -> AsyncIterator[FaultProxy]:
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    async with fault_proxy(server.sockets[0].getsockname()[1]) as running:
        yield running
    server.close()
    await server.wait_closed()


@pytest.fixture
async def line(proxy: FaultProxy, echo: Echo) -> AsyncIterator[Connection]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    await asyncio.wait_for(echo.connected.wait(), 5)
    yield reader, writer
    writer.close()


async def say(line: Connection, text: bytes) -> None:
    line[1].write(text)
    await line[1].drain()


async def hear(line: Connection, seconds: float = 5.0) -> bytes:
    return await asyncio.wait_for(line[0].readline(), seconds)


async def test_an_honest_proxy_passes_both_ways(line: Connection) -> None:
    await say(line, b"one\n")

    assert await hear(line) == b"echo one\n"


async def test_stalled_bytes_arrive_in_order_once_healed(proxy: FaultProxy, echo: Echo, line: Connection) -> None:
    proxy.stall()
    await say(line, b"one\ntwo\n")
    with pytest.raises(TimeoutError):
        await hear(line, QUIET)

    proxy.let_pass()

    assert [await hear(line), await hear(line)] == [b"echo one\n", b"echo two\n"]


async def test_a_black_hole_loses_bytes_and_keeps_the_connection(
    proxy: FaultProxy, echo: Echo, line: Connection
) -> None:
    proxy.swallow()
    await say(line, b"lost\n")
    with pytest.raises(TimeoutError):
        await hear(line, QUIET)
    proxy.let_pass()

    await say(line, b"kept\n")

    assert await hear(line) == b"echo kept\n"
    assert echo.heard == [b"kept\n"]


async def test_a_half_open_line_carries_one_way_only(proxy: FaultProxy, echo: Echo, line: Connection) -> None:
    proxy.swallow(Way.DOWN)

    await say(line, b"one\n")

    with pytest.raises(TimeoutError):
        await hear(line, QUIET)
    assert echo.heard == [b"one\n"]


async def test_a_cut_resets_both_ends_at_once(proxy: FaultProxy, echo: Echo, line: Connection) -> None:
    proxy.cut()

    with pytest.raises(ConnectionResetError):
        await hear(line)
    await asyncio.wait_for(echo.ended.wait(), 5)


async def test_a_half_close_ends_one_direction(proxy: FaultProxy, echo: Echo, line: Connection) -> None:
    proxy.half_close(Way.UP)

    assert await hear(line) == b"bye\n"
    await asyncio.wait_for(echo.ended.wait(), 5)


async def test_latency_is_added_each_way(proxy: FaultProxy, line: Connection) -> None:
    proxy.latency = 0.1
    loop = asyncio.get_running_loop()
    started = loop.time()

    await say(line, b"one\n")
    await hear(line)

    assert loop.time() - started >= 0.2


async def test_a_refusing_proxy_resets_new_connections_and_counts_them(proxy: FaultProxy) -> None:
    proxy.refusing = True

    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)

    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(reader.readline(), 5)
    assert proxy.connections == 1
    writer.close()


async def test_a_server_that_is_down_shows_as_a_reset() -> None:
    server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()

    async with fault_proxy(port) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(reader.readline(), 5)
        writer.close()


async def test_the_far_end_hanging_up_reaches_the_client(proxy: FaultProxy, line: Connection) -> None:
    line[1].write_eof()

    assert await hear(line) == b"bye\n"
    assert await hear(line) == b""
