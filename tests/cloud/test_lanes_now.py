"""The board's lanes: each with what was seen of it last."""

from __future__ import annotations

from sqlalchemy import insert

from cloud.lots import service as lots
from cloud.lots.tables import passage
from tests.cloud.world import World


def test_each_lane_shows_its_own_newest_passage(world: World) -> None:
    seen = (("in", "京A00001", 5), ("in", "京A00002", 9), ("in", "京A00003", 7), ("out", "京A00004", 3))
    shared = {"operator_id": world.operator_id, "lot_id": world.lot_id, "decision_id": "", "is_reversed": False}
    rows = [{"event_id": plate, "lane": lane, "plate": plate, "happened_ms": at} for lane, plate, at in seen]
    world.conn.execute(insert(passage), [shared | row for row in rows])

    now = lots.lanes_now(world.conn, world.operator_id)

    assert [(one.lane["name"], one.passage and one.passage["plate"]) for one in now] == [
        ("in", "京A00002"),
        ("out", "京A00004"),
    ]
    assert [one.opening for one in now] == [None, None]
    assert lots.lanes_now(world.conn, world.operator_id + 1) == []
