"""Debts of one lot as the operator's other lots hear of them: shown there, followed, never theirs to collect."""

from __future__ import annotations

from cloud.lots import service as lots
from cloud.lots.debts_channel import tell_debts
from cloud.sync.channels import get_row, rows_of
from domain import events
from tests.cloud.world import LANES, NOW, World


def other_lot(world: World) -> str:
    lot_id = lots.create_lot(world.conn, world.act(), "south", "Asia/Shanghai", 10, LANES)
    assert isinstance(lot_id, int)
    return world.new_edge(lot_id, "south")[0]


def test_other_lots_hear_what_a_plate_owes_until_it_is_settled(world: World) -> None:
    south = other_lot(world)
    world.apply(events.DebtRecorded("x1", "s1", "京A12345", 500))
    world.apply(events.DebtMoved("m1", "x1", "paid", 200, "p1", "li", ""))

    assert tell_debts(world.conn, world.operator_id, NOW) == 1
    assert get_row(world.conn, south, "debts", "x1") == {
        "plate": "京A12345", "lot": "north lot", "left_fen": 300, "since_ms": NOW,
    }  # fmt: skip
    assert rows_of(world.conn, world.edge_id, "debts") == []
    assert tell_debts(world.conn, world.operator_id, NOW) == 0

    world.apply(events.DebtMoved("m2", "x1", "disputed", 0, "", "li", "not my car"))
    assert tell_debts(world.conn, world.operator_id, NOW) == 1
    assert rows_of(world.conn, south, "debts") == []


def test_an_operator_with_one_lot_tells_nobody(world: World) -> None:
    world.apply(events.DebtRecorded("x1", "s1", "京A12345", 500))

    assert tell_debts(world.conn, world.operator_id, NOW) == 0
