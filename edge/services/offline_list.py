"""Which cars a camera should know for when nobody answers it, and how far its list is from that."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from domain.entitlement import Entitlement
from domain.moment import Moment
from domain.wire import Json
from edge.db import camera_list, channels
from edge.db.camera_list import Bounds, Run
from edge.db.database import Database, transaction
from edge.services import entitled, listed
from edge.services.lot import Lot

EARLIEST, LATEST = datetime(2000, 1, 1), datetime(2037, 12, 31, 23, 59)  # noqa: DTZ001 - cameras know no "for ever"
AHEAD = timedelta(days=2)  # a car is written this long before its time comes
HOUR_MS = 3_600_000


def entitled_plates(conn: sqlite3.Connection) -> list[str] | None:
    """Every plate of the cloud's list; None while this lot never got one."""
    return channels.plates(conn, "people") if channels.version(conn, "people") else None


def wanted(
    conn: sqlite3.Connection, lot: Lot, plates: Iterable[str], zones: Iterable[str], now: Moment
) -> dict[str, Bounds]:
    """Which of *plates* may come into one of *zones* at any hour, and between which moments.

    Cars that may come at some hours only, and blocked ones, are not written: a camera knows neither.
    """
    local, found = lot.local(now.wall_ms), {}
    for plate in plates:
        good = [one for one in entitled.of_plate(conn, lot, plate) if _is_good(one, set(zones), local)]
        if good and not listed.blocked(conn, plate, now):
            begins = min(one.begins or EARLIEST for one in good)
            ends = max(one.good_until or LATEST for one in good)
            found[plate] = (begins.isoformat(), ends.isoformat())
    return found


def _is_good(one: Entitlement, zones: set[str], local: datetime) -> bool:
    begun = one.begins is None or one.begins <= local + AHEAD
    ended = one.good_until is not None and one.good_until <= local
    return begun and not ended and not one.windows and (not one.zones or bool(one.zones & zones))


def written(db: Database, camera: str, cars: dict[str, Bounds]) -> None:
    """*cars* are in the list of *camera*."""
    with transaction(db) as conn:
        camera_list.put(conn, camera, cars)


def gone(db: Database, camera: str, plates: Iterable[str]) -> None:
    """*plates* are not in the list of *camera*."""
    with transaction(db) as conn:
        camera_list.strike_out(conn, camera, plates)


def note(db: Database, run: Run) -> None:
    """How it went."""
    with transaction(db) as conn:
        camera_list.note(conn, run)


def standing(conn: sqlite3.Connection, named: Sequence[str], now_ms: int) -> list[Json]:
    """Every camera that should have a list or still has one: its cars, its age in hours (None: never full), and why."""
    held = camera_list.cameras(conn)
    found: list[Json] = []
    for camera in sorted({*named, *held}):
        run = camera_list.run_of(conn, camera)
        hours = None if run.full_wall_ms is None else max(0, now_ms - run.full_wall_ms) // HOUR_MS
        about: Json = {"camera": camera, "cars": held.get(camera, 0), "hours": hours}
        found.append(about | {"left_out": run.left_out, "why": run.why, "named": camera in named})
    return found
