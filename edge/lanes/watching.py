"""Devices whose loss would not show until they are needed, and whose return would not show until they are used."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from drivers.base import Checkable, DeviceError, Watchable
from edge.supervise import Health

LOOK_S = 1.0


async def watch_over(
    part: str, device: object, health: Health, *, only_own: bool = False, came_back: Callable[[], None] = lambda: None
) -> None:
    """Keep *health* right about *part* until cancelled.

    A ``Watchable`` is asked all the time, any other device only while it counts as lost, since asking it costs more.
    *only_own*: what somebody else found wrong with it is not over because it answers.
    """
    lost = False
    while True:
        await asyncio.sleep(LOOK_S)
        try:
            if isinstance(device, Watchable):
                await device.still_there()
            elif part in health.wrong and isinstance(device, Checkable):
                await device.check()
            else:
                continue
        except DeviceError as exc:
            lost = True
            health.set(part, str(exc))
            continue
        if lost or not only_own:
            health.set(part, "")
        if lost:
            lost = False
            came_back()
