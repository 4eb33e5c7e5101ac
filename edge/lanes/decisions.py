"""The decision about the car at hand: asked for once a turn, committed when it is told to the state machine."""

from __future__ import annotations

from domain.decision import Admit, Ask, PayFirst
from domain.lane import Decide, Decided, Verdict
from edge.db.database import DiskFullError
from edge.lanes.heard import HeardReads
from edge.lanes.office import Office
from edge.lanes.reads import arrival_of
from edge.services import lot as services


class LaneDecisions:
    """Decides on the cars of one lane.

    *last* is what was said of the present one, None before anything was; *newest* what was said of any.
    """

    def __init__(self, lane: str, office: Office, heard: HeardReads) -> None:
        self._lane, self._office, self._heard = lane, office, heard
        self.last: services.Decided | None = None
        self.newest: services.Decided | None = None
        self.vehicle_class = ""
        self.chosen_by, self.agreed = "", False
        self.is_disk_full = False

    def forget(self) -> None:
        """Another car is at hand, or none."""
        self.last, self.is_disk_full = None, False

    async def decide(self, asked: Decide) -> Decided:
        """Commit a decision; with the disk full nothing is, so the car is refused."""
        car = asked.car
        arrival = arrival_of(self._lane, car, self._heard.of(car), self.chosen_by, self.agreed)
        self.vehicle_class = arrival.vehicle_class
        try:
            decided = await self._office.decide(arrival)
        except DiskFullError:
            self.last, self.is_disk_full = None, True
            return Decided(asked.turn, "", Verdict.REFUSE, self._heard.plate(car))
        self.last = self.newest = decided
        return Decided(asked.turn, decided.decision_id, verdict_of(decided), decided.decision.inputs.plate)

    @property
    def plate(self) -> str:
        """The plate decided on, "" when nothing was."""
        return self.last.decision.inputs.plate if self.last else ""

    async def is_due_changed(self) -> bool:
        """Has a coupon from afar or a waiver changed what the car was told to pay?"""
        decided = self.last
        if decided is None or not decided.stay_id or not isinstance(decided.decision.verdict, PayFirst):
            return False
        return await self._office.due(decided.stay_id) != decided.decision.verdict.due_fen


def verdict_of(decided: services.Decided) -> Verdict:
    """A decision in the lane's words."""
    match decided.decision.verdict:
        case Admit() if decided.opens:
            return Verdict.ADMIT
        case PayFirst():
            return Verdict.PAY_FIRST
        case Ask():
            return Verdict.ASK
        case _:
            return Verdict.REFUSE
