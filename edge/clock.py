"""The daemon's clocks read together: the boot clock for lengths, the wall clock for people (sync §8)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from domain.moment import Anchor, Moment, Quality, anchored
from edge.ntp import SYNCHRONISED
from plumbing.demo_clock import DemoClock

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
HARDWARE_CLOCKS = Path("/sys/class/rtc")
BUILT_MS = 1_767_225_600_000  # 2026-01-01: a clock before this was never set
STEP_MS = 2_000
WRONG_MS = 5_000
KEPT_ANCHORS = 16
LOOK_MS = 1_000


def boot_id(path: Path = BOOT_ID) -> str:
    """This boot's name: 8 bytes in hex."""
    return path.read_text(encoding="ascii").strip().replace("-", "")[:16]


def _boot_ms() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


class Clock:
    """Gives moments; once the cloud's time is known it corrects the wall reading of this boot. Safe from any thread.

    Quality: cloud, NTP (timesyncd or chrony says so), RTC, else restored: a wall clock that runs behind what was
    known before, that no hardware clock keeps, or that somebody set by hand is believed only to be not before the
    last known time. Unknown where not even that is known.
    """

    def __init__(
        self,
        boot: str | None = None,
        boot_ms: Callable[[], int] = _boot_ms,
        wall_ms: Callable[[], int] = _wall_ms,
        synchronised: Path = SYNCHRONISED,
        hardware: Path = HARDWARE_CLOCKS,
    ) -> None:
        self._boot = boot or boot_id()
        self._boot_ms, self._wall_ms, self._synchronised = boot_ms, wall_ms, synchronised
        self._kept_by_hardware = not hardware.is_dir() or any(
            hardware.iterdir()
        )  # no folder: a container, kept outside
        self._anchors: tuple[Anchor, ...] = ()
        self._offset_ms = wall_ms() - boot_ms()
        self._least_offset_ms: int | None = None  # the wall clock is at least this far ahead of the boot clock
        self._set_by_hand = False
        self._look_again_ms, self._kept_by_systemd = 0, False
        self.ntp = False  # another NTP client than systemd's says that it keeps this clock right

    def now(self) -> Moment:
        """Both clocks now."""
        raw = Moment(self._boot, self._boot_ms(), self._wall_ms(), Quality.NTP)
        known = anchored(raw, self._anchors)
        if known.quality is Quality.CLOUD or self.ntp or self._is_synchronised(raw.boot_ms):
            return known
        return self._unsynchronised(raw.boot_ms, raw.wall_ms)

    def _is_synchronised(self, boot_ms: int) -> bool:
        """What systemd's client says, looked up once a second: every car asks for the time a dozen times."""
        if boot_ms >= self._look_again_ms:
            self._look_again_ms, self._kept_by_systemd = boot_ms + LOOK_MS, self._synchronised.exists()
        return self._kept_by_systemd

    def utc(self) -> datetime:
        """The best reading of the date there is, for what has dates: certificates."""
        return datetime.fromtimestamp(self.now().wall_ms / 1000, UTC)

    def _unsynchronised(self, boot_ms: int, wall_ms: int) -> Moment:
        least = None if self._least_offset_ms is None else boot_ms + self._least_offset_ms
        behind = least is not None and wall_ms < least - STEP_MS
        if self._kept_by_hardware and not behind and not self._set_by_hand and wall_ms >= BUILT_MS:
            return Moment(self._boot, boot_ms, wall_ms, Quality.RTC)
        if least is None:
            return Moment(self._boot, boot_ms, wall_ms, Quality.UNKNOWN)
        return Moment(self._boot, boot_ms, max(wall_ms, least), Quality.RESTORED)

    def restore(self, last: Moment | None) -> None:
        """Learn the time as last known, before this start: it is later now."""
        if last is not None:
            since_ms = last.boot_ms if last.boot == self._boot else 0
            self._least_offset_ms = last.wall_ms - since_ms

    def keep(self, anchors: Iterable[Anchor]) -> None:
        """Learn comparisons with the cloud's clock."""
        mine = (anchor for anchor in anchors if anchor.boot == self._boot)
        self._anchors = (*self._anchors, *mine)[-KEPT_ANCHORS:]

    def stepped(self) -> int:
        """By how many milliseconds the raw wall clock jumped against the boot clock since last asked; 0 when small."""
        offset = self._wall_ms() - self._boot_ms()
        step, self._offset_ms = offset - self._offset_ms, offset
        if abs(step) <= STEP_MS:
            return 0
        self._set_by_hand = True
        return step

    def error_ms(self) -> int:
        """How far the raw wall clock is ahead of the cloud's; 0 while the cloud's is not known."""
        raw = Moment(self._boot, self._boot_ms(), self._wall_ms())
        known = anchored(raw, self._anchors)
        return raw.wall_ms - known.wall_ms if known.quality is Quality.CLOUD else 0


def clock_of(demo: DemoClock | None) -> Clock:
    """This machine's clocks; put forward together by a demo's file where there is one."""
    if demo is None:
        return Clock()
    return Clock(boot_ms=lambda: _boot_ms() + demo.ahead_ms(), wall_ms=lambda: _wall_ms() + demo.ahead_ms())
