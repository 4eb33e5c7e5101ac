"""A fee paid by phone: quoted, booked once whoever tells of it first, refunded by rule when it is for nothing (§7)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from domain import exit_pass, fee_quote
from domain.decision import Admit, PayFirst, Refuse
from domain.exit_pass import ExitPass
from domain.fee_quote import FeeQuote
from domain.moment import Quality
from domain.stay import UnpaidCause
from edge.db import money, stays
from edge.db.database import transaction
from edge.db.phone import PhonePayment
from edge.services import manual, passages, paying, phone_paying
from edge.services.checking import check_books, replay
from edge.services.entering import enter
from edge.services.leaving import leave
from edge.services.phone_quotes import quote_debts, quote_stay, seal_of, token_of
from edge.settings import Arrears, LotRules
from plumbing.signing import PrivateKey
from tests.edge.lots import SmallLot, at, small_lot, verdict

PLATE = "京A12345"
CLOUD = PrivateKey.from_raw(bytes(range(32)))
SECRET = exit_pass.code_key(b"secret", 7)


def lot_with(tmp_path: Path, rules: LotRules | None = None) -> SmallLot:
    lot = small_lot(tmp_path, rules=rules)
    lot.lot = replace(lot.lot, cloud_key=CLOUD.public.raw)
    return lot


def comes(lot: SmallLot, minute: int) -> str:
    return enter(lot.db, lot.lot, lot.arrival("in", PLATE), at(minute)).stay_id


def quoted(lot: SmallLot, stay_id: str, minute: float) -> FeeQuote:
    quote = quote_stay(lot.db, lot.lot, stay_id, at(minute))
    assert isinstance(quote, FeeQuote)
    return quote


def tell(lot: SmallLot, name: str, quote: FeeQuote, paid: float, learned: float) -> list[PhonePayment]:
    """The cloud's list tells of a payment for *quote*."""
    row = {"quote": quote.number, "stay_id": quote.stay_id, "plate": quote.plate, "fen": quote.due_fen}
    lot.put("payments", name, {**row, "paid_ms": at(paid).wall_ms})
    return phone_paying.take_listed(lot.db, lot.lot, at(learned))


def passed(quote: FeeQuote, name: str, paid: float) -> str:
    return exit_pass.issue(
        ExitPass(name, 7, quote.number, quote.stay_id, quote.plate, quote.due_fen, at(paid).wall_ms // 1000, 15), CLOUD
    )


def goes(lot: SmallLot, minute: float) -> object:
    return verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(minute)))


def balances(lot: SmallLot) -> dict[str, int]:
    assert check_books(lot.db.conn) == []
    return money.balances(lot.db.conn)


def test_a_quote_is_paid_once_however_often_it_is_told_and_the_car_leaves_in_time(tmp_path: Path) -> None:
    lot = lot_with(tmp_path)
    stay_id = comes(lot, 0)
    quote = quoted(lot, stay_id, 70)

    (taken,) = tell(lot, "p1", quote, 71, 71)
    again = phone_paying.take_pass(lot.db, lot.lot, passed(quote, "p1", 71), at(72))
    by_digits = phone_paying.take_code(
        lot.db, lot.lot, stay_id, exit_pass.code(SECRET, quote.number, stay_id, 1000), at(72)
    )

    assert (quote.due_fen, quote.leave_min) == (1000, 15)
    assert fee_quote.read(token_of(lot.lot, quote, b""), lot.lot.verify, lot.lot.public_key) == quote
    assert (taken.outcome, taken.used_fen, taken.back_fen) == ("settled", 1000, 0)
    assert again == taken
    assert by_digits == Refuse("pass_code_wrong")  # the cloud told no secret
    assert phone_paying.take_listed(lot.db, lot.lot, at(73)) == []
    gone = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(86))
    assert verdict(gone) == Admit("within_leave_time")
    assert replay(lot.db.conn, gone.decision_id).same
    assert balances(lot) == {"fee": -1000, "held": 0, "phone": 1000}
    assert [one for one in lot.types() if one.startswith("payment")] == ["payment.taken", "payment.applied"]


def test_paying_twice_gives_the_second_back_once(tmp_path: Path) -> None:
    lot = lot_with(tmp_path)
    quote = quoted(lot, comes(lot, 0), 70)

    (first,) = tell(lot, "p1", quote, 71, 71)
    (second,) = tell(lot, "p2", quote, 71, 72)

    assert (first.outcome, first.back_fen) == ("settled", 0)
    assert (second.outcome, second.used_fen, second.back_fen) == ("returned", 0, 1000)
    assert phone_paying.take_listed(lot.db, lot.lot, at(73)) == []
    assert balances(lot)["phone"] == 1000


def test_who_pays_in_time_owes_no_more_though_the_price_rose_meanwhile(tmp_path: Path) -> None:
    lot = lot_with(tmp_path)
    quote = quoted(lot, comes(lot, 0), 118)  # 10 yuan; from minute 120 on it is 15

    (taken,) = tell(lot, "p1", quote, 119, 125)

    assert (taken.outcome, taken.used_fen) == ("settled", 1000)
    gone = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(133))
    assert verdict(gone) == Admit("within_leave_time")
    assert replay(lot.db.conn, gone.decision_id).same
    assert balances(lot) == {"fee": -1000, "held": 0, "phone": 1000}


