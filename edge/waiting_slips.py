"""Slips that wait for their printer: receipts, tickets and reports go on by themselves once its trouble is over (E39).

Nothing of them is on paper yet, so nothing is printed twice. They wait in memory for half an hour; a restart forgets
them, and whoever misses one prints it from its page.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from domain.decision import Refuse
from edge.printing import SlipPrinter
from edge.services.lot import Result

log = logging.getLogger(__name__)

LOOK_S = 1.0
PATIENCE_S = 1800.0
WAITS = Refuse("print_waits")
Printing = Callable[[], Awaitable[Result]]


@dataclass(frozen=True, slots=True)
class WaitingSlip:
    """*kind* and *subject* as the journal of prints names them."""

    kind: str
    subject: str
    printer: str
    print: Printing = field(repr=False, compare=False)
    since: float = field(compare=False)


@dataclass(slots=True)
class WaitingSlips:
    """In the order they came. *now* is seconds of any clock that only runs forward."""

    printers: Mapping[str, SlipPrinter]
    now: Callable[[], float] = time.monotonic
    _slips: list[WaitingSlip] = field(default_factory=list)

    def wait(self, kind: str, subject: str, printer: str, again: Printing) -> Refuse:
        """Have *again* called once *printer* is ready; asked for twice it still comes out once."""
        slip = WaitingSlip(kind, subject, printer, again, self.now())
        if slip not in self._slips:
            self._slips.append(slip)
        return WAITS

    def at(self, printer: str) -> list[WaitingSlip]:
        """What waits for one printer."""
        return [one for one in self._slips if one.printer == printer]

    def drop(self, printer: str) -> int:
        """Let go of all that waits for one printer; returns how many."""
        gone = self.at(printer)
        self._slips = [one for one in self._slips if one not in gone]
        return len(gone)

    async def keep_printing(self) -> None:
        """Look every second, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            await self.look()

    async def look(self) -> None:
        """Print what can be printed now, and give up what waited too long."""
        late = [one for one in self._slips if self.now() - one.since > PATIENCE_S]
        for slip in late:
            log.warning("printer %s: %s %s was not printed in half an hour", slip.printer, slip.kind, slip.subject)
        self._slips = [one for one in self._slips if one not in late]
        for name in dict.fromkeys(one.printer for one in self._slips):
            if await self.printers[name].is_ready():
                await self._print_all(name)

    async def _print_all(self, printer: str) -> None:
        for slip in self.at(printer):
            self._slips.remove(slip)
            if await slip.print() == WAITS:
                return  # it failed again, and stands at the end of the line
