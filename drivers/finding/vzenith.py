"""Vzenith cameras on a network the installer names: their command port is asked for the serial number, nothing else.

How the maker's own tool searches a network is not published; the command port (8131) and ``getsn`` are.
"""

from __future__ import annotations

import asyncio
import json
import struct
from ipaddress import IPv4Network

from drivers.finding.datagrams import tidy
from drivers.finding.found import Found

PORT = 8131
HEAD = struct.Struct(">2sBBI")  # VZ, kind of packet, its number, length
DATA, HEARTBEAT = 0, 1
ANSWER_S = 0.7
AT_ONCE = 32
LONGEST = 4096


def question() -> bytes:
    """``getsn``."""
    body = b'{"cmd": "getsn"}'
    return HEAD.pack(b"VZ", DATA, 0, len(body)) + body


async def find_vzenith(network: IPv4Network, port: int = PORT) -> list[Found]:
    """Who on *network* answers ``getsn``."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def look(host: str) -> Found | None:
        async with gate:
            try:
                async with asyncio.timeout(ANSWER_S):
                    serial = await _serial(host, port)
            except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
                return None
        hint = f'type = "vzenith", addresses = ["{host}"], serials = ["{serial}"]; over MQTT serial = "{serial}"'
        return Found(host, f"Vzenith camera, serial {serial}", hint)

    return [found for found in await asyncio.gather(*(look(str(host)) for host in network.hosts())) if found]


async def _serial(host: str, port: int) -> str:
    """Raises ValueError on an answer that is none."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(question())
        while True:
            mark, kind, _, length = HEAD.unpack(await reader.readexactly(HEAD.size))
            if mark != b"VZ" or length > LONGEST:
                raise ValueError("not a Vzenith camera")
            body = await reader.readexactly(length)
            if kind == DATA:
                break
    finally:
        writer.transport.abort()
    said = json.loads(body.decode("gb2312", "replace").rstrip("\x00\n"))
    serial = said.get("value") if isinstance(said, dict) else None
    if not isinstance(serial, str) or not serial or '"' in serial:
        raise ValueError("no serial number")
    return tidy(serial)
