"""The attendant: looks at what the booth shows and does what a person would, through the same facade as the pages.

At night drivers help themselves first, at the lane's door; whom that does not let through calls the attendant.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.week.house import House
from benchmarks.week.plan import DAY_S
from benchmarks.week.truth import Truth, Visit
from domain.decision import Refuse
from domain.driver_page import Question, Wish, lane_code
from domain.voucher import paper_text
from edge.facade import Edge
from edge.lanes.live import LaneView
from edge.services.paying import Taken
from edge.services.redeeming import LaidOn

BY = "li"
NIGHT_BEGINS, NIGHT_ENDS = 22, 7  # as in the lot file
PATIENCE = 60  # looks at a car until something is taken to be wrong with the lot
GO, BACK, LIFT, WAIT = "go", "back", "lift", "wait"


@dataclass(slots=True)
class Booth:
    """One attendant for all lanes. *arms_up*: in a power cut people lift the arms and let everybody pass."""

    house: House
    truth: Truth
    arms_up: bool = False

    async def help(self, lane: str, visit: Visit, looks: int, *, inwards: bool) -> str:
        """What becomes of a car that waits: lift the arm for it, send it back, or let it wait on."""
        edge = self.house.edge
        if edge is None:
            return LIFT if self.arms_up else WAIT
        if looks > PATIENCE:
            view = edge.live.get(lane)
            self.truth.odd.append(f"{lane}: car {visit.car.number} still waits: {_told(view)} {visit.helps[-4:]}")
            return LIFT
        view = edge.live.get(lane)
        if view is None:
            return WAIT
        match view.phase, view.verdict:
            case "Waiting", "Ask":
                await self._asked(edge, view, visit, inwards=inwards)
            case "Waiting", "PayFirst":
                await self._pay(edge, view, visit)
            case "Waiting", "Refuse" if view.code == "lot_full":
                visit.went_away = "lot_full"
                return BACK
            case "Waiting", _ if view.incident == "disk_full" or looks > 4:
                self._note(visit, f"open {view.code}")
                await edge.lanes.open_by_hand(lane, BY, "device", visit.car.called)
            case "Stuck", _:
                return await self._stuck(edge, view, visit, looks)
            case "Idle" | "Closing", _ if looks > 4 and looks % 5 == 0:
                self._note(visit, "nothing seen")
                await edge.lanes.open_by_hand(lane, BY, "device", visit.booked or visit.car.called)
        return WAIT

    def _note(self, visit: Visit, what: str) -> None:
        visit.helps.append(what)
        self.truth.told[f"booth: {what.split(' ')[0]}"] += 1

    async def _asked(self, edge: Edge, view: LaneView, visit: Visit, *, inwards: bool) -> None:
        if self._is_night() and inwards not in visit.doors:
            visit.doors.add(inwards)
            await self._at_the_door(edge, view, visit, inwards=inwards)
            return
        if inwards:
            self._note(visit, f"types {view.code}")
            await edge.lanes.choose_plate(view.lane, visit.car.called, BY)
            return
        if visit.booked and visit.looked_up != view.decision_id and view.plate != visit.booked:
            visit.looked_up = view.decision_id
            self._note(visit, f"picks {view.code}")
            await edge.lanes.choose_plate(view.lane, visit.booked, BY)
            return
        if visit.how_in not in ("unseen", "tailgate", "trailer", "lifted"):
            self.truth.told["stays that had gone with another car"] += 1
            visit.helps.append("its stay had gone with another car")
        entered_ms = self.house.start_ms + round((visit.entered_s or 0) * 1000)
        self._note(visit, f"enters {view.code}")
        added = await edge.enter_missing(visit.car.called, visit.car.zone, entered_ms, BY, "not on record")
        if isinstance(added, Refuse) and added.code != "plate_already_inside":
            self.truth.odd.append(f"{view.lane}: enter_missing refused {added.code}")
        visit.booked = visit.car.called
        await edge.lanes.choose_plate(view.lane, visit.car.called, BY)

    def _is_night(self) -> bool:
        hour = self.house.loop.time() % DAY_S / 3600
        return hour >= NIGHT_BEGINS or hour < NIGHT_ENDS

    async def _at_the_door(self, edge: Edge, view: LaneView, visit: Visit, *, inwards: bool) -> None:
        """The driver scans the lane's code: types the plate, takes a ticket, or shows it. Else somebody is called."""
        if visit.ticket:
            question = Question(Wish.NUMBER, visit.ticket)
        elif visit.car.plate or not inwards:
            question = Question(Wish.PLATE, visit.car.called)
        else:
            question = Question(Wish.TICKET)
        answer = await edge.door.ask(lane_code(edge.settings.lot_id, view.lane), question, "edge")
        self.truth.told[f"at night: {answer.outcome.value}"] += 1
        if answer.number:
            visit.ticket = answer.number
            self.truth.told["tickets"] += 1

    async def _pay(self, edge: Edge, view: LaneView, visit: Visit) -> None:
        if visit.paper:
            paper, visit.paper = visit.paper, ""
            scanned = paper_text(edge.settings.voucher_host, paper)
            laid = await edge.lay_voucher(view.stay_id, scanned, BY, view.lane)
            self.truth.told["vouchers laid" if isinstance(laid, LaidOn) else f"voucher refused {laid.code}"] += 1
            return
        if "will_not_pay" in visit.car.traits:
            visit.unpaid = "manual"
            self._note(visit, "lets go unpaid")
            await edge.lanes.open_by_hand(view.lane, BY, "unpaid")
            return
        if not visit.looked_back:
            visit.looked_back = True
            if await self._disputed(edge, view):
                return
        payment = f"p{visit.car.number}-{len(visit.cash) + 1}"
        taken = await edge.take_cash(payment, view.stay_id, view.due_fen, BY)
        if isinstance(taken, Taken):
            visit.cash[payment] = taken.amount_fen
            self.truth.told["cash taken"] += 1
        else:
            self.truth.told[f"cash refused {taken.code}"] += 1

    async def _disputed(self, edge: Edge, view: LaneView) -> bool:
        """The driver denies what is owed only because nobody saw the car leave the last time."""
        denied = [debt for debt in await edge.debts(view.stay_plate) if debt.cause == "device"]
        for debt in denied:
            await edge.dispute_debt(debt.debt_id, BY, "supervisor", "its exit was not seen")
            self.truth.told["debts disputed"] += 1
        return bool(denied)

    async def _stuck(self, edge: Edge, view: LaneView, visit: Visit, looks: int) -> str:
        """The barrier did not do as told: lift the arm and say so once the car is through."""
        self._note(visit, f"stuck {view.incident}")
        if looks > 3:
            return LIFT
        await edge.lanes.open_by_hand(view.lane, BY, "device")
        return WAIT

    async def clear(self, lane: str) -> None:
        """The barrier was seen to; the lane goes on."""
        edge = self.house.edge
        if edge is not None and (view := edge.live.get(lane)) is not None and view.phase == "Stuck":
            await edge.lanes.clear_fault(lane, BY)


def _told(view: LaneView | None) -> str:
    return f"{view.phase} {view.verdict} {view.code} {view.incident} {sorted(view.wrong)}" if view else "no view"
