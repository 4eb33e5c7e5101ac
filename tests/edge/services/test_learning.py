"""Corrections teach which characters a camera mixes up; what is learned ranks and opens nothing."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from domain.decision import Ask, PayFirst
from domain.lookalike import DEFAULT
from edge.db import misreads
from edge.db.database import open_database
from edge.services import learning, manual
from edge.services.entering import enter
from edge.services.leaving import leave
from edge.services.lot import Done
from edge.web.cards import candidate_cards
from tests.edge.lots import START, SmallLot, at, seen, small_lot, verdict

CAMERA = "cam"


@pytest.fixture
def lot(tmp_path: Path) -> SmallLot:
    return small_lot(tmp_path)


def counts(lot: SmallLot, camera: str = CAMERA) -> dict[tuple[str, str], int]:
    return misreads.counts(lot.db.conn, camera, 180, at(60))


def test_a_plate_named_at_the_entry_says_what_its_camera_misread(lot: SmallLot) -> None:
    arrival = replace(lot.arrival("in", "京A12346", trusted=False), plate="京A12345", typed_by="li")

    enter(lot.db, lot.lot, arrival, START)

    assert counts(lot) == {("6", "5"): 1}


def test_the_open_stay_chosen_at_the_exit_counts_once_however_often_the_lane_decides(lot: SmallLot) -> None:
    enter(lot.db, lot.lot, lot.arrival("in", "京A12345"), START)
    arrival = replace(lot.arrival("out", "京A12346", trusted=False), plate="京A12345", typed_by="li")

    for minute in (60, 61):
        assert isinstance(verdict(leave(lot.db, lot.lot, arrival, at(minute))), PayFirst)

    assert counts(lot) == {("6", "5"): 1}


def test_a_plate_nobody_is_inside_with_teaches_nothing(lot: SmallLot) -> None:
    arrival = replace(lot.arrival("out", "京A12346", trusted=False), plate="京A12345", typed_by="li")

    assert isinstance(verdict(leave(lot.db, lot.lot, arrival, at(60))), Ask)

    assert counts(lot) == {}


def test_a_plate_mended_later_counts_for_the_camera_of_the_entry(lot: SmallLot) -> None:
    stay_id = enter(lot.db, lot.lot, lot.arrival("in", "京A12346"), START).stay_id

    assert manual.correct_plate(lot.db, stay_id, "京A12345", "li", at(5)) == Done(stay_id)

    assert counts(lot) == {("6", "5"): 1}
    assert counts(lot, "another") == {}


def test_what_a_camera_learned_ranks_its_candidates_and_survives_a_restart(lot: SmallLot, tmp_path: Path) -> None:
    for plate in ("京A12346", "京A12349"):
        enter(lot.db, lot.lot, lot.arrival("in", plate), START)
    for number in range(3):
        misreads.note(lot.db.conn, CAMERA, f"x{number}", [("5", "9")], "li", at(number))
    lot.db.conn.commit()
    lot.db.conn.close()
    conn = open_database(tmp_path / "lot.db").conn

    cards = candidate_cards(conn, ["京A12345"], CAMERA, at(60))
    others = candidate_cards(conn, ["京A12345"], "another", at(60))

    assert [(card.plate, card.slip) for card in cards] == [("京A12349", "learned"), ("京A12346", "one_character")]
    assert [card.plate for card in others] == ["京A12346", "京A12349"]
    assert learning.table_of(conn, "another", at(60)) == DEFAULT


def test_a_learned_pair_opens_no_barrier(lot: SmallLot) -> None:
    enter(lot.db, lot.lot, lot.arrival("in", "京A12345"), START)
    for number in range(50):
        misreads.note(lot.db.conn, CAMERA, f"x{number}", [("5", "6")], "li", START)

    left = leave(lot.db, lot.lot, replace(lot.arrival("out", "京A12346"), seen=(seen("京A12346", "r"),)), at(5))

    assert verdict(left) == Ask(("京A12345",), "which_stay")
    assert not left.opens


def test_corrections_grow_old(lot: SmallLot) -> None:
    for number in range(3):
        misreads.note(lot.db.conn, CAMERA, f"x{number}", [("5", "9")], "li", START)

    assert misreads.counts(lot.db.conn, CAMERA, 180, at(181 * 24 * 60)) == {}


def test_what_was_learned_cannot_be_rewritten(lot: SmallLot) -> None:
    misreads.note(lot.db.conn, CAMERA, "x", [("5", "9")], "li", START)

    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        lot.db.conn.execute("DELETE FROM misread")
