"""An exit decision (stay, coupons, tariff, ledger, log, pulse in one FULL transaction) against a bare FULL commit."""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path

from benchmarks.pairs import Pair, measure
from edge.db.database import transaction
from edge.services.entering import enter
from edge.services.leaving import leave
from tests.edge.lots import SmallLot, at, small_lot

CARS = 400
PAST_STAYS = 1_000_000
LISTED = 100_000


def plate(number: int) -> str:
    """A plate of its own for every car."""
    return f"粤B{number:05d}"


def bare(path: Path) -> sqlite3.Connection:
    """A database that commits as durably as the lot's."""
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("PRAGMA journal_mode=WAL")
    conn.execute("PRAGMA synchronous=FULL")
    conn.execute("CREATE TABLE row (n INTEGER PRIMARY KEY, text TEXT)")
    return conn


def commit_one(conn: sqlite3.Connection) -> None:
    """One row, one durable transaction."""
    conn.execute("BEGIN IMMEDIATE")
    conn.execute("INSERT INTO row (text) VALUES ('x')")
    conn.execute("COMMIT")


def with_cars(lot: SmallLot, first: int) -> None:
    """Cars inside, each with a coupon that covers its fee."""
    for number in range(first, first + CARS):
        enter(lot.db, lot.lot, lot.arrival("in", plate(number)), at(0))


def crowd(lot: SmallLot) -> None:
    """Three years behind the lot: a million past stays, a hundred thousand listed plates."""
    columns = [row[1] for row in lot.db.conn.execute("PRAGMA table_info(stay)")]
    row = dict(lot.db.conn.execute("SELECT * FROM stay WHERE state != 'open' LIMIT 1").fetchone())
    names, marks = ", ".join(columns), ", ".join("?" for _ in columns)
    with transaction(lot.db) as conn:
        conn.executemany(
            f"INSERT INTO stay ({names}) VALUES ({marks})",  # noqa: S608 - our own column names
            (
                tuple(
                    f"past{number}" if name == "stay_id" else plate(number % 99_999) if name == "plate" else row[name]
                    for name in columns
                )
                for number in range(PAST_STAYS)
            ),
        )
        conn.executemany(
            "INSERT INTO channel_row (channel, key, bucket, ver, value) VALUES ('people', ?, 0, 1, ?)",
            ((f"m{number}", f'{{"plate":"沪C{number:05d}"}}') for number in range(LISTED)),
        )


def exits(lot: SmallLot, conn: sqlite3.Connection, first: int, name: str) -> Pair:
    """Let the cars leave one by one within the free minutes of their coupons, a bare commit before each."""
    numbers = iter(range(first, first + CARS))

    def one_leaves() -> None:
        number = next(numbers)
        left = leave(lot.db, lot.lot, lot.arrival("out", plate(number)), at(12))
        if not left.opens:
            raise SystemExit(f"{plate(number)} was not let out: {left.decision.verdict}")

    return measure(name, "bare one-row FULL commit", lambda: commit_one(conn), one_leaves, pairs=CARS - 1)


def main() -> None:
    """Print the ratio for an empty lot and for a crowded one."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        conn = bare(Path(folder) / "bare.db")
        lot = small_lot(Path(folder))
        with_cars(lot, 0)
        empty = exits(lot, conn, 0, "exit decision, empty lot")
        print(empty)
        crowd(lot)
        with_cars(lot, CARS)
        full = exits(lot, conn, CARS, f"exit decision, {PAST_STAYS:,} past stays and {LISTED:,} listed plates")
        print(full)
        print(f"exit decision: full lot takes {full.subject.p50 / empty.subject.p50:.2f} × the empty lot's median")


if __name__ == "__main__":
    main()
