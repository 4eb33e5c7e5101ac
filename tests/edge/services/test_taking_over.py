"""A new device goes on where the one before it is known to have been."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from domain.moment import Moment, Quality
from domain.takeover import Inside, Known, Owed, Paid, Takeover, Used, open_takeover
from domain.wire import BadMessageError
from edge.db import arrears, channels, log, stays, vouchers
from edge.db.people import Attendant
from edge.services.checking import check_books
from edge.services.entering import enter
from edge.services.paying import due_of
from edge.services.taking_over import begin_with, go_on_with, knows_more
from tests.edge.lots import START, SmallLot, at, small_lot

OLD_BOOT = Moment("old-box", 77_000, START.wall_ms, Quality.CLOUD, 20)
BEFORE = Known("e0", 4, 120, b"h" * 32, 125, START.wall_ms)
CAR = Inside("s1", "京A12345", "京A12345", "small", "main", "in", OLD_BOOT)
TAKEN = Takeover(
    5,
    BEFORE,
    (CAR,),
    (Paid("p1", "s1", "cash", 200, "li", START.wall_ms),),
    (
        Owed("d1", "s0", "粤B98765", "forced", 500, "open", 1),
        Owed("d2", "s00", "粤B98765", "forced", 700, "disputed", 2),
    ),
    (Used(3, 9, "r9", "s0", 500, START.wall_ms),),
)


@pytest.fixture
def lot(tmp_path: Path) -> SmallLot:
    return small_lot(tmp_path)


def test_cars_payments_debts_and_used_vouchers_are_there_and_the_books_hold(lot: SmallLot) -> None:
    staff = [Attendant("wang", "hash", "attendant", 0)]

    counts = begin_with(lot.db, TAKEN, staff, ["main"], at(20))

    conn = lot.db.conn
    assert (counts.inside, counts.paid_fen, counts.debts, counts.used, counts.people) == (1, 200, 2, 1, 1)
    assert check_books(conn) == []
    assert vouchers.is_used(conn, 3, 9)
    assert [debt.debt_id for debt in arrears.open_of(conn, "粤B98765")] == ["d1"]
    assert (log.newest(conn).epoch, lot.types()) == (5, ["incident.raised"])


def test_a_fee_goes_on_across_the_devices_and_never_above_the_true_one(lot: SmallLot) -> None:
    begin_with(lot.db, TAKEN, [], ["main"], at(20))

    stay = stays.find_open(lot.db.conn, "京A12345")
    assert stay is not None
    assert at(59).since(stay.entered) <= timedelta(minutes=59)
    assert due_of(lot.db.conn, lot.lot, "s1", at(59)) == 500 - 200
    assert due_of(lot.db.conn, lot.lot, "s1", at(80)) == 1000 - 200


def test_an_entry_nobody_vouches_for_costs_nothing_for_the_time_between(lot: SmallLot) -> None:
    unsure = replace(CAR, entered=replace(OLD_BOOT, quality=Quality.UNKNOWN))

    begin_with(lot.db, replace(TAKEN, inside=(unsure,), paid=()), [], ["main"], at(20))

    assert due_of(lot.db.conn, lot.lot, "s1", at(600)) == 0


def test_a_plate_the_cloud_thinks_inside_twice_is_here_once(lot: SmallLot) -> None:
    later = replace(CAR, stay_id="s2", entered=replace(OLD_BOOT, wall_ms=OLD_BOOT.wall_ms + 60_000))

    counts = begin_with(lot.db, replace(TAKEN, inside=(CAR, later)), [], ["main"], at(20))

    assert counts.inside == 1
    assert stays.get(lot.db.conn, "s2") is not None
    assert check_books(lot.db.conn) == []


def test_a_copy_goes_on_only_where_it_holds_what_the_cloud_holds(lot: SmallLot) -> None:
    enter(lot.db, lot.lot, lot.arrival("in", "京A12345"), START)
    conn = lot.db.conn
    end = log.newest(conn)
    known = Known("e0", end.epoch, 1, log.hash_at(conn, end.epoch, 1) or b"", end.seq, 0)

    assert knows_more(conn, replace(TAKEN, before=known))
    assert not knows_more(conn, replace(TAKEN, before=replace(known, seq=end.seq + 1)))
    assert not knows_more(conn, replace(TAKEN, before=replace(known, head=bytes(32))))


def test_with_a_copy_the_unsent_rest_is_kept_to_be_told_and_lists_hold_until_new_ones_come(lot: SmallLot) -> None:
    lot.put("people", "p", {"list": "block", "plate": "粤B98765", "reason": "x"})
    enter(lot.db, lot.lot, lot.arrival("in", "京A12345"), START)
    conn = lot.db.conn
    end = log.newest(conn)
    known = Known("e0", end.epoch, 1, log.hash_at(conn, end.epoch, 1) or b"", end.seq, 0)

    counts = go_on_with(lot.db, replace(TAKEN, before=known), at(20))

    kept = log.salvage(conn, "e1", 200)
    assert kept is not None
    assert (counts.inside, counts.unsent, kept.of, kept.start) == (1, end.seq - 1, "e0", 2)
    assert kept.previous == known.head
    assert (channels.version(conn, "people"), len(channels.for_plate(conn, "people", "粤B98765"))) == (0, 1)
    log.salvaged(conn, kept.epoch, end.seq)
    assert log.salvage(conn, "e1", 200) is None
    assert check_books(conn) == []


@pytest.mark.parametrize(
    "harm",
    [{"before": None}, {"inside": "x"}, {"paid": [{}]}, {"inside": [{**TAKEN.message()["inside"][0], "entered": [1]}]}],
)
def test_a_malformed_answer_is_no_takeover(harm: dict[str, object]) -> None:
    assert open_takeover(TAKEN.message()) == TAKEN
    with pytest.raises(BadMessageError):
        open_takeover({**TAKEN.message(), **harm})
