"""Codes held before a lane's scanner: a voucher counts for the car that waits there, and what is none says so."""

from __future__ import annotations

import hashlib
import logging
from typing import Protocol

from domain.decision import Refuse
from domain.driver_word import DRIVER
from domain.lane import DueChanged, Event
from domain.plate import mask
from domain.scanned import ScannedKind, recognise
from domain.ticket import plate_of
from drivers.base import Scanner
from edge.db.database import DiskFullError
from edge.lanes.board import LaneBoard
from edge.lanes.claims import ClaimDesk
from edge.lanes.office import Office
from edge.lanes.till import Charged, CodeTill
from edge.services import audit, phone_paying, ticketing
from edge.settings import Lane
from edge.supervise import Health

log = logging.getLogger(__name__)

BY_TICKET = f"{DRIVER}ticket"


class Waiting(Protocol):
    """A lane where a car may wait to be settled."""

    lane: Lane

    @property
    def waiting_stay(self) -> str:
        """The stay whose car waits, "" when none does."""
        ...

    @property
    def is_asked(self) -> bool:
        """Does a car wait of which somebody must say which it is?"""
        ...

    def post(self, event: Event) -> None:
        """Let something happen at the lane."""
        ...

    def choose(self, plate: str, by: str) -> None:
        """Say which car it is."""
        ...


class LaneCodes:
    """Lays what was scanned on the waiting car's stay; what does not count is told on the board."""

    def __init__(self, worker: Waiting, office: Office, board: LaneBoard, health: Health) -> None:
        self._worker, self._office, self._board, self._health = worker, office, board, health
        self.till: CodeTill | None = None  # takes payment codes, once the daemon is put together
        self.claims: ClaimDesk | None = None  # and claim codes

    async def follow(self, scanner: Scanner) -> None:
        """Take every code of the lane's own scanner. Raises DeviceError."""
        async for text in scanner.scans():
            await self.take(text, f"scanner {self._worker.lane.scanner}")

    async def take(self, text: str, by: str) -> Refuse | None:
        """Take one code; returns why it did not count, None where it did or may yet.

        Its text is never logged: it may be somebody's payment code.
        """
        scanned = recognise(text)
        if scanned.kind is ScannedKind.VOUCHER:
            return await self._take_voucher(text, by)
        if scanned.kind is ScannedKind.EXIT_PASS:
            return await self._take_pass(scanned.token)
        if scanned.kind is ScannedKind.PAYMENT_CODE and self.till is not None and self._worker.waiting_stay:
            return await self._charge(self.till, text)
        if scanned.kind is ScannedKind.CLAIM_CODE and self.claims is not None and self._worker.waiting_stay:
            return await self._claim(self.claims, text, by)
        if scanned.kind is ScannedKind.ENTRY_TICKET and await self.take_ticket(text, BY_TICKET):
            return None
        log.info("%s: %s read a code that does not count here: %s", self._worker.lane.name, by, scanned.kind.value)
        return await self._tell(scanned.kind.value)

    async def _tell(self, event: str, why: Refuse | None = None) -> Refuse:
        await self._board.show_event(f"code.{event}")
        return why or Refuse(event)

    async def take_ticket(self, text: str, by: str) -> bool:
        """A genuine ticket says which car waits, as far as the cameras do not say otherwise; False for any other."""
        number = ticketing.number_on(self._office.lot, recognise(text).token)
        if number is None or not self._worker.is_asked:
            return False
        office, plate = self._office, plate_of(number)
        try:
            await office.commit(
                audit.record_act, office.db, by, "plate.type", self._worker.lane.name, mask(plate), office.now()
            )
        except DiskFullError as exc:
            self._health.set("disk", str(exc))
            return True
        self._worker.choose(plate, BY_TICKET)
        return True

    async def _charge(self, till: CodeTill, code: str) -> Refuse | None:
        """Have the cloud take a payment code for the car that waits; it goes once the payment is told of."""
        charged = await till.charge(self._worker.waiting_stay, code)
        if isinstance(charged, Refuse):
            return await self._tell("pay_failed", charged)
        if charged.state is Charged.CLOSED:
            return await self._tell("pay_failed")
        await self._tell("paying")
        return None

    async def _claim(self, claims: ClaimDesk, text: str, by: str) -> Refuse | None:
        """Have the cloud tie the coupon of a claim code to the car that waits; it counts once its row is here."""
        stay_id = self._worker.waiting_stay
        mark = hashlib.sha256(f"{stay_id} {recognise(text).token}".encode()).hexdigest()[:32]
        claimed = await claims.claim(stay_id, text, by, mark)
        if isinstance(claimed, Refuse):
            log.info("%s: %s claimed a code in vain: %s", self._worker.lane.name, by, claimed.code)
            return await self._tell(claimed.code, claimed)
        await self._tell("claimed")
        return None

    async def _take_pass(self, token: str) -> Refuse | None:
        """What was paid by phone is booked, whosever car it was for; a car that waits for it may go."""
        office = self._office
        try:
            taken = await office.commit(phone_paying.take_pass, office.db, office.lot, token, office.now())
        except DiskFullError as exc:
            self._health.set("disk", str(exc))
            return Refuse("disk_full")
        if isinstance(taken, Refuse):
            return await self._tell("exit_pass", taken)
        if self._worker.waiting_stay == taken.stay_id:
            self._worker.post(DueChanged())
        elif self._worker.waiting_stay:
            return await self._tell("pass_other_car")
        return None

    async def _take_voucher(self, text: str, by: str) -> Refuse | None:
        lane, stay_id = self._worker.lane, self._worker.waiting_stay
        if not stay_id:
            return await self._tell("no_car")
        try:
            laid = await self._office.lay_voucher(stay_id, text, by, lane.name)
        except DiskFullError as exc:
            self._health.set("disk", str(exc))
            return Refuse("disk_full")
        if isinstance(laid, Refuse):
            log.info("%s: %s took a voucher in vain: %s", lane.name, by, laid.code)
            return await self._tell(laid.code, laid)
        self._worker.post(DueChanged())
        return None
