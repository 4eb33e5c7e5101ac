"""Devices whose loss would not show until they are needed, and whose return would not show until they are used."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from drivers.base import Checkable, DeviceError, Trouble, Watchable
from edge.supervise import Health

LOOK_S, AGAIN_S = 0.8, 0.2


async def watch_over(
    part: str, device: object, health: Health, *, only_own: bool = False, came_back: Callable[[], None] = lambda: None
) -> None:
    """Keep *health* right about *part* until cancelled; returns at once for a device that cannot be asked.

    A ``Watchable`` is asked all the time, any other device only while it counts as lost, since asking it costs more.
    *only_own*: what somebody else found wrong with it is not over because it answers.
    """
    if not isinstance(device, Watchable | Checkable):
        return
    lost = False
    while True:
        await asyncio.sleep(LOOK_S)
        if not isinstance(device, Watchable) and part not in health.wrong:
            continue  # asking it costs more
        error = await _trouble(device)
        if error and not lost:  # one answer may be late where a machine is busy
            await asyncio.sleep(AGAIN_S)
            error = await _trouble(device)
        if error:
            lost = True
            health.set(part, error)
            continue
        if lost or not only_own:
            health.set(part, "")
        if lost:
            lost = False
            came_back()


async def _trouble(device: Watchable | Checkable) -> str:
    """Why it cannot be used, "" when it answers."""
    try:
        await (device.still_there() if isinstance(device, Watchable) else device.check())
    except DeviceError as exc:
        return Trouble.of(exc)
    return ""
