"""Limits and small print at the exit, with the cloud away: papers refused with words, choices that replay."""

from __future__ import annotations

from typing import Any

import pytest

from domain.decision import Admit, PayFirst, Refuse, replayed
from edge.db import decisions, vouchers
from edge.services import limiting
from edge.services.allowance import offers
from edge.services.entering import enter
from edge.services.issuing import issue, void
from edge.services.leaving import leave
from edge.services.limiting import Limited
from edge.services.redeeming import LaidOn, lay_voucher
from tests.edge.lots import SmallLot, at, verdict
from tests.edge.services.test_vouchers_and_coupons import ORDER, PLATE, car_in, coupon, issued, lot, template

__all__ = ["lot"]  # the fixture


def limit(lot: SmallLot, level: str, subject_id: int, **body: Any) -> None:
    lot.put("rules", f"limits:{level}:{subject_id}", body)


def bound(lot: SmallLot, name: str, stay_id: str = "", **changes: Any) -> None:
    row = coupon(stay_id, coupon_id=name, template_id=5, issued_ms=at(0).wall_ms, **changes)
    lot.put("coupons", name, row)


def lay(lot: SmallLot, stay_id: str, token: str, minutes: int = 30) -> LaidOn | Refuse:
    return lay_voucher(lot.db, lot.lot, stay_id, token, "li", "out", at(minutes))


def test_a_paper_of_another_merchant_is_refused_by_its_name(lot: SmallLot) -> None:
    limit(lot, "lot", 7, one_merchant=True)
    lot.put("rules", "merchant:4", {"merchant_id": 4, "name": "书店"})
    slip, stay_id = issued(lot), car_in(lot)
    bound(lot, "c1", stay_id, merchant_id=4)

    assert lay(lot, stay_id, slip.token) == Limited("other_merchant", (("merchant", "书店"),))


def test_one_paper_for_a_stay_and_so_many_a_day(lot: SmallLot) -> None:
    limit(lot, "merchant", 3, one_per_stay=True)
    limit(lot, "lot", 7, per_day=1)
    first, second, stay_id = issued(lot), issued(lot), car_in(lot)

    laid, more = lay(lot, stay_id, first.token), lay(lot, stay_id, second.token)
    leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(31))
    again = enter(lot.db, lot.lot, lot.arrival("in", PLATE), at(60)).stay_id
    later = lay(lot, again, second.token, 90)
    tomorrow = lay(lot, again, second.token, 23 * 60)

    assert isinstance(laid, LaidOn)
    assert more == Limited("one_per_stay")
    assert later == Limited("daily_max", (("most", 1),))
    assert isinstance(tomorrow, LaidOn)


def test_a_coupon_taken_once_is_not_taken_again_from_paper(lot: SmallLot) -> None:
    limit(lot, "coupon", 5, no_repeat=True)
    bound(lot, "c1", value=500)
    car_in(lot)
    leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(30))
    again = enter(lot.db, lot.lot, lot.arrival("in", PLATE), at(60)).stay_id

    assert lay(lot, again, issued(lot).token, 90) == Limited("no_repeat")


def test_a_plate_without_coupons_pays(lot: SmallLot) -> None:
    lot.put("rules", f"no_coupons:{PLATE}", {"plate": PLATE})

    assert lay(lot, car_in(lot), issued(lot).token) == Refuse("plate_gets_no_coupons")


def test_no_more_papers_are_printed_than_a_coupon_has(lot: SmallLot) -> None:
    limit(lot, "coupon", 5, day_total=1)
    slip = issued(lot)

    more = issue(lot.db, lot.lot, ORDER, at(1))
    (offer,) = offers(lot.db.conn, lot.lot, 3, at(1))
    void(lot.db, slip.payload.key_id, slip.payload.counter, "wang", "spoilt", at(2))

    assert more == Limited("all_taken_today")
    assert (offer.count, offer.refused) == (0, "all_taken_today")
    assert not isinstance(issue(lot.db, lot.lot, ORDER, at(3)), Refuse)


