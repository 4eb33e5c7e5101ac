"""A clock that a demo or a test may put forward for both daemons at once, so that hours pass in a moment.

The file holds one whole number: by how many milliseconds every clock that follows it runs ahead. It only ever grows.
Settings refuse it for anything that can be reached from another machine: no fee of a real lot may go by it.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path


class DemoClock:
    """How far the clocks run ahead, as written in *file*; a missing file means not at all."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def ahead_ms(self) -> int:
        """Milliseconds to add to the boot clock and to the wall clock. Raises ValueError for anything but a number."""
        try:
            return int(self._file.read_text(encoding="ascii"))
        except FileNotFoundError:
            return 0

    def advance(self, ms: int) -> None:
        """Put every clock that follows this file forward by *ms*."""
        if ms < 0:
            raise ValueError("a demo clock only goes forward")
        fresh = self._file.with_name(f".{self._file.name}.new")
        fresh.write_text(str(self.ahead_ms() + ms), encoding="ascii")
        fresh.replace(self._file)


def refuse_outside_demo(hosts: Iterable[str]) -> None:
    """Raises ValueError unless every one of *hosts* is this machine itself."""
    for host in hosts:
        if not _is_loopback(host):
            raise ValueError(f"demo_clock is for demos and tests on one machine; {host!r} reaches beyond it")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
