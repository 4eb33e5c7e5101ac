"""An event loop whose time jumps to the next timer as soon as nothing is left to be done, so that a week takes minutes.

Work on other threads (the edge's database) is waited for in real time: the clock stands still meanwhile.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from plumbing.onethread import OneThread


class VirtualLoop(asyncio.SelectorEventLoop):
    """``time()`` is virtual seconds since the loop was made; ``busy`` counts calls under way on other threads."""

    def __init__(self) -> None:
        self.virtual_s, self.busy = 0.0, 0
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        return self.virtual_s

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        self.busy += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._returned)
        return future

    def _returned(self, _: asyncio.Future[Any]) -> None:
        self.busy -= 1


class _JumpingSelector(selectors.DefaultSelector):
    """Waits for real only while other threads work for us; else it lets the time pass at once."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None or (timeout > 0 and self._loop.busy):
            return super().select(None)
        ready = super().select(0)
        if not ready and timeout > 0:
            self._loop.virtual_s += timeout
        return ready


@contextmanager
def virtual_loop() -> Iterator[VirtualLoop]:
    """The loop; calls to threads of their own count as busy while it lives."""
    loop, run = VirtualLoop(), OneThread.run

    async def counted(self: OneThread, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        loop.busy += 1
        try:
            return await run(self, function, *args, **kwargs)
        finally:
            loop.busy -= 1

    with patch.object(OneThread, "run", counted), asyncio.Runner(loop_factory=lambda: loop):
        yield loop
