"""Orders of vouchers, printed one after another: each has its own counter, and a printer in doubt stops its order.

An order whose printer is not ready waits and goes on by itself when it is; one with a slip in doubt goes on when
somebody says so (E39). A printer that never answers stops nothing: somebody says at the end what came out.

Every slip is counted off its order in the transaction that issues it, so after a restart exactly what is left goes on.
One that was cut off by a crash is ``unknown``, and its order goes on when somebody says so.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from domain.decision import Refuse
from edge.counterdesk import Printed
from edge.db.printorders import OrderRow
from edge.facade import Edge
from edge.services import ordering
from edge.services.ordering import Left

logger = logging.getLogger(__name__)

KEPT = 40
STOP_S = 3.0
LOOK_S = 1.0
PATIENCE_S = 1800.0  # an order that nobody has come back to in half an hour is given up
NOT_READY, IN_DOUBT = "printer_not_ready", "in_doubt"


@dataclass(slots=True)
class PrintOrder:
    """*total* vouchers of one template, *begun* of them issued. *refused*: why the rest was not begun.

    *paused*: why it waits, ``printer_not_ready`` or ``in_doubt``; "" while it does not.
    """

    merchant_id: int
    template_id: int
    name: str
    total: int
    by: str
    printer: str = ""
    begun: int = 0
    printing: bool = False
    ended: bool = False
    refused: str = ""
    paused: str = ""
    paused_at: float = 0.0
    order_id: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def queued(self) -> int:
        """How many have not been begun and will be."""
        return 0 if self.ended else self.total - self.begun - int(self.printing)

    @property
    def left_out(self) -> int:
        """How many will not be printed because the order ended early; nothing was spent on them."""
        return self.total - self.begun if self.ended else 0


class PrintDesk:
    """Takes orders and prints them in turn. *changed* is called whenever something moved on."""

    def __init__(self, edge: Edge, changed: Callable[[], None], now: Callable[[], float] = time.monotonic) -> None:
        self._edge, self._changed, self._now = edge, changed, now
        self._waiting: asyncio.Queue[PrintOrder | None] = asyncio.Queue()
        self._orders: deque[PrintOrder] = deque(maxlen=KEPT)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to print, first what a restart cut off: by itself, unless its last slip is in doubt."""
        for found in await self._edge.read(ordering.left):
            if found.row.begun < found.row.total:
                self._go_on_with(found)
            else:
                await self._edge.office.do(ordering.end, found.row.order_id)
        self._tasks = [
            asyncio.create_task(self._work(), name="pages: printing"),
            asyncio.create_task(self._look_after_paused(), name="pages: waiting to print"),
        ]

    def _go_on_with(self, found: Left) -> None:
        row, now_ms = found.row, self._edge.office.now().wall_ms
        order = PrintOrder(
            row.merchant_id, row.template_id, row.name, row.total, row.by, row.printer, row.begun,
            order_id=row.order_id,
        )  # fmt: skip
        self._pause(order, IN_DOUBT if found.doubtful else NOT_READY)
        order.paused_at -= max(0, now_ms - row.wall_ms) / 1000
        self._orders.appendleft(order)

    async def stop(self) -> None:
        """Finish the voucher in the printer; the rest goes on at the next start."""
        self._waiting.put_nowait(None)
        for order in self._orders:
            order.ended = True
        for task in self._tasks[1:]:
            task.cancel()
        with suppress(TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(asyncio.gather(*self._tasks, return_exceptions=True), STOP_S)

    async def submit(self, order: PrintOrder) -> Refuse | None:
        """Take an order and queue it. Refuses ``not_recorded``."""
        row = OrderRow(
            order.order_id, order.merchant_id, order.template_id, order.name, order.total, order.by, order.printer,
            self._edge.office.now().wall_ms,
        )  # fmt: skip
        refused = await self._edge.office.do(ordering.take, row)
        if refused is not None:
            return refused
        self._orders.appendleft(order)
        self._waiting.put_nowait(order)
        self._changed()
        return None

    def of_merchant(self, merchant_id: int, most: int = 5) -> list[PrintOrder]:
        """The newest orders of a merchant."""
        return [order for order in self._orders if order.merchant_id == merchant_id][:most]

    async def go_on(self, merchant_id: int, order_id: str) -> bool:
        """Print what is left of an order that waits; False when none of this merchant does."""
        order = self._paused(merchant_id, order_id)
        if order is None:
            return False
        order.paused = ""
        self._waiting.put_nowait(order)
        self._changed()
        return True

    async def give_up(self, merchant_id: int, order_id: str) -> bool:
        """Let go of what is left of it; nothing was spent on that."""
        order = self._paused(merchant_id, order_id)
        if order is None:
            return False
        await self._end(order)
        self._changed()
        return True

    async def _end(self, order: PrintOrder) -> None:
        order.paused, order.ended = "", True
        if order.left_out:
            logger.warning(
                "printing for merchant %d stopped, %d left out: %s",
                order.merchant_id, order.left_out, order.refused or "let go",
            )  # fmt: skip
        await self._edge.office.do(ordering.end, order.order_id)

    def _paused(self, merchant_id: int, order_id: str) -> PrintOrder | None:
        own = (one for one in self._orders if one.merchant_id == merchant_id and one.order_id == order_id)
        return next((one for one in own if one.paused and not one.ended), None)

    async def _work(self) -> None:
        while (order := await self._waiting.get()) is not None:
            while order.begun < order.total and not order.ended and not order.paused:
                await self._print_one(order)
            if order.begun == order.total:
                await self._end(order)
            self._changed()

    async def _look_after_paused(self) -> None:
        """What waits for a printer goes on when that is ready; what nobody comes back to is given up."""
        while True:
            await asyncio.sleep(LOOK_S)
            for order in [one for one in self._orders if one.paused and not one.ended]:
                if self._now() - order.paused_at > PATIENCE_S:
                    await self.give_up(order.merchant_id, order.order_id)
                elif order.paused == NOT_READY and await self._edge.counter.is_ready_to_print(order.printer):
                    await self.go_on(order.merchant_id, order.order_id)

    async def _print_one(self, order: PrintOrder) -> None:
        order.printing = True
        self._changed()
        result: Printed | Refuse
        try:
            result = await self._edge.counter.issue_voucher(
                order.merchant_id, order.template_id, order.by, order.printer, order_id=order.order_id,
                in_a_row=order.begun > 0,
            )  # fmt: skip
        except Exception:
            logger.exception("printing for merchant %d failed", order.merchant_id)
            result = Refuse("print_broken")
        order.printing = False
        if result == Refuse(NOT_READY):
            self._pause(order, NOT_READY)
        elif isinstance(result, Refuse):
            order.refused = result.code
            await self._end(order)
        else:
            order.begun += 1
            if not (result.state == "confirmed" or result.silent) and order.begun < order.total:
                self._pause(order, IN_DOUBT)
        self._changed()

    def _pause(self, order: PrintOrder, why: str) -> None:
        order.paused, order.paused_at = why, self._now()
