"""Debts: shown, collected, asked about or in the way; paid in parts, waived within limits, disputed (§8, E35)."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from domain.decision import Admit, Ask, PayFirst, Refuse
from domain.stay import UnpaidCause
from edge.db import arrears as owed
from edge.db import money, people, stays
from edge.db.database import transaction
from edge.services import arrears, manual, passages
from edge.services.checking import check_books, replay
from edge.services.entering import enter
from edge.services.leaving import leave
from edge.services.lot import Done
from edge.services.paying import Taken, take_cash
from edge.settings import Arrears, LotRules
from tests.edge.lots import SmallLot, at, small_lot, verdict

PLATE = "京A12345"


def lot_with(tmp_path: Path, rule: Arrears = Arrears.COLLECT, **more: object) -> SmallLot:
    return small_lot(tmp_path, rules=LotRules(arrears=rule, **more))  # type: ignore[arg-type]


def runs_off(lot: SmallLot, entered: int, left: int) -> str:
    """A visit that ends unpaid; returns its debt."""
    stay_id = enter(lot.db, lot.lot, lot.arrival("in", PLATE), at(entered)).stay_id
    passages.unpaid(lot.db, lot.lot, "out", UnpaidCause.TAILGATE, PLATE, at(left))
    (debt,) = owed.of_stay(lot.db.conn, stay_id)
    return debt.debt_id


def left(lot: SmallLot) -> dict[str, int]:
    return {debt.debt_id: debt.left_fen for debt in owed.of_plate(lot.db.conn, PLATE)}


def test_one_payment_settles_the_debt_and_the_fee_and_the_book_keeps_them_apart(tmp_path: Path) -> None:
    lot = lot_with(tmp_path)
    debt = runs_off(lot, 0, 70)
    stay_id = enter(lot.db, lot.lot, lot.arrival("in", PLATE), at(100)).stay_id

    asked = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(130))
    taken = take_cash(lot.db, lot.lot, "p1", stay_id, 1500, "li", at(131))
    gone = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(132))

    assert verdict(asked) == PayFirst(1500)
    assert asked.decision.explanation["debts"] == [{"debt": debt, "since": at(70).wall_ms, "fen": 1000}]
    assert (asked.decision.explanation["fee_fen"], asked.decision.explanation["fee_due_fen"]) == (500, 500)
    assert taken == Taken("p1", stay_id, 1500, 0)
    assert isinstance(verdict(gone), Admit)
    row = stays.get(lot.db.conn, stay_id)
    assert row is not None
    assert (row.outcome, row.fee_fen, row.paid_fen, row.owed_fen) == ("PAID", 500, 500, 0)
    assert money.balances(lot.db.conn) == {"cash": 1500, "fee": -1500, "held": 0, "owed": 0}
    assert lot.types().count("debt.moved") == 1
    assert check_books(lot.db.conn) == []
    assert replay(lot.db.conn, asked.decision_id).same


def test_part_of_the_money_goes_to_the_oldest_debt_first(tmp_path: Path) -> None:
    lot = lot_with(tmp_path)
    first, second = runs_off(lot, 0, 70), runs_off(lot, 100, 130)
    stay_id = enter(lot.db, lot.lot, lot.arrival("in", PLATE), at(200)).stay_id
    leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(230))

    assert take_cash(lot.db, lot.lot, "p1", stay_id, 1200, "li", at(231)) == Taken("p1", stay_id, 1200, 800)
    assert take_cash(lot.db, lot.lot, "p1", stay_id, 1200, "li", at(231)) == Taken("p1", stay_id, 1200, 800)

    assert left(lot) == {first: 0, second: 300}
    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(232))) == PayFirst(800)
    assert check_books(lot.db.conn) == []


@pytest.mark.parametrize("rule", [Arrears.SHOW, Arrears.ASK, Arrears.REFUSE])
def test_other_rules_ask_for_this_fee_alone_at_the_exit(tmp_path: Path, rule: Arrears) -> None:
    lot = lot_with(tmp_path, rule)
    runs_off(lot, 0, 70)
    manual.open_barrier(lot.db, lot.lot, "in", "li", "queue", PLATE, at(100))

    decided = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(130))

    assert verdict(decided) == PayFirst(500)
    assert decided.decision.explanation["owed_fen"] == 1000
    stay = stays.find_open(lot.db.conn, PLATE)
    assert stay is not None
    assert take_cash(lot.db, lot.lot, "p1", stay.stay_id, 501, "li", at(131)) == Refuse("more_than_due")


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Arrears.SHOW, Admit("entered")),
        (Arrears.COLLECT, Admit("entered")),
        (Arrears.ASK, Ask((PLATE,), "debt_unpaid")),
        (Arrears.REFUSE, Refuse("debt_unpaid")),
    ],
)
def test_what_the_entry_does_with_a_car_that_owes(tmp_path: Path, rule: Arrears, expected: object) -> None:
    lot = lot_with(tmp_path, rule)
    runs_off(lot, 0, 70)

    decided = enter(lot.db, lot.lot, lot.arrival("in", PLATE), at(100))

    assert verdict(decided) == expected
    assert decided.decision.explanation["owed_fen"] == 1000
    assert replay(lot.db.conn, decided.decision_id).same


def test_an_attendant_may_let_it_in_where_the_entry_asks_and_not_where_it_refuses(tmp_path: Path) -> None:
    asks, refuses = lot_with(tmp_path, Arrears.ASK), LotRules(arrears=Arrears.REFUSE)
    runs_off(asks, 0, 70)
    typed = asks.arrival("in", PLATE)
    named = replace(typed, typed_by="li", agreed=True)

    assert verdict(enter(asks.db, asks.lot, named, at(100))) == Admit("entered")
    (tmp_path / "b").mkdir()
    strict = small_lot(tmp_path / "b", rules=refuses)
    runs_off(strict, 0, 70)
    assert verdict(enter(strict.db, strict.lot, named, at(100))) == Refuse("debt_unpaid")


def test_a_debt_is_paid_at_the_booth_without_a_visit(tmp_path: Path) -> None:
    lot = lot_with(tmp_path, Arrears.REFUSE)
    debt = runs_off(lot, 0, 70)

    assert arrears.pay(lot.db, lot.lot, "p1", PLATE, 1001, "li", at(90)) == Refuse("more_than_due")
    assert arrears.pay(lot.db, lot.lot, "p1", PLATE, 1000, "li", at(90)) == Done("p1")
    assert arrears.pay(lot.db, lot.lot, "p1", PLATE, 1000, "li", at(90)) == Done("p1")
    assert arrears.pay(lot.db, lot.lot, "p2", PLATE, 1, "li", at(90)) == Refuse("nothing_owed")

    assert left(lot) == {debt: 0}
    assert verdict(enter(lot.db, lot.lot, lot.arrival("in", PLATE), at(100))) == Admit("entered")
    assert money.balances(lot.db.conn) == {"cash": 1000, "fee": -1000, "owed": 0}
    assert check_books(lot.db.conn) == []


def test_a_waiver_needs_a_reason_and_stays_within_what_the_role_may(tmp_path: Path) -> None:
    lot = lot_with(tmp_path, waive_limits_fen={"attendant": 600})
    debt = runs_off(lot, 0, 70)
    with transaction(lot.db) as conn:
        people.put(conn, "li", "x", "attendant", at(0))
        people.put(conn, "wang", "x", "manager", at(0))

    assert arrears.waive(lot.db, lot.lot, debt, 100, "li", " ", at(80)) == Refuse("reason_missing")
    assert arrears.waive(lot.db, lot.lot, debt, 400, "li", "device", at(80)) == Done(debt)
    assert arrears.waive(lot.db, lot.lot, debt, 201, "li", "device", at(81)) == Refuse("above_waive_limit")
    assert arrears.waive(lot.db, lot.lot, debt, 601, "wang", "device", at(81)) == Refuse("more_than_due")
    assert arrears.waive(lot.db, lot.lot, debt, 600, "wang", "device", at(81)) == Done(debt)

    assert left(lot) == {debt: 0}
    assert money.balances(lot.db.conn) == {"fee": -1000, "owed": 0, "waived": 1000}
    assert check_books(lot.db.conn) == []


def test_the_limit_of_a_role_holds_for_the_fee_of_one_stay_in_all(tmp_path: Path) -> None:
    lot = lot_with(tmp_path, waive_limits_fen={"attendant": 600})
    with transaction(lot.db) as conn:
        people.put(conn, "li", "x", "attendant", at(0))
    stay_id = enter(lot.db, lot.lot, lot.arrival("in", PLATE), at(0)).stay_id

    assert manual.waive(lot.db, lot.lot, stay_id, 500, "li", "device", at(70)) == Done(stay_id)
    assert manual.waive(lot.db, lot.lot, stay_id, 101, "li", "device", at(70)) == Refuse("above_waive_limit")


def test_a_disputed_debt_is_asked_of_nobody_until_it_is_upheld(tmp_path: Path) -> None:
    lot = lot_with(tmp_path, Arrears.REFUSE)
    debt = runs_off(lot, 0, 70)

    assert arrears.dispute(lot.db, lot.lot, debt, "li", "supervisor", "not my car", at(80)) == Done(debt)
    assert owed.open_of(lot.db.conn, PLATE) == []
    assert arrears.pay(lot.db, lot.lot, "p1", PLATE, 1000, "li", at(81)) == Refuse("nothing_owed")
    assert arrears.uphold(lot.db, lot.lot, debt, "wang", "supervisor", "the picture shows it", at(90)) == Done(debt)

    assert [one.left_fen for one in owed.open_of(lot.db.conn, PLATE)] == [1000]
    assert [(one.kind, one.by) for one in owed.moves(lot.db.conn, debt)] == [("disputed", "li"), ("upheld", "wang")]
    assert verdict(enter(lot.db, lot.lot, lot.arrival("in", PLATE), at(100))) == Refuse("debt_unpaid")


def test_what_became_of_a_debt_cannot_be_changed(tmp_path: Path) -> None:
    lot = lot_with(tmp_path)
    debt = runs_off(lot, 0, 70)
    arrears.pay(lot.db, lot.lot, "p1", PLATE, 400, "li", at(80))

    for change in ("UPDATE debt SET owed_fen = 1", "DELETE FROM debt_move", "UPDATE debt_move SET amount_fen = 1"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            lot.db.conn.execute(change)
    assert left(lot) == {debt: 600}


def test_the_check_finds_a_debt_paid_without_money(tmp_path: Path) -> None:
    lot = lot_with(tmp_path)
    debt = runs_off(lot, 0, 70)
    lot.db.conn.execute("INSERT INTO debt_move VALUES ('m', ?, 'paid', 400, 'gone', 'x', '', 1)", (debt,))

    wrong = check_books(lot.db.conn)

    assert "a debt was paid without a payment: m" in wrong
    assert "what plates owe is not what the book says: owed" in wrong
