"""Keeping work running: a device that fails is tried again, anything else is a bug and ends the daemon."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from drivers.base import DeviceError, Trouble

log = logging.getLogger(__name__)

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 1.5  # what is plugged in again is seen to work while the person who did it still stands there
STEADY_S = 30.0  # running this long without failing counts as recovered


async def keep_running(
    name: str,
    work: Callable[[], Awaitable[None]],
    *,
    on_state: Callable[[str], None] = lambda error: None,
    first_delay_s: float = FIRST_DELAY_S,
) -> None:
    """Run *work* again after every DeviceError, waiting longer each time; returns when *work* does.

    *on_state* hears what is wrong when it begins and "" when it is over; each is logged once.
    """
    loop = asyncio.get_running_loop()
    delay, failing = first_delay_s, False
    while True:
        started = loop.time()
        try:
            await work()
        except DeviceError as exc:
            if loop.time() - started >= STEADY_S:
                delay, failing = first_delay_s, False
            if not failing:
                log.warning("%s: %s", name, exc)
            failing = True
            on_state(Trouble.of(exc))
        else:
            return
        await asyncio.sleep(delay)
        delay = min(delay * 2, LONGEST_DELAY_S)


class Health:
    """What is wrong with which part; a change is told once."""

    def __init__(self, on_change: Callable[[], None] = lambda: None) -> None:
        self._wrong: dict[str, str] = {}
        self._on_change = on_change

    def set(self, part: str, error: str) -> None:
        """Say that *part* has failed, or with "" that it works."""
        if self._wrong.get(part, "") == error:
            return
        if error:
            self._wrong[part] = error
        else:
            self._wrong.pop(part, None)
            log.info("%s works again", part)
        self._on_change()

    @property
    def wrong(self) -> dict[str, str]:
        """Every part that does not work, and why."""
        return dict(self._wrong)
