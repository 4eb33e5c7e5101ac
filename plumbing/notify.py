"""What systemd wants to hear from a Type=notify unit (sd_notify(3)), and a watchdog that is not fed by habit.

watchdog = Watchdog()
watchdog.register("main loop", lambda: loop_turns)
watchdog.register("database", lambda: db_thread.progress, needs=lambda: db_thread.waiting > 0)
notify("READY=1")
await watchdog.run()      # a task of its own; returns at once where no watchdog is asked for
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass

log = logging.getLogger(__name__)


def notify(*assignments: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Send READY=1, STOPPING=1, WATCHDOG=1, STATUS=…; False when not run by systemd or nobody listens."""
    address = environment.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]  # an abstract socket
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        try:
            sock.sendto("\n".join(assignments).encode(), address)
        except OSError as exc:
            log.warning("systemd does not listen at NOTIFY_SOCKET: %s", exc)
            return False
    return True


def watchdog_seconds(environment: Mapping[str, str] = os.environ) -> float | None:
    """The unit's WatchdogSec, or None when none is asked of this process."""
    usec = environment.get("WATCHDOG_USEC", "")
    pid = environment.get("WATCHDOG_PID", str(os.getpid()))
    if not usec.isdigit() or int(usec) == 0 or pid != str(os.getpid()):
        return None
    return int(usec) / 1_000_000


def _always() -> bool:
    return True


@dataclass(slots=True)
class _Part:
    progress: Callable[[], int]
    needs: Callable[[], bool]
    last: int


class Watchdog:
    """Feeds systemd only when every registered part made progress since the last feed (sync-and-offline §10)."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment
        self._parts: dict[str, _Part] = {}
        self._stuck: tuple[str, ...] = ()

    @property
    def stuck(self) -> tuple[str, ...]:
        """Names of the parts that made no progress at the last look."""
        return self._stuck

    def register(self, name: str, progress: Callable[[], int], *, needs: Callable[[], bool] = _always) -> None:
        """Watch a part by a number that changes as it works; while *needs* is False it may rest (an idle queue)."""
        self._parts[name] = _Part(progress, needs, progress())

    def feed(self) -> bool:
        """Look at every part once; tell systemd if all moved. True when fed (or would have been)."""
        stuck = []
        for name, part in self._parts.items():
            now = part.progress()
            if now == part.last and part.needs():
                stuck.append(name)
            part.last = now
        if tuple(stuck) != self._stuck and stuck:
            log.error("no progress: %s", ", ".join(stuck))
        self._stuck = tuple(stuck)
        if stuck:
            notify(f"STATUS=no progress: {', '.join(stuck)}", environment=self._environment)
            return False
        notify("WATCHDOG=1", environment=self._environment)
        return True

    async def run(self) -> None:
        """Look three times per watchdog interval, for ever; return at once where none is asked for."""
        interval = watchdog_seconds(self._environment)
        while interval is not None:
            await asyncio.sleep(interval / 3)
            self.feed()
