"""The driver's own way to be let through: what was typed on a phone, put to the lane where the car stands.

It answers only while a car waits at the lane, and only of that car. Nothing is decided here: the lane decides again
with the driver's word (``domain.driver_word``), commits, and opens by its own one pulse.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from domain.decision import Admit, Ask, ExitInputs, PayFirst, Refuse, is_on_word_alone
from domain.driver_page import MOST_LINES, Answer, Outcome, Question, Wish, lane_code, typed_plate
from domain.driver_word import DRIVER, NEAR, Support, is_driver, support
from domain.lane import Crossing, Deciding, Holding, Passing, Reading, Waiting
from domain.lookalike import compare
from domain.plate import is_virtual, mask
from domain.stay import OUTSIDE
from domain.ticket import number_in, plate_of
from domain.tries import Tries
from edge.db.database import DiskFullError
from edge.lanes.live import LiveLanes
from edge.lanes.office import Office
from edge.lanes.phone import PhoneDesk, Shown
from edge.lanes.worker import LaneWorker
from edge.services import audit, ticketing
from edge.services.lot import Decided
from edge.settings import Lane

SETTLES_S = 6.0  # a decision takes milliseconds; a two-way lane may have to stop its other side first
TRIES, TRIES_S = 8, 600.0
UNREAD = ("no_plate", "unconfirmed", "unlikely_plate", "low_confidence")  # a car that may have no plate at all
MOST_CHOICES = 4
MINUTE_MS = 60_000


class DriverDoor:
    """Every lane by its code."""

    def __init__(self, office: Office, live: LiveLanes, workers: Mapping[str, LaneWorker], phone: PhoneDesk) -> None:
        self._office, self._live, self._phone = office, live, phone
        self._workers = {lane_code(office.lot.lot_id, name): worker for name, worker in workers.items()}
        self._turns = {code: asyncio.Lock() for code in self._workers}
        self._tries = Tries(TRIES, TRIES_S)

    def lane(self, code: str) -> Lane | None:
        """The lane with this code."""
        worker = self._workers.get(code)
        return worker.lane if worker else None

    async def ask(self, code: str, question: Question, source: str) -> Answer:
        """What becomes of the car at the lane. *source* says on which page the driver is."""
        worker = self._workers.get(code)
        if worker is None:
            return Answer(Outcome.NO_CAR)
        async with self._turns[code]:
            here = self._standing(worker)
            if isinstance(here, Answer):
                return here
            if not self._tries.take(code, asyncio.get_running_loop().time()):
                return Answer(Outcome.TOO_MANY)
            answer = await self._answer(worker, here, question, f"{DRIVER}{source}")
            if answer.outcome is Outcome.OPENS:
                self._tries.forget(code)
            return await self._payable(answer, worker) if answer.outcome is Outcome.PAY else answer

    async def _payable(self, answer: Answer, worker: LaneWorker) -> Answer:
        """Add the quote that lets the phone pay what is due, where there is one."""
        shown = await self._phone.quote(worker.waiting_stay)
        return replace(answer, quote=shown.token) if isinstance(shown, Shown) else answer

    async def ticket_at(self, lane: str, by: str) -> Answer:
        """Let the car at an entry in with a number, at somebody's wish who is at the lane or sees it."""
        code = lane_code(self._office.lot.lot_id, lane)
        async with self._turns[code]:
            worker = self._workers[code]
            here = self._standing(worker)
            return here if isinstance(here, Answer) else await self._ticket(worker, here, by)

    def _standing(self, worker: LaneWorker) -> Decided | Answer:
        """The decision about the car that waits, or why there is nothing to be asked."""
        phase, decided = worker.state.phase, worker.decided
        match phase:
            case Waiting(car=car) if decided is not None and (car.on_loop or self._is_new(decided)):
                if isinstance(decided.decision.verdict, Refuse):
                    return Answer(Outcome.REFUSED, decided.decision.verdict.code)
                return decided
            case Waiting() if decided is None:
                return Answer(Outcome.CALL, "not_recorded")
            case Reading() | Deciding():
                return Answer(Outcome.BUSY)
            case Passing() | Crossing() | Holding():
                return Answer(Outcome.OPENS, "already")
            case _:
                return Answer(Outcome.NO_CAR)

    def _is_new(self, decided: Decided) -> bool:
        """Was it decided on not long ago? Where no loop feels the car, it may have gone since."""
        passed_ms = self._office.now().boot_ms - decided.made_boot_ms
        return passed_ms < self._office.lot.rules.code_good_s * 1000

    async def _answer(self, worker: LaneWorker, decided: Decided, question: Question, by: str) -> Answer:
        match question.wish:
            case Wish.PLATE:
                return await self._typed(worker, decided, typed_plate(question.text)[0], by)
            case Wish.NUMBER:
                number = ticketing.number_on(self._office.lot, question.text) or number_in(question.text)
                return await self._typed(worker, decided, plate_of(number or ""), by)
            case Wish.PICK:
                return await self._picked(worker, decided, question, by)
            case Wish.TICKET:
                return await self._ticket(worker, decided, by)

    async def _typed(self, worker: LaneWorker, decided: Decided, plate: str, by: str) -> Answer:
        """A plate of the driver's own; a car that was told what it owes is told so again, if it is that car."""
        inputs = decided.decision.inputs
        if isinstance(decided.decision.verdict, PayFirst) and (inputs.plate == plate or not is_driver(inputs.typed_by)):
            if _is_of(decided, plate):
                return _worded(decided)
            return Answer(Outcome.CALL, "typed_unlike_read", mask(plate))
        return await self._decide(worker, decided, plate, by)

    async def _picked(self, worker: LaneWorker, decided: Decided, question: Question, by: str) -> Answer:
        verdict = decided.decision.verdict
        if not isinstance(verdict, Ask) or decided.decision_id != question.turn or not question.text.isdecimal():
            return Answer(Outcome.BUSY)
        place = int(question.text)
        if place >= len(verdict.candidates):
            return Answer(Outcome.CALL, "typed_no_stay")
        return await self._decide(worker, decided, verdict.candidates[place], by)

    async def _ticket(self, worker: LaneWorker, decided: Decided, by: str) -> Answer:
        """A number instead of a plate, at an entry whose cameras read none."""
        verdict = decided.decision.verdict
        if worker.lane.target == OUTSIDE or not isinstance(verdict, Ask) or verdict.code not in UNREAD:
            return Answer(Outcome.CALL, "no_ticket_here")
        number = await self._office.thread.run(ticketing.new_number, self._office.db.conn)
        answer = await self._decide(worker, decided, plate_of(number), by)
        if answer.outcome is not Outcome.OPENS:
            return answer
        return replace(answer, number=number, token=ticketing.token_of(self._office.lot, number, self._office.now()))

    async def _decide(self, worker: LaneWorker, before: Decided, plate: str, by: str) -> Answer:
        """Let the lane decide again with this plate, and tell what it said."""
        lane, office = worker.lane.name, self._office
        try:
            await office.commit(audit.record_act, office.db, by, "plate.type", lane, mask(plate), office.now())
        except DiskFullError:
            return Answer(Outcome.CALL, "not_recorded")
        worker.choose(plate, by)
        try:
            async with asyncio.timeout(SETTLES_S):
                return await self._told(worker, before, plate, by)
        except TimeoutError:
            return Answer(Outcome.BUSY)

    async def _told(self, worker: LaneWorker, before: Decided, plate: str, by: str) -> Answer:
        async for _ in self._live.subscribe():
            newest = worker.newest
            if newest is not None and newest is not before:
                inputs = newest.decision.inputs
                return _worded(newest) if (inputs.plate, inputs.typed_by) == (plate, by) else Answer(Outcome.BUSY)
            if worker.decided is None and isinstance(worker.state.phase, Waiting):
                return Answer(Outcome.CALL, "not_recorded")
        return Answer(Outcome.BUSY)


