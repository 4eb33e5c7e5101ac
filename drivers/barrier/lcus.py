"""A boom gate on an LCUS USB relay (CH340, 9600 8N1): on, wait, off, because this board cannot time a pulse itself.

It answers nothing: the state is what was last sent. A crash between "on" and "off" leaves the relay on until the next
start, so the lot file must say that the gate's input is momentary.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

from drivers.base import DeviceUnreachableError
from drivers.serial_port import SerialLine, SerialPort, check_baud, shared_line
from drivers.wiring import Wiring

START = 0xA0
OFF, ON = 0x00, 0x01
OFF_TRIES = 3  # repeating an "off" hurts nobody
OFF_AGAIN_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class LcusOptions(SerialPort):
    """``gate_input = "momentary"`` is the operator's word that a contact left closed does not hold the boom up."""

    gate_input: str
    channel: int = 1  # as printed on the board, from 1
    pulse_ms: int = 500
    timeout_ms: int = 300

    def __post_init__(self) -> None:
        check_baud(self.baud)
        if self.gate_input != "momentary":
            raise ValueError(
                f'gate_input is {self.gate_input!r}; this relay cannot time a pulse by itself, so only "momentary" is '
                "taken: a gate whose open input reacts to the contact closing, not to it staying closed"
            )
        if not 1 <= self.channel <= 8:
            raise ValueError(f"channel is {self.channel}; an LCUS board has 1 to 8")
        if not 100 <= self.pulse_ms <= 3000:
            raise ValueError(f"pulse_ms is {self.pulse_ms}; 100 to 3000 is taken")


def frame(channel: int, state: int) -> bytes:
    """One order: start, channel, state and the low byte of their sum."""
    body = bytes([START, channel, state])
    return body + bytes([sum(body) & 0xFF])


class LcusBarrier:
    """One "on" a call; the "off" follows whatever becomes of the caller."""

    def __init__(self, line: SerialLine, options: LcusOptions) -> None:
        self._line = line
        self._options = options
        self._falling: asyncio.Task[None] | None = None
        self._held = False
        self._closed = False

    async def open(self) -> None:
        """Pulse once. DeviceUnreachableError: the port is gone; nothing is tried again."""
        if self._held:
            return
        await self._fallen()
        await self._line.write(frame(self._options.channel, ON))
        self._falling = asyncio.create_task(self._fall())

    async def hold(self) -> None:
        """Leave the relay on."""
        self._held = True
        await self._fallen()
        await self._line.write(frame(self._options.channel, ON))

    async def release(self) -> None:
        """Let the relay fall, if it was held."""
        if self._held:
            await self._line.write(frame(self._options.channel, OFF))
            self._held = False

    async def prepare(self) -> None:
        """Write the output as it is to be; this board cannot be read back. Waits for a pulse under way."""
        await self._fallen()
        await self._line.write(frame(self._options.channel, ON if self._held else OFF))

    async def still_there(self) -> None:
        """Open the port. Raises DeviceUnreachableError."""
        await self._line.check()

    async def check(self) -> None:
        """Open the port: more this board does not tell. Raises DeviceUnreachableError."""
        await self._line.check()

    async def aclose(self) -> None:
        """Finish the pulse and let the port go. Safe to call twice."""
        await self._fallen()
        if not self._closed:
            self._closed = True
            await self._line.aclose()

    async def _fall(self) -> None:
        await asyncio.sleep(self._options.pulse_ms / 1000)
        for _ in range(OFF_TRIES):
            with contextlib.suppress(DeviceUnreachableError):  # unplugged, it has no power either
                await self._line.write(frame(self._options.channel, OFF))
                return
            await asyncio.sleep(OFF_AGAIN_S)

    async def _fallen(self) -> None:
        if self._falling is not None:
            await asyncio.shield(self._falling)
            self._falling = None


async def open_lcus(options: LcusOptions, wiring: Wiring) -> LcusBarrier:
    """A barrier whose port is opened by its first order; the channels of a board share it."""
    return LcusBarrier(shared_line(wiring, options, options.timeout_ms), options)
