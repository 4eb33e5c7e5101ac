"""Orders to a Vzenith camera over HTTP, where it never listens: they ride on the answer to what the camera asked."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from drivers.base import DeviceUnreachableError
from drivers.camera.vzenith_orders import Order

LONGEST_HOLD_S = 1.0  # a decision later than this after its push never rides on that push's answer


@dataclass(slots=True)
class _Letter:
    order: Order
    taken: bool = False
    gone: asyncio.Future[bool] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Mailbox:
    """Holds an order for as long as its sender waits, and not a moment longer: nothing opens late."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._letters: list[_Letter] = []
        self._news = asyncio.Event()

    async def send(self, order: Order, wait_s: float) -> None:
        """Give *order* to the next answer. DeviceUnreachableError: it was not sent, or it is not known to have arrived.

        *wait_s*: how long the camera may take to ask; then the order is withdrawn.
        """
        letter = _Letter(order)
        self._letters.append(letter)
        self._news.set()
        try:
            async with asyncio.timeout(wait_s):
                whole = await asyncio.shield(letter.gone)
        except TimeoutError:
            if not letter.taken:
                raise DeviceUnreachableError(
                    f"{self.name}: the camera did not ask for orders within {wait_s:.1f} s; nothing was sent. "
                    "Switch its comet polling on"
                ) from None
            whole = False
        finally:
            if letter in self._letters:
                self._letters.remove(letter)
        if not whole:
            raise DeviceUnreachableError(f"{self.name}: the camera hung up before its orders were through")

    async def collect(self, hold_s: float) -> list[_Letter]:
        """The orders that are there, or come within *hold_s*; whoever collects them says how they went."""
        if not self._letters and hold_s > 0:
            self._news.clear()
            try:
                async with asyncio.timeout(hold_s):
                    await self._news.wait()
            except TimeoutError:
                return []
        letters, self._letters = self._letters, []
        for letter in letters:
            letter.taken = True
        return letters


def sent(letters: list[_Letter], whole: bool) -> None:
    """Tell the senders whether the answer that carried their orders left whole."""
    for letter in letters:
        if not letter.gone.done():
            letter.gone.set_result(whole)


def merged(letters: list[_Letter]) -> Order:
    """Everything one answer has to carry."""
    orders = [letter.order for letter in letters]
    return Order(
        tuple(control for order in orders for control in order.io),
        tuple(data for order in orders for data in order.serial),
        any(order.trigger for order in orders),
        next((order.listed for order in orders if order.listed), None),  # one job writes a list, change by change
    )
