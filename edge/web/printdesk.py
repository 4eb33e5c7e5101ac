"""Orders of vouchers, printed one after another: each has its own counter, and a printer in doubt ends its order.
One that never answers does not: somebody says at the end what came out.

Nothing waits on disk. An order that is cut off by a crash leaves at most one voucher behind, which recovery marks
``unknown``; the rest was never issued.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from domain.decision import Refuse
from edge.facade import Edge, Printed

logger = logging.getLogger(__name__)

KEPT = 40
STOP_S = 3.0


@dataclass(slots=True)
class PrintOrder:
    """*total* vouchers of one template. *states*: how each printing ended; *refused*: why the rest was not begun."""

    merchant_id: int
    template_id: int
    name: str
    total: int
    by: str
    printer: str = ""
    states: list[str] = field(default_factory=list)
    printing: bool = False
    ended: bool = False
    refused: str = ""

    @property
    def queued(self) -> int:
        """How many have not been begun and will be."""
        return 0 if self.ended else self.total - len(self.states) - int(self.printing)

    @property
    def left_out(self) -> int:
        """How many will not be printed because the order ended early; nothing was spent on them."""
        return self.total - len(self.states) if self.ended else 0


class PrintDesk:
    """Takes orders and prints them in turn. *changed* is called with the merchant whenever something moved on."""

    def __init__(self, edge: Edge, changed: Callable[[], None]) -> None:
        self._edge, self._changed = edge, changed
        self._waiting: asyncio.Queue[PrintOrder | None] = asyncio.Queue()
        self._orders: deque[PrintOrder] = deque(maxlen=KEPT)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to print."""
        self._task = asyncio.create_task(self._work(), name="pages: printing")

    async def stop(self) -> None:
        """Finish the voucher in the printer, drop the rest."""
        self._waiting.put_nowait(None)
        for order in self._orders:
            order.ended = True
        if self._task is not None:
            with suppress(TimeoutError, asyncio.CancelledError):
                await asyncio.wait_for(self._task, STOP_S)

    def submit(self, order: PrintOrder) -> None:
        """Queue an order."""
        self._orders.appendleft(order)
        self._waiting.put_nowait(order)
        self._changed()

    def of_merchant(self, merchant_id: int, most: int = 5) -> list[PrintOrder]:
        """The newest orders of a merchant."""
        return [order for order in self._orders if order.merchant_id == merchant_id][:most]

    async def _work(self) -> None:
        while (order := await self._waiting.get()) is not None:
            while len(order.states) < order.total and not order.ended:
                await self._print_one(order)
            order.ended = True
            if order.left_out:
                logger.warning(
                    "printing for merchant %d stopped, %d left out: %s",
                    order.merchant_id, order.left_out, order.refused or order.states[-1:],
                )  # fmt: skip
            self._changed()

    async def _print_one(self, order: PrintOrder) -> None:
        order.printing = True
        self._changed()
        result: Printed | Refuse
        try:
            result = await self._edge.issue_voucher(order.merchant_id, order.template_id, order.by, order.printer)
        except Exception:
            logger.exception("printing for merchant %d failed", order.merchant_id)
            result = Refuse("print_broken")
        order.printing = False
        if isinstance(result, Refuse):
            order.refused, order.ended = result.code, True
        else:
            order.states.append(result.state)
            order.ended = order.ended or not (result.state == "confirmed" or result.silent)
        self._changed()
