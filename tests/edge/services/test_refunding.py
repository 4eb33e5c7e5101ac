"""Cash given back: out of the drawer, within limits, once; what it leaves of the stay, the shift and the book."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from domain.decision import Admit, PayFirst, Refuse
from domain.events import CashRefunded, decode, open_envelope
from edge.db import journal, log, people, receipts, stays, vouchers
from edge.db.database import transaction
from edge.services import arrears, manual, paying, refunding, reopening, shifts
from edge.services.checking import check_books, replay
from edge.services.entering import enter
from edge.services.leaving import leave
from edge.services.lot import Done, Result
from edge.services.shifts import Count
from edge.settings import LotRules
from edge.workstations import Shifts, Workstation
from tests.edge.lots import START, SmallLot, at, small_lot

CAR, OTHER = "京A12345", "京B67890"
EAST = Workstation("east", ("out",))


@pytest.fixture
def lot(tmp_path: Path) -> SmallLot:
    lot = small_lot(tmp_path, rules=LotRules(shifts=Shifts.NEEDED), workstations=(EAST,))
    with transaction(lot.db) as conn:
        for name, role in (("li", "attendant"), ("chen", "supervisor")):
            people.put(conn, name, "", role, START)
    return lot


def opened(lot: SmallLot, float_fen: int = 10_000) -> str:
    begun = shifts.open_shift(lot.db, lot.lot, "east", float_fen, "li", START)
    assert isinstance(begun, Done)
    return begun.subject


def paid(lot: SmallLot, minutes: int = 70, fen: int = 1000) -> str:
    stay = enter(lot.db, lot.lot, lot.arrival("in", CAR), START).stay_id
    taken = paying.take_cash(lot.db, lot.lot, "p1", stay, fen, "li", at(minutes), at="east")
    assert isinstance(taken, paying.Taken)
    return stay


def gives(
    lot: SmallLot, stay: str, fen: int, minutes: int, refund_id: str = "r1", by: str = "li", **more: str
) -> Result:
    return refunding.refund(
        lot.db, lot.lot, refund_id, stay, fen, by, more.pop("reason", "overpaid"), at(minutes), at="east", **more
    )


def test_what_an_open_car_gets_back_it_owes_again_and_the_drawer_lacks(lot: SmallLot) -> None:
    shift, stay = opened(lot), paid(lot)

    assert gives(lot, stay, 400, 71) == Done("r1")
    assert gives(lot, stay, 400, 71) == Done("r1"), "a double tap"

    decided = leave(lot.db, lot.lot, lot.arrival("out", CAR), at(72))
    assert isinstance(decided.decision.verdict, PayFirst)
    assert decided.decision.explanation["due_fen"] == 400
    sums = shifts.totals(lot.db.conn, shift)
    assert (sums.cash_fen, sums.refund_fen, sums.expected_fen) == (1000, 400, 10_600)
    assert check_books(lot.db.conn) == []
    told = [decode(open_envelope(body)) for body, _ in log.bodies(lot.db.conn, 1, 1, 99)]
    assert [one for one in told if isinstance(one, CashRefunded)] == [
        CashRefunded("r1", stay, 400, "li", "", "overpaid")
    ]


def test_what_was_paid_too_much_is_named_and_its_car_still_leaves(lot: SmallLot) -> None:
    """Its exit was taken back, and it is priced anew: what it paid then is more than it owes now."""
    opened(lot)
    stay = paid(lot, fen=1000)
    manual.waive(lot.db, lot.lot, stay, 300, "chen", "goodwill", at(71))
    with transaction(lot.db) as conn:
        stays.add_waived(conn, stay, 300)
    row = stays.get(lot.db.conn, stay)
    assert row is not None

    over = refunding.overpaid_fen(lot.db.conn, lot.lot, row, at(71))
    gives(lot, stay, over, 71)

    assert over == 300
    assert isinstance(leave(lot.db, lot.lot, lot.arrival("out", CAR), at(72)).decision.verdict, Admit)
    assert check_books(lot.db.conn) == []


def test_a_car_that_has_gone_keeps_its_end_and_the_book_tells_the_refund_apart(lot: SmallLot) -> None:
    shift, stay = opened(lot), paid(lot)
    leave(lot.db, lot.lot, lot.arrival("out", CAR), at(71))

    assert gives(lot, stay, 500, 75, reason="a coupon shown late") == Done("r1")

    row = stays.get(lot.db.conn, stay)
    assert row is not None
    assert (row.fee_fen, row.paid_fen, row.outcome) == (1000, 1000, "PAID")
    book = dict(lot.db.conn.execute("SELECT account, sum(amount) FROM posting GROUP BY account").fetchall())
    assert (book["fee"], book["refunded"]) == (-1000, 500)
    assert reopening.refusal(lot.db.conn, stay) == Refuse("refunded_before")
    shifts.close_shift(lot.db, lot.lot, shift, Count(10_500), "li", at(90))
    assert check_books(lot.db.conn) == []


def test_nobody_gets_back_more_than_the_cash_they_paid(lot: SmallLot) -> None:
    opened(lot)
    stay = paid(lot)

    assert gives(lot, stay, 1001, 71) == Refuse("more_than_paid")
    assert gives(lot, stay, 0, 71) == Refuse("bad_amount")
    assert gives(lot, stay, 400, 71, reason=" ") == Refuse("reason_missing")
    assert gives(lot, stay, 600, 71) == Done("r1")
    assert gives(lot, stay, 401, 72, "r2") == Refuse("more_than_paid")
    assert gives(lot, "nobody", 1, 71, "r3") == Refuse("no_such_stay")


def test_more_than_ones_limit_needs_a_supervisor_and_both_names_are_kept(lot: SmallLot) -> None:
    opened(lot)
    limited = replace(lot.lot, rules=replace(lot.lot.rules, refund_limits_fen={"attendant": 300}))
    lot.lot = limited
    stay = paid(lot)

    assert gives(lot, stay, 200, 71) == Done("r1")
    assert gives(lot, stay, 200, 71, "r2") == Refuse("above_refund_limit"), "the limit is for one stay"
    assert gives(lot, stay, 200, 71, "r2", approved_by="chen") == Done("r2")

    acts = [(act.by, act.act) for act in journal.acts(lot.db.conn, 9)]
    assert {("chen", "refund.approve"), ("li", "refund.give")} <= set(acts)


def test_a_drawer_gives_no_more_than_is_in_it_and_none_without_a_shift(lot: SmallLot) -> None:
    shift, stay = opened(lot, 0), paid(lot)
    shifts.drop_cash(lot.db, lot.lot, shift, "d1", 800, "li", at(71))

    assert gives(lot, stay, 300, 72) == Refuse("more_than_in_drawer")
    assert gives(lot, stay, 200, 72) == Done("r1")
    shifts.close_shift(lot.db, lot.lot, shift, Count(0), "li", at(73))
    assert gives(lot, stay, 100, 74, "r2") == Refuse("shift_needed")


def test_a_refund_and_a_debt_paid_without_a_visit_have_receipts_of_their_own(lot: SmallLot) -> None:
    opened(lot)
    stay = paid(lot)
    gives(lot, stay, 400, 71)
    owing = enter(lot.db, lot.lot, lot.arrival("in", OTHER), START).stay_id
    manual.open_barrier(lot.db, lot.lot, "out", "li", "broken", OTHER, at(75))
    arrears.pay(lot.db, lot.lot, "debt-payment", OTHER, 400, "li", at(80), at="east", tendered_fen=500)

    first, back = receipts.of_stay(lot.db.conn, stay)
    (debt,) = receipts.of_stay(lot.db.conn, owing)

    assert (first.amount_fen, back.amount_fen, back.body["kind"], back.body["of"]) == (
        1000,
        -400,
        "refund",
        first.number,
    )
    assert (debt.amount_fen, debt.body["kind"], debt.body["left_fen"], debt.body["tendered_fen"]) == (
        400,
        "debts",
        600,
        500,
    )
    assert refunding.refundable_fen(lot.db.conn, owing) == 0, "what went into a debt is no fee of that stay"


def coupon_came(lot: SmallLot, stay: str, name: str = "c1", **ways: object) -> None:
    """The cloud gives a coupon of three yuan to a car that has paid cash."""
    lot.put("rules", "limits:lot:7", {"late": "refund", "back_most_fen": 20_000, "cash_back": True, **ways})
    row = {"coupon_id": name, "plate": CAR, "stay_id": stay, "kind": "AMOUNT", "value": 300, "merchant_id": 3}
    lot.put("coupons", name, {**row, "template_id": 5, "issued_ms": at(71).wall_ms})


def late(lot: SmallLot, stay: str, minutes: int = 72) -> int:
    return refunding.late_fen(lot.db.conn, lot.lot, stay, at(minutes))


def test_a_coupon_that_came_after_the_cash_is_paid_out_once_and_used_when_the_car_leaves(lot: SmallLot) -> None:
    shift, stay = opened(lot), paid(lot)
    coupon_came(lot, stay)

    assert late(lot, stay) == 300
    assert gives(lot, stay, 300, 72, reason="coupon_late") == Done("r1")
    assert gives(lot, stay, 300, 72, reason="coupon_late") == Done("r1"), "a double tap"
    assert (late(lot, stay), not vouchers.is_coupon_used(lot.db.conn, "c1")) == (0, True)

    gone = leave(lot.db, lot.lot, lot.arrival("out", CAR), at(75))
    assert isinstance(gone.decision.verdict, Admit)
    assert replay(lot.db.conn, gone.decision_id).same
    assert vouchers.is_coupon_used(lot.db.conn, "c1")
    assert check_books(lot.db.conn) == []
    sums = shifts.totals(lot.db.conn, shift)
    assert (sums.cash_fen, sums.refund_fen, sums.coupon_fen, sums.expected_fen) == (1000, 300, 300, 10_700)


def test_a_coupon_whose_difference_nobody_fetches_keeps_its_value(lot: SmallLot) -> None:
    opened(lot)
    stay = paid(lot)
    coupon_came(lot, stay)

    assert isinstance(leave(lot.db, lot.lot, lot.arrival("out", CAR), at(75)).decision.verdict, Admit)

    assert not vouchers.is_coupon_used(lot.db.conn, "c1")
    assert late(lot, stay, 76) == 0


@pytest.mark.parametrize(
    ("why", "ways", "minutes"),
    [
        ("the lot gives no cash back", {"cash_back": False}, 72),
        ("the lot gives nothing back", {"late": "allow"}, 72),
        ("more than the lot gives back", {"back_most_fen": 299}, 72),
        ("its time to leave is over, the coupon counts for what falls due", {}, 120),
    ],
)
def test_where_no_difference_is_due_cash_given_back_is_owed_again(
    lot: SmallLot, why: str, ways: dict[str, object], minutes: int
) -> None:
    opened(lot)
    stay = paid(lot)
    coupon_came(lot, stay, "c1", **ways)

    assert late(lot, stay, minutes) == 0, why
    gives(lot, stay, 300, 72)
    assert minutes > 100 or isinstance(
        leave(lot.db, lot.lot, lot.arrival("out", CAR), at(73)).decision.verdict, PayFirst
    )


def test_all_that_was_given_back_in_cash_counts_towards_the_limit(lot: SmallLot) -> None:
    opened(lot)
    stay = paid(lot)
    coupon_came(lot, stay, back_most_fen=500)
    gives(lot, stay, 300, 72)
    coupon_came(lot, stay, "c2", back_most_fen=500)

    assert late(lot, stay, 73) == 0
