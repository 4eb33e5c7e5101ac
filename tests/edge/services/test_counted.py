"""What a car has paid with is that car's until it leaves, whatever the cloud or another car wants with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.decision import Admit, PayFirst
from domain.events import CouponKept, Event
from domain.sync.channel import Part, Row, digest, digest_text
from edge.db import channels, counted
from edge.db.database import transaction
from edge.services.checking import check_books
from edge.services.entering import enter
from edge.services.leaving import leave
from edge.services.lot import Done
from edge.services.paying import take_cash
from edge.services.reopening import reopen
from tests.edge.lots import SmallLot, at, small_lot, verdict
from tests.edge.services.test_phone_paying import PLATE as PHONED
from tests.edge.services.test_phone_paying import comes, lot_with, quoted, tell

PLATE, OTHER = "京A12345", "京B12345"


@pytest.fixture
def lot(tmp_path: Path) -> SmallLot:
    return small_lot(tmp_path)


def coupon(plate: str, **changes: object) -> dict[str, object]:
    row: dict[str, object] = {"coupon_id": "c1", "plate": plate, "stay_id": "", "kind": "AMOUNT", "value": 300}
    return row | {"cap_fen": 0, "meaning": "end", "remainder": "lost", "merchant_id": 3} | changes


def paid(lot: SmallLot) -> str:
    """A car that came at 0 and paid at 30 what its coupon had left of 5 yuan."""
    stay_id = enter(lot.db, lot.lot, lot.arrival("in", PLATE), at(0)).stay_id
    assert stay_id is not None
    lot.put("coupons", "c1", coupon(PLATE))
    take_cash(lot.db, lot.lot, "p1", stay_id, 200, "li", at(30))
    return stay_id


def test_a_coupon_moved_to_another_plate_stays_with_the_car_that_has_paid_with_it(lot: SmallLot) -> None:
    paid(lot)
    enter(lot.db, lot.lot, lot.arrival("in", OTHER), at(1))
    lot.put("coupons", "c1", coupon(OTHER))

    other = leave(lot.db, lot.lot, lot.arrival("out", OTHER), at(32))
    first = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(33))

    assert (verdict(other), verdict(first)) == (PayFirst(500), Admit("within_leave_time"))


def kept(lot: SmallLot, part: Part) -> list[Event]:
    """What the log says when *part* of the cloud's list is taken."""
    with transaction(lot.db) as conn:
        step = channels.take(conn, part)
        assert step is not None
        return [fact for fact, _ in counted.withdraw(conn, part.channel, step)]


def gone(channel: str, key: str, version: int) -> Part:
    return Part(channel, version - 1, version, 1, 1, (Row(key, version, None),), digest_text(digest([])))


def test_a_withdrawn_coupon_its_car_has_paid_with_counts_until_the_car_leaves(lot: SmallLot) -> None:
    stay_id = paid(lot)

    assert kept(lot, gone("coupons", "c1", 2)) == [CouponKept("c1", stay_id)]
    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(33))) == Admit("within_leave_time")
    assert "coupon.redeemed" in lot.types()


def test_a_withdrawn_coupon_nobody_has_paid_with_counts_no_more(lot: SmallLot) -> None:
    enter(lot.db, lot.lot, lot.arrival("in", PLATE), at(0))
    lot.put("coupons", "c1", coupon(PLATE))

    assert kept(lot, gone("coupons", "c1", 2)) == []
    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(30))) == PayFirst(500)


def test_a_withdrawn_coupon_counts_for_a_phone_that_was_told_a_price_with_it(tmp_path: Path) -> None:
    lot = lot_with(tmp_path)
    lot.put("coupons", "c1", coupon(PHONED))
    stay_id = comes(lot, 0)
    quote = quoted(lot, stay_id, 70)

    said = kept(lot, gone("coupons", "c1", 2))
    tell(lot, "p1", quote, 71, 72)

    assert said == [CouponKept("c1", stay_id)]
    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", PHONED), at(74))) == Admit("within_leave_time")
    assert "coupon.redeemed" in lot.types()


def test_a_price_said_to_a_phone_holds_though_another_car_used_its_coupon(tmp_path: Path) -> None:
    lot = lot_with(tmp_path)
    lot.put("coupons", "c1", coupon(PHONED))
    stay_id = comes(lot, 0)
    quote = quoted(lot, stay_id, 70)
    lot.put("coupons", "c1", coupon(OTHER))
    other = enter(lot.db, lot.lot, lot.arrival("in", OTHER), at(0)).stay_id
    take_cash(lot.db, lot.lot, "p2", other, 700, "li", at(71))
    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", OTHER), at(72))) == Admit("within_leave_time")

    tell(lot, "p1", quote, 72, 73)

    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", PHONED), at(74))) == Admit("within_leave_time")
    assert check_books(lot.db.conn) == []


def test_a_coupon_of_an_exit_that_was_undone_counts_no_more_once_it_is_withdrawn(lot: SmallLot) -> None:
    stay_id = paid(lot)
    assert leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(33)).opens
    lot.put("coupons", "c1", None)
    assert reopen(lot.db, lot.lot, stay_id, "li", "supervisor", "misread", at(34)) == Done(stay_id)
    lot.put("coupons", "c1", coupon(PLATE))  # as coupon.restored has the cloud do

    said = kept(lot, gone("coupons", "c1", 4))

    assert said == [CouponKept("c1", stay_id)]  # it may leave as it had paid, for a while
    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(60))) == PayFirst(300)
