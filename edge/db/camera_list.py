"""What this edge wrote into the lists that cameras keep: rows of somebody else's are not known here, nor touched."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Bounds = tuple[str, str]  # lot-local, ISO 8601


@dataclass(frozen=True, slots=True)
class Run:
    """How a camera's list is: last equal to what it should be at *full_wall_ms*; *why* it is not, "" if it is."""

    camera: str
    full_wall_ms: int | None = None
    left_out: int = 0  # more than it may hold
    why: str = ""


def held(conn: sqlite3.Connection, camera: str) -> dict[str, Bounds]:
    """What was written into the list of *camera*, by plate."""
    rows = conn.execute("SELECT plate, begins, ends FROM camera_list WHERE camera = ?", (camera,))
    return {plate: (begins, ends) for plate, begins, ends in rows}


def put(conn: sqlite3.Connection, camera: str, cars: Mapping[str, Bounds]) -> None:
    """*cars* were written."""
    rows = [(camera, plate, begins, ends) for plate, (begins, ends) in cars.items()]
    conn.executemany("INSERT OR REPLACE INTO camera_list (camera, plate, begins, ends) VALUES (?, ?, ?, ?)", rows)


def strike_out(conn: sqlite3.Connection, camera: str, plates: Iterable[str]) -> None:
    """*plates* were struck out, or were found to be missing."""
    conn.executemany("DELETE FROM camera_list WHERE camera = ? AND plate = ?", [(camera, plate) for plate in plates])


def cameras(conn: sqlite3.Connection) -> dict[str, int]:
    """Every camera with something of ours in its list, and how much."""
    return dict(conn.execute("SELECT camera, count(*) FROM camera_list GROUP BY camera").fetchall())


def note(conn: sqlite3.Connection, run: Run) -> None:
    """Remember how it went; a run that failed keeps the moment of the last that did not."""
    conn.execute(
        "INSERT INTO camera_list_run (camera, full_wall_ms, left_out, why) VALUES (?, ?, ?, ?) ON CONFLICT (camera) DO"
        " UPDATE SET full_wall_ms = coalesce(excluded.full_wall_ms, full_wall_ms), left_out = excluded.left_out,"
        " why = excluded.why",
        (run.camera, run.full_wall_ms, run.left_out, run.why),
    )


def run_of(conn: sqlite3.Connection, camera: str) -> Run:
    """How the list of *camera* is."""
    row = conn.execute("SELECT * FROM camera_list_run WHERE camera = ?", (camera,)).fetchone()
    return Run(*row) if row else Run(camera)
