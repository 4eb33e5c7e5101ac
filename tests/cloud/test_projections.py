"""What edges report is repeated in the cloud: stays, money at the booth, passages, incidents, people's acts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Connection, RowMapping, select

from cloud.access import audit
from cloud.act import Refused
from cloud.coupons import service as coupons
from cloud.lots import arrears, occupancy, openings
from cloud.lots import incidents as lot_incidents
from cloud.lots import service as lots
from cloud.lots.tables import barrier_opening, debt, debt_move, passage, payment, stay, zone_count
from cloud.sync.inbox import apply_events, rerun_parked
from domain import events
from domain.events import Event, encode
from domain.moment import Moment
from domain.wire import GENESIS, chain_hash
from tests.cloud.world import LANES, NOW, World

CLOSED = events.StayClosed("s1", "out", "京A12345", "UNPAID", "tailgate", 1_500, 300, 0, 700, 500, "d2", "mall")


def test_cash_given_back_is_taken_off_what_was_taken(world: World) -> None:
    world.apply(events.PaymentTaken("p1", "s1", "cash", 700, "booth"))
    world.apply(events.CashRefunded("r1", "s1", 300, "booth", "chen", "overpaid"))

    rows = world.conn.execute(select(payment).order_by(payment.c.payment_id)).all()
    assert [(row.method, row.amount_fen, row.taken_by) for row in rows] == [
        ("cash", 700, "booth"),
        ("cash", -300, "booth"),
    ]


def test_a_stay_is_opened_corrected_and_closed(world: World) -> None:
    world.car("s1", "京A1234S")
    world.apply(events.StayCorrected("s1", "京A1234S", "京A12345", "booth"))
    inside = lots.cars_inside(world.conn, world.operator_id, "12345").items

    world.apply(CLOSED)

    row = world.conn.execute(select(stay)).one()
    assert [each["plate"] for each in inside] == ["京A12345"]
    assert (row.plate, row.plate_raw, row.outcome, row.cause) == ("京A12345", "京A1234S", "UNPAID", "tailgate")
    assert row.fee_fen == row.discount_fen + row.waived_fen + row.paid_fen + row.owed_fen == 1_500
    assert lots.cars_inside(world.conn, world.operator_id).total == 0


def test_a_stay_has_the_class_last_picked_for_it(world: World) -> None:
    world.car("s1")
    world.apply(events.StayClassed("s1", "small", "nev", "li"))
    world.apply(events.StayClassed("s1", "nev", "large", "li"))

    assert world.conn.execute(select(stay.c.vehicle_class)).scalar_one() == "large"


def test_a_closing_without_an_opening_is_kept_and_completed_later(world: World) -> None:
    world.apply(CLOSED)
    world.car("s1")

    row = world.conn.execute(select(stay)).one()
    assert (row.entry_lane, row.entered_ms, row.left_ms, row.outcome) == ("in", NOW, NOW, "UNPAID")


def test_an_edge_changes_no_stay_of_another(world: World) -> None:
    world.car("s1")
    lot_id = lots.create_lot(world.conn, world.act(), "south", "Asia/Shanghai", 10, LANES)
    assert isinstance(lot_id, int)
    other, _ = world.new_edge(lot_id, "south")

    world.apply(CLOSED, edge_id=other)
    world.apply(events.StayCorrected("s1", "京A12345", "粤B00000", "x"), edge_id=other)
    world.apply(events.StayClassed("s1", "small", "large", "x"), edge_id=other)

    row = world.conn.execute(select(stay)).one()
    assert (row.plate, row.left_ms, row.edge_id) == ("京A12345", None, world.edge_id)
    assert row.vehicle_class == "small"


@pytest.mark.parametrize(
    ("event", "table"),
    [
        (events.PaymentTaken("p1", "s1", "cash", 700, "booth"), payment),
        (events.CashRefunded("r1", "s1", 300, "booth", "", "overpaid"), payment),
        (events.DebtRecorded("x1", "s1", "京A12345", 500), debt),
        (events.DebtMoved("m1", "x1", "paid", 500, "p1", "li", ""), debt_move),
        (events.PassageSeen("in", "d1", "京A12345"), passage),
        (events.ZoneCounted("inside", "", 1, 4, "wang", "round"), zone_count),
        (events.PassageReversed("in", "d1", "京A12345"), passage),
        (events.BarrierOpened("in", "d1", "booth", "rain", "s1"), barrier_opening),
    ],
)
def test_the_same_event_twice_is_one_row(world: World, event: Event, table) -> None:  # type: ignore[no-untyped-def]
    world.apply(event, seq=7)
    world.apply(event, seq=7)

    assert len(world.conn.execute(select(table)).all()) == 1


def test_what_a_plate_owes_follows_what_became_of_its_debts(world: World) -> None:
    world.apply(events.DebtRecorded("x1", "s1", "京A12345", 500))
    world.apply(events.DebtRecorded("x2", "s2", "京A12345", 250))
    assert arrears.owed_by(world.conn, world.operator_id, "京A12345") == 750

    world.apply(events.DebtMoved("m1", "x1", "paid", 300, "p1", "li", ""))
    world.apply(events.DebtMoved("m2", "x2", "waived", 250, "", "wang", "device"))
    world.apply(events.DebtMoved("m3", "x1", "disputed", 0, "", "li", "not my car"))

    assert arrears.owed_by(world.conn, world.operator_id, "京A12345") == 200
    (asked,) = arrears.every(world.conn, world.operator_id, arrears.Sought(arrears.DISPUTED))
    assert (asked["debt_id"], asked["left_fen"], asked["lot_name"]) == ("x1", 200, "north lot")
    assert arrears.arrears(world.conn, world.operator_id).total == 0
    assert [row["kind"] for row in arrears.moves(world.conn, world.operator_id, "x1")] == ["paid", "disputed"]
    world.apply(events.DebtMoved("m4", "x1", "upheld", 0, "", "wang", "the picture shows it"))
    assert arrears.left_fen(world.conn, world.operator_id) == 200


def test_the_check_names_a_debt_paid_beyond_what_was_owed(world: World) -> None:
    world.apply(events.DebtRecorded("x1", "s1", "京A12345", 500))
    world.apply(events.DebtMoved("m1", "x1", "paid", 501, "p1", "li", ""))
    world.apply(events.DebtMoved("m2", "x9", "paid", 1, "p1", "li", ""))

    assert arrears.wrong(world.conn) == [
        "debt x1: more became of it than was owed",
        "move m2 is of a debt nobody recorded",
    ]


def test_acts_at_the_lots_join_the_audit_chain(world: World) -> None:
    world.apply(events.ActRecorded("王芳", "barrier.open", "lane:out", "rain"))

    newest = audit.listed(world.conn, world.operator_id).items[0]
    assert (newest["made_by"], newest["act"], newest["lot_id"]) == ("王芳", "barrier.open", world.lot_id)
    assert audit.first_broken(world.conn) is None


def _batch(made: list[Event]) -> tuple[list[bytes], list[bytes]]:
    bodies, hashes, head = [], [], GENESIS
    for seq, event in enumerate(made, 1):
        body = encode(seq, Moment("b", seq, NOW), event)
        head = chain_hash(head, body)
        bodies.append(body)
        hashes.append(head)
    return bodies, hashes


def test_an_event_that_cannot_be_applied_is_parked_and_works_once_its_cause_is_gone(world: World) -> None:
    lease_id = 1
    made: list[Event] = [
        events.VoucherRedeemed("r1", world.key_id, 1, "s1", 400),  # of a voucher not heard of yet
        events.VoucherIssued(world.key_id, 1, lease_id, world.merchant_id, 1, 500, 500, 30_000_000, "counter"),
        events.PassageSeen("in", "d", "京A12345"),
    ]
    bodies, hashes = _batch(made)

    parked = apply_events(world.conn, world.ctx(), bodies, hashes, 1)
    done = rerun_parked(world.conn, world.ctx(), "wang")

    assert [each["s"] for each in parked] == [1]
    assert done == 1
    (told,) = [row for row in _incidents(world) if row["code"] == "event_parked"]
    assert (told["edge_id"], told["closed_by"]) == (world.edge_id, "wang")
    assert world.accounts()["operator_loss"] == -500  # nobody granted that lease
    assert _states(world.conn) == ["REDEEMED"]


def test_a_coupon_whose_use_is_parked_counts_as_used_and_its_merchant_pays_as_if_it_had_been_applied_on_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.car("s1")
    coupon = coupons.issue(world.conn, world.act(), world.merchant_id, world.template(), "s1")
    assert isinstance(coupon, coupons.Issued)
    bodies, hashes = _batch([events.CouponRedeemed("r1", coupon.coupon_id, "s1", 400)])
    with monkeypatch.context() as older_release:
        older_release.delitem(events.TYPES, ("coupon.redeemed", 1))
        apply_events(world.conn, world.ctx(), bodies, hashes, 1)

    refused = coupons.void(world.conn, world.act(), coupon.coupon_id, "mistake")
    rerun_parked(world.conn, world.ctx(), "wang")

    assert refused == Refused("coupon_in_parked_event")
    assert world.accounts() == {"recharge": -12_000, "available": 11_500, "redeemed": 500}
    assert coupons.void(world.conn, world.act(), coupon.coupon_id, "mistake") == Refused(
        "coupon_not_voidable", {"state": "REDEEMED"}
    )


def test_a_void_returns_nothing_while_a_redemption_is_parked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.car("s1")
    coupon = coupons.issue(world.conn, world.act(), world.merchant_id, world.template(), "s1")
    assert isinstance(coupon, coupons.Issued)
    assert coupons.void(world.conn, world.act(), coupon.coupon_id, "mistake") is None
    made: list[Event] = [events.CouponRedeemed("r1", coupon.coupon_id, "s1", 400), events.ChannelApplied("coupons", 9)]
    bodies, hashes = _batch(made)
    with monkeypatch.context() as older_release:
        older_release.delitem(events.TYPES, ("coupon.redeemed", 1))
        parked = apply_events(world.conn, world.ctx(), bodies, hashes, 1)
    held = world.accounts()

    done = rerun_parked(world.conn, world.ctx(), "wang")

    assert [each["s"] for each in parked] == [1, 2]
    assert (held["available"], held["void_pending"]) == (11_500, 500)
    assert done == 2
    assert world.accounts()["available"] == 12_000
    assert world.codes().count("coupon_used_after_void") == 1


def _states(conn: Connection) -> list[str]:
    return list(conn.exec_driver_sql("SELECT state FROM voucher").scalars())


@pytest.mark.parametrize("absurd", [1 << 53, 1 << 63, 10**40, -(10**40)])
def test_an_absurd_number_parks_its_event_and_lets_the_others_through(world: World, absurd: int) -> None:
    made: list[Event] = [
        events.VoucherIssued(world.key_id, 1, 1, world.merchant_id, 1, absurd, 500, 30_000_000, "counter"),
        events.PaymentTaken("p1", "s1", "cash", absurd, "booth"),
        events.ClockStepped(absurd),
        events.DebtRecorded("x1", "s1", "京A12345", 500),
    ]
    bodies, hashes = _batch(made)

    parked = apply_events(world.conn, world.ctx(), bodies, hashes, 1)

    assert [each["s"] for each in parked] == [1, 2, 3]
    assert world.conn.execute(select(debt.c.owed_fen)).scalar_one() == 500


def test_an_absurd_time_parks_its_event(world: World) -> None:
    bodies = [encode(1, Moment("b", 1, 10**30), events.PassageSeen("in", "d", "京A12345"))]

    parked = apply_events(world.conn, world.ctx(), bodies, [chain_hash(GENESIS, bodies[0])], 1)

    assert [each["s"] for each in parked] == [1]


def test_a_parked_event_raises_one_incident_which_outlives_failed_tries(world: World) -> None:
    bodies, hashes = _batch(
        [
            events.LeaseApplied(77, 2_000),  # a lease nobody granted
            events.LeaseReturned(77, 2_000),  # parked behind it
            events.VoucherRedeemed("r1", world.key_id, 1, "s1", 400),
        ]
    )
    apply_events(world.conn, world.ctx(), bodies, hashes, 1)
    first = [(row["incident_id"], row["closed_ms"]) for row in _incidents(world)]

    done = rerun_parked(world.conn, world.ctx(), "wang")

    assert done == 0
    assert sorted(first) == [(f"{world.edge_id}.1.{seq}:parked", None) for seq in (1, 3)]
    assert [(row["incident_id"], row["closed_ms"]) for row in _incidents(world)] == first


def _incidents(world: World) -> list[RowMapping]:
    return list(lot_incidents.incidents(world.conn, world.operator_id, only_open=False).items)


def test_a_posting_that_would_overdraw_an_account_parks_its_event_and_lets_the_others_through(world: World) -> None:
    world.apply(events.VoucherIssued(world.key_id, 1, 9, world.merchant_id, 1, 500, 500, 30_000_000, "counter"))
    world.conn.exec_driver_sql("UPDATE voucher SET reserved = 700")  # books and vouchers disagree, however that came
    bodies, hashes = _batch(
        [events.VoucherRedeemed("r1", world.key_id, 1, "s1", 400), events.DebtRecorded("x1", "s1", "京A12345", 500)]
    )

    parked = apply_events(world.conn, world.ctx(), bodies, hashes, 1)

    assert [each["s"] for each in parked] == [1]
    assert world.conn.execute(select(debt.c.owed_fen)).scalar_one() == 500


def test_a_car_is_in_the_zone_it_moved_to_and_entered_where_it_entered(world: World) -> None:
    world.car("s1")
    world.car("s2", "京A54321")
    world.apply(events.StayMoved("s1", "down", "inside", "garage", "京A12345", "seen", "d9"))

    assert occupancy.by_lot(world.conn, world.operator_id) == {
        world.lot_id: [occupancy.ZoneNow("garage", 1, 0), occupancy.ZoneNow("inside", 1, 0)]
    }
    row = world.conn.execute(select(stay).where(stay.c.stay_id == "s1")).one()
    assert (row.zone, row.zone_now) == ("inside", "garage")

    world.apply(events.StayMoved("s1", "up", "garage", "inside", "京A12345", "seen", "d10"))
    assert occupancy.by_lot(world.conn, world.operator_id)[world.lot_id] == [occupancy.ZoneNow("inside", 2, 0)]


def test_the_newest_count_of_each_pool_puts_its_zone_right(world: World) -> None:
    world.car("s1")
    for seq, (vehicle_class, books, counted) in enumerate((("", 1, 9), ("", 1, 4), ("large", 0, 2)), 1):
        world.apply(events.ZoneCounted("inside", vehicle_class, books, counted, "wang", "round"), seq=seq)

    (zone,) = occupancy.by_lot(world.conn, world.operator_id)[world.lot_id]
    assert (zone.books, zone.offset, zone.inside) == (1, 5, 6)
    world.apply(events.StayClosed("s1", "out", "京A12345", "FREE", "", 0, 0, 0, 0, 0, "d2", "mall"))
    assert occupancy.by_lot(world.conn, world.operator_id)[world.lot_id][0].inside == 5


def test_a_stay_opened_again_is_inside_and_may_end_anew_also_within_one_batch(world: World) -> None:
    world.car("s1")
    world.apply(CLOSED, seq=11)
    world.apply(events.StayReopened("s1", "京A12345", "li", "misread"), seq=12)
    inside = world.conn.execute(select(stay)).one()

    world.apply(replace(CLOSED, fee_fen=2_000, owed_fen=1_000), seq=13)
    world.apply(events.StayReopened("s1", "京A12345", "li", "misread"), seq=12)  # as when one batch holds both

    assert (inside.left_ms, inside.outcome, inside.fee_fen, inside.owed_fen) == (None, "", 0, 0)
    row = world.conn.execute(select(stay)).one()
    assert (row.left_ms, row.outcome, row.fee_fen) == (NOW, "UNPAID", 2_000)


def test_an_opening_by_hand_names_its_car_where_somebody_said_and_one_by_a_decision_is_none(world: World) -> None:
    world.car("s1")
    world.apply(events.BarrierOpened("out", "d1", "wang", "rain", "s1"))
    world.apply(events.BarrierOpened("out", "d2", "", "", "s1"))
    world.now_ms += 1
    world.apply(events.BarrierOpened("in", "d3", "li", "truck", ""))
    world.apply(events.BarrierOpened("in", "d4", "li", "another lot's car", "s2"), edge_id="other")

    rows = openings.by_hand(world.conn, world.operator_id, world.lot_id)

    assert [(row["lane"], row["opened_by"], row["reason"], row["stay_id"], row["plate"]) for row in rows] == [
        ("in", "li", "truck", "", ""),
        ("out", "wang", "rain", "s1", "京A12345"),
    ]
    assert openings.by_hand(world.conn, world.operator_id + 1, world.lot_id) == []
