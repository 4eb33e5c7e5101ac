"""What the booth is told about a lane beside its car: who is called for, and what went wrong just now."""

from __future__ import annotations

from collections.abc import Collection

from domain.lane import Incident

SHOWN_S = 60.0
# about a vehicle that is gone, or of nobody knows which, so the next one does not wipe it away
OF_THE_PAST = frozenset({Incident.TAILGATE, Incident.FORCED, Incident.REVERSED, Incident.UNSEEN, Incident.BELL})


class Notices:
    """One notice at a time: of the car at hand, else of one that went within the last minute, else a standing alarm."""

    def __init__(self) -> None:
        self.call = ""
        self._now, self._alarm, self._past = "", "", ""
        self._past_until = 0.0

    def tell(self, incident: str, at_s: float) -> None:
        """Something happened at the lane."""
        if incident in OF_THE_PAST:
            self._past, self._past_until = incident, at_s + SHOWN_S
        else:
            self._now = incident

    def stand(self, alarms: Collection[Incident]) -> bool:
        """What the inputs say is wrong; returns whether that is news."""
        before, self._alarm = self._alarm, min((alarm.value for alarm in alarms), default="")
        return self._alarm != before

    def next_car(self) -> None:
        """Another car is at hand, or none."""
        self.call = self._now = ""

    def is_over(self, at_s: float) -> bool:
        """Has what was shown of a vehicle that is gone been shown for long enough? Told once."""
        over = bool(self._past) and at_s >= self._past_until
        if over:
            self._past = ""
        return over

    @property
    def incident(self) -> str:
        """What to show."""
        return self._now or self._past or self._alarm
