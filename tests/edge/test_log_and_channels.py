"""The durable log and the channels, over a real file."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlite_utils import Database

from domain.events import PaymentTaken, decode, open_envelope
from domain.moment import Moment
from domain.sync.channel import CHANNELS, Row, bucket_of, differing, digest, digest_text, split
from domain.wire import GENESIS, BadMessageError, chain_hash
from edge.db import channels, log
from edge.db.database import DatabaseInUseError, DatabaseLock, open_database, transaction
from edge.services.totals import total_log


@pytest.fixture
def db(tmp_path: Path) -> Database:
    return open_database(tmp_path / "lot.db")


def at(boot_ms: int) -> Moment:
    return Moment("b1", boot_ms, 1_790_000_000_000 + boot_ms)


def payment(number: int) -> PaymentTaken:
    return PaymentTaken(f"p{number}", "s1", "CASH", 100 * number, "a1")


def append(db: Database, number: int) -> None:
    with transaction(db) as conn:
        log.append(conn, payment(number), at(number))


def test_events_get_gapless_numbers_and_a_hash_that_covers_all_before(db: Database) -> None:
    for number in (1, 2, 3):
        append(db, number)

    rows = log.bodies(db.conn, 1, 1, 10)

    head = GENESIS
    for body, after in rows:
        head = chain_hash(head, body)
        assert after == head
    assert [open_envelope(body).seq for body, _ in rows] == [1, 2, 3]
    assert log.newest(db.conn) == log.Position(1, 3, head)


def test_a_body_read_back_is_the_event_that_was_written(db: Database) -> None:
    append(db, 7)

    envelope = open_envelope(log.bodies(db.conn, 1, 1, 1)[0][0])

    assert decode(envelope) == payment(7)
    assert envelope.moment == at(7)


def test_a_rolled_back_transaction_leaves_no_event_and_no_gap(db: Database) -> None:
    append(db, 1)

    def append_and_break() -> None:
        with transaction(db) as conn:
            log.append(conn, payment(2), at(2))
            conn.execute("INSERT INTO acked VALUES (2, 1, 0, x'00')")

    with pytest.raises(sqlite3.IntegrityError):
        append_and_break()

    append(db, 3)

    assert [open_envelope(body).payload["payment_id"] for body, _ in log.bodies(db.conn, 1, 1, 9)] == ["p1", "p3"]


def test_a_new_epoch_starts_empty_and_salvages_what_was_not_acked(db: Database) -> None:
    for number in (1, 2, 3):
        append(db, number)
    first = log.bodies(db.conn, 1, 1, 1)[0][1]
    with transaction(db) as conn:
        log.set_acked(conn, log.Position(1, 1, first), [])
        log.open_epoch(conn, 2)

    assert log.newest(db.conn) == log.Position(2, 0, GENESIS)
    assert [row["seq"] for row in db.query("SELECT seq FROM salvage ORDER BY seq")] == [2, 3]


def test_pruning_keeps_what_the_cloud_does_not_hold(db: Database) -> None:
    for number in (1, 2, 3):
        append(db, number)
    with transaction(db) as conn:
        log.set_acked(conn, log.Position(1, 2, log.bodies(conn, 1, 2, 1)[0][1]), [(1, "unknown type")])
        log.prune(conn, at(10_000).wall_ms)

    assert [row["seq"] for row in db.query("SELECT seq FROM outbox")] == [2, 3]
    assert log.backlog(db.conn) == 1


def test_pruning_leaves_no_hole_where_the_wall_clock_was_set_back(db: Database) -> None:
    for number in (1, 9_000, 2, 3):
        append(db, number)
    with transaction(db) as conn:
        log.set_acked(conn, log.Position(1, 4, log.bodies(conn, 1, 4, 1)[0][1]), [])
        pruned = log.prune(conn, at(5_000).wall_ms)

    assert (pruned, [row["seq"] for row in db.query("SELECT seq FROM outbox")]) == (1, [2, 3, 4])


def test_the_nightly_figure_covers_what_came_since_the_last(db: Database) -> None:
    for number in (1, 2, 3):
        append(db, number)
    total_log(db, at(4))
    total_log(db, at(5))
    append(db, 5)
    total_log(db, at(6))

    rows = [open_envelope(body) for body, _ in log.bodies(db.conn, 1, 1, 99)]
    assert [row.payload for row in rows if row.type == "log.totalled"] == [
        {"first_seq": 1, "last_seq": 3, "total_fen": 600},
        {"first_seq": 5, "last_seq": 5, "total_fen": 500},
    ]


def test_a_database_made_before_a_step_was_renumbered_still_opens(tmp_path: Path) -> None:
    db = open_database(tmp_path / "lot.db")
    db.conn.execute("UPDATE _sqlite_migrations SET name = 'm0003_boots' WHERE name = 'm0004_boots'")
    db.conn.close()

    again = open_database(tmp_path / "lot.db")

    assert [row["name"] for row in again["_sqlite_migrations"].rows][-1] == "m0004_boots"
    again.conn.close()


def test_only_one_process_may_hold_the_database(tmp_path: Path) -> None:
    lock = DatabaseLock(tmp_path / "lot.db")

    with pytest.raises(DatabaseInUseError, match="in use"):
        DatabaseLock(tmp_path / "lot.db")
    lock.release()


def coupon(key: str, version: int, plate: str) -> Row:
    return Row(key, version, {"plate": plate, "value": 500})


def test_a_step_becomes_visible_only_with_its_last_part(db: Database) -> None:
    rows = [coupon(f"c{number}", 1, "京A12345" + "长" * 20_000) for number in range(3)]
    parts = split("coupons", 0, 1, rows, digest(rows))
    assert len(parts) == 3

    for part in parts[1:]:
        assert not channels.take(db.conn, part)
    assert channels.rows(db.conn, "coupons") == []

    assert channels.take(db.conn, parts[0])
    assert channels.rows(db.conn, "coupons") == rows
    assert channels.version(db.conn, "coupons") == 1


def test_tombstones_remove_and_the_digest_follows(db: Database) -> None:
    first = [coupon("c1", 1, "京A12345"), coupon("c2", 1, "沪B12345")]
    channels.take(db.conn, split("coupons", 0, 1, first, digest(first))[0])
    changed = [Row("c1", 2, None), coupon("c3", 2, "粤B12345")]

    channels.take(db.conn, split("coupons", 1, 2, changed, digest([first[1], changed[1]]))[0])

    assert [row.key for row in channels.rows(db.conn, "coupons")] == ["c2", "c3"]
    assert channels.standing(db.conn)["coupons"] == (2, digest([first[1], changed[1]]))


def test_a_step_with_a_wrong_digest_changes_nothing(db: Database) -> None:
    rows = [coupon("c1", 1, "京A12345")]

    with pytest.raises(BadMessageError, match="digest"), transaction(db) as conn:
        channels.take(conn, split("coupons", 0, 1, rows, digest([]))[0])

    assert channels.version(db.conn, "coupons") == 0
    assert channels.rows(db.conn, "coupons") == []


def test_old_and_skipping_steps_are_dropped(db: Database) -> None:
    rows = [coupon("c1", 1, "京A12345")]
    channels.take(db.conn, split("coupons", 0, 1, rows, digest(rows))[0])

    assert not channels.take(db.conn, split("coupons", 0, 1, rows, digest(rows))[0])
    assert not channels.take(db.conn, split("coupons", 2, 3, [], digest(rows))[0])


def test_a_repair_sends_a_bucket_whole(db: Database) -> None:
    rows = [coupon("c1", 1, "京A12345"), coupon("c2", 1, "京A12345")]
    channels.take(db.conn, split("coupons", 0, 1, rows, digest(rows))[0])
    db.conn.execute("UPDATE channel_row SET value = '{\"plate\":\"X\"}' WHERE key = 'c1'")
    wrong = digest(channels.rows(db.conn, "coupons"))
    db.conn.execute("UPDATE applied SET digest = ?", (digest_text(wrong),))
    broken = differing(wrong, digest(rows))
    mend = [row for row in rows if bucket_of(row.key) in broken]

    assert channels.take(db.conn, split("coupons", 1, 1, mend, digest(rows), broken)[0])
    assert channels.rows(db.conn, "coupons") == rows


def test_coupons_of_a_plate_are_found(db: Database) -> None:
    rows = [coupon(f"c{number}", 1, f"京A{number:05d}") for number in range(20)]
    channels.take(db.conn, split("coupons", 0, 1, rows, digest(rows))[0])

    assert channels.for_plate(db.conn, "coupons", "京A00007") == [("c7", {"plate": "京A00007", "value": 500})]


def test_every_channel_stands_at_zero_before_the_first_delta(db: Database) -> None:
    assert channels.standing(db.conn) == {channel: (0, [0] * 64) for channel in CHANNELS}


def test_only_the_transaction_that_says_so_is_less_than_durable(db: Database) -> None:
    def level() -> int:
        return int(db.conn.execute("PRAGMA synchronous").fetchone()[0])

    with transaction(db, durable=False):
        assert level() == 1

    assert level() == 2
    with transaction(db):
        assert level() == 2
