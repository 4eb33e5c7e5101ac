"""What the tables themselves refuse, whatever the code above them does."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.ledger import Commodity, Funds, UnbalancedError, move
from domain.moment import Moment
from edge.db import decisions, money, stays, vouchers
from edge.db.database import open_database, transaction

NOW = Moment("boot-a", 1_000, 1_700_000_000_000)


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    db = open_database(tmp_path / "lot.db")
    yield db.conn
    db.conn.close()


def open_stay(conn: sqlite3.Connection, plate: str = "京A12345", stay_id: str = "s1") -> None:
    stays.insert(conn, stay_id, plate, plate, "small", "main", "in", "d1", NOW)


def row(conn: sqlite3.Connection, stay_id: str = "s1") -> stays.StayRow:
    found = stays.get(conn, stay_id)
    assert found is not None
    return found


def closing(**changes: int) -> stays.Closing:
    figures = {"fee_fen": 500, "discount_fen": 0, "waived_fen": 0, "paid_fen": 500, "owed_fen": 0} | changes
    return stays.Closing("out", "d2", "PAID", "", **figures, tariff="t")


def test_one_plate_has_at_most_one_open_stay(conn: sqlite3.Connection) -> None:
    open_stay(conn)

    with pytest.raises(sqlite3.IntegrityError):
        open_stay(conn, stay_id="s2")


def test_a_plate_comes_in_again_only_when_its_car_has_passed(conn: sqlite3.Connection) -> None:
    open_stay(conn)
    stays.close(conn, row(conn), closing(), (), NOW)
    with pytest.raises(sqlite3.IntegrityError):
        open_stay(conn, stay_id="s2")

    stays.mark_passed(conn, row(conn))

    open_stay(conn, stay_id="s2")


def test_a_stay_that_does_not_add_up_cannot_be_closed(conn: sqlite3.Connection) -> None:
    open_stay(conn)

    with pytest.raises(sqlite3.IntegrityError):
        stays.close(conn, row(conn), closing(paid_fen=400), (), NOW)


def test_a_misread_plate_is_found_until_the_car_has_passed(conn: sqlite3.Connection) -> None:
    open_stay(conn)
    assert stays.near(conn, "京A1234S") == ("京A12345",)

    stays.close(conn, row(conn), closing(), (), NOW)
    settled = stays.find_here(conn, "京A12345")
    assert settled is not None
    assert stays.near(conn, "京A1234S") == ("京A12345",)

    stays.mark_passed(conn, settled)

    assert stays.near(conn, "京A1234S") == ()


def test_a_decision_reserves_one_pulse_only(conn: sqlite3.Connection) -> None:
    decisions.reserve_pulse(conn, "d1", "out", "s1", NOW)

    with pytest.raises(sqlite3.IntegrityError):
        decisions.reserve_pulse(conn, "d1", "out", "s1", NOW)


def test_a_voucher_counts_once(conn: sqlite3.Connection) -> None:
    vouchers.use(conn, 1, 7, vouchers.Use("voucher", "1:7", "r1", "s1", 100, "", 3), NOW)

    with pytest.raises(sqlite3.IntegrityError):
        vouchers.use(conn, 1, 7, vouchers.Use("voucher", "1:7", "r2", "s2", 100, "", 3), NOW)


def test_the_book_takes_only_balanced_entries_and_keeps_them(conn: sqlite3.Connection) -> None:
    money.post(conn, "e1", move("held", "cash", 500, Commodity.FEN, Funds.PAID), "s1", NOW)

    with pytest.raises(UnbalancedError):
        money.post(conn, "e2", move("held", "cash", 500, Commodity.FEN, Funds.PAID)[:1], "s1", NOW)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        conn.execute("DELETE FROM posting")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        conn.execute("UPDATE posting SET amount = 0")


def test_a_counter_reserved_in_a_lost_transaction_is_reserved_again(tmp_path: Path) -> None:
    db = open_database(tmp_path / "lot.db")

    def cut_short() -> None:
        with transaction(db) as conn:
            vouchers.reserve_counter(conn, 1)
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        cut_short()

    with transaction(db) as conn:
        assert [vouchers.reserve_counter(conn, 1), vouchers.reserve_counter(conn, 1)] == [1, 2]
    db.conn.close()


def test_the_database_and_what_sqlite_puts_beside_it_are_their_owners_alone(tmp_path: Path) -> None:
    db = open_database(tmp_path / "lot.db")
    with transaction(db) as conn:
        conn.execute("INSERT INTO note VALUES ('a', 'b')")

    assert {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {
        "lot.db": 0o600,
        "lot.db-wal": 0o600,
        "lot.db-shm": 0o600,
    }
    db.conn.close()