def test_a_pass_is_not_printed(lot: SmallLot) -> None:
    lot.put("rules", "template:5", template(terms={"uses": 3}))

    assert issue(lot.db, lot.lot, ORDER, at(1)) == Refuse("kind_not_offered")


def test_a_pass_serves_one_stay_after_another_with_one_use_each(lot: SmallLot) -> None:
    for name in ("c1", "c2"):
        bound(lot, name, value=500, pass_id="p", terms={"uses": 2})

    said = []
    for visit in range(3):
        enter(lot.db, lot.lot, lot.arrival("in", PLATE), at(visit * 60))
        said.append(verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(visit * 60 + 30))))

    assert said == [Admit("nothing_due"), Admit("nothing_due"), PayFirst(500)]


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"weekdays": [0]}, "wrong_day"),  # the lot's day is a Saturday
        ({"hours": [[600, 1200]]}, "wrong_hour"),
        ({"ends": "2026-11-20"}, "expired"),
        ({"lots": [8]}, "wrong_lot"),
        ({"leave_within": 20}, "left_too_late"),
        ({"min_stay": 60}, "stay_too_short"),
    ],
)
def test_small_print_is_kept_at_the_exit_and_told(lot: SmallLot, terms: dict[str, Any], reason: str) -> None:
    bound(lot, "c1", car_in(lot), terms=terms)

    decided = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(30))

    assert verdict(decided) == PayFirst(500)
    assert decided.decision.explanation["coupons"] == [{"coupon": "c1", "refused": reason}]


@pytest.mark.parametrize(("most", "due"), [(0, 1000), (120, 1000), (70, 1000), (69, 1500), (60, 1500)])
def test_the_time_coupons_of_a_stay_cover_no_more_than_their_template_says(lot: SmallLot, most: int, due: int) -> None:
    stay_id = car_in(lot)  # at 08:00
    for name in ("c1", "c2"):
        bound(lot, name, stay_id, kind="DURATION", value=60, terms={"max_minutes": most} if most else {})

    decided = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(190))  # 20 yuan

    assert verdict(decided) == PayFirst(due)


def test_free_until_and_a_percentage_take_their_part_and_the_decision_replays(lot: SmallLot) -> None:
    stay_id = car_in(lot)  # at 08:00
    bound(lot, "c1", stay_id, kind="PERCENT", value=50, cap_fen=5000)
    bound(lot, "c2", stay_id, kind="FREE_UNTIL", value=0, terms={"until": 9 * 60})
    limit(lot, "lot", 7, max_coupons=1)

    decided = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(190))  # 20 yuan; from nine on 15

    assert verdict(decided) == PayFirst(1000)
    why = decided.decision.explanation["coupons"]
    assert [step.get("refused", "used") for step in why] == ["used", "coupon_limit"]
    stored = decisions.get(lot.db.conn, decided.decision_id)
    assert stored is not None
    assert replayed(decided.decision.text(), lot.lot.price) == decided.decision.text()


def test_a_free_stay_keeps_its_coupons_and_says_so(lot: SmallLot) -> None:
    police = "京A1234警"
    enter(lot.db, lot.lot, lot.arrival("in", police), at(0))
    bound(lot, "c1", plate=police)

    decided = leave(lot.db, lot.lot, lot.arrival("out", police), at(200))

    assert verdict(decided) == Admit("free_kind")
    assert decided.decision.explanation["coupons"] == [{"coupon": "c1", "refused": "nothing_due"}]
    assert not vouchers.is_coupon_used(lot.db.conn, "c1")


def test_limits_nobody_can_read_stop_no_lane(lot: SmallLot) -> None:
    limit(lot, "lot", 7, max_coupons="two", one_merchant="yes")

    assert isinstance(lay(lot, car_in(lot), issued(lot).token), LaidOn)
    assert limiting.ways(lot.db.conn, lot.lot) == '{"lot":7}'
