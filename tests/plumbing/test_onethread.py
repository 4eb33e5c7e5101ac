from __future__ import annotations

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest

from plumbing.onethread import OneThread, ThreadClosedError


async def test_everything_runs_on_the_one_thread_in_the_order_asked(tmp_path: Path) -> None:
    async with OneThread("db") as thread:
        db = await thread.run(sqlite3.connect, tmp_path / "x.db")  # sqlite3 itself refuses any other thread
        await thread.run(db.execute, "create table t (n)")
        await asyncio.gather(*(thread.run(db.execute, "insert into t values (?)", (n,)) for n in range(50)))
        rows = await thread.run(lambda: [row[0] for row in db.execute("select n from t order by rowid")])
        await thread.run(db.close)

    assert rows == list(range(50))


async def test_an_exception_reaches_whoever_asked_and_the_thread_goes_on() -> None:
    async with OneThread("db") as thread:
        with pytest.raises(ZeroDivisionError):
            await thread.run(lambda: 1 // 0)

        assert await thread.run(lambda: 2) == 2
        assert thread.progress == 2
        assert thread.waiting == 0


async def test_closing_finishes_what_was_accepted_and_refuses_the_rest() -> None:
    thread = OneThread("db")
    release, done = threading.Event(), list[int]()
    first = thread.submit(release.wait, 5)
    rest = [thread.submit(done.append, n) for n in range(10)]
    assert thread.waiting == 11

    closing = asyncio.create_task(thread.close())
    release.set()
    await closing

    assert first.result() is True
    assert all(future.done() for future in rest)
    assert done == list(range(10))
    with pytest.raises(ThreadClosedError):
        await thread.run(print)


async def test_a_cancelled_wait_does_not_stop_a_call_that_has_begun() -> None:
    begun, release, done = threading.Event(), threading.Event(), []

    def write() -> None:
        begun.set()
        release.wait(5)
        done.append(1)

    async with OneThread("db") as thread:
        waiting = asyncio.create_task(thread.run(write))
        await asyncio.to_thread(begun.wait, 5)
        waiting.cancel()
        release.set()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    assert done == [1]


async def test_a_call_given_up_before_its_turn_is_not_made() -> None:
    release, done = threading.Event(), list[int]()

    async with OneThread("db") as thread:
        thread.submit(release.wait, 5)
        waiting = asyncio.create_task(thread.run(done.append, 1))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        release.set()

    assert done == []


async def test_synchronous_callers_may_use_it_too_also_from_inside() -> None:
    async with OneThread("db") as thread:
        nested = await asyncio.to_thread(
            thread.run_blocking, lambda: thread.run_blocking(lambda: threading.current_thread().name)
        )

    assert nested == "db"
