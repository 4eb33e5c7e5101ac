"""Three years behind a lot: past stays, ledger rows, listed plates and rules, written straight into its tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from domain.sync.channel import bucket_of
from domain.wire import canonical
from edge.db.database import Database, transaction
from tests.edge.lots import SmallLot

PLATES = 100_000
SCATTER = 61_813  # shares no factor with PLATES: cars in a row do not look alike, as in any real lot


def plate(number: int) -> str:
    """A plate of its own for every car."""
    return f"粤B{number * SCATTER % PLATES:05d}"


def past_stays(lot: SmallLot, count: int) -> None:
    """Copies of a stay that is over, its car seen leaving."""
    row = dict(lot.db.conn.execute("SELECT * FROM stay WHERE state = 'closed' LIMIT 1").fetchone())
    row["passed"] = 1
    copies(
        lot.db, "stay", row, count,
        lambda n: {"stay_id": f"past{n}", "plate": plate(n), "decision_in": f"in{n}", "decision_out": f"out{n}"},
    )  # fmt: skip


def ledger(db: Database, count: int) -> None:
    """Postings of *count* / 2 balanced entries."""
    row = {
        "entry": "", "leg": 0, "account": "cash", "commodity": "FEN", "funds": "", "amount": 0, "stay_id": "",
        "wall_ms": 0,
    }  # fmt: skip
    copies(
        db, "posting", row, count,
        lambda n: {"entry": f"e{n // 2}", "leg": n % 2, "amount": 500 - 1000 * (n % 2), "stay_id": f"past{n // 2}"},
    )  # fmt: skip


def listed(lot: SmallLot, channel: str, rows: list[tuple[str, dict[str, object]]]) -> None:
    """Rows of a channel as the cloud would have sent them."""
    with transaction(lot.db) as conn:
        conn.executemany(
            "INSERT INTO channel_row (channel, key, bucket, ver, value) VALUES (?, ?, ?, 1, ?)",
            ((channel, key, bucket_of(key), canonical(value).decode()) for key, value in rows),
        )


def copies(
    db: Database, table: str, row: dict[str, object], count: int, changes: Callable[[int], dict[str, object]]
) -> None:
    """*count* copies of *row*, each with its *changes*."""
    names = ", ".join(row)
    marks = ", ".join(f":{name}" for name in row)
    with transaction(db) as conn:
        conn.executemany(
            f"INSERT INTO {table} ({names}) VALUES ({marks})",  # noqa: S608 - our own names
            ({**row, **changes(number)} for number in range(count)),
        )


def checkpoint(conn: sqlite3.Connection) -> None:
    """Bring everything into the database file, so that nobody pays for it later."""
    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