def test_who_pays_too_late_has_paid_a_part_and_is_asked_for_the_rest(tmp_path: Path) -> None:
    lot = lot_with(tmp_path)
    quote = quoted(lot, comes(lot, 0), 100)

    (taken,) = tell(lot, "p1", quote, 125, 126)

    assert (quote.until_s, taken.outcome, taken.used_fen) == (at(110).wall_ms // 1000, "part", 1000)
    assert goes(lot, 127) == PayFirst(500)


def test_time_to_leave_runs_from_the_payment_not_from_when_the_lot_learned_of_it(tmp_path: Path) -> None:
    lot = lot_with(tmp_path)
    quote = quoted(lot, comes(lot, 0), 70)

    tell(lot, "p1", quote, 71, 110)

    assert goes(lot, 121) == PayFirst(500)


def test_a_fee_that_fell_is_taken_and_the_rest_goes_back(tmp_path: Path) -> None:
    lot = lot_with(tmp_path)
    stay_id = comes(lot, 0)
    quote = quoted(lot, stay_id, 70)
    manual.waive(lot.db, lot.lot, stay_id, 400, "li", "sorry", at(71))

    (taken,) = tell(lot, "p1", quote, 72, 72)

    assert (taken.outcome, taken.used_fen, taken.back_fen) == ("settled", 600, 400)
    assert isinstance(goes(lot, 80), Admit)
    assert balances(lot) == {"fee": -1000, "held": 0, "phone": 600, "waived": 400}


def test_after_the_car_ran_off_the_money_is_for_what_it_left_owing(tmp_path: Path) -> None:
    lot = lot_with(tmp_path)
    quote = quoted(lot, comes(lot, 0), 70)
    passages.unpaid(lot.db, lot.lot, "out", UnpaidCause.TAILGATE, PLATE, at(71))

    (taken,) = tell(lot, "p1", quote, 71, 200)
    (late,) = tell(lot, "p2", quote, 72, 200)

    assert (taken.outcome, taken.used_fen) == ("debt", 1000)
    assert (late.outcome, late.back_fen) == ("returned", 1000)
    assert balances(lot) == {"fee": -1000, "owed": 0, "phone": 1000}


def test_after_the_car_paid_cash_and_left_all_of_it_goes_back(tmp_path: Path) -> None:
    lot = lot_with(tmp_path)
    stay_id = comes(lot, 0)
    quote = quoted(lot, stay_id, 70)
    paying.take_cash(lot.db, lot.lot, "c1", stay_id, 1000, "li", at(71))
    goes(lot, 72)

    (taken,) = tell(lot, "p1", quote, 71, 90)

    assert (taken.outcome, taken.back_fen) == ("returned", 1000)
    assert balances(lot)["cash"] == 1000


def test_a_pass_opens_without_a_line_and_the_list_that_comes_later_changes_nothing(tmp_path: Path) -> None:
    lot = lot_with(tmp_path)
    quote = quoted(lot, comes(lot, 0), 70)

    taken = phone_paying.take_pass(lot.db, lot.lot, passed(quote, "p1", 71), at(72))
    left = goes(lot, 73)
    tell(lot, "p1", quote, 71, 500)

    assert isinstance(taken, PhonePayment)
    assert (taken.told, taken.outcome, left) == ("pass", "settled", Admit("within_leave_time"))
    assert lot.types().count("payment.applied") == 1
    assert balances(lot)["phone"] == 1000


def test_digits_open_too_and_stand_for_the_one_payment_that_turns_up(tmp_path: Path) -> None:
    lot = lot_with(tmp_path)
    lot.put("keys", exit_pass.CODE_ROW, {"secret": SECRET.hex()})
    stay_id = comes(lot, 0)
    quote = quoted(lot, stay_id, 70)
    digits = exit_pass.code(SECRET, quote.number, stay_id, quote.due_fen)

    wrong = phone_paying.take_code(lot.db, lot.lot, stay_id, f"{(int(digits) + 1) % 10**8:08}", at(72))
    taken = phone_paying.take_code(lot.db, lot.lot, stay_id, digits, at(72))
    left = goes(lot, 73)
    (first,), (second,) = tell(lot, "p1", quote, 71, 500), tell(lot, "p2", quote, 71, 501)

    assert wrong == Refuse("pass_code_wrong")
    assert isinstance(taken, PhonePayment)
    assert isinstance(left, Admit)
    assert (first.outcome, first.back_fen, first.stands_for) == ("settled", 0, taken.payment_id)
    assert (second.outcome, second.back_fen) == ("returned", 1000)
    assert balances(lot)["phone"] == 1000


@pytest.mark.parametrize("forged", ["LP1", "nonsense"])
def test_a_forged_pass_is_nothing(tmp_path: Path, forged: str) -> None:
    lot = lot_with(tmp_path)
    quote = quoted(lot, comes(lot, 0), 70)
    foreign = exit_pass.issue(exit_pass.ExitPass("p1", 7, quote.number, "", "", 1000, 1, 15), PrivateKey.generate())

    for text in (forged, foreign):
        assert phone_paying.take_pass(lot.db, lot.lot, text, at(72)) == Refuse("pass_not_ours")
    assert goes(lot, 73) == PayFirst(1000)


def test_what_a_plate_owes_is_quoted_and_paid_without_a_visit(tmp_path: Path) -> None:
    lot = lot_with(tmp_path)
    comes(lot, 0)
    passages.unpaid(lot.db, lot.lot, "out", UnpaidCause.TAILGATE, PLATE, at(70))
    with transaction(lot.db) as conn:
        quote = quote_debts(conn, lot.lot, PLATE, at(200))
    assert isinstance(quote, FeeQuote)

    (taken,) = tell(lot, "p1", quote, 201, 201)

    assert (quote.stay_id, quote.due_fen, taken.outcome) == ("", 1000, "debt")
    assert balances(lot) == {"fee": -1000, "owed": 0, "phone": 1000}
    with transaction(lot.db) as conn:
        assert quote_debts(conn, lot.lot, PLATE, at(202)) == Refuse("nothing_due")


def test_where_debts_are_collected_one_payment_settles_both(tmp_path: Path) -> None:
    lot = lot_with(tmp_path, LotRules(arrears=Arrears.COLLECT))
    comes(lot, 0)
    passages.unpaid(lot.db, lot.lot, "out", UnpaidCause.TAILGATE, PLATE, at(70))
    quote = quoted(lot, comes(lot, 100), 130)

    (taken,) = tell(lot, "p1", quote, 131, 131)

    assert (quote.stay_due_fen, quote.debts_fen, taken.outcome) == (500, 1000, "settled")
    assert isinstance(goes(lot, 140), Admit)
    assert balances(lot) == {"fee": -1500, "held": 0, "owed": 0, "phone": 1500}


def test_the_same_quote_is_given_again_until_something_changes(tmp_path: Path) -> None:
    lot = lot_with(tmp_path)
    stay_id = comes(lot, 0)
    first = quoted(lot, stay_id, 70)

    assert quoted(lot, stay_id, 74) == first
    assert quoted(lot, stay_id, 76).number != first.number  # half over
    manual.waive(lot.db, lot.lot, stay_id, 400, "li", "sorry", at(77))
    assert quoted(lot, stay_id, 77).due_fen == 600


def test_nothing_is_quoted_that_is_not_due_or_whose_time_nobody_knows(tmp_path: Path) -> None:
    lot = lot_with(tmp_path)
    stay_id = comes(lot, 0)

    assert quote_stay(lot.db, lot.lot, stay_id, at(10)) == Refuse("nothing_due")
    assert quote_stay(lot.db, lot.lot, "nobody", at(10)) == Refuse("no_open_stay")
    assert quote_stay(lot.db, lot.lot, stay_id, replace(at(70), quality=Quality.UNKNOWN)) == Refuse("clock_unknown")
    stay = stays.get(lot.db.conn, stay_id)
    assert stay is not None
    assert stay.settled is None


def test_a_quote_hides_its_plate_once_the_cloud_has_told_the_lot_its_key(tmp_path: Path) -> None:
    lot = lot_with(tmp_path)
    quote = quoted(lot, comes(lot, 0), 70)
    plain = token_of(lot.lot, quote, seal_of(lot.db.conn))
    lot.put("keys", exit_pass.CODE_ROW, {"secret": SECRET.hex()})

    sealed = token_of(lot.lot, quote, seal_of(lot.db.conn))

    def read(token: str, seal: bytes = b"") -> FeeQuote | None:
        return fee_quote.read(token, lot.lot.verify, lot.lot.public_key, seal)

    assert read(plain) == quote
    assert read(sealed) == replace(quote, plate="")
    assert read(sealed, fee_quote.seal_key(SECRET)) == quote


def test_a_quote_of_the_clouds_own_covers_what_was_due_when_it_was_paid(tmp_path: Path) -> None:
    lot = lot_with(tmp_path)
    stay_id = comes(lot, 0)
    by_cloud = FeeQuote("00" * 8, 7, stay_id, PLATE, 1500, 0, 0, 0, 0, 1 << 31, 15)  # 5 yuan more than is due then

    (taken,) = tell(lot, "p1", by_cloud, paid=118, learned=125)

    assert (taken.outcome, taken.used_fen, taken.back_fen) == ("settled", 1000, 500)
    assert isinstance(verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(126))), Admit)
    assert check_books(lot.db.conn) == []


def test_a_quote_of_the_clouds_own_that_is_too_low_counts_as_a_part(tmp_path: Path) -> None:
    lot = lot_with(tmp_path)
    stay_id = comes(lot, 0)

    (taken,) = tell(lot, "p1", FeeQuote("00" * 8, 7, stay_id, PLATE, 500, 0, 0, 0, 0, 1 << 31, 15), 118, 119)

    assert (taken.outcome, taken.used_fen, taken.back_fen) == ("part", 500, 0)
    assert isinstance(verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(120))), PayFirst)
