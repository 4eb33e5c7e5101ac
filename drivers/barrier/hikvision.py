"""A boom gate behind a Hikvision entrance camera: ``barrierGate`` over ISAPI, one PUT an opening."""

from __future__ import annotations

from dataclasses import dataclass

from drivers.isapi import Isapi, IsapiOptions, isapi_of
from drivers.wiring import Wiring


@dataclass(frozen=True, slots=True, kw_only=True)
class HikvisionGateOptions(IsapiOptions):
    """The device, and the channel of its gate (from 1)."""

    channel: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.channel <= 8:
            raise ValueError(f"channel is {self.channel}; 1 to 8 are taken")


class HikvisionGate:
    """The device times the pulse. "Accepted" is all it says: a gate locked at the device accepts and stays shut."""

    def __init__(self, isapi: Isapi, channel: int) -> None:
        self._isapi = isapi
        self._path = f"/ISAPI/Parking/channels/{channel}/barrierGate"
        self._held = False

    async def open(self) -> None:
        """Ask once. DeviceUnreachableError: it may or may not have moved. DeviceRefusedError: the device said no."""
        if not self._held:
            await self._control("open")

    async def hold(self) -> None:
        """Lock it open: opened, and held so by the device."""
        self._held = True
        await self._control("open")
        await self._control("lock")

    async def release(self) -> None:
        """Unlock it, if it was held; the gate's own controller closes it."""
        if self._held:
            await self._control("unlock")
            self._held = False

    async def prepare(self) -> None:
        """Nothing to write off; that the device answers and takes the login is made sure of."""
        await self._isapi.request("GET", f"{self._path}/barrierGateStatus")

    async def check(self) -> None:
        """Ask for its state. Raises DeviceError."""
        await self.prepare()

    async def aclose(self) -> None:
        """Nothing to let go: each request has a connection of its own."""

    async def _control(self, mode: str) -> None:
        body = f'<?xml version="1.0" encoding="UTF-8"?><BarrierGate><ctrlMode>{mode}</ctrlMode></BarrierGate>'
        await self._isapi.order(self._path, body.encode())


async def open_hikvision_gate(options: HikvisionGateOptions, wiring: Wiring) -> HikvisionGate:
    """A gate asked over HTTP when it is first used. Raises BadOptionsError without its password."""
    return HikvisionGate(isapi_of(f"barrier {wiring.name}", options), options.channel)
