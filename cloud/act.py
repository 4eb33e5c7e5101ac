"""Who does something in the cloud and when, and the one way a service says no."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection

from cloud.reach import EVERY, Lots
from domain.ids import uuid7

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Act:
    """One thing done by *by* at *now_ms* (UTC epoch) for one operator; ids come from *random*, so tests repeat."""

    operator_id: int
    by: str
    now_ms: int
    random: Callable[[int], bytes]
    within: Lots = EVERY  # the lots it may touch, where it is asked for as one of somebody's

    def uuid(self) -> str:
        """A fresh UUIDv7."""
        return uuid7(self.now_ms, self.random(10))

    def below(self, limit: int) -> int:
        """A number in 0 ≤ n < *limit*."""
        return int.from_bytes(self.random(8), "big") % limit


@dataclass(frozen=True, slots=True)
class Refused:
    """A service said no: a stable *code*, its words are in the catalogue, with *facts* to fill in."""

    code: str
    facts: Mapping[str, str | int] = field(default_factory=dict)


def or_nothing(work: Callable[Concatenate[Connection, P], T]) -> Callable[Concatenate[Connection, P], T]:
    """Let *work* keep everything it wrote, or nothing of it where it says Refused; its caller's writes stay."""

    @wraps(work)
    def done(conn: Connection, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with conn.begin_nested() as attempt:
            made = work(conn, *args, **kwargs)
            if isinstance(made, Refused):
                attempt.rollback()
        return made

    return done
