"""Papers that pay: issued once, printed once, counted once; coupons of the cloud used with the cloud gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain import voucher
from domain.decision import Admit, PayFirst, Refuse
from domain.lease import Lease, LeaseState
from domain.ledger import Commodity, Funds
from domain.wire import BadMessageError
from edge.db import journal, leases, money, vouchers
from edge.db.database import transaction
from edge.services import manual
from edge.services.allowance import offers
from edge.services.entering import enter
from edge.services.issuing import Issued, Order, issue, printed, void
from edge.services.leases import apply_grant
from edge.services.leaving import leave
from edge.services.limiting import Limited
from edge.services.lot import Done
from edge.services.paying import due_of, take_cash
from edge.services.recovering import recover
from edge.services.redeeming import LaidOn, lay_number, lay_voucher, take_off
from plumbing.signing import PrivateKey
from tests.edge.lots import START, SmallLot, at, small_lot, verdict

PLATE = "京A12345"
ORDER = Order(3, 5, "wang")
ALWAYS = {"not_before_ms": 0, "not_after_ms": 1 << 60, "revoked_at_counter": None}


@pytest.fixture
def lot(tmp_path: Path) -> SmallLot:
    lot = small_lot(tmp_path)
    lot.put("keys", "1", {"key_id": 1, "public": lot.key.public.raw.hex(), "lot_id": 7, **ALWAYS})
    terms = {"amount_percent": 100, "duration_percent": 100, "waiver_cap_fen": 3000}
    lot.put("rules", "merchant:3", {"merchant_id": 3, "name": "Shop", "enabled": True, "contracts": {"7": terms}})
    lot.put("rules", "template:5", template())
    grant(lot, 1, 1200)
    return lot


def template(**changes: object) -> dict[str, object]:
    row: dict[str, object] = {"template_id": 5, "merchant_id": 3, "name": "five", "kind": "AMOUNT", "value": 500}
    return row | {"cap_fen": 0, "meaning": "end", "remainder": "lost", "valid_min": 1440} | changes


def grant(lot: SmallLot, lease_id: int, granted: int, papers: dict[int, int] | None = None) -> None:
    lease, until = Lease(lease_id, granted, 0, LeaseState.ACTIVE), at(600).boot_ms
    held = leases.HeldLease(lease, 3, Commodity.FEN, Funds.PAID, START.boot, until, papers=papers)
    with transaction(lot.db) as conn:
        leases.insert(conn, held, 1)


def issued(lot: SmallLot) -> Issued:
    result = issue(lot.db, lot.lot, ORDER, START)
    assert isinstance(result, Issued)
    return result


def car_in(lot: SmallLot, plate: str = PLATE) -> str:
    return enter(lot.db, lot.lot, lot.arrival("in", plate), START).stay_id


def test_a_voucher_is_counter_lease_row_and_event_in_one_commit(lot: SmallLot) -> None:
    slip = issued(lot)

    held = leases.get(lot.db.conn, 1)
    row = vouchers.get(lot.db.conn, 1, 1)
    assert held is not None
    assert row is not None
    assert (slip.payload.counter, held.lease.spent, row.state) == (1, 500, "printing")
    assert lot.types()[-2:] == ["voucher.issued", "act.recorded"]


def test_a_lease_is_never_overspent(lot: SmallLot) -> None:
    issued(lot)
    issued(lot)

    assert issue(lot.db, lot.lot, ORDER, START) == Refuse("lease_short")
    assert issued_counters(lot) == [1, 2]


def issued_counters(lot: SmallLot) -> list[int]:
    return sorted(row.counter for row in vouchers.recent(lot.db.conn))


def test_after_a_power_off_of_unknown_length_only_a_fifth_is_spent(lot: SmallLot) -> None:
    elsewhen = START.__class__("boot-b", 10, at(5).wall_ms)

    assert issue(lot.db, lot.lot, ORDER, elsewhen) == Refuse("lease_stale")


def test_nothing_is_issued_without_a_certified_key_a_contract_or_a_template(tmp_path: Path) -> None:
    lot = small_lot(tmp_path)
    assert issue(lot.db, lot.lot, ORDER, START) == Refuse("no_such_template")
    lot.put("rules", "template:5", template())
    assert issue(lot.db, lot.lot, ORDER, START) == Refuse("no_voucher_key")


def test_a_voucher_opens_one_exit_only(lot: SmallLot) -> None:
    slip = issued(lot)
    printed(lot.db, 1, 1, "confirmed", START)
    first, second = car_in(lot), car_in(lot, "京B12345")

    laid = lay_voucher(lot.db, lot.lot, first, slip.token, "li", "out", at(30))
    other = lay_voucher(lot.db, lot.lot, second, slip.token, "li", "out", at(30))
    left = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(31))
    after = lay_voucher(lot.db, lot.lot, second, slip.token, "li", "out", at(32))

    assert laid == LaidOn("1:1", first, 0)
    assert other == Refuse("voucher_on_other_stay")
    assert left.opens
    assert after == Refuse("voucher_used")
    assert lot.types().count("voucher.redeemed") == 1
    assert money.balances(lot.db.conn) == {"coupon": 500, "fee": -500}


def test_a_voucher_that_cannot_be_scanned_is_typed_by_the_number_on_it_where_it_was_printed(lot: SmallLot) -> None:
    issued(lot)
    stay = car_in(lot)

    assert lay_number(lot.db, lot.lot, stay, "1-000002", "li", "", at(30)) == Refuse("no_such_number")
    assert lay_number(lot.db, lot.lot, stay, "2-000001", "li", "", at(30)) == Refuse("no_such_number")
    assert lay_number(lot.db, lot.lot, stay, " 1-000001 ", "li", "", at(30)) == LaidOn("1:1", stay, 0)

    assert [(act.by, act.act) for act in journal.acts(lot.db.conn, 1)] == [("li", "voucher.type")]


def test_a_voucher_taken_off_again_may_pay_for_another_car(lot: SmallLot) -> None:
    slip = issued(lot)
    first, second = car_in(lot), car_in(lot, "京B12345")
    lay_voucher(lot.db, lot.lot, first, slip.token, "li", "out", at(30))

    assert take_off(lot.db, lot.lot, "1:1", "li", at(31)) == Done(first)

    assert isinstance(lay_voucher(lot.db, lot.lot, second, slip.token, "li", "out", at(31)), LaidOn)
    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(32))) == PayFirst(500)


@pytest.mark.parametrize(
    ("scanned", "code"),
    [
        ("6901234567892", "scanned_unknown"),
        ("LC1ABC", "scanned_claim_code"),
        ("HTTPS://LOTGATE.EXAMPLE/T/LT1ABC", "scanned_entry_ticket"),
        ("LP1ABC", "scanned_exit_pass"),
        ("LG1ABC", "voucher_malformed"),
    ],
)
def test_what_is_no_voucher_is_called_by_its_name(lot: SmallLot, scanned: str, code: str) -> None:
    assert lay_voucher(lot.db, lot.lot, car_in(lot), scanned, "li", "", at(5)) == Refuse(code)


def test_the_slip_as_scanned_from_paper_counts(lot: SmallLot) -> None:
    text = voucher.paper_text("lot.example", issued(lot).token)

    assert isinstance(lay_voucher(lot.db, lot.lot, car_in(lot), text, "li", "out", at(30)), LaidOn)


def test_a_forged_voucher_is_refused_and_becomes_an_incident(lot: SmallLot) -> None:
    forged = voucher.issue(issued(lot).payload, PrivateKey.generate())

    refused = lay_voucher(lot.db, lot.lot, car_in(lot), forged, "li", "out", at(30))

    assert refused == Refuse("voucher_bad_signature")
    assert [one.code for one in journal.incidents(lot.db.conn)] == ["voucher_forged"]


def test_a_voucher_whose_printing_was_cut_off_is_never_printed_again_but_proves_itself(tmp_path: Path) -> None:
    lot = small_lot(tmp_path)
    lot.put("keys", "1", {"key_id": 1, "public": lot.key.public.raw.hex(), "lot_id": 7, **ALWAYS})
    terms = {"amount_percent": 100, "duration_percent": 100, "waiver_cap_fen": 3000}
    lot.put("rules", "merchant:3", {"merchant_id": 3, "name": "Shop", "enabled": True, "contracts": {"7": terms}})
    lot.put("rules", "template:5", template())
    grant(lot, 1, 1200)
    first = recover(lot.db, "0.1", at(0))
    slip = issued(lot)

    found = recover(lot.db, "0.1", at(1))
    row = vouchers.get(lot.db.conn, 1, 1)

    assert (first.clean, first.doubtful_vouchers) == (True, 0)
    assert (found.clean, found.doubtful_vouchers) == (False, 1)
    assert row is not None
    assert row.state == "unknown"
    assert not printed(lot.db, 1, 1, "confirmed", at(1))
    assert isinstance(lay_voucher(lot.db, lot.lot, car_in(lot), slip.token, "li", "out", at(30)), LaidOn)
    proven = vouchers.get(lot.db.conn, 1, 1)
    assert proven is not None
    assert proven.state == "confirmed"
    assert issued(lot).payload.counter == 2


def test_a_used_voucher_cannot_be_voided_and_a_voided_one_not_used(lot: SmallLot) -> None:
    first, second = issued(lot), issued(lot)
    lay_voucher(lot.db, lot.lot, car_in(lot), first.token, "li", "out", at(30))
    leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(31))

    assert void(lot.db, 1, 1, "wang", "mistake", at(32)) == Refuse("voucher_used")
    assert void(lot.db, 1, 2, "wang", "mistake", at(32)) == Done("1:2")
    refused = lay_voucher(lot.db, lot.lot, car_in(lot, "京B12345"), second.token, "li", "out", at(33))
    assert refused == Refuse("voucher_voided")


def coupon(stay_id: str, **changes: object) -> dict[str, object]:
    row: dict[str, object] = {"coupon_id": "c1", "plate": PLATE, "stay_id": stay_id, "kind": "AMOUNT", "value": 300}
    return row | {"cap_fen": 0, "meaning": "end", "remainder": "lost", "merchant_id": 3} | changes


def test_a_coupon_bound_by_the_cloud_takes_its_part_at_the_exit(lot: SmallLot) -> None:
    lot.put("coupons", "c1", coupon(car_in(lot)))

    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(30))) == PayFirst(200)


def test_a_coupon_is_used_once_even_while_the_cloud_still_lists_it(lot: SmallLot) -> None:
    lot.put("coupons", "c1", coupon("", value=500))
    car_in(lot)
    first = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(30))

    enter(lot.db, lot.lot, lot.arrival("in", PLATE), at(40))
    second = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(80))

    assert verdict(first) == Admit("nothing_due")
    assert verdict(second) == PayFirst(500)
    assert lot.types().count("coupon.redeemed") == 1


def test_a_coupon_that_saves_nothing_keeps_its_value(lot: SmallLot) -> None:
    lot.put("coupons", "c1", coupon(car_in(lot)))

    leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(10))

    assert "coupon.redeemed" not in lot.types()


WRONG = ({"kind": "MAGIC"}, {"value": -3}, {"not_after_ms": 1}, {"stay_id": "another"}, {"not_after_ms": "soon"})


@pytest.mark.parametrize("wrong", [*WRONG, {"merchant_id": "shop"}])
def test_a_coupon_that_does_not_hold_never_keeps_a_car_from_leaving(lot: SmallLot, wrong: dict[str, object]) -> None:
    lot.put("coupons", "c1", coupon(car_in(lot)) | wrong)

    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(30))) == PayFirst(500)


def test_a_word_from_the_cloud_makes_a_lease_good_in_full_again(lot: SmallLot) -> None:
    restarted = START.__class__("boot-b", 10, at(5).wall_ms)

    with transaction(lot.db) as conn:
        leases.freshen(conn, restarted)

    assert isinstance(issue(lot.db, lot.lot, ORDER, restarted), Issued)
    later = START.__class__("boot-b", 10 + 73 * 3_600_000, at(73 * 60).wall_ms)
    assert issue(lot.db, lot.lot, ORDER, later) == Refuse("lease_stale")


def test_a_printed_voucher_keeps_its_worth_when_its_template_is_deleted(lot: SmallLot) -> None:
    lot.put("rules", "template:5", template(kind="DURATION", value=60))
    held = leases.HeldLease(
        Lease(2, 600, 0, LeaseState.ACTIVE), 3, Commodity.MIN, Funds.PAID, START.boot, at(600).boot_ms
    )
    with transaction(lot.db) as conn:
        leases.insert(conn, held, 1)
    slip = issued(lot)
    lot.put("rules", "template:5", template(kind="DURATION", value=60) | {"deleted": True})
    stay_id = car_in(lot)

    laid = lay_voucher(lot.db, lot.lot, stay_id, slip.token, "li", "out", at(90))

    assert laid == LaidOn("1:1", stay_id, 500)  # one of two hours
    assert issue(lot.db, lot.lot, ORDER, START) == Refuse("no_such_template")


def test_a_coupon_with_a_total_is_printed_as_often_as_the_leases_say_withdrawn_papers_too(lot: SmallLot) -> None:
    grant(lot, 2, 5_000, {5: 1})
    grant(lot, 3, 5_000, {5: 1, 6: 9})
    grant(lot, 4, 5_000, {})
    with transaction(lot.db) as conn:
        leases.close(conn, 1)
    free = offers(lot.db.conn, lot.lot, 3, START)[0].count
    lot.put("rules", "limits:coupon:5", {"total": 100})

    first, offered = issued(lot), offers(lot.db.conn, lot.lot, 3, START)[0].count
    assert isinstance(void(lot.db, 1, 1, "li", "torn", START), Done)
    second = issued(lot)
    over = offers(lot.db.conn, lot.lot, 3, START)[0]

    assert (free, offered, over.count, over.refused) == (30, 1, 0, "papers_used")
    assert [first.payload.lease_id, second.payload.lease_id] == [2, 3]
    assert issue(lot.db, lot.lot, ORDER, START) == Refuse("papers_used")


def test_a_lease_of_a_cloud_that_names_no_papers_is_printed_from_up_to_the_total(lot: SmallLot) -> None:
    lot.put("rules", "limits:coupon:5", {"total": 1})

    issued(lot)

    assert issue(lot.db, lot.lot, ORDER, START) == Limited("all_taken")


@pytest.mark.parametrize("papers", ["3", {"5": "1"}, {"x": 1}])
def test_papers_that_make_no_sense_are_no_lease(lot: SmallLot, papers: object) -> None:
    body = {"lease_id": 9, "merchant_id": 3, "commodity": "FEN", "funds": "PAID", "granted": 5, "spend_h": 72}

    with pytest.raises(BadMessageError), transaction(lot.db) as conn:
        apply_grant(conn, START, body | {"papers": papers})


def test_a_full_waiver_is_never_worth_more_than_was_held_for_it(lot: SmallLot) -> None:
    lot.put("rules", "template:5", template(kind="FULL_WAIVER", value=0, cap_fen=900_000))
    grant(lot, 2, 5000)

    slip = issued(lot)

    assert slip.payload.cap_fen == 3000


def test_a_paper_on_a_stay_that_ended_unseen_goes_back_to_its_holder(lot: SmallLot) -> None:
    slip = issued(lot)
    first = car_in(lot)
    lay_voucher(lot.db, lot.lot, first, slip.token, "li", "out", at(30))

    again = enter(lot.db, lot.lot, lot.arrival("in", PLATE), at(600))  # it left unseen and comes back

    laid = lay_voucher(lot.db, lot.lot, again.stay_id, slip.token, "li", "out", at(630))
    assert laid == LaidOn("1:1", again.stay_id, 0)


@pytest.mark.parametrize(("named", "due"), [(True, PayFirst(700)), (False, PayFirst(1000))])
def test_a_coupon_follows_its_stay_when_the_plate_is_mended(lot: SmallLot, named: bool, due: PayFirst) -> None:
    stay_id = car_in(lot, "京A1Z345")
    lot.put("coupons", "c1", coupon(stay_id if named else "") | {"plate": "京A1Z345"})

    assert manual.correct_plate(lot.db, stay_id, PLATE, "li", at(5)) == Done(stay_id)

    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(70))) == due


def named_for(lot: SmallLot, slip: Issued, plate: str) -> None:
    """The driver told the cloud which car the slip is for."""
    said = {
        name: getattr(slip.payload, name)
        for name in ("template_id", "merchant_id", "cap_fen", "not_after_min", "span_h")
    }
    lot.put("vstate", "1:1", {"state": "BOUND", "plate": plate, **said})


def test_a_slip_named_for_a_car_is_taken_off_without_the_paper_and_once(lot: SmallLot) -> None:
    slip = issued(lot)
    car_in(lot)
    named_for(lot, slip, PLATE)

    left = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(31))
    car_in(lot)
    second = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(62))

    assert left.opens
    assert verdict(second) == PayFirst(1000)
    assert lot.types().count("voucher.redeemed") == 1
    assert vouchers.is_used(lot.db.conn, 1, 1)


def test_a_slip_a_car_has_paid_with_is_not_voided_at_the_booth(lot: SmallLot) -> None:
    slip = issued(lot)
    stay_id = car_in(lot)
    named_for(lot, slip, PLATE)
    take_cash(lot.db, lot.lot, "p1", stay_id, due_of(lot.db.conn, lot.lot, stay_id, at(70)), "li", at(70))

    refused = void(lot.db, 1, 1, "wang", "mistake", at(71))
    leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(72))

    assert refused == Refuse("voucher_on_other_stay")
    assert "voucher.redeemed" in lot.types()


def test_a_slip_named_for_a_car_counts_for_no_other(lot: SmallLot) -> None:
    slip = issued(lot)
    own, other = car_in(lot), car_in(lot, "京B12345")
    named_for(lot, slip, PLATE)

    refused = lay_voucher(lot.db, lot.lot, other, slip.token, "li", "out", at(30))
    laid = lay_voucher(lot.db, lot.lot, own, slip.token, "li", "out", at(30))

    assert refused == Refuse("voucher_other_plate")
    assert laid == LaidOn("1:1", own, 0)
    assert leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(31)).opens
    assert lot.types().count("voucher.redeemed") == 1


def test_a_slip_used_before_the_lot_heard_of_its_car_stays_used(lot: SmallLot) -> None:
    slip = issued(lot)
    other = car_in(lot, "京B12345")
    lay_voucher(lot.db, lot.lot, other, slip.token, "li", "out", at(30))
    assert leave(lot.db, lot.lot, lot.arrival("out", "京B12345"), at(31)).opens
    car_in(lot)

    named_for(lot, slip, PLATE)

    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(32))) == PayFirst(500)


@pytest.mark.parametrize("minutes", [30, 90])
def test_a_paper_past_its_end_counts_for_a_car_that_settled_with_it_and_for_no_other(
    lot: SmallLot, minutes: int
) -> None:
    slip = issued(lot)
    stay_id = car_in(lot)
    laid = lay_voucher(lot.db, lot.lot, stay_id, slip.token, "li", "out", at(minutes))
    lot.put("vstate", "1:1", {"state": "VOIDED", "not_after_min": slip.payload.not_after_min})

    left = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(minutes + 1))

    settled = laid == LaidOn("1:1", stay_id, 0)
    assert settled is (minutes == 30)
    assert left.opens is settled
    assert vouchers.is_used(lot.db.conn, 1, 1) is settled
    assert settled or verdict(left) == PayFirst(1000)
