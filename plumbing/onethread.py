"""One thread that owns something no other thread may touch: a database connection, a serial line, a camera.

    async with OneThread("edge-db") as thread:
        db = await thread.run(open_database, path)
        decision = await thread.run(leave, db, tariff, plate, now)

Calls run one after another in the order they were made, so a transaction never meets another one.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_Job = tuple["Future[Any]", Callable[[], Any]]


class ThreadClosedError(Exception):
    """The thread was closed; nothing more is run on it."""


class OneThread:
    """Runs callables on its own thread, in order. Closing lets what was accepted finish."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._gate = threading.Lock()
        self._open = True
        self._waiting = 0
        self._done = 0
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    @property
    def progress(self) -> int:
        """Calls finished so far; a watchdog sees by it that the thread is alive."""
        return self._done

    @property
    def waiting(self) -> int:
        """Calls accepted and not finished, the running one included."""
        return self._waiting

    async def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """The result of *function*, or its exception. Cancelling the wait does not undo a call that has begun.

        Raises ThreadClosedError.
        """
        return await asyncio.wrap_future(self.submit(function, *args, **kwargs))

    def run_blocking(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """The same for synchronous callers; on the thread itself it runs at once. Raises ThreadClosedError."""
        if threading.current_thread() is self._thread:
            return function(*args, **kwargs)
        return self.submit(function, *args, **kwargs).result()

    def submit(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Queue a call and return its future at once. Raises ThreadClosedError."""
        future: Future[R] = Future()
        with self._gate:
            if not self._open:
                raise ThreadClosedError(f"{self.name} is closed")
            self._waiting += 1
            self._jobs.put((future, lambda: function(*args, **kwargs)))
        return future

    async def close(self) -> None:
        """Finish what was accepted, then end the thread. Safe to call twice."""
        await asyncio.to_thread(self.close_blocking)

    def close_blocking(self) -> None:
        """`close` for synchronous callers. Must not be called on the thread itself."""
        with self._gate:
            if self._open:
                self._open = False
                self._jobs.put(None)
        self._thread.join()

    async def __aenter__(self) -> OneThread:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, call = job
            if future.set_running_or_notify_cancel():
                try:
                    result = call()
                except BaseException as exc:  # noqa: BLE001 - handed to whoever asked
                    self._count()
                    future.set_exception(exc)
                else:
                    self._count()
                    future.set_result(result)
                    del result
            else:
                self._count()
            del job, future, call  # an idle thread must not keep the last result alive

    def _count(self) -> None:
        """One call less to wait for, before whoever asked hears of it."""
        with self._gate:
            self._waiting -= 1
            self._done += 1
