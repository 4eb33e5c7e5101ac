"""An LCUS relay board on a pseudo-terminal: takes orders, answers nothing, falls off without its plug."""

from __future__ import annotations

import time
from pathlib import Path

from drivers.barrier.lcus import ON, START
from drivers.serial_simulated import SimulatedSerial

FRAME_SIZE = 4


class SimulatedLcus(SimulatedSerial):
    """*switched* keeps every change as (seconds on the monotonic clock, channel, on)."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, self._heard)
        self.on: set[int] = set()
        self.switched: list[tuple[float, int, bool]] = []
        self._buffer = bytearray()

    def unplug(self) -> None:
        """It lives on USB power: every relay falls."""
        self.on.clear()
        super().unplug()

    def _heard(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= FRAME_SIZE:
            order = bytes(self._buffer[:FRAME_SIZE])
            if order[0] != START or sum(order[:3]) & 0xFF != order[3]:
                del self._buffer[0]  # out of step: the board waits for the next start
                continue
            del self._buffer[:FRAME_SIZE]
            self._switch(order[1], on=order[2] == ON)

    def _switch(self, channel: int, *, on: bool) -> None:
        if on != (channel in self.on):
            self.switched.append((time.monotonic(), channel, on))
        (self.on.add if on else self.on.discard)(channel)
