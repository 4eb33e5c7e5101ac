"""A tailgater comes again: the debt with its picture, both paid at once, and the books of lot and cloud agree."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from cloud.checking import check_all
from cloud.lots import arrears as at_the_cloud
from domain.stay import UnpaidCause
from drivers.camera.simulated import Sight
from edge.db import arrears, money
from edge.services.checking import check_books
from edge.services.paying import Taken
from edge.settings import Arrears, LotRules
from tests.edge.test_daemon import PLATE, QUICK
from tests.journeys.test_lot_and_cloud import World, all_told, world  # noqa: F401

FRAME = b"\xff\xd8 the car that just went \xff\xd9"


@pytest.fixture
def rules() -> LotRules:
    return replace(QUICK, arrears=Arrears.COLLECT)


async def test_what_a_tailgater_owes_is_paid_with_its_next_fee_and_both_sides_agree(
    world: World,  # noqa: F811
    tmp_path: Path,
) -> None:
    lot, edge = world.lot, world.lot.opened.edge
    await lot.passes("in", PLATE, 1)
    lot.later(30)
    await edge.office.unpaid("out", UnpaidCause.TAILGATE, PLATE, FRAME)
    (debt,) = await edge.read(arrears.open_of, PLATE)
    left = await edge.stay(debt.stay_id)
    assert left is not None
    assert await edge.picture(left.decision_out) == FRAME
    await all_told(world)
    assert _owed_at_the_cloud(tmp_path) == 500

    await lot.passes("in", PLATE, 2)
    lot.later(30)
    await lot.cameras["out"].see(Sight(PLATE))
    await lot.until(lambda: (view := edge.live.get("out")) is not None and view.due_fen == 1000)
    (stay,) = await edge.cars_inside()
    taken = await edge.take_cash("payment-1", stay.stay_id, 1000, "li")
    await lot.until(lambda: len(lot.board.pulses) == 3)
    await all_told(world)

    assert taken == Taken("payment-1", stay.stay_id, 1000, 0)
    assert await edge.read(money.balances) == {"cash": 1000, "fee": -1000, "held": 0, "owed": 0}
    assert await edge.read(check_books) == []
    assert _owed_at_the_cloud(tmp_path) == 0
    assert await world.cloud.call("cars") == []


def _owed_at_the_cloud(folder: Path) -> int:
    """What the cloud's own database says the plate owes, with every check of its books."""
    engine = create_engine(f"sqlite:///{folder / 'cloud' / 'cloud.sqlite'}")
    with engine.connect() as conn:
        assert check_all(conn) == []
        owed = at_the_cloud.owed_by(conn, 1, PLATE)
    engine.dispose()
    return owed
