"""Whether something answers at a camera's address: how a pulled cable or a dead camera shows within two seconds.

A camera that pushes says nothing while no car comes, so its own page's port is knocked at. Where that is, the lot file
may say (``reach``); else it is where its pushes come from. A port that never answered proves nothing (a camera may
have no page, or one behind a firewall), so an address only learned counts from its first answer on; a refusal is one.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from ipaddress import ip_address

from drivers.base import DeviceUnreachableError

GIVEN = re.compile(r"[\w.\-]+:\d{1,5}")
OFF = "off"
PAGE_PORT = 80
PATIENCE_S = 0.4  # on the lot's own network an answer takes a few milliseconds


def check_given(reach: str) -> None:
    """Raises ValueError unless *reach* is "", ``off`` or ``host:port``."""
    if reach not in ("", OFF) and not GIVEN.fullmatch(reach):
        raise ValueError(f"reach is {reach!r}; host:port is taken, as in 192.168.1.64:80, or off")


class Reach:
    """One camera's address. *reach* is what the lot file says of it; if nothing, its page is on *page_port*."""

    def __init__(self, name: str, reach: str, page_port: int = PAGE_PORT) -> None:
        self._name, self._given, self._page_port = name, reach, page_port
        host, _, port = reach.rpartition(":")
        self._at: tuple[str, int] | None = (host, int(port)) if host else None
        self._answered = False

    def learn(self, address: str) -> None:
        """It was heard from *address*, or says that it is there; what is no IP address says nothing."""
        if self._given:
            return
        with contextlib.suppress(ValueError):
            found = (str(ip_address(address)), self._page_port)
            if found != self._at:
                self._at, self._answered = found, False

    async def check(self) -> None:
        """Raises DeviceUnreachableError when nothing answers where something did, or where the lot file says so."""
        if self._at is None:
            return
        host, port = self._at
        try:
            async with asyncio.timeout(PATIENCE_S):
                _, writer = await asyncio.open_connection(host, port)
            writer.transport.abort()
        except ConnectionRefusedError as exc:
            if self._given:
                raise self._gone() from exc
        except (OSError, TimeoutError) as exc:
            if self._given or self._answered:
                raise self._gone() from exc
            return
        self._answered = True

    def _gone(self) -> DeviceUnreachableError:
        host, port = self._at or ("", 0)
        return DeviceUnreachableError(f"camera {self._name}: {host}:{port} does not answer")
