"""A process that dies between any two statements: database connections with a fuse."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class SimulatedCrashError(Exception):
    """The process is gone. What was committed stays; everything in memory is lost."""


class Point(StrEnum):
    """Where in a process's life a database step stands."""

    STATEMENT = "statement"
    BEFORE_COMMIT = "before commit"
    AFTER_COMMIT = "after commit"


@dataclass(slots=True)
class Fuse:
    """Blows at the n-th database step of a kind; while cold, everything passes."""

    left: int = 0
    at: Point | None = None

    def light(self, steps: int, at: Point | None = None) -> None:
        """Crash at the *steps*-th step from now, or the *steps*-th of the kind *at*."""
        self.left, self.at = steps, at

    def douse(self) -> None:
        """No crash after all."""
        self.left = 0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Steps of a bystander do not count."""
        left, self.left = self.left, 0
        try:
            yield
        finally:
            self.left = left

    def burn(self, at: Point) -> None:
        """One step. Raises SimulatedCrashError when it is the last; what cleans up after it does not crash again."""
        if self.left == 0 or (self.at is not None and at is not self.at):
            return
        self.left -= 1
        if self.left == 0:
            raise SimulatedCrashError(at)


class FusedConnection(sqlite3.Connection):
    """A connection of a process that may die at any statement, also right after a commit."""

    fuse: Fuse

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """As sqlite3 does it, if the process lives that long."""
        self.fuse.burn(Point.BEFORE_COMMIT if sql == "COMMIT" else Point.STATEMENT)
        cursor = super().execute(sql, parameters)
        if sql == "COMMIT":
            self.fuse.burn(Point.AFTER_COMMIT)
        return cursor

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> sqlite3.Cursor:
        """As sqlite3 does it, if the process lives that long."""
        self.fuse.burn(Point.STATEMENT)
        return super().executemany(sql, parameters)

    def commit(self) -> None:
        """A commit that may be the last thing done, or the first not done."""
        self.fuse.burn(Point.BEFORE_COMMIT)
        super().commit()
        self.fuse.burn(Point.AFTER_COMMIT)


def fused_memory(fuse: Fuse) -> FusedConnection:
    """An empty database in memory; it outlives the simulated processes that use it."""
    conn = sqlite3.connect(":memory:", isolation_level=None, factory=FusedConnection, cached_statements=512)
    conn.fuse = fuse
    conn.row_factory = sqlite3.Row
    return conn
