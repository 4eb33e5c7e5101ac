"""Time in the simulated world: one true time, and what each machine believes of it."""

from __future__ import annotations

from dataclasses import dataclass, field

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
    booted_ms: list[int] = field(default_factory=lambda: [START_MS - 60_000])
    wall_offset_ms: int = 0

    def now(self) -> Moment:
        """Both readings."""
        boot_ms = self.true.ms - self.booted_ms[-1]
        return Moment(f"{self.name}-{len(self.booted_ms)}", boot_ms, self.true.ms + self.wall_offset_ms, Quality.NTP, 0)

    def reboot(self) -> None:
        """The power came back: a new boot, whose clock starts at zero."""
        self.booted_ms.append(self.true.ms)

    def true_at(self, moment: Moment) -> int:
        """The true time of a reading of this machine."""
        return self.booted_ms[int(moment.boot.rpartition("-")[2]) - 1] + moment.boot_ms
