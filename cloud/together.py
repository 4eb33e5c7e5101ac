"""Short pieces of work that wait at the same moment share one transaction: one write to the disk serves them all."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine

T = TypeVar("T")
Work = Callable[[Connection], Any]

MOST: Final = 64  # in one transaction, so that whatever else waits for the database gets its turn


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of a piece of work: its *error*, or else its *value*."""

    value: Any = None
    error: BaseException | None = None


class Together:
    """Collects work while the database's one thread is busy, and does it in the order it came.

    Each piece has a savepoint of its own, so one that raises takes back nothing but its own writes. Nobody is answered
    before the commit. Where that fails, or SQLite ends the transaction by itself, each piece is done again by *alone*.
    """

    def __init__(self, engine: Engine, thread: Executor, alone: Callable[[Work], Any]) -> None:
        self._engine, self._thread, self._alone = engine, thread, alone
        self._waiting: deque[tuple[Work, asyncio.Future[Any]]] = deque()

    async def run(self, work: Callable[[Connection], T]) -> T:
        """``work(connection)`` committed with its neighbours, or nothing of it when it raises."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, future))
        if len(self._waiting) == 1:  # else the thread is on its way already
            self._thread.submit(self._take_some)
        return await future

    def _take_some(self) -> None:
        some: list[tuple[Work, asyncio.Future[Any]]] = []
        while self._waiting and len(some) < MOST:
            some.append(self._waiting.popleft())
        if self._waiting:
            self._thread.submit(self._take_some)
        if some:
            futures = [future for _, future in some]
            futures[0].get_loop().call_soon_threadsafe(_answer, futures, self._outcomes([work for work, _ in some]))

    def _outcomes(self, works: Sequence[Work]) -> list[_Outcome]:
        if len(works) > 1:
            # whatever goes wrong, nothing was kept and nobody answered: done by itself each says what it is
            with contextlib.suppress(Exception), self._engine.begin() as connection:
                return [_apart(connection, work) for work in works]
        return [_caught(self._alone, work) for work in works]


def _apart(connection: Connection, work: Work) -> _Outcome:
    """*work* under a savepoint. Raises when the transaction is gone."""
    driver: Any = connection.connection.driver_connection  # SQLAlchemy's own savepoints cost as much as two statements
    driver.execute("SAVEPOINT apart")
    outcome = _caught(work, connection)
    if outcome.error is not None:
        driver.execute("ROLLBACK TO apart")
    driver.execute("RELEASE apart")
    return outcome


def _caught(call: Callable[[Any], Any], argument: Any) -> _Outcome:
    try:
        return _Outcome(call(argument))
    except BaseException as exc:  # noqa: BLE001 - raised again where it was asked for
        return _Outcome(error=exc)


def _answer(futures: Sequence[asyncio.Future[Any]], outcomes: Sequence[_Outcome]) -> None:
    for future, outcome in zip(futures, outcomes, strict=True):
        if future.done():  # whoever asked is gone
            continue
        if outcome.error is None:
            future.set_result(outcome.value)
        else:
            future.set_exception(outcome.error)
