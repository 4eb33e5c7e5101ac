"""Tickets on paper for cars without plates: at the booth's wish, or by the lane itself where nobody attends it.

The stay is committed and the barrier opens as ever; the ticket is then printed once. Whatever becomes of the paper, the
board has shown the number.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from domain.decision import Ask, Refuse
from domain.driver_page import Outcome
from domain.driver_word import DRIVER
from domain.plate import is_virtual
from domain.scanned import ScannedKind, link_of
from domain.slip_faces import Ticket
from domain.stay import OUTSIDE
from edge.db import stays
from edge.lanes.door import DriverDoor
from edge.lanes.office import Office
from edge.lanes.worker import LaneWorker
from edge.printing import SlipPrinter
from edge.services import papers, ticketing
from edge.services.lot import Done, Result
from edge.slipdesk import FaceOf, SlipDesk

log = logging.getLogger(__name__)

LOOK_S = 0.5
BY_ITSELF = f"{DRIVER}printer"


@dataclass(frozen=True, slots=True)
class Waits:
    """A car whose plate was not read stands at a lane since *since*, by the event loop's time."""

    since: float
    is_done: bool = False


class TicketDesk:
    """The printers beside the entries."""

    def __init__(
        self,
        office: Office,
        door: DriverDoor,
        workers: Mapping[str, LaneWorker],
        printers: Mapping[str, SlipPrinter],
        slips: SlipDesk,
        host: str,
    ) -> None:
        self._office, self._door, self._workers, self._printers = office, door, workers, printers
        self._slips, self._host = slips, host
        slips.knows(papers.TICKET, self._face)
        self._waits: dict[str, Waits] = {}

    async def give(self, lane: str, by: str) -> Result:
        """Let the car at an entry in with a ticket. Done names its number.

        Refuses ``no_such_lane``, ``no_ticket_printer``, ``printer_not_ready`` and ``no_ticket_here``.
        """
        worker = self._workers.get(lane)
        if worker is None:
            return Refuse("no_such_lane")
        printer = self._printers.get(worker.lane.printer)
        if printer is None:
            return Refuse("no_ticket_printer")
        if not await printer.is_ready():
            return Refuse("printer_not_ready")
        answer = await self._door.ticket_at(lane, by)
        if answer.outcome is not Outcome.OPENS or not answer.number:
            return Refuse("no_ticket_here")
        stay = await self._office.read(stays.find_here, f"无{answer.number}")
        if stay is not None:
            await self._slips.print(papers.TICKET, stay.stay_id, worker.lane.printer, by, waits=False)
        return Done(answer.number)

    async def again(self, stay_id: str, by: str) -> Result:
        """Print a ticket again, marked as a copy.

        Refuses ``no_ticket_here`` for a car with a plate, ``no_ticket_printer`` and what printing refuses.
        """
        stay = await self._office.read(stays.get, stay_id)
        lane = self._office.lot.lanes.get(stay.lane_in) if stay else None
        name = lane.printer if lane and lane.printer else next(iter(self._printers), "")
        if name not in self._printers:
            return Refuse("no_ticket_printer")
        return await self._slips.print(papers.TICKET, stay_id, name, by)

    async def _face(self, stay_id: str) -> FaceOf | Refuse:
        """What the ticket of a car says, while it is inside. Refuses ``no_ticket_here``."""
        office, lot = self._office, self._office.lot
        stay = await office.read(stays.get, stay_id)
        if stay is None or not stay.is_open or not is_virtual(stay.plate):
            return Refuse("no_ticket_here")
        number = stay.plate[1:]
        return partial(
            Ticket, lot.name, stay.lane_in, number, "", lot.local(stay.entered.wall_ms),
            link_of(self._host, ScannedKind.ENTRY_TICKET, ticketing.token_of(lot, number, office.now())),
        )  # fmt: skip

    async def dispense(self) -> None:
        """Give tickets at entries that nobody attends to cars whose plates were not read, until cancelled."""
        entries = [one for one in self._workers.values() if one.lane.printer and one.lane.target != OUTSIDE]
        while entries:
            await asyncio.sleep(LOOK_S)
            for worker in entries:
                await self._look_at(worker)

    async def _look_at(self, worker: LaneWorker) -> None:
        decided, now, name = worker.decided, asyncio.get_running_loop().time(), worker.lane.name
        unread = decided is not None and isinstance(decided.decision.verdict, Ask)
        if decided is None or not unread or decided.decision.verdict != Ask((), "no_plate"):
            self._waits.pop(name, None)
            return
        if self._office.is_attended(worker.lane):
            return
        waits = self._waits.setdefault(name, Waits(now))
        if not waits.is_done and now - waits.since >= self._office.lot.rules.ticket_wait_s:
            self._waits[name] = Waits(waits.since, is_done=True)
            given = await self.give(name, BY_ITSELF)
            if isinstance(given, Refuse):
                log.warning("%s: no ticket for a car without a plate: %s", name, given.code)
