"""Relay boards on a simulated RS-485 bus: the register model of the TCP board behind RTU frames, with their faults."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from pathlib import Path

from drivers.barrier.simulated import Pulse, RelayModel
from drivers.modbus_frames import WRITE_MANY_COILS, WRITE_ONE_COIL
from drivers.serial_simulated import SimulatedSerial

FRAME_SIZE = 8  # of every request but the writing of many outputs


class RtuFault(StrEnum):
    """What can go wrong on a two-wire bus. The board acts in all but the first."""

    SILENCE = "silence"
    ANSWER_LOST = "answer_lost"
    BAD_CRC = "bad_crc"
    HALF_FRAME = "half_frame"
    LATE = "late"
    NOISE = "noise"  # stray bytes before the answer


class SimulatedRtuBus(SimulatedSerial):
    """One or more boards by their Modbus address, on one pseudo-terminal. Use as a context manager."""

    def __init__(self, path: Path, boards: dict[int, RelayModel] | None = None, *, late_s: float = 0.4) -> None:
        super().__init__(path, self._heard)
        self.boards = boards or {1: RelayModel()}
        self.requests: list[bytes] = []  # whole frames
        self._faults: list[tuple[RtuFault, int]] = []
        self._late_s = late_s
        self._buffer = bytearray()

    def inject(self, fault: RtuFault, *, function: int = WRITE_ONE_COIL, times: int = 1) -> None:
        """Let the next *times* requests of *function* go wrong."""
        self._faults += [(fault, function)] * times

    def pulses(self, unit: int = 1) -> list[Pulse]:
        """Every pulse a board gave so far."""
        return self.boards[unit].pulses

    def unplug(self) -> None:
        """The converter goes, not the boards' power: relays fall when their own time is over."""
        self._buffer.clear()
        super().unplug()

    def _heard(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= FRAME_SIZE:
            many = self._buffer[1] == WRITE_MANY_COILS
            size = 9 + self._buffer[6] if many else FRAME_SIZE
            if len(self._buffer) < size:
                return
            frame = bytes(self._buffer[:size])
            del self._buffer[:size]
            self._serve(frame)

    def _serve(self, frame: bytes) -> None:
        self.requests.append(frame)
        fault = self._fault_for(frame[1])
        if fault is RtuFault.SILENCE:
            return
        board = self.boards.get(frame[0])
        answer = board.answer_rtu(frame, frame[0]) if board else None
        if answer is None or fault is RtuFault.ANSWER_LOST:
            return
        if fault is RtuFault.LATE:
            asyncio.get_running_loop().call_later(self._late_s, self.say, answer)
            return
        self.say(_spoilt(answer, fault))

    def _fault_for(self, function: int) -> RtuFault | None:
        for fault in self._faults:
            if fault[1] == function:
                self._faults.remove(fault)
                return fault[0]
        return None


def _spoilt(answer: bytes, fault: RtuFault | None) -> bytes:
    match fault:
        case RtuFault.BAD_CRC:
            return answer[:-1] + bytes([answer[-1] ^ 0xFF])
        case RtuFault.HALF_FRAME:
            return answer[: len(answer) // 2]
        case RtuFault.NOISE:
            return b"\x00\xff" + answer
        case _:
            return answer
