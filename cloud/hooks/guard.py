"""Where messages may go: to the world over https, never into the networks this machine stands in."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from cloud.act import Refused

LONGEST: Final = 500
_NAT64: Final = IPv6Network("64:ff9b::/96")
Address = IPv4Address | IPv6Address


def may_reach(address: Address, *, loopback: bool) -> bool:
    """Whether *address* is somebody else's and public; *loopback* allows this machine besides."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return may_reach(inner, loopback=loopback)
    if address.is_loopback:
        return loopback
    return address.is_global and not address.is_multicast and not address.is_reserved


def refuse_url(url: str, *, loopback: bool) -> Refused | None:
    """Why no message may go to *url*; a name's addresses are looked at when it is called."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        return Refused("hook_url")
    if len(url) > LONGEST or not url.isascii() or not url.isprintable() or " " in url:
        return Refused("hook_url")
    if not host or parts.username is not None or parts.password is not None or parts.fragment:
        return Refused("hook_url")
    literal = _literal(host)
    if literal is not None and not may_reach(literal, loopback=loopback):
        return Refused("hook_inside")
    is_here = host == "localhost" or (literal is not None and literal.is_loopback)
    if host == "localhost" and not loopback:
        return Refused("hook_inside")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_here and loopback):
        return Refused("hook_https")
    return None


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        pass
    try:  # 127.1 and 0x7f000001 are addresses to the system, though not to us
        return ip_address(socket.inet_aton(host))
    except OSError:
        return None


class GuardedResolver(AbstractResolver):
    """Looks names up and gives only addresses that may be reached, so that no name leads inside (DNS rebinding)."""

    def __init__(self, *, loopback: bool, inner: AbstractResolver | None = None) -> None:
        self._loopback = loopback
        self._inner = inner or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        good = [each for each in found if may_reach(ip_address(each["host"]), loopback=self._loopback)]
        if not good:
            raise OSError(f"{host} has no address outside")
        return good

    async def close(self) -> None:
        await self._inner.close()
