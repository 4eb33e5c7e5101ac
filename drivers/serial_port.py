"""A serial port of the lot file, and one opened by the single thread that owns it. pyserial's types stop here."""

from __future__ import annotations

import logging
import os
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import serial  # type: ignore[import-untyped]

from drivers.base import DeviceUnreachableError, Fault
from drivers.wiring import Wiring
from plumbing.onethread import OneThread

log = logging.getLogger(__name__)
R = TypeVar("R")

GONE = (serial.SerialException, OSError, termios.error, TypeError)  # all of them come from a port that vanished
BAUDS = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
PARITIES = {"none": "N", "even": "E", "odd": "O"}


@dataclass(frozen=True, kw_only=True)  # no slots: options with a second base of their own build on it
class SerialPort:
    """*device*: best a name that stays the same over unplugging (``/dev/serial/by-id/…``). Eight data bits."""

    device: Path
    baud: int = 9600
    parity: Literal["none", "even", "odd"] = "none"
    stop_bits: Literal[1, 2] = 1

    def __post_init__(self) -> None:
        check_baud(self.baud)

    @property
    def parity_letter(self) -> str:
        """As serial libraries write it."""
        return PARITIES[self.parity]


def check_baud(baud: int) -> None:
    """Raises ValueError naming the speeds that exist."""
    if baud not in BAUDS:
        raise ValueError(f"baud is {baud}; one of {', '.join(map(str, BAUDS))} is taken")


class SerialLine:
    """The port as one device uses it: opened at first use, closed on any failure, so the next use opens it again."""

    def __init__(self, name: str, port: SerialPort, timeout_ms: int, send_ms: int | None = None) -> None:
        self.name = name
        self._port = port
        self._timeout_s = timeout_ms / 1000
        self._send_s = (send_ms or timeout_ms) / 1000
        self._thread = OneThread(f"serial {name}")
        self._serial: serial.Serial | None = None
        self._lost = False
        self.users = 1

    async def use(self, act: Callable[[serial.Serial], R]) -> R:
        """Run *act* with the open port on its own thread. Raises DeviceUnreachableError."""
        return await self._thread.run(self._act, act)

    async def check(self) -> None:
        """Open the port, if it is not open. Raises DeviceUnreachableError."""
        await self.use(lambda line: None)

    async def write(self, data: bytes) -> None:
        """Send *data* whole. Raises DeviceUnreachableError."""
        await self.use(lambda line: _write(line, data))

    async def read_some(self) -> bytes:
        """What came since the last reading, waited for as long as an answer; b"" for silence.

        Raises DeviceUnreachableError.
        """
        return await self.use(_read_some)

    async def exchange(
        self, data: bytes, size_of: Callable[[bytes], int | None], within_s: float | None = None
    ) -> bytes:
        """Send *data* once and read until *size_of* what came is reached; b"" or a part when time runs out.

        What lay unread before is thrown away first. Raises DeviceUnreachableError.
        """
        return await self.use(lambda line: _exchange(line, data, size_of, within_s or self._timeout_s))

    async def aclose(self) -> None:
        """Leave the line; the last of its users closes the port and ends its thread."""
        self.users -= 1
        if self.users <= 0:
            await self._thread.close()
            self._drop()

    def _act(self, act: Callable[[serial.Serial], R]) -> R:
        try:
            result = act(self._opened())
        except GONE as exc:
            self._drop()
            self._went(exc)
            why, fault = _why(exc)
            raise DeviceUnreachableError(f"{self.name}: serial port {self._port.device} {why}", fault) from exc
        self._came()
        return result

    def _opened(self) -> serial.Serial:
        if self._serial is None:
            port = self._port
            self._serial = serial.Serial(
                str(port.device), port.baud, parity=port.parity_letter, stopbits=port.stop_bits,
                timeout=self._timeout_s, write_timeout=self._send_s, exclusive=True,
            )  # fmt: skip
        return self._serial

    def _drop(self) -> None:
        line, self._serial = self._serial, None
        if line is not None:
            line.close()

    def _went(self, exc: Exception) -> None:
        if not self._lost:
            self._lost = True
            log.warning("%s: lost %s (%s); check its cable and power", self.name, self._port.device, exc)

    def _came(self) -> None:
        if self._lost:
            self._lost = False
            log.info("%s: %s is back", self.name, self._port.device)


def shared_line(wiring: Wiring, port: SerialPort, timeout_ms: int) -> SerialLine:
    """The lot's one line on that port, for makes where several devices hang on it."""
    line = wiring.shared.get(f"serial {port.device}")
    if not isinstance(line, SerialLine) or line.users <= 0:
        line = wiring.shared[f"serial {port.device}"] = SerialLine(wiring.name, port, timeout_ms)
    else:
        line.users += 1
    return line


ABSENT = "is not there: is it plugged in, and the name right?", Fault.ABSENT
FORBIDDEN = "may not be opened by this account: add it to the group dialout", Fault.FORBIDDEN


def trouble_of(device: Path) -> tuple[str, Fault] | None:
    """Why *device* cannot be opened, where a library does not say; None when it can."""
    if not device.exists():
        return ABSENT
    return None if os.access(device, os.R_OK | os.W_OK) else FORBIDDEN


def _why(exc: BaseException) -> tuple[str, Fault]:
    """What is wrong with a port, in the words of whoever has to mend it."""
    text = str(exc)
    if "No such file" in text:
        return ABSENT
    if "Permission denied" in text:
        return FORBIDDEN
    if "lock" in text or "busy" in text:
        return "is in use by another program", Fault.BUSY
    return "is gone or does not take what is sent", Fault.SILENT


def _write(line: serial.Serial, data: bytes) -> None:
    line.write(data)
    line.flush()


def _read_some(line: serial.Serial) -> bytes:
    data: bytes = line.read(1)
    return data + line.read(min(line.in_waiting, 4096)) if data else data


def _exchange(line: serial.Serial, data: bytes, size_of: Callable[[bytes], int | None], timeout_s: float) -> bytes:
    line.reset_input_buffer()
    _write(line, data)
    answer, ends = b"", time.monotonic() + timeout_s
    while time.monotonic() < ends:
        size = size_of(answer)
        if size is not None and len(answer) >= size:
            return answer[:size]
        line.timeout = max(0.01, ends - time.monotonic())
        answer += line.read(max(1, min(line.in_waiting, 4096)))
    return answer
