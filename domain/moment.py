"""When something happened, by a clock that cannot be set and by one that may lie (sync-and-offline §8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum


class Quality(IntEnum):
    """How far a wall-clock reading may be trusted."""

    UNKNOWN = 0
    RESTORED = 1
    RTC = 2
    NTP = 3
    CLOUD = 4


@dataclass(frozen=True, slots=True)
class Moment:
    """A reading of both clocks: *boot_ms* since the boot named *boot*, *wall_ms* UTC epoch as believed."""

    boot: str
    boot_ms: int
    wall_ms: int
    quality: Quality = Quality.NTP
    uncertainty_ms: int = 0

    def since(self, earlier: Moment) -> timedelta:
        """Time elapsed from *earlier*: exact within one boot, else the least the wall clocks allow (I20, I21)."""
        return elapsed(earlier, self).length


@dataclass(frozen=True, slots=True)
class Anchor:
    """A clock comparison with the cloud: at *boot_ms* of *boot* it was *utc_ms*, within *uncertainty_ms*."""

    boot: str
    boot_ms: int
    utc_ms: int
    uncertainty_ms: int


@dataclass(frozen=True, slots=True)
class Elapsed:
    """A length of time; *estimated* when two boots lie between and wall clocks had to be believed."""

    length: timedelta
    estimated: bool


def elapsed(earlier: Moment, later: Moment) -> Elapsed:
    """Length from *earlier* to *later*; across boots ``max(0, later_low - earlier_high)``, in the driver's favour."""
    if earlier.boot == later.boot:
        return Elapsed(timedelta(milliseconds=max(0, later.boot_ms - earlier.boot_ms)), estimated=False)
    low = later.wall_ms - later.uncertainty_ms
    high = earlier.wall_ms + earlier.uncertainty_ms
    return Elapsed(timedelta(milliseconds=max(0, low - high)), estimated=True)


def anchored(moment: Moment, anchors: Sequence[Anchor]) -> Moment:
    """*moment* with its wall reading replaced by the nearest anchor of the same boot, if there is one."""
    same_boot = [anchor for anchor in anchors if anchor.boot == moment.boot]
    if not same_boot:
        return moment
    nearest = min(same_boot, key=lambda anchor: abs(anchor.boot_ms - moment.boot_ms))
    utc_ms = nearest.utc_ms + (moment.boot_ms - nearest.boot_ms)
    return Moment(moment.boot, moment.boot_ms, utc_ms, Quality.CLOUD, nearest.uncertainty_ms)
