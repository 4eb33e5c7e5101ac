"""ESC/POS printers on USB without a virtual port, through python-escpos and libusb; needs ``lotgate[usb]``."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from drivers.base import DeviceRefusedError, DeviceUnreachableError, Fault, NothingSentError, PrinterStatus
from drivers.printer.talk import STOPPED, Asks, Dialogue, Question, Talk, hold
from drivers.wiring import Wiring
from plumbing.onethread import OneThread

log = logging.getLogger(__name__)
R = TypeVar("R")

Connect = Callable[["EscposUsbOptions"], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class EscposUsbOptions:
    """The numbers ``lsusb`` shows, and the printer's endpoints."""

    vendor: int
    product: int
    in_endpoint: int = 0x82
    out_endpoint: int = 0x01
    send_ms: int = 15_000
    status_ms: int = 500
    finish_ms: int = 10_000
    asks: Asks = Asks.DLE_EOT

    def __post_init__(self) -> None:
        if not (0 < self.vendor <= 0xFFFF and 0 < self.product <= 0xFFFF):
            raise ValueError("vendor and product are the two numbers of lsusb, as in 0x0416 and 0x5011")


def connect(options: EscposUsbOptions) -> Any:
    """The open device. Raises an error of python-escpos or libusb."""
    from escpos.printer import Usb  # type: ignore[import-untyped]

    device = Usb(options.vendor, options.product, in_ep=options.in_endpoint, out_ep=options.out_endpoint)
    device.open()
    return device


class EscposUsbPrinter:
    """Opened job by job, on a thread of its own: unplugging between two jobs goes unnoticed."""

    def __init__(self, name: str, options: EscposUsbOptions, connect: Connect = connect) -> None:
        self.name = name
        self._options = options
        self._connect = connect
        self._talk = Talk(name, options.asks)
        self._thread = OneThread(f"printer {name}")
        self._lost = False

    async def print(self, data: bytes) -> PrinterStatus:
        """Send *data*, then ask how it went. DeviceRefusedError: it arrived and the printer stopped."""
        status = await self._thread.run(self._connected, lambda device: self._send(device, data))
        if status in STOPPED:
            raise DeviceRefusedError(f"printer {self.name}: {status}; see what came out before printing again")
        return status

    async def status(self) -> PrinterStatus:
        """The printer's own word. Raises DeviceUnreachableError when it is not plugged in."""
        return await self._thread.run(
            self._connected, lambda device: hold(self._talk.look(), lambda one: self._exchange(device, one))
        )

    async def aclose(self) -> None:
        """Finish the job at hand and end the thread."""
        await self._thread.close()

    def _connected(self, act: Callable[[Any], R]) -> R:
        from escpos.exceptions import Error  # type: ignore[import-untyped]

        try:
            device = self._connect(self._options)
        except (Error, OSError, RuntimeError) as exc:  # RuntimeError: pyusb or libusb is not installed
            raise NothingSentError(self._lost_words(exc), _fault(exc)) from exc
        try:
            result = act(device)
        except (Error, OSError) as exc:
            raise DeviceUnreachableError(self._lost_words(exc), _fault(exc)) from exc
        finally:
            device.close()
        self._came()
        return result

    def _send(self, device: Any, data: bytes) -> PrinterStatus:
        device.timeout = self._options.send_ms
        device._raw(data)
        return self._hold(device, self._talk.after_job())

    def _hold(self, device: Any, dialogue: Dialogue) -> PrinterStatus:
        return hold(dialogue, lambda question: self._exchange(device, question))

    def _exchange(self, device: Any, question: Question) -> bytes:
        device.timeout = self._options.finish_ms if question.patient else self._options.status_ms
        heard = b""
        try:
            device._raw(question.data)
            while len(heard) < question.size:
                heard += bytes(device._read())
        except OSError as exc:
            if exc.errno != errno.ETIMEDOUT:
                raise
            return b""
        return heard

    def _lost_words(self, exc: Exception) -> str:
        self._went(exc)
        return f"printer {self.name}: USB {self._options.vendor:04x}:{self._options.product:04x} does not take the job"

    def _went(self, exc: Exception) -> None:
        if not self._lost:
            self._lost = True
            log.warning("printer %s: lost (%s); check its cable, power, and the rights to the device", self.name, exc)

    def _came(self) -> None:
        if self._lost:
            self._lost = False
            log.info("printer %s is back", self.name)


async def open_escpos_usb(options: EscposUsbOptions, wiring: Wiring) -> EscposUsbPrinter:
    """A printer that is opened job by job."""
    return EscposUsbPrinter(wiring.name, options)


def _fault(exc: Exception) -> Fault:
    number = exc.errno if isinstance(exc, OSError) else None
    return {errno.EACCES: Fault.FORBIDDEN, errno.EBUSY: Fault.BUSY}.get(number or 0, Fault.ABSENT)
