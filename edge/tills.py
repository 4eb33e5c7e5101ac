"""The booths' drawers for a running edge's pages: shifts, and what is printed for them at the workstation's printer."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from domain.decision import Refuse
from domain.shift import ShiftTotals
from domain.slip_faces import ShiftReport
from edge.db import log, receipts
from edge.db import shifts as rows
from edge.db.receipts import ReceiptRow
from edge.db.shifts import ShiftRow
from edge.lanes.office import Office
from edge.printing import SlipPrinter
from edge.receipt_faces import Wording, face_of
from edge.services import papers, shifts
from edge.services.lot import Result
from edge.services.shifts import Count
from edge.slipdesk import FaceOf, SlipDesk

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
    slips: SlipDesk
    wording: Wording

    def __post_init__(self) -> None:
        self.slips.knows(papers.REPORT, self._report)
        self.slips.knows(papers.RECEIPT, self._receipt)

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
        shift = await self.get(shift_id)
        if shift is None:
            return Refuse("no_such_shift")
        subject = shift_id + papers.SO_FAR if shift.row.is_open else shift_id
        return await self._print(papers.REPORT, subject, shift.row.workstation, by)

    async def _report(self, subject: str) -> FaceOf | Refuse:
        """What a report says now; one of a shift as it stood is none any more once the shift has ended."""
        shift_id = subject.removesuffix(papers.SO_FAR)
        shift, at = await self.get(shift_id), await self.office.read(log.newest)
        if shift is None or shift.row.is_open == (subject == shift_id):
            return Refuse("no_such_shift")
        lot, row = self.office.lot, shift.row
        seq, head = (at.seq, at.head.hex()) if row.is_open else (row.log_seq, row.log_head)
        ends = self.office.now().wall_ms if row.closed_wall_ms is None else row.closed_wall_ms
        return lambda copy: ShiftReport(
            lot=lot.name, till=row.workstation, number=row.number, cashier=row.opened_by,
            closed_by=row.closed_by if row.closed_by != row.opened_by else "", takes_over=row.takes_over,
            begins=lot.local(row.opened_wall_ms), ends=lot.local(ends), sums=shift.sums,
            counted_cash_fen=row.counted_fen, copy=copy, log=f"{seq} {head[:HEAD_SHOWN]}" if head else "",
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

    async def print_receipt(self, payment_id: str, by: str, *, at: str = "") -> Result:
        """Print a receipt at a workstation (*at*, else where the money was taken); a second print says so.

        Refuses ``no_such_receipt`` and what ``_print`` refuses.
        """
        row = await self.office.read(receipts.get, payment_id)
        if row is None:
            return Refuse("no_such_receipt")
        return await self._print(papers.RECEIPT, payment_id, at or row.workstation, by)

    async def _receipt(self, payment_id: str) -> FaceOf | Refuse:
        row = await self.office.read(receipts.get, payment_id)
        return partial(face_of, row, self.office.lot, self.wording) if row else Refuse("no_such_receipt")

    async def _print(self, kind: str, subject: str, workstation: str, by: str) -> Result:
        """Refuses ``no_printer_here``, ``print_waits`` (it comes out once its printer is ready), ``print_unknown``."""
        place = self.office.lot.workstations.get(workstation)
        name = place.printer if place else ""
        if name not in self.printers:
            return Refuse("no_printer_here")
        return await self.slips.print(kind, subject, name, by)