def _is_of(decided: Decided, plate: str) -> bool:
    """May *plate* be the car that was told what it owes?"""
    inputs = decided.decision.inputs
    stay = inputs.stay.plate if isinstance(inputs, ExitInputs) and inputs.stay else ""
    known = {inputs.plate, stay}
    return plate in known or (not is_virtual(plate) and any(compare(one, plate).score >= NEAR for one in known if one))


def _worded(decided: Decided) -> Answer:
    """A decision as the driver may know it."""
    inputs, verdict, plate = decided.decision.inputs, decided.decision.verdict, mask(decided.decision.inputs.plate)
    match verdict:
        case Admit(reason=reason):
            return _with_fee(Answer(Outcome.OPENS if decided.opens else Outcome.CALL, reason, plate), decided)
        case PayFirst():
            return _with_fee(Answer(Outcome.PAY, "", plate), decided)
        case Ask(code="which_stay", candidates=found) if support(inputs.plate, inputs.seen) is not Support.NONE:
            choices = tuple(map(mask, found[:MOST_CHOICES]))
            return Answer(Outcome.PICK, "which_stay", plate, choices=choices, turn=decided.decision_id)
        case Ask(code=code):
            return Answer(Outcome.CALL, code, plate)
        case refused:
            return Answer(Outcome.REFUSED, refused.code, plate)


def _with_fee(answer: Answer, decided: Decided) -> Answer:
    """Add the stay and its fee. When it began is told only of a car that the cameras, or its ticket, vouch for."""
    inputs, why = decided.decision.inputs, decided.decision.explanation
    if not isinstance(inputs, ExitInputs) or inputs.stay is None:
        return answer
    vouched = not is_on_word_alone(inputs)
    lines = tuple(why.get("lines", ()))
    if len(lines) > MOST_LINES:
        rest = sum(int(line.get("fen", 0)) for line in lines[MOST_LINES - 1 :])
        lines = (*lines[: MOST_LINES - 1], {"rule": "more", "fen": rest})
    return replace(
        answer,
        entered=inputs.stay.entered if vouched else "",
        minutes=inputs.length_ms // MINUTE_MS if vouched else 0,
        fee_fen=int(why.get("fee_fen", 0)),
        off_fen=int(why.get("off_fen", 0)),
        due_fen=int(why.get("due_fen", 0)),
        lines=lines if vouched else (),
    )
