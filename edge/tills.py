"""The booths' drawers for a running edge's pages: shifts, and what is printed for them at the workstation's printer."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from domain.decision import Refuse
from domain.shift import ShiftTotals
from domain.slip_faces import Face, ShiftReport
from edge.db import log, receipts
from edge.db import shifts as rows
from edge.db.receipts import ReceiptRow
from edge.db.shifts import ShiftRow
from edge.lanes.office import Office
from edge.printing import Ended, SlipPrinter
from edge.receipt_faces import Wording, face_of
from edge.services import papers, shifts
from edge.services.lot import Result
from edge.services.shifts import Count
from edge.waiting_slips import Printing, WaitingSlips

HEAD_SHOWN = 16  # of the 64 characters of a log's head: enough to compare by eye


@dataclass(frozen=True, slots=True)
class Shift:
    """A shift and what it comes to."""

    row: ShiftRow
    sums: ShiftTotals


@dataclass(frozen=True, slots=True)
class Tills:
    """Every workstation's drawer."""

    office: Office
    printers: Mapping[str, SlipPrinter]
    waiting: WaitingSlips

    async def open(self, workstation: str, float_fen: int, by: str) -> Result:
        """Begin a shift."""
        return await self.office.do(shifts.open_shift, self.office.lot, workstation, float_fen, by)

    async def drop(self, shift_id: str, drop_id: str, amount_fen: int, by: str) -> Result:
        """Put cash into the safe."""
        return await self.office.do(shifts.drop_cash, self.office.lot, shift_id, drop_id, amount_fen, by)

    async def close(self, shift_id: str, count: Count, by: str, *, approved_by: str = "") -> Result:
        """End a shift, and begin the next one if somebody takes over."""
        end = partial(shifts.close_shift, approved_by=approved_by)
        return await self.office.do(end, self.office.lot, shift_id, count, by)

    async def at(self, workstation: str) -> Shift | None:
        """The shift that is open at a workstation."""

        def look(conn: sqlite3.Connection) -> Shift | None:
            row = rows.open_at(conn, workstation)
            return Shift(row, shifts.totals(conn, row.shift_id)) if row else None

        return await self.office.read(look)

    async def get(self, shift_id: str) -> Shift | None:
        """One shift."""

        def look(conn: sqlite3.Connection) -> Shift | None:
            row = rows.get(conn, shift_id)
            return Shift(row, shifts.totals(conn, shift_id)) if row else None

        return await self.office.read(look)

    async def newest(self, most: int = 30) -> list[ShiftRow]:
        """Open shifts first, then the others, the newest first."""
        return await self.office.read(rows.newest, most)

    async def print_report(self, shift_id: str, by: str) -> Result:
        """Print a shift's report: how it stands, or its end (a second print of that says so).

        Refuses ``no_such_shift`` and what ``_print`` refuses.
        """
        shift, at = await self.get(shift_id), await self.office.read(log.newest)
        if shift is None:
            return Refuse("no_such_shift")
        ended = not shift.row.is_open
        seq, head = (shift.row.log_seq, shift.row.log_head) if ended else (at.seq, at.head.hex())
        stood = f"{seq} {head[:HEAD_SHOWN]}" if head else ""
        return await self._print(
            papers.REPORT, shift_id, shift.row.workstation, by, lambda copy: self._report(shift, stood, copy),
            counts=ended,
        )  # fmt: skip

    def _report(self, shift: Shift, stood: str, copy: int) -> ShiftReport:
        lot, row = self.office.lot, shift.row
        ends = self.office.now().wall_ms if row.closed_wall_ms is None else row.closed_wall_ms
        return ShiftReport(
            lot=lot.name, till=row.workstation, number=row.number, cashier=row.opened_by,
            closed_by=row.closed_by if row.closed_by != row.opened_by else "", takes_over=row.takes_over,
            begins=lot.local(row.opened_wall_ms), ends=lot.local(ends), sums=shift.sums,
            counted_cash_fen=row.counted_fen, copy=copy, log=stood,
        )  # fmt: skip

    def has_drawer(self, workstation: str) -> bool:
        """Does one hang at the workstation's printer?"""
        printer = self._printer_at(workstation)
        return printer is not None and printer.has_drawer

    async def open_drawer(self, workstation: str) -> bool:
        """Have it open; False where there is none or its printer did not answer."""
        printer = self._printer_at(workstation)
        return printer is not None and await printer.open_drawer()

    def _printer_at(self, workstation: str) -> SlipPrinter | None:
        place = self.office.lot.workstations.get(workstation)
        return self.printers.get(place.printer) if place else None

    async def receipts(self, workstation: str, most: int = 12) -> list[ReceiptRow]:
        """The last receipts of a workstation."""
        return await self.office.read(receipts.newest, workstation, most)

    async def receipts_of(self, stay_id: str) -> list[ReceiptRow]:
        """Every receipt of a stay."""
        return await self.office.read(receipts.of_stay, stay_id)

    async def print_receipt(self, payment_id: str, by: str, wording: Wording, *, at: str = "") -> Result:
        """Print a receipt at a workstation (*at*, else where the money was taken); a second print says so.

        Refuses ``no_such_receipt`` and what ``_print`` refuses.
        """
        row = await self.office.read(receipts.get, payment_id)
        if row is None:
            return Refuse("no_such_receipt")
        return await self._print(
            papers.RECEIPT, payment_id, at or row.workstation, by,
            lambda copy: face_of(row, self.office.lot, wording, copy),
        )  # fmt: skip

    async def _print(
        self, kind: str, subject: str, workstation: str, by: str, face: Callable[[int], Face], *,
        counts: bool = True,
    ) -> Result:  # fmt: skip
        """Refuses ``no_printer_here``, ``print_waits`` (it comes out once its printer is ready), ``print_unknown``."""
        place = self.office.lot.workstations.get(workstation)
        name = place.printer if place else ""
        if name not in self.printers:
            return Refuse("no_printer_here")

        async def now() -> Result:
            return await self._print_now(kind, subject, name, by, face, again=now, counts=counts)

        return await now() if await self.printers[name].is_ready() else self.waiting.wait(kind, subject, name, now)

    async def _print_now(
        self, kind: str, subject: str, name: str, by: str, face: Callable[[int], Face], *, again: Printing, counts: bool
    ) -> Result:
        office, printer = self.office, self.printers[name]
        begun = await office.do(partial(papers.begin, counts=counts), office.lot, kind, subject, name, by)
        if isinstance(begun, Refuse):
            return begun
        job_id, copy = begun
        ended = Ended("unknown")
        try:
            ended = await printer.put_on_paper(await printer.lay_out(face(copy), office.lot))
        finally:
            await office.do(papers.end, job_id, ended.state)
        if ended.state == "failed":
            return self.waiting.wait(kind, subject, name, again)
        return papers.outcome(subject, job_id, ended.state, silent=ended.silent)
