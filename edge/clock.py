"""The daemon's clocks read together: the boot clock for lengths, the wall clock for people (sync §8)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from domain.moment import Anchor, Moment, Quality, anchored
from plumbing.demo_clock import DemoClock

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
SYNCHRONISED = Path("/run/systemd/timesync/synchronized")
STEP_MS = 2_000
KEPT_ANCHORS = 16


def boot_id(path: Path = BOOT_ID) -> str:
    """This boot's name: 8 bytes in hex."""
    return path.read_text(encoding="ascii").strip().replace("-", "")[:16]


def _boot_ms() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


class Clock:
    """Gives moments; once the cloud's time is known it corrects the wall reading of this boot. Safe from any thread."""

    def __init__(
        self,
        boot: str | None = None,
        boot_ms: Callable[[], int] = _boot_ms,
        wall_ms: Callable[[], int] = _wall_ms,
        synchronised: Path = SYNCHRONISED,
    ) -> None:
        self._boot = boot or boot_id()
        self._boot_ms, self._wall_ms, self._synchronised = boot_ms, wall_ms, synchronised
        self._anchors: tuple[Anchor, ...] = ()
        self._offset_ms = wall_ms() - boot_ms()

    def now(self) -> Moment:
        """Both clocks now."""
        quality = Quality.NTP if self._synchronised.exists() else Quality.RTC
        raw = Moment(self._boot, self._boot_ms(), self._wall_ms(), quality)
        known = anchored(raw, self._anchors)
        return known if known.quality is Quality.CLOUD else replace(raw, uncertainty_ms=0)

    def keep(self, anchors: Iterable[Anchor]) -> None:
        """Learn comparisons with the cloud's clock."""
        mine = (anchor for anchor in anchors if anchor.boot == self._boot)
        self._anchors = (*self._anchors, *mine)[-KEPT_ANCHORS:]

    def stepped(self) -> int:
        """By how many milliseconds the raw wall clock jumped against the boot clock since last asked; 0 when small."""
        offset = self._wall_ms() - self._boot_ms()
        step, self._offset_ms = offset - self._offset_ms, offset
        return step if abs(step) > STEP_MS else 0


def clock_of(demo: DemoClock | None) -> Clock:
    """This machine's clocks; put forward together by a demo's file where there is one."""
    if demo is None:
        return Clock()
    return Clock(boot_ms=lambda: _boot_ms() + demo.ahead_ms(), wall_ms=lambda: _wall_ms() + demo.ahead_ms())
