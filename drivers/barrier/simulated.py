"""A relay board without relays: our own register model behind Modbus TCP, timing its pulses as the real one does."""

from __future__ import annotations

import asyncio
import contextlib
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from drivers.barrier.modbus_tcp import ModbusBarrier, ModbusBarrierOptions
from drivers.base import BadFrameError
from drivers.modbus_frames import (
    COIL_OFF,
    COIL_ON,
    COIL_TOGGLE,
    EXCEPTION,
    MBAP,
    READ_COILS,
    READ_INPUTS,
    WRITE_MANY_COILS,
    WRITE_ONE_COIL,
    TcpFrame,
    pack_bits,
    rtu_frame,
    rtu_unwrap,
    tcp_frame,
    tcp_header,
    unpack_bits,
)
from drivers.modbus_line import ModbusLine, line_of
from drivers.tcp_simulated import SimulatedTcp
from drivers.wiring import Wiring

FLASH_ON = 0x0200
FLASH_UNIT_S = 0.1
# what ends a connection, and nothing else; a cancelled handler that says so is logged as an error by Python 3.11
ENDINGS = (asyncio.IncompleteReadError, asyncio.CancelledError, BadFrameError, ConnectionError)
BAD_FUNCTION, BAD_ADDRESS, BAD_VALUE, DEVICE_FAILURE = 1, 2, 3, 4


class Fault(StrEnum):
    """What can go wrong between a board and its asker. The first two differ in whether the relay moved."""

    IGNORED = "ignored"  # the request is lost on its way
    ANSWER_LOST = "answer_lost"  # the board acts, the answer is lost
    EXCEPTION = "exception"
    CLOSED = "closed"  # the connection drops instead of an answer, nothing done
    HALF_FRAME = "half_frame"  # the board acts, half the answer arrives
    SLOW = "slow"  # the board acts, the answer comes too late


@dataclass(frozen=True, slots=True)
class Pulse:
    """One pulse of an output: *started_at* on the monotonic clock, both in seconds."""

    channel: int
    started_at: float
    length_s: float


class RelayModel:
    """Registers of the board: outputs, inputs, and pulses that end by themselves. Time comes from *clock*."""

    def __init__(self, channels: int = 8, clock: Callable[[], float] = time.monotonic) -> None:
        self.inputs = [False] * channels
        self.pulses: list[Pulse] = []
        self.welded: set[int] = set()  # outputs that stay on whatever is written
        self._clock = clock
        self._latched = [False] * channels
        self._on_until = [0.0] * channels

    @property
    def outputs(self) -> list[bool]:
        """Which relays are on at this moment."""
        now = self._clock()
        return [
            latched or now < until or channel in self.welded
            for channel, (latched, until) in enumerate(zip(self._latched, self._on_until, strict=True))
        ]

    def power_off(self) -> None:
        """Every relay falls off."""
        self._latched = [False] * len(self._latched)
        self._on_until = [0.0] * len(self._on_until)

    def answer(self, pdu: bytes) -> bytes:
        """Body of the answer to *pdu*: the echo or the bits asked for, or an exception."""
        try:
            return self._perform(pdu)
        except struct.error:
            return _exception(pdu, BAD_VALUE)

    def answer_rtu(self, frame: bytes, unit: int = 1) -> bytes | None:
        """The same over RS-485, where a board stays silent to bad frames and to other addresses."""
        try:
            address, pdu = rtu_unwrap(frame)
        except BadFrameError:
            return None
        return rtu_frame(unit, self.answer(pdu)) if address == unit else None

    def _perform(self, pdu: bytes) -> bytes:
        function = pdu[0] if pdu else 0
        if function in (READ_COILS, READ_INPUTS):
            return self._read(pdu, self.outputs if function == READ_COILS else self.inputs)
        if function == WRITE_ONE_COIL:
            return self._write_one(pdu)
        if function == WRITE_MANY_COILS:
            return self._write_many(pdu)
        return _exception(pdu, BAD_FUNCTION)

    def _read(self, pdu: bytes, bits: list[bool]) -> bytes:
        address, count = struct.unpack(">HH", pdu[1:])
        if address + count > len(bits) or not count:
            return _exception(pdu, BAD_ADDRESS)
        packed = pack_bits(bits[address : address + count])
        return bytes([pdu[0], len(packed)]) + packed

    def _write_one(self, pdu: bytes) -> bytes:
        address, value = struct.unpack(">HH", pdu[1:])
        if FLASH_ON <= address < FLASH_ON + len(self._latched):
            self._pulse(address - FLASH_ON, value)
        elif address < len(self._latched):
            if value not in (COIL_ON, COIL_OFF, COIL_TOGGLE):
                return _exception(pdu, BAD_VALUE)
            self._latched[address] = not self._latched[address] if value == COIL_TOGGLE else value == COIL_ON
            self._on_until[address] = 0.0
        else:
            return _exception(pdu, BAD_ADDRESS)
        return pdu

    def _pulse(self, channel: int, tenths: int) -> None:
        now = self._clock()
        self._on_until[channel] = now + tenths * FLASH_UNIT_S
        self.pulses.append(Pulse(channel, now, tenths * FLASH_UNIT_S))

    def _write_many(self, pdu: bytes) -> bytes:
        address, count, size = struct.unpack(">HHB", pdu[1:6])
        if address + count > len(self._latched):
            return _exception(pdu, BAD_ADDRESS)
        if size != len(pdu) - 6 or size != (count + 7) // 8:
            return _exception(pdu, BAD_VALUE)
        for place, state in enumerate(unpack_bits(pdu[6:], count), start=address):
            self._latched[place], self._on_until[place] = state, 0.0
        return pdu[:5]


