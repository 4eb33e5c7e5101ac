"""A boom gate on an output of a Vzenith camera: the camera is told once, over HTTP (``ivs_ioctrl``) or MQTT."""

from __future__ import annotations

from dataclasses import dataclass

from drivers.base import BadOptionsError
from drivers.camera.vzenith_orders import Order, TakesOrders
from drivers.camera.vzenith_reply import IoControl
from drivers.wiring import Wiring

OFF, ON, PULSE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class VzenithIoOptions:
    """The output (0 to 3) of the camera that ``camera`` names; the camera times the pulse."""

    io: int = 0
    pulse_ms: int = 500
    gate_input: str = "open"  # what the contact is wired to

    def __post_init__(self) -> None:
        if self.gate_input != "open":
            raise ValueError(f'gate_input is {self.gate_input!r}; only "open" is taken: a toggle would close on a car')
        if self.io not in range(4):
            raise ValueError(f"io is {self.io}; a camera has outputs 0 to 3")
        if not 500 <= self.pulse_ms <= 5000:
            raise ValueError(f"pulse_ms is {self.pulse_ms}; 500 to 5000 is taken")


class VzenithIoBarrier:
    """Over HTTP it opens with the answer to the plate just read, or to the camera's poll; over MQTT at once."""

    def __init__(self, name: str, camera: TakesOrders, options: VzenithIoOptions) -> None:
        self.name = name
        self._camera = camera
        self._options = options
        self._held = False

    async def open(self) -> None:
        """Order one pulse. DeviceUnreachableError says whether it certainly did not leave, or may have."""
        if not self._held:
            await self._order(PULSE)

    async def hold(self) -> None:
        """Order the output on. Said again it does no harm."""
        self._held = True
        await self._order(ON)

    async def release(self) -> None:
        """Order the output off, if it was held."""
        if self._held:
            await self._order(OFF)
            self._held = False

    async def prepare(self) -> None:
        """Nothing to write off: a pulse falls by itself, and the output cannot be read back."""

    async def _order(self, value: int) -> None:
        await self._camera.order(Order(io=(IoControl(self._options.io, value, self._options.pulse_ms),)))

    async def aclose(self) -> None:
        """Nothing to let go: the line is the camera's."""


async def open_vzenith_io(options: VzenithIoOptions, wiring: Wiring) -> VzenithIoBarrier:
    """A barrier on the camera named beside it. Raises BadOptionsError when that is no Vzenith."""
    camera = wiring.camera
    if not isinstance(camera, TakesOrders):
        raise BadOptionsError(
            f'barrier {wiring.name}: vzenith_io needs camera = "…", the name of a vzenith or vzenith_mqtt camera'
        )
    camera.expect_orders()
    return VzenithIoBarrier(wiring.name, camera, options)
