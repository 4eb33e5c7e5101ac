"""Loop detectors on the dry-contact inputs of a Modbus board, polled and debounced; over TCP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from drivers.base import LoopChange
from drivers.modbus_line import ModbusLine, line_of
from drivers.wiring import Wiring


@dataclass(frozen=True, slots=True, kw_only=True)
class InputMap:
    """The inputs of a board, counted from 0, and how their states are taken."""

    unit: int = 1
    input_base: int = 0x0000
    board_inputs: int = 8  # all are read at once, for all loops of the board
    inverted: bool = False  # True where the detector opens its contact for a vehicle
    poll_ms: int = 30
    debounce_ms: int = 80
    timeout_ms: int = 300


@dataclass(frozen=True, slots=True)
class ModbusLoopOptions(InputMap):
    """``inputs = { approach = 0, safety = 1 }``: the name of each loop and its input, counted from 0."""

    host: str
    inputs: dict[str, int]
    port: int = 502

    def __post_init__(self) -> None:
        check_inputs(self, self.inputs)


def check_inputs(options: InputMap, inputs: dict[str, int]) -> None:
    """Raises ValueError with what is wrong with a board's *inputs* and the times they are read by."""
    if not inputs or not all(0 <= place < options.board_inputs for place in inputs.values()):
        raise ValueError(f"inputs must name at least one loop, each with its input, 0 to {options.board_inputs - 1}")
    if not 0 < options.poll_ms <= options.debounce_ms <= 1000:
        raise ValueError("poll_ms must be above 0 and at most debounce_ms, which is at most 1000")


class Debounce:
    """Lets a state through once it has held for *hold_s*, and only when it differs from the last one let through."""

    def __init__(self, hold_s: float) -> None:
        self._hold_s = hold_s
        self._let_through: bool | None = None
        self._candidate: bool | None = None
        self._since = 0.0

    def sample(self, state: bool, now: float) -> bool:
        """True when *state*, seen at *now*, is news."""
        if state != self._candidate:
            self._candidate, self._since = state, now
        if state == self._let_through or now - self._since < self._hold_s:
            return False
        self._let_through = state
        return True


class ModbusLoop:
    """Loops of one lane; all loops of a board are read by one request a poll."""

    def __init__(self, line: ModbusLine, options: InputMap, inputs: dict[str, int]) -> None:
        self._line = line
        self._options = options
        self._inputs = inputs

    async def changes(self) -> AsyncIterator[LoopChange]:
        """Debounced changes, the present state of each loop first. Raises DeviceUnreachableError."""
        options = self._options
        filters = {loop: Debounce(options.debounce_ms / 1000) for loop in self._inputs}
        while True:
            bits = await self._line.read_inputs(options.input_base, options.board_inputs, options.poll_ms / 1000)
            now = time.monotonic()
            for loop, place in self._inputs.items():
                occupied = bits[place] != options.inverted
                if filters[loop].sample(occupied, now):
                    yield LoopChange(loop, occupied)
            await asyncio.sleep(options.poll_ms / 1000)

    async def check(self) -> None:
        """Read the inputs once. Raises DeviceError."""
        await self._line.read_inputs(self._options.input_base, self._options.board_inputs, 0.0)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._line.aclose()


async def open_modbus_loop(options: ModbusLoopOptions, wiring: Wiring) -> ModbusLoop:
    """Loops that connect at their first poll."""
    line = line_of(wiring, options.host, options.port, options.unit, options.timeout_ms)
    return ModbusLoop(line, options, options.inputs)
