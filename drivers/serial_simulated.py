"""A serial cable without a converter: a pseudo-terminal under a name that stays the same over unplugging."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tty
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self


class SimulatedSerial:
    """The far end of a cable. Drivers open *path*; *on_bytes* hears what they send. Use as a context manager."""

    def __init__(self, path: Path, on_bytes: Callable[[bytes], None] = lambda data: None) -> None:
        self.path = path
        self.on_bytes = on_bytes
        self.sent = bytearray()  # everything drivers wrote since the beginning
        self._near = self._far = -1

    async def __aenter__(self) -> Self:
        self.plug_in()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.unplug()

    def plug_in(self) -> None:
        """Make the port appear under its name."""
        self._near, self._far = os.openpty()
        tty.setraw(self._far)
        os.set_blocking(self._near, False)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(self._far))
        asyncio.get_running_loop().add_reader(self._near, self._read)

    def unplug(self) -> None:
        """Pull the plug: the name vanishes, and whoever holds the port open gets errors. Safe to call twice."""
        if self._near < 0:
            return
        asyncio.get_running_loop().remove_reader(self._near)
        os.close(self._near)
        os.close(self._far)
        self._near = self._far = -1
        self.path.unlink(missing_ok=True)

    def say(self, data: bytes) -> None:
        """Send bytes towards the driver."""
        os.write(self._near, data)

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            data = os.read(self._near, 4096)
            self.sent += data
            self.on_bytes(data)
