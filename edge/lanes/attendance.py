"""Which lanes have somebody at them now, by the timetable or by what a supervisor said for a while."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from domain.attendance import Override, is_attended, minutes_to_change
from domain.moment import Moment
from edge.services.lot import Lot
from edge.settings import Lane

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Attended:
    """Is somebody there, until when by the wall clock (None: for good), and who said so ("": the timetable)?"""

    attended: bool
    until_wall_ms: int | None = None
    by: str = ""


class Attendance:
    """The lot's lanes. What was said is on record before it is told here."""

    def __init__(self, lot: Lot, said: Mapping[str, Override]) -> None:
        self._lot = lot
        self._said = dict(said)

    def said(self, lane: str, override: Override) -> None:
        """A supervisor has spoken."""
        self._said[lane] = override

    def is_attended(self, lane: Lane, now: Moment) -> bool:
        """Is somebody at *lane* now?"""
        said = self._said.get(lane.name)
        if said is not None and now.wall_ms < said.until_wall_ms:
            return said.attended
        local = self._lot.local(now.wall_ms)
        return is_attended(
            attended=lane.attended, unattended=lane.unattended_spans, weekday=local.weekday(),
            minute=local.hour * 60 + local.minute,
        )  # fmt: skip

    def of(self, lane: Lane, now: Moment) -> Attended:
        """The same with until when."""
        attended, said = self.is_attended(lane, now), self._said.get(lane.name)
        if said is not None and now.wall_ms < said.until_wall_ms:
            return Attended(attended, said.until_wall_ms, said.by)
        local = self._lot.local(now.wall_ms)
        spans = lane.unattended_spans if lane.attended else ()
        wait = minutes_to_change(spans, local.weekday(), local.hour * 60 + local.minute)
        return Attended(attended, None if wait is None else now.wall_ms // MINUTE_MS * MINUTE_MS + wait * MINUTE_MS)
