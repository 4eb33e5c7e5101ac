"""Cars inside, found by a part of the plate (S1.33)."""

from __future__ import annotations

from sqlalchemy import insert, select

from cloud.lots import service as lots
from cloud.lots.tables import payment, stay
from cloud.merchants import serving
from tests.cloud.world import LANES, World


def _found(world: World, typed: str) -> list[tuple[str, bool]]:
    return [(one.stay["plate"], one.misread) for one in lots.look_for_cars(world.conn, world.operator_id, typed)]


def test_a_car_that_holds_the_text_stands_before_hundreds_that_came_later_and_only_look_like_it(world: World) -> None:
    world.car("s-old", "京B88123")
    first = dict(world.conn.execute(select(stay)).mappings().one())
    later = [(f"s-{n}", f"沪B8{n:04d}", first["entered_ms"] + n) for n in range(300)]
    own = ("stay_id", "plate", "entered_ms")
    world.conn.execute(insert(stay), [{**first, **dict(zip(own, one, strict=True))} for one in later])

    found = _found(world, "京B8")

    assert found[0] == ("京B88123", False)
    assert len(found) == lots.MOST_FOUND
    assert all(misread for _, misread in found[1:])


def test_a_whole_plate_is_found_with_any_one_character_wrong(world: World) -> None:
    world.car("s-1", "京A12345")
    world.car("s-2", "京C99999")

    for place in range(1, 7):
        wrong = "京A12345"[:place] + "X" + "京A12345"[place + 1 :]
        assert _found(world, wrong) == [("京A12345", True)], wrong


def test_a_car_that_left_is_not_found(world: World) -> None:
    world.car("s-1", "京A12345")
    world.conn.execute(stay.update().values(left_ms=world.now_ms))

    assert _found(world, "京A12345") == []


def test_a_merchant_is_shown_the_cars_of_the_lots_it_serves_and_no_others(world: World) -> None:
    world.car("s-1", "京A12345")
    world.car("s-2", "京A12346")
    other = lots.create_lot(world.conn, world.act(), "south", "Asia/Shanghai", 10, LANES)
    world.conn.execute(stay.update().where(stay.c.stay_id == "s-2").values(lot_id=other))
    everywhere = lots.look_for_cars(world.conn, world.operator_id, "京A1234")

    served = serving.served(world.conn, world.merchant_id)
    its = lots.look_for_cars(world.conn, world.operator_id, "京A1234", served)

    assert len(everywhere) == 2
    assert [one.stay["stay_id"] for one in its] == ["s-1"]


def test_what_several_stays_paid_is_asked_once(world: World) -> None:
    for number, stay_id in enumerate(("s-1", "s-1", "s-2", "s-3")):
        paid = {"payment_id": f"p{number}", "operator_id": world.operator_id, "lot_id": world.lot_id}
        world.conn.execute(
            insert(payment),
            {**paid, "stay_id": stay_id, "method": "cash", "amount_fen": 100, "taken_ms": 1, "taken_by": ""},
        )

    assert lots.paid_by_method(world.conn, ["s-1", "s-2", "s-4"]) == {
        "s-1": {"cash": 200},
        "s-2": {"cash": 100},
        "s-4": {},
    }
