"""One question to the local network, on every interface this machine has there; answers bounded in time and number."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import socket
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

from drivers.base import BadFrameError
from drivers.finding.found import Found, is_private

MOST_ANSWERS = 200
LONGEST_ANSWER = 16 * 1024
SIOCGIFADDR = 0x8915  # Linux: the IPv4 address of an interface


@dataclass(frozen=True, slots=True)
class Call:
    """How a make is asked: *question* makes the bytes, *parse* reads an answer (BadFrameError: not one of ours).

    *listen* is the port where this make expects the asker, 0 for any; *join* the group it may answer to.
    """

    question: Callable[[], bytes]
    to: tuple[tuple[str, int], ...]
    parse: Callable[[bytes], Found | None]
    listen: int = 0
    join: str = ""


class _Answers(asyncio.DatagramProtocol):
    def __init__(self, parse: Callable[[bytes], Found | None], found: dict[str, Found]) -> None:
        self._parse = parse
        self._found = found
        self._left = MOST_ANSWERS

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Keep what can be read; anybody may answer, so nothing else is believed of it."""
        self._left -= 1
        if self._left < 0 or len(data) > LONGEST_ANSWER:
            return
        with contextlib.suppress(BadFrameError):
            one = self._parse(data)
            if one is not None:
                self._found.setdefault(one.where, one)


async def ask(call: Call, seconds: float, interfaces: Sequence[str] | None = None) -> list[Found]:
    """Who answers *call* within *seconds*. Raises OSError when there is no network to ask."""
    loop = asyncio.get_running_loop()
    found: dict[str, Found] = {}
    asked: list[asyncio.DatagramTransport] = []
    try:
        for address in own_addresses() if interfaces is None else interfaces:
            transport, _ = await loop.create_datagram_endpoint(
                lambda: _Answers(call.parse, found), sock=_socket(address, call.listen, call.join)
            )
            asked.append(transport)
        if not asked:
            raise OSError("no interface with an address of a private network")
        for _ in range(2):  # datagrams get lost
            for transport in asked:
                for to in call.to:
                    transport.sendto(call.question(), to)
            await asyncio.sleep(seconds / 2)
    finally:
        for transport in asked:
            transport.close()
    return list(found.values())


def own_addresses() -> list[str]:
    """The addresses of this machine on private networks."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            with contextlib.suppress(OSError):  # an interface without an address
                answer = fcntl.ioctl(probe.fileno(), SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
                address = IPv4Address(answer[20:24])
                if is_private(address) and not address.is_loopback:
                    found.append(str(address))
    return found


def _socket(address: str, port: int, group: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
        try:
            sock.bind(("0.0.0.0", port))  # noqa: S104 - answers come from devices nobody knows yet
        except OSError:
            sock.bind(("0.0.0.0", 0))  # noqa: S104 - the maker's own tool runs here: fewer answers, not none
        if group:
            sock.setsockopt(
                socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + socket.inet_aton(address)
            )
    except OSError:
        sock.close()
        raise
    return sock


def tidy(text: str, limit: int = 60) -> str:
    """A name out of an answer, fit for a terminal."""
    return "".join(letter for letter in text.strip() if letter.isprintable())[:limit]


def private_host(text: str) -> str:
    """*text*, if it is an address of one of the lot's own networks, else ""."""
    try:
        return text if is_private(IPv4Address(text)) else ""
    except ValueError:
        return ""
