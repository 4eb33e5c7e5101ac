"""The merchants' counter: what each may print, and vouchers issued on the books before they go to paper."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from domain.decision import Refuse
from domain.stay import OUTSIDE
from domain.wire import Json
from edge import printing
from edge.db import channels, leases, vouchers
from edge.disk import Level
from edge.lanes.office import Office
from edge.printing import Ended, SlipPrinter
from edge.services import issuing
from edge.services.audit import AFAR
from edge.services.issuing import Issued, Order
from edge.services.lot import Result
from edge.settings import EdgeSettings

T = TypeVar("T")
MOST_FROM_AFAR: Final = 10  # vouchers in one command


@dataclass(frozen=True, slots=True)
class Printed:
    """A voucher was issued; *state* says how printing ended: confirmed, failed or unknown (never printed again).

    *silent*: unknown only because this printer never answers; somebody says later what came out.
    """

    key_id: int
    counter: int
    state: str
    left: int
    silent: bool = False


class CounterDesk:
    """Prints within each merchant's lease, with the cloud gone as with it."""

    def __init__(
        self, settings: EdgeSettings, office: Office, printers: Mapping[str, SlipPrinter], link_state: Callable[[], str]
    ) -> None:
        self._settings, self._office, self._printers, self._link_state = settings, office, printers, link_state

    async def _must(self, service: Callable[..., T], *args: Any) -> T:
        """Run ``service(db, *args, now)`` on the database thread. Raises DiskFullError when there is no room."""
        return await self._office.commit(service, self._office.db, *args, self._office.now())

    async def merchants(self) -> list[Json]:
        """Merchants as the cloud last told us, with what their leases here still hold by commodity (``left``)."""

        def look(conn: sqlite3.Connection) -> list[Json]:
            held: dict[int, dict[str, int]] = {}
            for one in leases.active(conn):
                left = held.setdefault(one.merchant_id, {})
                left[one.commodity.value] = left.get(one.commodity.value, 0) + one.lease.left
            rows = [row.value for row in channels.rows(conn, "rules") if row.key.startswith("merchant:") and row.value]
            return [{**row, "left": held.get(int(row["merchant_id"]), {})} for row in rows]

        return await self._office.read(look)

    async def templates(self, merchant_id: int) -> list[Json]:
        """What a merchant may print."""

        def look(conn: sqlite3.Connection) -> list[Json]:
            rows = [row.value for row in channels.rows(conn, "rules") if row.key.startswith("template:") and row.value]
            return [row for row in rows if row.get("merchant_id") == merchant_id and not row.get("deleted")]

        return await self._office.read(look)

    async def vouchers(self, merchant_id: int | None = None, most: int = 50) -> list[vouchers.VoucherRow]:
        """The newest vouchers."""
        return await self._office.read(vouchers.recent, merchant_id, most)

    @property
    def slips_are_of_use(self) -> bool:
        """Can a slip bound to no plate be used now: scanned at an exit, taken at the booth, or bound by phone?"""
        exits = [lane for lane in self._settings.lanes if lane.target == OUTSIDE]
        scanned = any(lane.scanner or self._office.is_attended(lane) for lane in exits)
        return scanned or not exits or self._link_state() == "online"

    def _printer(self, name: str) -> SlipPrinter | None:
        return self._printers.get(name) if name else next(iter(self._printers.values()), None)

    async def is_ready_to_print(self, printer: str) -> bool:
        """May a job be tried at this printer, the first without a name?"""
        device = self._printer(printer)
        return device is not None and await device.is_ready()

    async def issue_voucher(
        self,
        merchant_id: int,
        template_id: int,
        by: str,
        printer: str = "",
        *,
        order_id: str = "",
        in_a_row: bool = False,
    ) -> Printed | Refuse:
        """Issue and print one voucher. *in_a_row*: a printer that has just said that all is well is not asked again.

        Refuses ``nowhere_to_scan`` and ``printer_not_ready`` before anything is reserved.
        """
        if self._office.disk.level is Level.FULL:
            return Refuse("disk_full")
        if not self.slips_are_of_use:
            return Refuse("nowhere_to_scan")
        device = self._printer(printer)
        if device is None or not ((in_a_row and device.went_well) or await device.is_ready()):
            return Refuse("printer_not_ready")
        issued = await self._office.do(issuing.issue, self._office.lot, Order(merchant_id, template_id, by, order_id))
        if isinstance(issued, Refuse):
            return issued
        payload, ended = issued.payload, Ended("unknown")
        try:
            ended = await self._print(issued, device, by)
        finally:  # whatever broke: the voucher is in doubt now, not only after the next start
            await self._must(issuing.printed, payload.key_id, payload.counter, ended.state)
        return Printed(payload.key_id, payload.counter, ended.state, issued.left, ended.silent)

    async def print_from_afar(self, body: Json) -> str:
        """The cloud's ``voucher.print``: vouchers for a shop, each issued and printed once, up to the first in doubt.

        Returns how many came out and how the last ended: ``confirmed 3``, ``unknown 1``, or why none more was begun.
        """
        merchant_id, template_id, count = (body.get(name) for name in ("merchant_id", "template_id", "count"))
        if not (isinstance(merchant_id, int) and isinstance(template_id, int) and isinstance(count, int)):
            return "command_malformed"
        state, done = "", 0
        while done < min(count, MOST_FROM_AFAR):
            result = await self.issue_voucher(
                merchant_id, template_id, f"{AFAR}{body.get('by', '')}", in_a_row=done > 0
            )
            if isinstance(result, Refuse):
                return f"{result.code} {done}"
            state, done = result.state, done + 1
            if state != "confirmed" and not result.silent:
                break
        return f"{state} {done}"

    async def _print(self, issued: Issued, device: SlipPrinter, by: str) -> Ended:
        payload = issued.payload

        def look(conn: sqlite3.Connection) -> list[Json | None]:
            keys = (f"template:{payload.template_id}", f"merchant:{payload.merchant_id}")
            return [channels.get(conn, "rules", key) for key in keys]

        template, merchant = await self._office.read(look)
        lot, now_ms = self._office.lot, self._office.now().wall_ms
        name = str((merchant or {}).get("name", ""))
        host = self._settings.voucher_host
        till = next(
            (one.name for one in lot.workstations.values() if self._printers.get(one.printer) is device), lot.edge
        )
        face = printing.face_of(lot, host, issued, template or {"kind": "AMOUNT"}, name, by, now_ms, till)
        return await device.put_on_paper(await device.lay_out(face, lot))

    async def came_out(self, slips: Sequence[tuple[int, int]], by: str) -> int:
        """Somebody saw vouchers in doubt come out of the printer; returns how many of them were in doubt."""
        return await self._must(issuing.came_out, slips, by)

    async def void_voucher(self, key_id: int, counter: int, by: str, reason: str) -> Result:
        """Withdraw a voucher that was not used."""
        return await self._office.do(issuing.void, key_id, counter, by, reason)
