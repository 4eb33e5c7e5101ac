"""A lot that has run for a while opens with the schema of today and finds its cars, pulses and used sets again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlite_utils import Database

from edge.db import decisions, stays, vouchers
from edge.db.database import open_database
from edge.db.migrations import migrations


def old_stay(db: Database, stay_id: str, plate: str, state: str, decision_out: str, closed_ms: int | None) -> None:
    db.conn.execute(
        "INSERT INTO stay (stay_id, plate, plate_raw, vehicle_class, zone, lane_in, decision_in, entered_boot,"
        " entered_boot_ms, entered_wall_ms, entered_quality, entered_uncertainty_ms, state, decision_out,"
        " closed_wall_ms) VALUES (?, ?, ?, 'small', 'main', 'in', ?, 'b', 1, 1, 3, 0, ?, ?, ?)",
        (stay_id, plate, plate, f"in-{stay_id}", state, decision_out, closed_ms),
    )


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """The database of a lot as it was before step 6, opened by the program of today."""
    before = Database(tmp_path / "lot.db")
    migrations.apply(before, stop_before="m0006_fewer_pages")
    old_stay(before, "left", "京A00001", "closed", "d1", 10)
    old_stay(before, "left-later", "京A00001", "closed", "d2", 20)
    old_stay(before, "inside", "京A00001", "open", "", None)
    old_stay(before, "leaving", "京A00002", "closed", "d3", 30)
    before.conn.execute("INSERT INTO arrival VALUES ('inside', 'out', 'b', 7, 8, 3, 9)")
    for decision, by in (("d1", ""), ("d3", ""), ("in-inside", ""), ("by-hand", "wang")):
        before.conn.execute("INSERT INTO pulse VALUES (?, 'out', ?, '', 1)", (decision, by))
    before.conn.execute("INSERT INTO acted_read VALUES ('r1', 'd1', 1)")
    before.conn.execute("INSERT INTO coupon_used VALUES ('c1', 'x1', 'left', 5, 1)")
    before.conn.execute("INSERT INTO voucher_used VALUES (1, 2, 'x2', 'left', 5, 1)")
    before.conn.commit()
    before.conn.close()
    db = open_database(tmp_path / "lot.db")
    yield db.conn
    db.conn.close()


def test_every_plate_is_here_at_most_once(conn: sqlite3.Connection) -> None:
    here = conn.execute("SELECT stay_id FROM stay WHERE passed = 0 ORDER BY stay_id").fetchall()

    assert [row[0] for row in here] == ["inside", "leaving"]


def test_when_a_car_came_to_an_exit_is_kept(conn: sqlite3.Connection) -> None:
    stay = stays.get(conn, "inside")

    assert stay is not None
    assert stay.arrived is not None
    assert (stay.arrived.boot_ms, stay.arrived.wall_ms, stay.arrived.uncertainty_ms) == (7, 8, 9)


def test_a_pulse_finds_its_stay_and_is_still_the_only_one(conn: sqlite3.Connection) -> None:
    left, inside = stays.by_exit_decision(conn, "d3"), stays.by_entry_decision(conn, "in-inside")

    assert left is not None
    assert left.stay_id == "leaving"
    assert inside is not None
    assert inside.stay_id == "inside"
    assert decisions.was_pulsed(conn, "by-hand")
    with pytest.raises(sqlite3.IntegrityError):
        conn.execute("INSERT INTO pulse VALUES ('d1', 'out', '', '', '', 1)")


def test_what_was_used_counts_as_used_and_cannot_be_taken_back(conn: sqlite3.Connection) -> None:
    assert decisions.acted_on(conn, "r1") == "d1"
    assert vouchers.is_coupon_used(conn, "c1")
    assert vouchers.is_used(conn, 1, 2)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        conn.execute("DELETE FROM coupon_used")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        conn.execute("UPDATE voucher_used SET off_fen = 0")
