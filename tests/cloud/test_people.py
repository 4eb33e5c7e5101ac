"""Entitlements and the block list: what is refused, what lots are told, what is kept on record."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from cloud.access import audit
from cloud.act import Act, Refused
from cloud.lots import service as lots
from cloud.members import blocking, service, telling
from cloud.members.service import Wanted
from cloud.members.tables import booth_visitor
from cloud.members.terms import Terms
from cloud.sync import channels
from domain.entitlement import Grant, WhenFull
from domain.events import VisitorAdded, VisitorEnded
from domain.sync.channel import digest, digest_text
from tests.cloud.world import LANES, NOW, World

A, B = "京A12345", "粤B98765"
DAY = 86_400_000


def terms(world: World, **changes: Any) -> Terms:
    return replace(Terms(Grant.MONTHLY, "陈先生", (A,), ((world.lot_id, ""),)), **changes)


def add(world: World, **changes: Any) -> int:
    made = service.add(world.conn, world.act(), terms(world, **changes))
    assert isinstance(made, int), made
    return made


def told(world: World, key: str, edge_id: str = "") -> Any:
    return channels.get_row(world.conn, edge_id or world.edge_id, "people", key)


def second_lot(world: World) -> tuple[int, str]:
    lot_id = lots.create_lot(world.conn, world.act(), "south lot", "Asia/Shanghai", 10, LANES)
    assert isinstance(lot_id, int)
    return lot_id, world.new_edge(lot_id, "south")[0]


def test_a_lot_is_told_one_row_a_plate_with_what_it_must_know(world: World) -> None:
    number = add(
        world,
        plates=(A, B),
        places=1,
        zones=((world.lot_id, "inside"),),
        begins_ms=NOW,
        ends_ms=NOW + 30 * DAY,
        grace_days=3,
        windows=((1200, 480, (0, 1)),),
        when_full=WhenFull.ASK,
        phone="13800000000",
    )

    assert told(world, f"entitled:{number}:{A}") == {
        "list": "entitled",
        "plate": A,
        "id": str(number),
        "grant": "monthly",
        "plates": [A, B],
        "places": 1,
        "zones": ["inside"],
        "from_ms": NOW,
        "until_ms": NOW + 30 * DAY,
        "grace_days": 3,
        "windows": [[1200, 480, [0, 1]]],
        "when_full": "ask",
        "name": "陈先生",
    }
    assert told(world, f"entitled:{number}:{B}")["plate"] == B


def test_only_the_lots_it_is_for_hear_of_it_and_a_changed_one_is_taken_out(world: World) -> None:
    south, edge = second_lot(world)
    number = add(world)
    key = f"entitled:{number}:{A}"
    assert told(world, key, edge) is None

    assert service.change(world.conn, world.act(), number, terms(world, zones=((south, ""),))) is None

    assert told(world, key) is None
    assert told(world, key, edge)["grant"] == "monthly"


def test_a_plate_that_is_taken_off_is_good_until_now_and_a_new_one_from_now_on(world: World) -> None:
    number = add(world)

    service.change(world.conn, world.act(), number, terms(world, plates=(B,)))

    assert told(world, f"entitled:{number}:{A}")["until_ms"] == NOW
    assert told(world, f"entitled:{number}:{B}")["from_ms"] == NOW
    assert told(world, f"entitled:{number}:{A}")["plates"] == [B]


def test_what_is_ended_covers_until_then_without_days_of_grace(world: World) -> None:
    number = add(world, ends_ms=NOW - DAY, grace_days=9)

    assert service.end(world.conn, world.act(), number, "moved out") is None

    row = told(world, f"entitled:{number}:{A}")
    assert (row["until_ms"], row.get("grace_days", 0)) == (NOW, 0)
    assert service.end(world.conn, world.act(), number, "again") == Refused("entitlement_unknown")


def test_a_new_edge_of_the_lot_gets_what_the_one_before_it_held(world: World) -> None:
    number = add(world)
    blocking.block(world.conn, world.act(), B, "fights")
    _, edge = second_lot(world)  # joins after the block list had a plate for every lot

    assert told(world, "block:1", edge) == {"list": "block", "plate": B, "reason": "fights"}
    assert told(world, f"entitled:{number}:{A}", edge) is None


def test_rows_long_over_are_taken_out_of_the_lots_lists(world: World) -> None:
    old = add(world, ends_ms=NOW - 60 * DAY, grace_days=5)
    blocking.block(world.conn, world.act(), B, "fights", ends_ms=NOW + DAY)
    later = NOW + 70 * DAY

    assert telling.forget_old(world.conn, world.operator_id, NOW) == 0
    assert told(world, f"entitled:{old}:{A}") is not None
    assert telling.forget_old(world.conn, world.operator_id, later) == 2
    assert (told(world, f"entitled:{old}:{A}"), told(world, "block:1")) == (None, None)
    assert telling.forget_old(world.conn, world.operator_id, later) == 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": " "}, "name_missing"),
        ({"name": "x" * 61}, "text_too_long"),
        ({"phone": "call me"}, "phone_malformed"),
        ({"plates": ()}, "plate_missing"),
        ({"plates": ("HELLO",)}, "plate_malformed"),
        ({"plates": (A, A)}, "plate_twice"),
        ({"plates": (A, B), "places": 3}, "places_beyond_plates"),
        ({"zones": ()}, "zones_missing"),
        ({"zones": ((99, ""),)}, "zone_unknown"),
        ({"zones": ((1, "attic"),)}, "zone_unknown"),
        ({"begins_ms": NOW, "ends_ms": NOW}, "ends_before_it_begins"),
        ({"kind": Grant.VISITOR, "host": "302"}, "visit_without_times"),
        ({"kind": Grant.VISITOR, "begins_ms": NOW, "ends_ms": NOW + 1}, "host_missing"),
        ({"grace_days": -1}, "grace_malformed"),
        ({"windows": ((600, 600, ()),)}, "window_malformed"),
        ({"windows": ((0, 1440, (7,)),)}, "window_malformed"),
    ],
)
def test_terms_that_make_no_sense_are_refused_and_nobody_is_told(
    world: World, changes: dict[str, Any], code: str
) -> None:
    made = service.add(world.conn, world.act(), terms(world, **changes))

    assert isinstance(made, Refused)
    assert made.code == code
    assert service.listed(world.conn, world.operator_id, Wanted(), NOW).total == 0


def test_a_plate_has_one_monthly_card_at_a_time_in_a_lot(world: World) -> None:
    first = add(world, ends_ms=NOW + DAY)
    twice = service.add(world.conn, world.act(), terms(world, begins_ms=NOW))
    assert twice == Refused("plate_has_card", {"plate": A})

    assert isinstance(service.add(world.conn, world.act(), terms(world, begins_ms=NOW + DAY)), int)
    assert service.change(world.conn, world.act(), first, terms(world, ends_ms=NOW + DAY, name="李")) is None
    south, _ = second_lot(world)
    assert isinstance(service.add(world.conn, world.act(), terms(world, zones=((south, ""),))), int)


def test_lists_are_searched_by_plate_name_and_host_and_filtered_by_kind_lot_and_state(world: World) -> None:
    south, _ = second_lot(world)
    live = add(world)
    soon = add(world, plates=(B,), name="Wang", ends_ms=NOW + DAY, zones=((south, ""),))
    visit = add(world, kind=Grant.VISITOR, plates=("川C33333",), host="302", begins_ms=NOW, ends_ms=NOW + DAY)
    grace = add(world, kind=Grant.STAFF, plates=("川D44444",), ends_ms=NOW - DAY, grace_days=2)
    over = add(world, kind=Grant.FREE, plates=("川E55555",), ends_ms=NOW - DAY)

    def ids(**wanted: Any) -> list[int]:
        found = service.listed(world.conn, world.operator_id, Wanted(**wanted), NOW)
        return [one.row["entitlement_id"] for one in found.items]

    assert ids() == [over, grace, visit, soon, live]
    assert ids(search="a123") == [live]
    assert ids(search="Wan") == [soon]
    assert ids(search="302") == [visit]
    assert ids(search="%") == []
    assert ids(kind="staff") == [grace]
    assert ids(lot_id=south) == [soon]
    assert ids(state="live") == [grace, visit, soon, live]
    assert ids(state="soon") == [visit, soon]
    assert ids(state="grace") == [grace]
    assert ids(state="over") == [over]
    states = {one.row["entitlement_id"]: one.state(NOW) for one in service.every(world.conn, 1, Wanted(), NOW, 100)}
    assert states == {live: "live", soon: "soon", visit: "soon", grace: "grace", over: "over"}


def test_one_operator_never_sees_or_touches_anothers(world: World) -> None:
    number = add(world)
    blocked = blocking.block(world.conn, world.act(), B, "fights")
    assert isinstance(blocked, int)
    other_id = lots.create_operator(world.conn, "other", NOW)
    other = Act(other_id, "admin", NOW, world.act().random)

    assert service.listed(world.conn, other_id, Wanted(), NOW).total == 0
    assert list(service.every(world.conn, other_id, Wanted(), NOW, 10)) == []
    assert service.get(world.conn, other_id, number) is None
    assert service.change(world.conn, other, number, terms(world)) == Refused("entitlement_unknown")
    assert service.end(world.conn, other, number, "x") == Refused("entitlement_unknown")
    assert service.add(world.conn, other, terms(world)) == Refused("zone_unknown")
    assert blocking.listed(world.conn, other_id, NOW).total == 0
    assert blocking.unblock(world.conn, other, blocked, "x") == Refused("blocked_unknown")
    assert blocking.block(world.conn, other, A, "x", world.lot_id) == Refused("lot_unknown")
    assert told(world, f"entitled:{number}:{A}") is not None


def test_every_change_is_on_record_with_before_and_after_and_plates_masked(world: World) -> None:
    number = add(world)
    service.change(world.conn, world.act("li"), number, terms(world, name="李"))
    service.end(world.conn, world.act("wang"), number, "moved out")
    blocking.block(world.conn, world.act(), B, "fights")
    blocking.unblock(world.conn, world.act(), 1, "settled")

    rows = audit.listed(world.conn, world.operator_id).items[:5]

    assert [row["act"] for row in rows] == [
        "plate.unblocked", "plate.blocked", "entitlement.ended", "entitlement.changed", "entitlement.added"
    ]  # fmt: skip
    assert "李" in rows[3]["after"]
    assert "陈先生" in rows[3]["before"]
    assert all(plate not in row["before"] + row["after"] for row in rows for plate in (A, B))
    assert audit.first_broken(world.conn) is None


def test_a_blocked_plate_is_told_to_its_lots_until_it_is_let_in_again(world: World) -> None:
    _, south = second_lot(world)
    everywhere = blocking.block(world.conn, world.act(), A, "owes", ends_ms=NOW + DAY)
    here = blocking.block(world.conn, world.act(), B, "fights", world.lot_id)

    assert told(world, f"block:{everywhere}", south) == {
        "list": "block", "plate": A, "reason": "owes", "until_ms": NOW + DAY
    }  # fmt: skip
    assert told(world, f"block:{here}", south) is None
    assert blocking.block(world.conn, world.act(), B, "again", world.lot_id) == Refused(
        "plate_blocked_already", {"plate": B}
    )
    assert isinstance(here, int)
    assert blocking.unblock(world.conn, world.act(), here, "settled") is None
    assert told(world, f"block:{here}") is None
    assert [row["plate"] for row in blocking.listed(world.conn, world.operator_id, NOW).items] == [A]
    assert blocking.listed(world.conn, world.operator_id, NOW + DAY).total == 0
    assert blocking.listed(world.conn, world.operator_id, NOW, "fig", everything=True).total == 1


@pytest.mark.parametrize(
    ("plate", "reason", "more", "code"),
    [
        ("hello", "x", {}, "plate_malformed"),
        (A, " ", {}, "reason_missing"),
        (A, "x" * 129, {}, "text_too_long"),
        (A, "x", {"ends_ms": NOW}, "ends_in_the_past"),
        (A, "x", {"lot_id": 99}, "lot_unknown"),
    ],
)
def test_what_cannot_be_blocked(world: World, plate: str, reason: str, more: dict[str, int], code: str) -> None:
    made = blocking.block(world.conn, world.act(), plate, reason, **more)

    assert isinstance(made, Refused)
    assert made.code == code


def test_many_rows_change_a_channel_once(world: World) -> None:
    before = channels.versions(world.conn, world.edge_id).get("people", 0)
    rows = {f"k{number}": {"plate": A, "n": number} for number in range(900)}
    channels.put_rows(world.conn, 1, world.edge_id, "people", rows, NOW)
    channels.put_rows(world.conn, 1, world.edge_id, "people", rows | {"k1": None, "gone": None}, NOW)
    channels.put_rows(world.conn, 1, world.edge_id, "people", {"k1": None}, NOW)

    assert channels.versions(world.conn, world.edge_id)["people"] == before + 2
    assert told(world, "k1") is None
    assert told(world, "k899") == {"plate": A, "n": 899}
    parts = channels.parts(world.conn, world.edge_id, "people", 0)
    live = [row for part in parts for row in part.rows if row.value is not None]
    assert digest_text(digest(live)) == parts[0].digest


def test_a_visitor_of_the_booth_is_known_here_and_ended_only_by_its_own_lot(world: World) -> None:
    _, south = second_lot(world)
    world.apply(VisitorAdded("v1", A, "302", NOW, NOW + DAY, "li"))
    world.apply(VisitorAdded("v1", A, "302", NOW, NOW + DAY, "li"))
    world.apply(VisitorEnded("v1", NOW + 5, "mallory"), edge_id=south)
    (row,) = world.conn.execute(select(booth_visitor)).mappings().all()
    assert (row["host"], row["ends_ms"], row["ended_by"]) == ("302", NOW + DAY, "")

    world.apply(VisitorEnded("v1", NOW + 7, "wang"))

    (row,) = world.conn.execute(select(booth_visitor)).mappings().all()
    assert (row["ends_ms"], row["ended_by"]) == (NOW + 7, "wang")


def test_why_a_plate_may_have_nothing_to_pay_now(world: World) -> None:
    here = world.lot_id
    second_lot(world)
    add(world, kind=Grant.FREE)
    add(world, plates=(B,), begins_ms=NOW + DAY)

    def granted(now_ms: int = NOW) -> set[tuple[int, str]]:
        return service.granted_now(world.conn, world.operator_id, (A, B), now_ms)

    assert granted() == {(here, A)}
    assert granted(NOW + DAY) == {(here, A), (here, B)}
    assert service.granted_now(world.conn, world.operator_id + 1, (A, B), NOW) == set()
