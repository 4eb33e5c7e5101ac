"""Time in the simulated world: one true time, and what each machine believes of it."""

from __future__ import annotations

from dataclasses import dataclass

from domain.moment import Moment, Quality

START_MS = 1_790_000_000_000


@dataclass(slots=True)
class TrueTime:
    """What nobody in the world can read."""

    ms: int = START_MS


@dataclass(slots=True)
class MachineClock:
    """A boot clock that only goes on, and a wall clock that may be set to anything."""

    name: str
    true: TrueTime
    boots: int = 1
    booted_ms: int = START_MS - 60_000
    wall_offset_ms: int = 0

    def now(self) -> Moment:
        """Both readings."""
        boot_ms = self.true.ms - self.booted_ms
        return Moment(f"{self.name}-boot{self.boots}", boot_ms, self.true.ms + self.wall_offset_ms, Quality.NTP, 0)

    def reboot(self) -> None:
        """The power came back: a new boot, whose clock starts at zero."""
        self.boots += 1
        self.booted_ms = self.true.ms
