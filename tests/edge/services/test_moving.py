"""From zone to zone: a car moves on without paying, what was missed is put right for the driver, nothing is lost."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from domain.decision import Admit, Ask, ExitInputs, PayFirst, Refuse
from domain.stay import UnpaidCause
from domain.zones import Charge
from edge.db import decisions, journal, moves, stays
from edge.db.database import open_database
from edge.services import checking, manual, passages, paying, settling
from edge.services.entering import enter
from edge.services.leaving import leave
from edge.services.lot import Decided
from edge.settings import LotRules, MissedExit
from tests.edge.lots import SmallLot, at, seen, verdict
from tests.edge.nested import PLATE, go, nested_lot


@pytest.fixture
def lot(tmp_path: Path) -> SmallLot:
    return nested_lot(tmp_path)


def come_in(lot: SmallLot, minute: float = 0, plate: str = PLATE) -> Decided:
    return enter(lot.db, lot.lot, lot.arrival("in", plate), at(minute))


def drive_out(lot: SmallLot, minute: float, plate: str = PLATE) -> Decided:
    return leave(lot.db, lot.lot, lot.arrival("out", plate), at(minute))


def where(lot: SmallLot, plate: str = PLATE) -> str:
    stay = stays.find_here(lot.db.conn, plate)
    assert stay is not None
    return stay.zone_now


def went(lot: SmallLot) -> list[tuple[str, str, str]]:
    """What the log says of moves: from, to, how."""
    bodies = lot.db.conn.execute("SELECT body FROM outbox WHERE type = 'stay.moved' ORDER BY seq")
    return [(said["from_zone"], said["zone"], said["how"]) for (body,) in bodies for said in [json.loads(body)["d"]]]


def lines(decided: Decided) -> list[tuple[str, str, int]]:
    said = decided.decision.explanation["lines"]
    return [(line["zone"], line["rule"], line["fen"]) for line in said if "zone" in line]


def incidents(lot: SmallLot) -> list[str]:
    return [row.code for row in journal.incidents(lot.db.conn)]


def test_a_car_goes_in_and_out_again_and_pays_once_for_each_minute(lot: SmallLot) -> None:
    come_in(lot)
    down, up = go(lot, "down", 10), go(lot, "up", 130)

    out = drive_out(lot, 160)

    assert [verdict(one) for one in (down, up, out)] == [Admit("moved"), Admit("moved"), PayFirst(2100)]
    assert lines(out) == [("yard", "time:all", 500), ("yard", "paused", 0), ("garage", "time:all", 1600)]
    assert went(lot) == [("yard", "garage", "seen"), ("garage", "yard", "seen")]
    assert incidents(lot) == []


def test_every_decision_of_the_way_replays_to_its_bytes(lot: SmallLot) -> None:
    decided = [come_in(lot), go(lot, "down", 10), go(lot, "up", 130), drive_out(lot, 160)]

    replays = [checking.replay(lot.db.conn, one.decision_id) for one in decided]

    assert all(one.same for one in replays)
    assert [json.loads(one.stored)["kind"] for one in replays] == ["entry", "move", "move", "exit"]


def test_each_move_may_open_once_and_is_named_with_its_pulse(lot: SmallLot) -> None:
    come_in(lot)

    down = go(lot, "down", 10)

    assert down.opens
    assert decisions.was_pulsed(lot.db.conn, down.decision_id)
    assert lot.types()[-2:] == ["stay.moved", "barrier.opened"]


def test_a_restart_between_moves_loses_nothing(lot: SmallLot, tmp_path: Path) -> None:
    come_in(lot)
    go(lot, "down", 10)
    lot.db.close()
    lot.db = open_database(tmp_path / "lot.db")

    assert where(lot) == "garage"
    go(lot, "up", 130)
    assert verdict(drive_out(lot, 160)) == PayFirst(2100)


def test_an_unknown_car_at_an_inner_lane_is_asked_about(lot: SmallLot) -> None:
    assert verdict(go(lot, "down", 10)) == Ask((), "no_open_stay")


def test_a_misread_plate_moves_the_car_it_must_be(lot: SmallLot) -> None:
    come_in(lot)

    assert verdict(go(lot, "down", 10, "京A1234S")) == Admit("moved")
    assert where(lot) == "garage"


def test_a_repeated_record_moves_nobody(lot: SmallLot) -> None:
    come_in(lot)
    record = (seen(PLATE, "same"),)
    go(lot, "down", 10, seen=record)

    assert verdict(go(lot, "down", 11, seen=record)) == Refuse("repeated_record")


def test_asked_for_again_before_it_crossed_it_is_the_same_move(lot: SmallLot) -> None:
    come_in(lot)
    go(lot, "down", 10)

    again = go(lot, "down", 11)

    assert verdict(again) == Admit("moved")
    assert where(lot) == "garage"
    assert incidents(lot) == []


def test_read_again_after_it_crossed_it_is_refused(lot: SmallLot) -> None:
    come_in(lot)
    down = go(lot, "down", 10)
    passages.seen(lot.db, lot.lot, "down", down.decision_id, PLATE, at(10.2))

    assert verdict(go(lot, "down", 11)) == Refuse("already_inside")


def test_a_car_that_turns_back_never_was_there(lot: SmallLot) -> None:
    come_in(lot)
    down = go(lot, "down", 5)

    passages.turned_back(lot.db, lot.lot, "down", down.decision_id, PLATE, at(7))

    assert where(lot) == "yard"
    assert verdict(drive_out(lot, 14)) == Admit("nothing_due")  # still within the yard's free minutes


def test_a_car_that_turns_back_at_the_inner_exit_is_still_inside(lot: SmallLot) -> None:
    come_in(lot)
    go(lot, "down", 5)
    up = go(lot, "up", 60)

    passages.turned_back(lot.db, lot.lot, "up", up.decision_id, PLATE, at(61))

    assert where(lot) == "garage"


def test_an_exit_missed_inside_counts_as_the_cheaper_way(lot: SmallLot) -> None:
    """By the books it is in the garage for two hours at 8 yuan; it may have left at once, and the yard takes 5."""
    come_in(lot)
    go(lot, "down", 1)

    out = drive_out(lot, 120)

    assert verdict(out) == PayFirst(1000)
    assert incidents(lot) == ["zone_read_missed"]
    assert went(lot)[-1] == ("garage", "yard", "guessed")
    assert checking.replay(lot.db.conn, out.decision_id).same


def test_the_fee_stays_what_the_exit_said_until_it_is_paid(lot: SmallLot) -> None:
    come_in(lot)
    go(lot, "down", 1)
    out = drive_out(lot, 120)

    taken = paying.take_cash(lot.db, lot.lot, "p1", out.stay_id, 1000, "li", at(121))

    assert getattr(taken, "left_fen", None) == 0
    assert drive_out(lot, 122).opens
    assert incidents(lot) == ["zone_read_missed"]


def test_an_entry_missed_inside_counts_as_the_cheaper_way(lot: SmallLot) -> None:
    come_in(lot)

    go(lot, "up", 120)

    assert incidents(lot) == ["zone_read_missed"]
    assert went(lot) == [("yard", "garage", "guessed"), ("garage", "yard", "seen")]
    assert verdict(drive_out(lot, 121)) == PayFirst(1500)  # the yard alone; the garage alone would be 16 yuan


def test_a_second_inner_entry_without_an_exit_is_put_right_too(lot: SmallLot) -> None:
    come_in(lot)
    go(lot, "down", 10)

    go(lot, "down", 60)

    assert went(lot) == [("yard", "garage", "seen"), ("garage", "yard", "guessed"), ("yard", "garage", "seen")]
    assert where(lot) == "garage"


def test_a_doubtful_read_at_the_exit_puts_nothing_right(lot: SmallLot) -> None:
    come_in(lot)
    go(lot, "down", 1)

    leave(lot.db, lot.lot, lot.arrival("out", PLATE, trusted=False), at(120))

    assert where(lot) == "garage"
    assert incidents(lot) == []


def test_tailgating_into_the_garage_moves_the_car_nobody_let_in(lot: SmallLot) -> None:
    come_in(lot)

    passages.unpaid(lot.db, lot.lot, "down", UnpaidCause.TAILGATE, PLATE, at(10))

    assert (where(lot), went(lot)) == ("garage", [("yard", "garage", "tailgate")])


def test_opened_by_hand_the_named_car_moves(lot: SmallLot) -> None:
    come_in(lot)

    manual.open_barrier(lot.db, lot.lot, "down", "li", "camera dirty", PLATE, at(10))

    assert (where(lot), went(lot)) == ("garage", [("yard", "garage", "hand")])


def test_driving_off_from_the_garage_the_debt_is_that_of_the_cheaper_way(lot: SmallLot) -> None:
    come_in(lot)
    go(lot, "down", 1)

    passages.unpaid(lot.db, lot.lot, "out", UnpaidCause.TAILGATE, PLATE, at(120))

    (stay,) = stays.recent(lot.db.conn)
    assert (stay.fee_fen, stay.owed_fen, stay.tariff) == (1000, 1000, "hourly@1,half-hourly@1")


def test_a_car_that_paid_and_drives_back_inside_owes_for_the_whole_way(lot: SmallLot) -> None:
    come_in(lot)
    out = drive_out(lot, 60)
    paying.take_cash(lot.db, lot.lot, "p1", out.stay_id, 500, "li", at(61))
    left = drive_out(lot, 62)
    assert left.opens  # its stay is closed; it turns round under the barrier
    passages.turned_back(lot.db, lot.lot, "out", left.decision_id, PLATE, at(62))

    assert verdict(go(lot, "down", 65)) == Admit("moved")
    go(lot, "up", 125)

    assert where(lot) == "yard"
    assert verdict(drive_out(lot, 126)) == PayFirst(1300)  # 66 minutes outside 10, an hour inside 8, less 5 paid
    assert checking.check_books(lot.db.conn) == []


def test_both_and_shared_caps_come_from_the_lot_file(tmp_path: Path) -> None:
    fees = []
    garages: list[dict[str, Any]] = [{"charge": Charge.BOTH}, {"charge": Charge.SHARED_CAP, "shared_cap_fen": 1800}]
    for number, garage in enumerate(garages):
        folder = tmp_path / str(number)
        folder.mkdir()
        lot = nested_lot(folder, **garage)
        come_in(lot)
        go(lot, "down", 10)
        go(lot, "up", 130)
        fees.append(verdict(drive_out(lot, 160)))

    assert fees == [PayFirst(3100), PayFirst(1800)]


def test_a_monthly_card_for_the_garage_pays_for_the_garage_alone(lot: SmallLot) -> None:
    lot.put("people", "m", {"list": "entitled", "plate": PLATE, "zones": ["garage"]})
    come_in(lot)
    go(lot, "down", 10)
    go(lot, "up", 130)

    out = drive_out(lot, 160)

    assert verdict(out) == PayFirst(500)
    assert ("garage", "covered", 0) in lines(out)
    assert checking.replay(lot.db.conn, out.decision_id).same


def test_moves_are_never_taken_back(lot: SmallLot) -> None:
    come_in(lot)
    go(lot, "down", 10)

    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        lot.db.conn.execute("DELETE FROM stay_move")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        lot.db.conn.execute("UPDATE stay_move SET zone = 'yard'")


def test_a_stay_that_is_not_where_its_last_move_led_is_found(lot: SmallLot) -> None:
    come_in(lot)
    go(lot, "down", 10)
    assert checking.check_books(lot.db.conn) == []

    lot.db.conn.execute("UPDATE stay SET zone_now = 'yard'")

    assert any("where its last move led" in wrong for wrong in checking.check_books(lot.db.conn))


def test_a_quote_at_the_booth_names_the_zones(lot: SmallLot) -> None:
    come_in(lot)
    go(lot, "down", 10)
    stay = stays.find_open(lot.db.conn, PLATE)
    assert stay is not None

    standing = settling.standing(lot.db.conn, lot.lot, stay, at(40))

    zones = [line["zone"] for line in standing.explanation["lines"] if "zone" in line]
    assert zones == ["yard", "garage"]
    assert len(moves.of_stay(lot.db.conn, stay.stay_id)) == 1


def test_a_car_back_at_the_street_owes_for_the_cheaper_way_out_of_the_garage(tmp_path: Path) -> None:
    lot = nested_lot(tmp_path, rules=LotRules(missed_exit=MissedExit.OWE))
    come_in(lot)
    go(lot, "down", 1)

    come_in(lot, 120)

    (gone,) = stays.recent(lot.db.conn)
    assert gone.owed_fen == 1000
    assert incidents(lot) == ["second_entry"]
    assert where(lot) == "yard"


def test_a_stay_that_continues_another_went_the_same_way(lot: SmallLot) -> None:
    come_in(lot)
    go(lot, "down", 10)
    go(lot, "up", 130)
    out = drive_out(lot, 160)
    paying.take_cash(lot.db, lot.lot, "p1", out.stay_id, 2100, "li", at(161))
    assert drive_out(lot, 162).opens  # and it does not leave

    late = drive_out(lot, 200)

    assert verdict(late) == PayFirst(500)  # 80 minutes of the yard and the garage's two hours, less what was charged
    assert checking.check_books(lot.db.conn) == []


def test_a_car_that_drives_back_inside_waits_at_the_exit_no_more(lot: SmallLot) -> None:
    come_in(lot)
    out = drive_out(lot, 60)
    go(lot, "down", 62)
    stay = stays.get(lot.db.conn, out.stay_id)
    assert stay is not None

    decision = settling.standing(lot.db.conn, lot.lot, stay, at(65))

    assert isinstance(decision.inputs, ExitInputs)
    assert decision.inputs.length_ms == 65 * 60_000


def test_an_exit_of_a_stay_that_never_moved_asks_nothing_about_moves(lot: SmallLot) -> None:
    come_in(lot)
    asked: list[str] = []
    lot.db.conn.set_trace_callback(asked.append)

    drive_out(lot, 90)

    assert asked
    assert [query for query in asked if "stay_move" in query or "zone_count" in query] == []
