"""ESC/POS printers on a serial port, or on USB as a virtual one."""

from __future__ import annotations

from dataclasses import dataclass

from drivers.base import DeviceRefusedError, PrinterStatus
from drivers.printer.commands import STATUS
from drivers.printer.escpos import STOPPED
from drivers.printer.status import QUESTIONS, is_answer, status_of
from drivers.serial_port import SerialLine, SerialPort, check_baud
from drivers.wiring import Wiring


@dataclass(frozen=True, slots=True, kw_only=True)
class EscposSerialOptions(SerialPort):
    """*send_ms*: a slip with a QR picture takes 10 s at 9600 baud; set printer and port to 115200 where you can."""

    send_ms: int = 30_000
    status_ms: int = 500  # cheap units never answer; after one silence they are not asked again in that job

    def __post_init__(self) -> None:
        check_baud(self.baud)


class EscposSerialPrinter:
    """One job at a time, in the order they came."""

    def __init__(self, name: str, line: SerialLine) -> None:
        self.name = name
        self._line = line

    async def print(self, data: bytes) -> None:
        """Send *data*, then ask how it went. DeviceRefusedError: it arrived and the printer stopped."""
        await self._line.write(data)
        status = await self.status()
        if status in STOPPED:
            raise DeviceRefusedError(f"printer {self.name}: {status}; see what came out before printing again")

    async def status(self) -> PrinterStatus:
        """DLE EOT 1 to 4. Raises DeviceUnreachableError when the port is gone."""
        answers = {}
        for question in QUESTIONS:
            said = await self._line.exchange(STATUS + bytes([question]), lambda answer: 1)
            if not said or not is_answer(said[-1]):
                break
            answers[question] = said[-1]
        return status_of(answers)

    async def aclose(self) -> None:
        """Finish the job at hand and close the port."""
        await self._line.aclose()


async def open_escpos_serial(options: EscposSerialOptions, wiring: Wiring) -> EscposSerialPrinter:
    """A printer whose port is opened by the first job."""
    line = SerialLine(f"printer {wiring.name}", options, options.status_ms, options.send_ms)
    return EscposSerialPrinter(wiring.name, line)
