"""USB readers that type like a keyboard, read as an input device of Linux and kept from typing anywhere else."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import select
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from drivers.base import DeviceUnreachableError, Fault
from drivers.scanner.codes import SILENCE_MS, scans_of
from drivers.scanner.keys import EVENT, Keys
from drivers.wiring import Wiring
from plumbing.onethread import OneThread

log = logging.getLogger(__name__)

EVIOCGRAB = 0x40044590  # nobody else hears its keys
NO_INPUT_DEVICE = (errno.ENOTTY, errno.EINVAL)  # a pipe: a simulated reader
AT_ONCE = 64 * EVENT.size
WHY = {
    errno.ENOENT: ("is not there: is it plugged in, and the name right?", Fault.ABSENT),
    errno.EACCES: ("may not be opened by this account: see docs/devices/scanners.md", Fault.FORBIDDEN),
    errno.EPERM: ("may not be opened by this service: see docs/devices/scanners.md", Fault.FORBIDDEN),
    errno.EBUSY: ("is held by another program", Fault.BUSY),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HidOptions:
    """*device*: best ``/dev/input/by-id/…-event-kbd``. *same_after_ms*: within it the same code is the same paper."""

    device: Path
    same_after_ms: int = 2000


class HidScanner:
    """Opened when it is first listened to, closed on any failure, so that the next listening opens it again."""

    def __init__(self, name: str, options: HidOptions) -> None:
        self.name = name
        self._options = options
        self._thread = OneThread(f"scanner {name}")
        self._keys = Keys()
        self._fd = -1
        self._lost = False

    def scans(self) -> AsyncIterator[str]:
        """Codes as they are read. Raises DeviceUnreachableError; call again to open it anew."""
        return scans_of(self._read_some, self._options.same_after_ms / 1000)

    async def check(self) -> None:
        """Open it: more a reader does not tell. Raises DeviceUnreachableError."""
        await self._thread.run(self._opened)

    async def aclose(self) -> None:
        """Let it go; its keys type again."""
        await self._thread.close()
        self._drop()

    async def _read_some(self) -> bytes:
        return await self._thread.run(self._typed)

    def _typed(self) -> bytes:
        """What was typed within the silence that ends a code, b"" for nothing. Raises DeviceUnreachableError."""
        fd = self._opened()
        try:
            if not select.select([fd], [], [], SILENCE_MS / 1000)[0]:
                return b""
            data = os.read(fd, AT_ONCE)
            if not data:
                raise OSError(errno.ENODEV, "unplugged")
        except OSError as exc:
            raise self._went(exc) from exc
        return self._keys.feed(data)

    def _opened(self) -> int:
        if self._fd < 0:
            try:
                self._fd = os.open(self._options.device, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
                _grab(self._fd)
            except OSError as exc:
                raise self._went(exc) from exc
            self._keys = Keys()
            if self._lost:
                self._lost = False
                log.info("scanner %s: %s is back", self.name, self._options.device)
        return self._fd

    def _went(self, exc: OSError) -> DeviceUnreachableError:
        self._drop()
        why, fault = WHY.get(exc.errno or 0, ("is gone: look at its cable", Fault.ABSENT))
        if not self._lost:
            self._lost = True
            log.warning("scanner %s: %s %s", self.name, self._options.device, why)
        return DeviceUnreachableError(f"scanner {self.name}: {self._options.device} {why}", fault)

    def _drop(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


def _grab(fd: int) -> None:
    try:
        fcntl.ioctl(fd, EVIOCGRAB, 1)
    except OSError as exc:
        if exc.errno not in NO_INPUT_DEVICE:
            raise


async def open_hid(options: HidOptions, wiring: Wiring) -> HidScanner:
    """A reader that is opened when it is first listened to."""
    return HidScanner(wiring.name, options)
