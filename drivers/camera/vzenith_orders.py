"""What a Vzenith camera can be told to do, by whichever way it is reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from drivers.camera.vzenith_codec import SerialData
from drivers.camera.vzenith_reply import IoControl, ListChange


@dataclass(frozen=True, slots=True)
class Order:
    """Outputs to switch, bytes for the RS-485 port, a picture to take, a change of the list."""

    io: tuple[IoControl, ...] = ()
    serial: tuple[SerialData, ...] = ()
    trigger: bool = False
    listed: ListChange | None = None


@runtime_checkable
class TakesOrders(Protocol):
    """A Vzenith camera with outputs and an RS-485 port, over HTTP or MQTT."""

    takes_orders_always: bool  # False: only with the answer to a plate, so nothing may hang on it but a barrier

    async def order(self, order: Order) -> None:
        """Have it done, once. DeviceUnreachableError says whether nothing was sent, or nobody knows."""
        ...

    def expect_orders(self) -> None:
        """A barrier hangs on this camera: a plate's answer may carry its order."""
        ...
