"""An LED and voice board without lamps: obeys its frames on a pseudo-terminal or behind a simulated camera."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from drivers.base import BadFrameError
from drivers.display.olm_codec import (
    BRIGHTNESS,
    DONE,
    HUSH,
    LINE,
    PAGE,
    RELAY,
    SAY,
    VOLUME,
    Frame,
    Line,
    decode,
    encode,
    line_of,
    page_of,
    size_of,
)
from drivers.serial_simulated import SimulatedSerial

REFUSED = 0x01


class BoardFault(StrEnum):
    """What can go wrong with an answer; the board obeys in all cases but the last."""

    SILENCE = "silence"
    BAD_CRC = "bad_crc"
    HALF_FRAME = "half_frame"
    REFUSES = "refuses"


class OlmModel:
    """What stands on the board and what was said, by the bytes it was sent."""

    def __init__(self) -> None:
        self.lines: dict[int, Line] = {}
        self.said: list[str] = []
        self.levels: dict[int, int] = {}  # BRIGHTNESS, VOLUME
        self.relays: list[bytes] = []
        self.frames: list[bytes] = []
        self.faults: list[BoardFault] = []
        self._buffer = bytearray()

    @property
    def texts(self) -> tuple[str, ...]:
        """Every line from the top, blanks cut off."""
        return tuple(self.lines[place].text.rstrip() for place in sorted(self.lines))

    def feed(self, data: bytes) -> bytes:
        """Obey, and return what the board answers. Bytes that are no frame are thrown away."""
        self._buffer += data
        answers = bytearray()
        while self._buffer:
            try:
                size = size_of(bytes(self._buffer))
                if size is None or len(self._buffer) < size:
                    break
                raw = bytes(self._buffer[:size])
                frame = decode(raw)
            except BadFrameError:
                self._buffer.clear()
                break
            del self._buffer[:size]
            self.frames.append(raw)
            answers += self._answer(frame)
        return bytes(answers)

    def _answer(self, frame: Frame) -> bytes:
        fault = self.faults.pop(0) if self.faults else None
        if fault is not BoardFault.REFUSES:
            self._obey(frame)
        answer = encode(Frame(frame.command, bytes([REFUSED if fault is BoardFault.REFUSES else DONE])))
        if fault is BoardFault.SILENCE:
            return b""
        if fault is BoardFault.BAD_CRC:
            return answer[:-1] + bytes([answer[-1] ^ 0xFF])
        return answer[: len(answer) // 2] if fault is BoardFault.HALF_FRAME else answer

    def _obey(self, frame: Frame) -> None:
        match frame.command:
            case x if x == LINE:
                line = line_of(frame)
                self.lines[line.place] = line
            case x if x == PAGE:
                page, said = page_of(frame)
                self.lines |= {line.place: line for line in page}
                self.said += [said] if said else []
            case x if x == SAY:
                self.said.append(frame.data[1:].decode("gb2312", "replace"))
            case x if x == RELAY:
                self.relays.append(frame.data)
            case x if x in (BRIGHTNESS, VOLUME):
                self.levels[x] = frame.data[0]
            case x if x == HUSH:
                pass


class SimulatedOlm(SimulatedSerial):
    """The model on a pseudo-terminal. Use as a context manager; *answers* False is simplex mode."""

    def __init__(self, path: Path, *, answers: bool = True) -> None:
        super().__init__(path, self._heard)
        self.model = OlmModel()
        self._answers = answers

    def _heard(self, data: bytes) -> None:
        answer = self.model.feed(data)
        if self._answers and answer:
            self.say(answer)
