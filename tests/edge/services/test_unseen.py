"""Cars at the exit that never entered by our books: charged by the lot's rule, on record, and never twice inside."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.decision import Admit, Ask, PayFirst
from domain.driver_word import DRIVER
from edge.db import journal, stays
from edge.services.checking import check_books, replay
from edge.services.entering import enter
from edge.services.leaving import leave
from edge.services.lot import Arrival
from edge.services.paying import take_cash
from edge.settings import LotRules, NoEntry
from tests.edge.lots import SmallLot, at, seen, small_lot, verdict

PLATE, OTHER = "京A12345", "粤B98765"


def lot_with(tmp_path: Path, rule: NoEntry, fen: int = 0) -> SmallLot:
    return small_lot(tmp_path, rules=LotRules(no_entry=rule, no_entry_fen=fen))


@pytest.mark.parametrize(
    ("rule", "fen", "said"),
    [
        (NoEntry.CALL, 0, Ask((), "no_open_stay")),
        (NoEntry.FIRST_SEGMENT, 0, PayFirst(500)),  # 15 minutes are free, then 5 yuan an hour
        (NoEntry.FIXED_FEE, 1500, PayFirst(1500)),
    ],
)
def test_the_lots_rule_says_what_a_car_without_an_entry_pays(
    tmp_path: Path, rule: NoEntry, fen: int, said: object
) -> None:
    lot = lot_with(tmp_path, rule, fen)

    decided = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(0))

    assert verdict(decided) == said
    assert replay(lot.db.conn, decided.decision_id).same
    assert [row.code for row in journal.incidents(lot.db.conn)] == (["no_entry"] if fen or rule != NoEntry.CALL else [])


def test_it_pays_leaves_and_the_books_add_up(tmp_path: Path) -> None:
    lot = lot_with(tmp_path, NoEntry.FIRST_SEGMENT)
    first = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(0))
    again = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(40))  # it stood there a while

    take_cash(lot.db, lot.lot, "pay-00001", first.stay_id, 500, "li", at(41))
    gone = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(42))

    assert (verdict(again), again.stay_id) == (PayFirst(500), first.stay_id)
    assert isinstance(verdict(gone), Admit)
    stay = stays.get(lot.db.conn, first.stay_id)
    assert stay is not None
    assert (stay.fee_fen, stay.paid_fen, stay.outcome, stay.zone) == (500, 500, "PAID", "main")
    assert check_books(lot.db.conn) == []
    assert all(replay(lot.db.conn, one.decision_id).same for one in (first, again, gone))


def test_a_misread_that_a_person_puts_right_leaves_no_car_behind(tmp_path: Path) -> None:
    lot = lot_with(tmp_path, NoEntry.FIRST_SEGMENT)
    enter(lot.db, lot.lot, lot.arrival("in", OTHER), at(0))
    leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(90))
    assert stays.find_open(lot.db.conn, PLATE) is not None

    right = leave(lot.db, lot.lot, Arrival("out", OTHER, PLATE, (seen(PLATE, "r1"),), typed_by="li"), at(91))

    assert verdict(right) == PayFirst(1000)
    assert stays.open_plates(lot.db.conn) == [OTHER]
    assert check_books(lot.db.conn) == []


@pytest.mark.parametrize(
    ("arrival", "code"),
    [
        (Arrival("out", PLATE, PLATE, (seen("", "r1"),), typed_by=f"{DRIVER}edge"), "typed_no_stay"),
        (Arrival("out", "无7K3P2X5", "", (seen("", "r1"),), typed_by=f"{DRIVER}edge"), "typed_no_stay"),
        (Arrival("out", PLATE, PLATE, (seen(PLATE, "r1", confidence=20),)), "low_confidence"),
        (Arrival("out", "", "", (seen("", "r1"),)), "no_plate"),
    ],
)
def test_what_nobody_vouches_for_gets_no_cheap_way_out(tmp_path: Path, arrival: Arrival, code: str) -> None:
    lot = lot_with(tmp_path, NoEntry.FIRST_SEGMENT)

    said = verdict(leave(lot.db, lot.lot, arrival, at(0)))

    assert isinstance(said, Ask)
    assert said.code == code
    assert stays.open_plates(lot.db.conn) == []


def test_a_fixed_fee_needs_its_amount() -> None:
    with pytest.raises(ValueError, match="no_entry_fen"):
        LotRules(no_entry=NoEntry.FIXED_FEE)
    with pytest.raises(ValueError, match="no_entry_fen"):
        LotRules(no_entry_fen=100)
