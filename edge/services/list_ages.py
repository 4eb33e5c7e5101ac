"""How old each list of the cloud's is here: the time since the cloud last confirmed it as equal (E37)."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from domain.moment import Moment
from domain.sync.channel import CHANNELS
from edge.db import equal_lists
from edge.db.equal_lists import HeldList

IMPORTANT = ("rules", "people", "coupons", "keys", "vstate", "payments")  # an exit or a counter decides by these
MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class ListAge:
    """*minutes* is None where the cloud never confirmed the list."""

    held: HeldList
    minutes: int | None

    @property
    def is_important(self) -> bool:
        """Does an exit or a counter decide by it?"""
        return self.held.channel in IMPORTANT


def of_all(conn: sqlite3.Connection, now: Moment) -> list[ListAge]:
    """Every list, those that decide first."""
    others = [channel for channel in CHANNELS if channel not in IMPORTANT]
    return [ListAge(one, _minutes(one.said, now)) for one in equal_lists.held(conn, (*IMPORTANT, *others))]


def oldest_min(conn: sqlite3.Connection, now: Moment) -> int | None:
    """Age of the oldest list that decides; None where one was never confirmed."""
    said = equal_lists.said(conn)
    ages = [_minutes(said.get(channel), now) for channel in IMPORTANT]
    return None if None in ages else max(age for age in ages if age is not None)


def _minutes(said: Moment | None, now: Moment) -> int | None:
    """By the boot clock within a boot, by the wall clocks across boots."""
    if said is None:
        return None
    since_ms = now.boot_ms - said.boot_ms if said.boot == now.boot else now.wall_ms - said.wall_ms
    return max(0, since_ms) // MINUTE_MS
