"""How a lane looks: to the attendant as a view, to the driver as lines on the board."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import Any

from domain.decision import Admit, Ask, ExitInputs, PayFirst, Refuse
from domain.fen import yuan
from domain.lane import Phase
from domain.moment import Moment
from domain.plate import PlateVerdict, normalise
from domain.stay import OUTSIDE
from drivers.base import DeviceError, Display, PlateCandidate, PlateRead
from edge.lanes.live import LaneView
from edge.lanes.reads import plate_of
from edge.services.lot import Decided
from edge.settings import Lane
from plumbing.i18n import Texts

log = logging.getLogger(__name__)


class Screen:
    """Words in the lot's language."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts

    async def show(self, display: Display | None, lane: Lane, decided: Decided | None) -> None:
        """Tell the driver; a board that fails keeps nobody waiting."""
        if display is None or decided is None:
            return
        lines = self.lines(lane, decided)
        try:
            await display.show(lines, speak=", ".join(lines))
        except DeviceError as exc:
            log.warning("%s: display: %s", lane.name, exc)

    def lines(self, lane: Lane, decided: Decided) -> tuple[str, ...]:
        """What the board says about a decision."""
        t, plate = self._texts, decided.decision.inputs.plate
        leaving = lane.target == OUTSIDE
        match decided.decision.verdict:
            case Admit():
                return (plate, t("lane.goodbye") if leaving else t("lane.welcome"))
            case PayFirst(due_fen=due):
                return (plate, t("lane.pay", yuan=yuan(due)))
            case Ask():
                return (plate, t("lane.ask")) if plate else (t("lane.ask"),)
            case Refuse(code=code):
                return (plate, t("lane.full") if code == "lot_full" else t("lane.refused"))

    def view(
        self,
        lane: Lane,
        phase: Phase,
        read: PlateRead | None,
        decided: Decided | None,
        *,
        wrong: dict[str, str],
        call: str,
        incident: str,
        now: Moment,
        chosen: str,
        held: str,
    ) -> LaneView:
        """What the booth sees of the lane."""
        candidate = read.candidates[0] if read and read.candidates else None
        said = _said(decided)
        return LaneView(
            lane=lane.name,
            direction=lane.direction.value,
            phase=type(phase).__name__,
            plate=chosen or (plate_of(read) if read else ""),
            plate_raw=candidate.text if candidate else "",
            confidence=round(candidate.confidence) if candidate else 0,
            trusted=read.trusted if read else True,
            colour=candidate.colour.value if candidate else "",
            camera=read.camera if read else "",
            readings=_readings(candidate),
            wrong=wrong,
            call=call,
            incident=incident,
            held=held,
            updated_wall_ms=now.wall_ms,
            **said,
        )


def _readings(candidate: PlateCandidate | None) -> tuple[tuple[str, int], ...]:
    """What the plate may be, in the spelling it would be stored under; nothing for a plate that counts as unread."""
    if candidate is None or candidate.verdict is PlateVerdict.UNREAD:
        return ()
    found: dict[str, int] = {}
    for reading in candidate.readings:
        found.setdefault(normalise(reading.text), round(100 * reading.probability))
    return tuple((text, percent) for text, percent in found.items() if percent > 0)


def _said(decided: Decided | None) -> dict[str, Any]:
    if decided is None:
        return {}
    decision = decided.decision
    verdict, why = asdict(decision.verdict), decision.explanation
    stay = decision.inputs.stay if isinstance(decision.inputs, ExitInputs) else None
    return {
        "decision_id": decided.decision_id,
        "picture_of": decided.decision_id,
        "stay_id": decided.stay_id,
        "stay_plate": stay.plate if stay else "",
        "matched": str((why.get("matched") or {}).get("how", "")),
        "verdict": type(decision.verdict).__name__,
        "code": str(verdict.get("code") or verdict.get("reason") or ""),
        "fee_fen": why.get("fee_fen", 0),
        "off_fen": why.get("off_fen", 0),
        "due_fen": why.get("due_fen", 0),
        "lines": tuple(why.get("lines", ())),
        "coupons": tuple(why.get("coupons", ())),
        "candidates": tuple(verdict.get("candidates", ())),
    }