def _exception(pdu: bytes, code: int) -> bytes:
    return bytes([(pdu[0] if pdu else 0) & 0x7F | EXCEPTION, code])


class SimulatedRelayBoard(SimulatedTcp):
    """Serves a RelayModel over Modbus TCP."""

    def __init__(self, model: RelayModel | None = None, *, port: int = 0, slow_s: float = 0.6) -> None:
        super().__init__(port)
        self.model = model or RelayModel()
        self.requests: list[bytes] = []
        self._slow_s = slow_s
        self._faults: list[tuple[Fault, int]] = []  # what, and for which function

    async def stop(self) -> None:
        """Pull the plug: every connection drops, all relays fall off. Safe to call twice."""
        if self.is_on:
            await super().stop()
            self.model.power_off()

    @property
    def pulses(self) -> list[Pulse]:
        """Every pulse so far."""
        return self.model.pulses

    def set_input(self, place: int, on: bool) -> None:
        """Close or open the contact of an input, as a loop detector does."""
        self.model.inputs[place] = on

    def inject(self, fault: Fault, *, function: int = WRITE_ONE_COIL, times: int = 1) -> None:
        """Let the next *times* requests of *function* go wrong."""
        self._faults += [(fault, function)] * times

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer request after request, until one is none."""
        with contextlib.suppress(BadFrameError):
            while await self._serve_one(reader, writer):
                pass

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        transaction, unit, length = tcp_header(await reader.readexactly(MBAP.size))
        pdu = await reader.readexactly(length)
        self.requests.append(pdu)
        fault = self._fault_for(pdu[0])
        if fault is Fault.IGNORED:
            return True
        if fault is Fault.CLOSED:
            return False
        answer = _exception(pdu, DEVICE_FAILURE) if fault is Fault.EXCEPTION else self.model.answer(pdu)
        frame = tcp_frame(TcpFrame(transaction, unit, answer))
        if fault is Fault.ANSWER_LOST:
            return True
        if fault is Fault.SLOW:
            await asyncio.sleep(self._slow_s)
        writer.write(frame[: len(frame) // 2] if fault is Fault.HALF_FRAME else frame)
        await writer.drain()
        return True

    def _fault_for(self, function: int) -> Fault | None:
        for fault in self._faults:
            if fault[1] == function:
                self._faults.remove(fault)
                return fault[0]
        return None


@dataclass(frozen=True, slots=True)
class SimulatedBarrierOptions:
    """A board of its own on a free loopback port."""

    pulse_ms: int = 500


class SimulatedBarrier(ModbusBarrier):
    """The Modbus barrier with its own board beside it; ``board`` tells what the relay did."""

    def __init__(self, line: ModbusLine, options: ModbusBarrierOptions, board: SimulatedRelayBoard) -> None:
        super().__init__(line, options)
        self.board = board

    async def aclose(self) -> None:
        """Close the connection and the board."""
        await super().aclose()
        await self.board.stop()


async def open_simulated_barrier(options: SimulatedBarrierOptions, wiring: Wiring) -> SimulatedBarrier:
    """A barrier and its board, speaking real Modbus between them."""
    board = SimulatedRelayBoard()
    await board.start()
    real = ModbusBarrierOptions(host="127.0.0.1", port=board.port, pulse_ms=options.pulse_ms)
    line = line_of(wiring, real.host, real.port, real.unit, real.timeout_ms)
    return SimulatedBarrier(line, real, board)
