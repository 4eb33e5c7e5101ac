"""How a lane looks to the attendant; what the driver sees is on its board."""

from __future__ import annotations

from typing import Any

from domain.decision import Decision, ExitInputs
from domain.lane import Phase
from domain.moment import Moment
from domain.plate import PlateVerdict, normalise
from drivers.base import PlateCandidate, PlateRead
from edge.lanes.board import Board
from edge.lanes.live import Inputs, LaneView
from edge.lanes.reads import plate_of
from edge.services.lot import Decided
from edge.settings import Lane


class Screen:
    """What the booth and the driver see of a lane, in the lot's words."""

    def __init__(self, board: Board) -> None:
        self.board = board

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
        attended: bool,
        inputs: Inputs,
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
            attended=attended,
            inputs=inputs,
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


def _stay_plate(decision: Decision) -> str:
    """The plate of the car inside the read was matched to, "" at an entry."""
    if isinstance(decision.inputs, ExitInputs):
        return decision.inputs.stay.plate if decision.inputs.stay else ""
    return str((decision.explanation.get("matched") or {}).get("plate", ""))


def _said(decided: Decided | None) -> dict[str, Any]:
    if decided is None:
        return {}
    decision = decided.decision
    verdict, why = decision.verdict, decision.explanation
    return {
        "decision_id": decided.decision_id,
        "picture_of": decided.decision_id,
        "stay_id": decided.stay_id,
        "stay_plate": _stay_plate(decision),
        "matched": str((why.get("matched") or {}).get("how", "")),
        "verdict": type(decision.verdict).__name__,
        "code": getattr(verdict, "code", "") or getattr(verdict, "reason", ""),
        "fee_fen": why.get("fee_fen", 0),
        "off_fen": why.get("off_fen", 0),
        "due_fen": why.get("due_fen", 0),
        "lines": tuple(why.get("lines", ())),
        "coupons": tuple(why.get("coupons", ())),
        "debts": tuple(why.get("debts", ())),
        "candidates": getattr(verdict, "candidates", ()),
    }
