"""Printers and relay boards on a network the installer names: a knock at two ports, nothing said."""

from __future__ import annotations

import asyncio
from ipaddress import IPv4Network

from drivers.finding.found import Found

KNOCK_S = 0.7
AT_ONCE = 32
PORTS = {9100: ("printer (port 9100)", "escpos_network"), 502: ("Modbus TCP board (port 502)", "modbus_tcp")}


async def find_on(network: IPv4Network, ports: dict[int, tuple[str, str]] = PORTS) -> list[Found]:
    """Who opens one of *ports* on *network*."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def knock(host: str, port: int, what: str, type_name: str) -> Found | None:
        async with gate:
            try:
                async with asyncio.timeout(KNOCK_S):
                    _, writer = await asyncio.open_connection(host, port)
            except (OSError, TimeoutError):
                return None
            writer.transport.abort()
            return Found(f"{host}:{port}", what, f'type = "{type_name}", host = "{host}"')

    hosts = [str(host) for host in network.hosts()]
    knocks = (knock(host, port, *meaning) for host in hosts for port, meaning in ports.items())
    return [found for found in await asyncio.gather(*knocks) if found is not None]
