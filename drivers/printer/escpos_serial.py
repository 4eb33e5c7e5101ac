"""ESC/POS printers on a serial port, or on USB as a virtual one."""

from __future__ import annotations

from dataclasses import dataclass

from drivers.base import DeviceRefusedError, DeviceUnreachableError, NothingSentError, PrinterStatus
from drivers.printer.talk import STOPPED, Asks, Dialogue, Talk
from drivers.serial_port import SerialLine, SerialPort, check_baud
from drivers.wiring import Wiring


@dataclass(frozen=True, slots=True, kw_only=True)
class EscposSerialOptions(SerialPort):
    """*send_ms*: a slip with a QR picture takes 10 s at 9600 baud; set printer and port to 115200 where you can."""

    send_ms: int = 30_000
    status_ms: int = 500  # cheap units never answer; after one silence they are not asked again in that job
    finish_ms: int = 10_000  # how long a slip may take to come out after its last byte was sent
    asks: Asks = Asks.DLE_EOT

    def __post_init__(self) -> None:
        check_baud(self.baud)


class EscposSerialPrinter:
    """One job at a time, in the order they came."""

    def __init__(self, name: str, line: SerialLine, options: EscposSerialOptions) -> None:
        self.name = name
        self._line = line
        self._talk = Talk(name, options.asks)
        self._finish_s = options.finish_ms / 1000

    async def print(self, data: bytes) -> PrinterStatus:
        """Send *data*, then ask how it went. DeviceRefusedError: it arrived and the printer stopped."""
        try:
            await self._line.check()
        except DeviceUnreachableError as exc:
            raise NothingSentError(str(exc), exc.fault) from exc
        await self._line.write(data)
        status = await self._hold(self._talk.after_job())
        if status in STOPPED:
            raise DeviceRefusedError(f"printer {self.name}: {status}; see what came out before printing again")
        return status

    async def status(self) -> PrinterStatus:
        """The printer's own word. Raises DeviceUnreachableError when the port is gone."""
        return await self._hold(self._talk.look())

    async def _hold(self, dialogue: Dialogue) -> PrinterStatus:
        heard: bytes | None = None
        while True:
            try:
                question = next(dialogue) if heard is None else dialogue.send(heard)
            except StopIteration as done:
                status: PrinterStatus = done.value
                return status
            within_s = self._finish_s if question.patient else None
            heard = await self._line.exchange(question.data, lambda said, size=question.size: size, within_s)  # type: ignore[misc]

    async def aclose(self) -> None:
        """Finish the job at hand and close the port."""
        await self._line.aclose()


async def open_escpos_serial(options: EscposSerialOptions, wiring: Wiring) -> EscposSerialPrinter:
    """A printer whose port is opened by the first job."""
    line = SerialLine(f"printer {wiring.name}", options, options.status_ms, options.send_ms)
    return EscposSerialPrinter(wiring.name, line, options)
