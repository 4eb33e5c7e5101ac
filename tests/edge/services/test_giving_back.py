"""A coupon for a car that has paid by phone: the difference goes back once, and only where the lot wants it so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from domain.decision import Admit, PayFirst
from domain.fee_quote import FeeQuote
from edge.db import money, stays, vouchers
from edge.services import giving_back, paying
from edge.services.checking import check_books, replay
from edge.services.leaving import leave
from edge.services.lot import Done
from edge.services.shifts import open_shift, totals
from edge.settings import LotRules
from edge.workstations import Shifts, Workstation
from tests.edge.lots import SmallLot, at, small_lot, verdict
from tests.edge.services.test_phone_paying import CLOUD, PLATE, comes, lot_with, quoted, tell

COUPON = {"plate": PLATE, "kind": "AMOUNT", "value": 300, "template_id": 5, "merchant_id": 3}


def ways(lot: SmallLot, **changes: object) -> None:
    lot.put("rules", "limits:lot:7", {"late": "refund", "back_most_fen": 20_000, **changes})


def paid(tmp_path: Path, minute: float = 70) -> tuple[SmallLot, str, FeeQuote]:
    """A car that came at 0 and paid its 10 yuan by phone."""
    lot = lot_with(tmp_path)
    ways(lot)
    stay_id = comes(lot, 0)
    quote = quoted(lot, stay_id, minute)
    tell(lot, "p1", quote, minute + 1, minute + 1)
    return lot, stay_id, quote


def give(lot: SmallLot, stay_id: str, name: str = "c1", **changes: object) -> None:
    lot.put("coupons", name, {**COUPON, "coupon_id": name, "stay_id": stay_id, "issued_ms": at(72).wall_ms, **changes})


def back(lot: SmallLot, minute: float = 73) -> list[tuple[str, str, int]]:
    made = giving_back.give_back(lot.db, lot.lot, at(minute))
    assert check_books(lot.db.conn) == []
    return [(one.payment_id, one.coupon_id, one.amount_fen) for one in made]


def test_the_difference_goes_back_once_and_the_coupon_is_used_when_the_car_leaves(tmp_path: Path) -> None:
    lot, stay_id, _ = paid(tmp_path)
    give(lot, stay_id)

    assert back(lot) == [("p1", "c1", 300)]
    assert back(lot) == []
    assert not vouchers.is_coupon_used(lot.db.conn, "c1")

    gone = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(86))
    assert verdict(gone) == Admit("within_leave_time")
    assert replay(lot.db.conn, gone.decision_id).same
    assert vouchers.is_coupon_used(lot.db.conn, "c1")
    assert (back(lot, 87), check_books(lot.db.conn)) == ([], [])
    assert money.balances(lot.db.conn) == {"coupon": 300, "fee": -1000, "held": 0, "phone": 700}
    assert lot.types().count("payment.given_back") == 1
    assert [one for one in lot.types() if one in ("coupon.redeemed", "stay.closed")] == [
        "coupon.redeemed",
        "stay.closed",
    ]


def test_a_second_coupon_gives_back_what_it_takes_off_more(tmp_path: Path) -> None:
    lot, stay_id, _ = paid(tmp_path)
    give(lot, stay_id)
    back(lot)
    give(lot, stay_id, "c2", kind="FULL_WAIVER", value=0)

    assert back(lot) == [("p1", "c2", 700)]
    stay = stays.get(lot.db.conn, stay_id)
    assert stay is not None
    assert (stay.paid_fen, stay.settled_fee_fen, sum(fen for _, fen in stay.settled_off)) == (0, 1000, 1000)
    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(80))) == Admit("within_leave_time")
    assert check_books(lot.db.conn) == []


def test_who_paid_the_price_of_the_quote_gets_back_the_difference_to_that_price(tmp_path: Path) -> None:
    lot = lot_with(tmp_path)
    ways(lot)
    stay_id = comes(lot, 0)
    quote = quoted(lot, stay_id, 118)  # 10 yuan; from minute 120 on it is 15
    tell(lot, "p1", quote, 121, 121)
    give(lot, stay_id)

    assert back(lot, 122) == [("p1", "c1", 300)]


@pytest.mark.parametrize(
    ("why", "changes"),
    [
        ("the lot gives nothing back", {"late": "allow"}),
        ("more than the lot gives by itself", {"back_most_fen": 299}),
        ("no limit was set", {"back_most_fen": 0}),
    ],
)
def test_nothing_goes_back_and_no_coupon_is_used(tmp_path: Path, why: str, changes: dict[str, object]) -> None:
    lot, stay_id, _ = paid(tmp_path)
    ways(lot, **changes)
    give(lot, stay_id)

    assert back(lot) == [], why
    leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(80))
    assert not vouchers.is_coupon_used(lot.db.conn, "c1")
    assert money.balances(lot.db.conn)["phone"] == 1000


def test_the_limit_counts_all_that_went_back_for_a_stay(tmp_path: Path) -> None:
    lot, stay_id, _ = paid(tmp_path)
    ways(lot, back_most_fen=500)
    give(lot, stay_id)
    assert back(lot) == [("p1", "c1", 300)]
    give(lot, stay_id, "c2")

    assert back(lot) == []
    leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(80))
    assert [vouchers.is_coupon_used(lot.db.conn, name) for name in ("c1", "c2")] == [True, False]


def test_cash_does_not_go_back_by_phone(tmp_path: Path) -> None:
    lot = lot_with(tmp_path)
    ways(lot)
    stay_id = comes(lot, 0)
    paying.take_cash(lot.db, lot.lot, "cash1", stay_id, 1000, "li", at(70))
    give(lot, stay_id)

    assert back(lot) == []


def test_after_the_time_to_leave_the_coupon_counts_for_what_falls_due(tmp_path: Path) -> None:
    lot, stay_id, _ = paid(tmp_path)
    give(lot, stay_id)

    assert back(lot, 125) == []
    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(125))) == PayFirst(200)


def test_what_went_back_is_no_takings_of_the_shift_in_which_the_car_leaves(tmp_path: Path) -> None:
    lot = small_lot(tmp_path, rules=LotRules(shifts=Shifts.NEEDED), workstations=(Workstation("east", ("out",)),))
    lot.lot = replace(lot.lot, cloud_key=CLOUD.public.raw)
    ways(lot)
    begun = open_shift(lot.db, lot.lot, "east", 0, "li", at(0))
    assert isinstance(begun, Done)
    stay_id = comes(lot, 0)
    tell(lot, "p1", quoted(lot, stay_id, 70), 71, 71)
    give(lot, stay_id)
    back(lot)
    leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(80))

    sums = totals(lot.db.conn, begun.subject)

    assert (sums.fee_fen, sums.coupon_fen, sums.electronic_fen, sums.payments) == (1000, 300, 700, 1)
