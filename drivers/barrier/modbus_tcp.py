"""A boom gate behind a Modbus relay board that times the pulse itself (Waveshare and its many copies), over TCP."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from drivers.base import DeviceRefusedError, Fault
from drivers.modbus_frames import COIL_ON
from drivers.modbus_line import ModbusLine, line_of
from drivers.wiring import Wiring

LONGEST_PULSE_MS = 5000  # field wirings use 500 to 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayMap:
    """The register map of a relay board and one output of it; channels count from 0, whatever its case says."""

    unit: int = 1
    channel: int = 0
    hold_channel: int | None = None  # output of a gate with a contact of its own for holding; None: `channel`
    outputs: int = 8
    pulse_ms: int = 500
    coil_base: int = 0x0000  # address of output 0
    flash_base: int = 0x0200  # address of the board's "on for a while" command for output 0
    flash_unit_ms: int = 100
    gate_input: str = "open"  # what the contact is wired to
    timeout_ms: int = 300

    def __post_init__(self) -> None:
        if self.gate_input != "open":
            raise ValueError(
                f'gate_input is {self.gate_input!r}; only "open" is taken: a toggle input would close the boom on a car'
            )
        if not 0 <= self.channel < self.outputs <= 64:
            raise ValueError(f"channel {self.channel} is not one of {self.outputs} outputs (0 to {self.outputs - 1})")
        if self.hold_channel is not None and not 0 <= self.hold_channel < self.outputs:
            raise ValueError(f"hold_channel {self.hold_channel} is not one of {self.outputs} outputs")
        if self.flash_unit_ms <= 0 or self.pulse_ms % self.flash_unit_ms or not 0 < self.pulse_ms <= LONGEST_PULSE_MS:
            raise ValueError(
                f"pulse_ms is {self.pulse_ms}; a multiple of {self.flash_unit_ms} up to {LONGEST_PULSE_MS} is taken"
            )

    @property
    def latch(self) -> int:
        """The output that holds the gate open."""
        return self.channel if self.hold_channel is None else self.hold_channel


@dataclass(frozen=True, slots=True)
class ModbusBarrierOptions(RelayMap):
    """Where the board is, and its register map."""

    host: str
    port: int = 502


class ModbusBarrier:
    """Opens by one timed pulse. The pulse request leaves at most once a call; no answer means: not known.

    Held open by its contact staying closed: a board's pulse would end that, so none is given on a held output.
    """

    def __init__(self, line: ModbusLine, options: RelayMap) -> None:
        self._line = line
        self._options = options

    async def open(self) -> None:
        """Pulse once. DeviceUnreachableError: it may or may not have moved. DeviceRefusedError: the board said no."""
        options = self._options
        await self._line.wake(options.coil_base)
        async with self._line.outputs:
            if options.channel in self._line.held:
                return
            self._line.pulse_begins((options.pulse_ms + options.timeout_ms) / 1000)
            await self._line.write_coil_value(
                options.flash_base + options.channel, options.pulse_ms // options.flash_unit_ms
            )

    async def hold(self) -> None:
        """Latch the output on. Said again it does no harm: a board that lost its power forgets."""
        options, line = self._options, self._line
        line.held.add(options.latch)
        await line.wake(options.coil_base)
        async with line.outputs:
            await line.write_coil_value(options.coil_base + options.latch, COIL_ON)

    async def release(self) -> None:
        """Write the latched output off and read it back; nothing is written where none was latched."""
        if self._options.latch in self._line.held:
            self._line.held.discard(self._options.latch)
            await self.prepare()

    async def prepare(self) -> None:
        """Write all outputs of the board off and read them back; if a lane of it did so before, only its own.

        What is held open stays so.

        Waits while a pulse of any lane of this board lasts, so that none is cut short.
        """
        while True:
            await asyncio.sleep(self._line.pulse_left_s)
            async with self._line.outputs:
                if not self._line.pulse_left_s:
                    await self._write_off()
                    return

    async def _write_off(self) -> None:
        options = self._options
        if self._line.is_prepared:
            for channel in {options.channel, options.latch}:
                await self._set_at_rest(channel, 1)
        else:
            await self._set_at_rest(0, options.outputs)
        self._line.set_prepared()

    async def _set_at_rest(self, start: int, count: int) -> None:
        wanted = [channel in self._line.held for channel in range(start, start + count)]
        await self._line.write_coils(self._options.coil_base + start, wanted)
        states = await self._line.read_coils(self._options.coil_base + start, count)
        for channel, on in enumerate(states, start):
            if on != wanted[channel - start]:
                stays = "on" if on else "off"
                raise DeviceRefusedError(
                    f"{self._line.name}: output {channel} stays {stays}; check the relay and its wires", Fault.STUCK
                )

    async def still_there(self) -> None:
        """Read an output, where nothing else of the board was answered within the last second. Raises DeviceError."""
        await self._line.wake(self._options.coil_base)

    async def check(self) -> None:
        """Read an output. Raises DeviceError."""
        await self._line.read_coils(self._options.coil_base + self._options.channel, 1)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._line.aclose()


async def open_modbus_barrier(options: ModbusBarrierOptions, wiring: Wiring) -> ModbusBarrier:
    """A barrier that connects at its first request, so a lane starts with its board still off."""
    return ModbusBarrier(line_of(wiring, options.host, options.port, options.unit, options.timeout_ms), options)
