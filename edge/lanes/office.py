"""The lane's way to the services: every call runs on the database thread and is committed when it returns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from domain.decision import Refuse
from domain.moment import Moment
from domain.stay import OUTSIDE, UnpaidCause
from edge.clock import Clock
from edge.db import decisions, stays
from edge.db.database import Database, DiskFullError
from edge.disk import DiskGuard
from edge.lanes.attendance import Attendance
from edge.pictures import Pictures
from edge.pins import PinBox
from edge.services import audit, filling, passages
from edge.services.entering import enter
from edge.services.leaving import leave
from edge.services.lot import Arrival, Decided, Lot
from edge.services.moving import move
from edge.services.paying import due_of
from edge.services.redeeming import LaidOn, lay_voucher
from edge.settings import Lane
from plumbing.onethread import OneThread

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Office:
    """The database, its thread, the lot and the clock in one hand."""

    thread: OneThread
    db: Database
    lot: Lot
    clock: Clock
    pictures: Pictures
    disk: DiskGuard
    attendance: Attendance
    pins: PinBox

    def now(self) -> Moment:
        """Both clocks now."""
        return self.clock.now()

    def is_attended(self, lane: Lane) -> bool:
        """Is somebody at *lane* now?"""
        return self.attendance.is_attended(lane, self.now())

    async def commit(self, service: Callable[..., T], *args: Any) -> T:
        """Run a service that writes on the database thread; when there is no room, once more without the ballast.

        Raises DiskFullError: then nothing was done.
        """
        try:
            return await self.thread.run(service, *args)
        except DiskFullError:
            if not await asyncio.to_thread(self.disk.let_go):
                raise
            return await self.thread.run(service, *args)

    async def do(self, service: Callable[..., T], *args: Any) -> T | Refuse:
        """Run ``service(db, *args, now)``; refuses ``not_recorded`` when the disk is full."""
        try:
            return await self.commit(service, self.db, *args, self.now())
        except DiskFullError:
            return Refuse("not_recorded")

    async def read(self, query: Callable[..., T], *args: Any) -> T:
        """Run ``query(conn, *args)`` on the database thread; for looking, never for changing."""
        return await self.thread.run(query, self.db.conn, *args)

    async def entry_picture(self, stay_id: str) -> bytes | None:
        """What the entry of a car that is inside was decided on; None where it left or no picture was kept."""
        stay = await self.read(stays.get, stay_id)
        if stay is None or not stay.is_open:
            return None
        wall_ms = await self.read(decisions.picture_time, stay.decision_in, "frame")
        return None if wall_ms is None else await self.pictures.get(stay.decision_in, "frame", wall_ms)

    async def decide(self, arrival: Arrival) -> Decided:
        """An entry, an exit or a move inside, by where the lane leads."""
        lane = self.lot.lanes[arrival.lane]
        service = move if lane.is_inner else leave if lane.target == OUTSIDE else enter
        now = self.now()
        decided = await self.commit(service, self.db, self.lot, arrival, now)
        for kind, image in (("frame", arrival.frame), ("crop", arrival.crop)):
            if image:
                self.pictures.keep(decided.decision_id, kind, image, now.wall_ms)
        return decided

    async def passage(self, lane: str, decision_id: str, plate: str) -> None:
        """The car of *decision_id* is through."""
        await self.commit(passages.seen, self.db, self.lot, lane, decision_id, plate, self.now())

    async def reversal(self, lane: str, decision_id: str, plate: str) -> None:
        """The car of *decision_id* turned back."""
        await self.commit(passages.turned_back, self.db, self.lot, lane, decision_id, plate, self.now())

    async def unpaid(
        self, lane: str, cause: UnpaidCause, plate: str, image: bytes = b"", decision_id: str = ""
    ) -> None:
        """A car went through without a decision, or by hand under *decision_id*; *image* is kept with what it owes."""
        now = self.now()
        seen_id = decision_id or (self.lot.new_id(now) if image else "")
        await self.commit(passages.unpaid, self.db, self.lot, lane, cause, plate, now, seen_id)
        if image:
            self.pictures.keep(seen_id, "frame", image, now.wall_ms)

    async def replayed(self, lane: str, read_id: str, plate: str) -> None:
        """A camera told later what it saw while nobody listened."""
        await self.commit(passages.replayed, self.db, lane, read_id, plate, self.now())

    async def incident(self, code: str, lane: str, detail: str) -> None:
        """Something a person should look at."""
        await self.commit(audit.raise_incident, self.db, code, lane, detail, self.now())

    async def lay_voucher(self, stay_id: str, scanned: str, by: str, lane: str) -> LaidOn | Refuse:
        """Lay a scanned voucher on an open stay."""
        return await self.commit(lay_voucher, self.db, self.lot, stay_id, scanned, by, lane, self.now())

    async def places_free(self) -> dict[str, int]:
        """Places for cars without an entitlement, of every zone that can fill."""
        return await self.thread.run(filling.free_places, self.db.conn, self.lot)

    async def due(self, stay_id: str) -> int:
        """What a stay owes now."""
        return await self.thread.run(lambda: due_of(self.db.conn, self.lot, stay_id, self.now()))
