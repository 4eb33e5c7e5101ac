"""A USB reader that types, without USB: the kernel's key events through a named pipe."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

from drivers.scanner.keys import strokes


class SimulatedHid:
    """Use as a context manager; drivers open *path*. What nobody reads waits in the pipe, as in the kernel."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = -1

    async def __aenter__(self) -> SimulatedHid:
        self.plug_in()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.unplug()

    def plug_in(self) -> None:
        """Appear under its name."""
        os.mkfifo(self.path)
        self._fd = os.open(self.path, os.O_RDWR | os.O_NONBLOCK)

    def unplug(self) -> None:
        """Vanish; whoever holds it open learns of it. Safe to call twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
            self.path.unlink()

    def type(self, text: str) -> None:
        """Type *text* on a US keyboard, "\\n" for enter."""
        for stroke in strokes(text):
            os.write(self._fd, stroke)
