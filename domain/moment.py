"""When something happened, by a clock that cannot be set and by one that may lie (sync-and-offline §8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum

MS_A_MINUTE = 60_000
NEWS_MS = 2_000


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

    @property
    def is_vouched(self) -> bool:
        """Does a clock that kept running, or a better one, stand behind the wall reading?"""
        return self.quality >= Quality.RTC

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


@dataclass(frozen=True, slots=True)
class Run:
    """A boot and the last reading of its boot clock that is on record."""

    boot: str
    boot_ms: int


def elapsed(earlier: Moment, later: Moment, runs: Sequence[Run] = ()) -> Elapsed:
    """Length from *earlier* to *later*, never more than it was (I21).

    Within one boot it is the difference of the boot clock. Across boots it is what the wall clocks allow at least,
    ``later_low - earlier_high``, or the time the machine is known to have run in between by *runs* (oldest first),
    whichever is more. A wall clock that nobody vouches for (quality below RTC) says nothing.
    """
    if earlier.boot == later.boot:
        return Elapsed(timedelta(milliseconds=max(0, later.boot_ms - earlier.boot_ms)), estimated=False)
    least = _ran(earlier, later, runs)
    if earlier.is_vouched and later.is_vouched:
        low, high = later.wall_ms - later.uncertainty_ms, earlier.wall_ms + earlier.uncertainty_ms
        least = max(least, low - high)
    return Elapsed(timedelta(milliseconds=least), estimated=True)


def _ran(earlier: Moment, later: Moment, runs: Sequence[Run]) -> int:
    """Milliseconds the machine ran between two moments of different boots; 0 where the first boot is not known."""
    boots = [run.boot for run in runs]
    if earlier.boot not in boots:
        return 0
    begun = boots.index(earlier.boot)
    ended = boots.index(later.boot) if later.boot in boots[begun:] else len(boots)
    between = sum(run.boot_ms for run in runs[begun + 1 : ended])
    return max(0, runs[begun].boot_ms - earlier.boot_ms) + between + later.boot_ms


WEEK_MIN = 7 * 24 * 60


def possible_entry(entered: Moment, later: Moment, inside: Elapsed) -> tuple[int, int]:
    """Within how many minutes of the recorded minute of *entered* it really was, as (earliest, latest).

    (0, 0) for an entry somebody vouches for. A clock restored from file is not ahead of the time; one that nobody knows
    anything about may be anywhere. A week holds every hour of every weekday, so no span is longer.
    """
    if entered.is_vouched:
        if not inside.estimated:
            return 0, 0
        minute = entered.wall_ms // MS_A_MINUTE
        low, high = entered.wall_ms - entered.uncertainty_ms, entered.wall_ms + entered.uncertainty_ms
        return low // MS_A_MINUTE - minute, high // MS_A_MINUTE - minute
    first = 0 if entered.quality is Quality.RESTORED else -WEEK_MIN
    if not inside.estimated or not later.is_vouched:
        return 0, WEEK_MIN
    latest = later.wall_ms + later.uncertainty_ms - round(inside.length.total_seconds() * 1000)
    last = latest // MS_A_MINUTE - entered.wall_ms // MS_A_MINUTE
    return max(min(first, last), last - WEEK_MIN), last


def better_known(entered: Moment, now: Moment) -> Moment | None:
    """*entered* with the wall reading that *now*, of the same boot, gives it; None where that is no news.

    News is a reading nobody vouched for before, or one off by more than two seconds by a worse clock.
    """
    if entered.boot != now.boot or now.quality < Quality.NTP or now.quality <= entered.quality:
        return None
    wall_ms = now.wall_ms - (now.boot_ms - entered.boot_ms)
    if entered.is_vouched and abs(wall_ms - entered.wall_ms) <= NEWS_MS:
        return None
    return Moment(entered.boot, entered.boot_ms, wall_ms, now.quality, now.uncertainty_ms)


def anchored(moment: Moment, anchors: Sequence[Anchor]) -> Moment:
    """*moment* with its wall reading replaced by the nearest anchor of the same boot, if there is one."""
    same_boot = [anchor for anchor in anchors if anchor.boot == moment.boot]
    if not same_boot:
        return moment
    nearest = min(same_boot, key=lambda anchor: abs(anchor.boot_ms - moment.boot_ms))
    utc_ms = nearest.utc_ms + (moment.boot_ms - nearest.boot_ms)
    return Moment(moment.boot, moment.boot_ms, utc_ms, Quality.CLOUD, nearest.uncertainty_ms)
