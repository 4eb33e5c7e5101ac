"""How full the disk is and what gives way: pictures, telemetry, issuing; ballast keeps room for money (sync §3)."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path

logger = logging.getLogger(__name__)

BALLAST_BYTES = 64 * 1024 * 1024


class Level(IntEnum):
    """Per cent free from which a level holds: below FINE no pictures are kept, below LOW no telemetry either, and
    nothing is issued below TIGHT."""

    FINE = 10
    LOW = 5
    TIGHT = 2
    FULL = 0


def free_percent(folder: Path) -> int:
    """Whole per cent of *folder*'s disk that are free."""
    usage = shutil.disk_usage(folder)
    return usage.free * 100 // usage.total


def level_of(free: int) -> Level:
    """How it stands with so many per cent free."""
    return next(level for level in Level if free >= level)


class DiskGuard:
    """Watches the disk of the data folder. The ballast is let go when it is nearly full, so that money still fits."""

    def __init__(self, folder: Path, free: Callable[[Path], int] = free_percent, ballast: int = BALLAST_BYTES) -> None:
        self._folder, self._free, self._size = folder, free, ballast
        self._ballast = folder / "ballast"
        self.level = Level.FINE
        self.free = 100  # whole per cent, as last measured

    def look(self) -> Level:
        """Measure, keep or drop the ballast, and say how it stands; a change is logged once."""
        free = self._free(self._folder)
        level, self.free = level_of(free), free
        if level is Level.FULL:
            self._ballast.unlink(missing_ok=True)
        elif level is Level.FINE and not self._ballast.exists():
            self._lay_ballast()
        if level is not self.level:
            logger.warning("disk: %d %% free; pictures %s, telemetry %s, issuing %s", free, _yes(level is Level.FINE),
                           _yes(level >= Level.LOW), _yes(level is not Level.FULL))  # fmt: skip
        self.level = level
        return level

    def let_go(self) -> bool:
        """A commit found no room: drop the ballast at once. True when that made some."""
        self.level = Level.FULL
        try:
            self._ballast.unlink()
        except FileNotFoundError:
            return False
        logger.error("disk full: the ballast of %d MiB was let go for money; make room now", self._size >> 20)
        return True

    def _lay_ballast(self) -> None:
        descriptor = os.open(self._ballast, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, self._size)
        except OSError:
            self._ballast.unlink(missing_ok=True)
            logger.warning("no room for the ballast file of %d MiB", self._size >> 20)
        finally:
            os.close(descriptor)


def _yes(on: bool) -> str:
    return "on" if on else "off"
