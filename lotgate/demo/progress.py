"""How far the demo is, on a terminal as a bar and elsewhere as plain lines."""

from __future__ import annotations

import sys
from typing import TextIO

from lotgate.demo.acts import columns, padded

BAR = 24
WIDTH = 78


class Progress:
    """*steps* are what there is to do; ``step`` says what is being done now."""

    def __init__(self, steps: int, out: TextIO | None = None) -> None:
        self._steps, self._done = steps, 0
        self._out = out or sys.stdout
        self._bar = self._out.isatty()

    def step(self, what: str) -> None:
        """The next step begins."""
        self._say(what, self._done)
        self._done += 1

    def done(self, what: str) -> None:
        """All steps are done; leaves the line."""
        self._say(what, self._steps)
        if self._bar:
            self._out.write("\n")
            self._out.flush()

    def _say(self, what: str, done: int) -> None:
        if self._bar:
            full = BAR * min(done, self._steps) // self._steps
            line = f"[{'█' * full}{'·' * (BAR - full)}] {what}"
            self._out.write("\r" + padded(line, max(WIDTH, columns(line))))
        else:
            self._out.write(f"[{min(done + 1, self._steps)}/{self._steps}] {what}\n")
        self._out.flush()
