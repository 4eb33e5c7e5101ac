"""What a price list asks beside times: charging, and what the car's earlier stays took of the same cap."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.decision import Admit, PayFirst, Refuse
from edge.db import stays
from edge.services import facts, paying
from edge.services.checking import replay
from edge.services.entering import enter
from edge.services.leaving import leave
from edge.services.lot import Done
from edge.services.passages import seen
from edge.settings import LotRules, SameCap, Zone
from tests.edge.lots import START, SmallLot, at, small_lot, verdict

CAPPED = """
code = "capped"
version = 1
starts = 2026-01-01
[[window]]
name = "all"
unit = 60
price = 10
[[cap]]
amount = 30
per = "24h"
"""
CHARGING = """
code = "charging"
version = 1
starts = 2026-01-01
[free]
minutes = 15
while_charging = "2h"
[[window]]
name = "all"
unit = 60
price = 10
"""
PLATE = "京A12345"


def lot_with(tmp_path: Path, tariff: str, same_cap: SameCap = SameCap.OFF) -> SmallLot:
    path = tmp_path / "tariff.toml"
    path.write_text(tariff, encoding="utf-8")
    return small_lot(tmp_path, rules=LotRules(same_cap=same_cap), zones=(Zone("main", (path,)),))


def visit(lot: SmallLot, start: int, end: int) -> object:
    """In and out, paid if anything was due; returns what the exit first said."""
    stay_id = enter(lot.db, lot.lot, lot.arrival("in", PLATE), at(start)).stay_id
    first = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(end))
    said = verdict(first)
    assert replay(lot.db.conn, first.decision_id).same
    if isinstance(said, PayFirst):
        paying.take_cash(lot.db, lot.lot, f"pay-{start}-000", stay_id, said.due_fen, "li", at(end))
        gone = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(end + 1))
    else:
        gone = first
    seen(lot.db, lot.lot, "out", gone.decision_id, PLATE, at(end + 1))
    return said


@pytest.mark.parametrize(
    ("same_cap", "second", "next_day"),
    [
        (SameCap.OFF, PayFirst(2000), PayFirst(2000)),
        (SameCap.HOURS_24, PayFirst(1000), PayFirst(2000)),  # 20 of 30 yuan are used up by the first visit
        (SameCap.DAY, PayFirst(1000), PayFirst(2000)),
    ],
)
def test_a_car_seen_again_goes_on_under_the_same_cap(
    tmp_path: Path, same_cap: SameCap, second: object, next_day: object
) -> None:
    lot = lot_with(tmp_path, CAPPED, same_cap)

    assert visit(lot, 0, 115) == PayFirst(2000)
    assert visit(lot, 300, 415) == second
    assert visit(lot, 300 + 24 * 60 + 1, 415 + 24 * 60) == next_day


def test_an_hour_of_charging_is_an_hour_more_free(tmp_path: Path) -> None:
    lot = lot_with(tmp_path, CHARGING)
    stay_id = enter(lot.db, lot.lot, lot.arrival("in", PLATE), START).stay_id
    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(70))) == PayFirst(2000)

    assert facts.note_charging(lot.db, stay_id, -1, "li", at(70)) == Refuse("bad_minutes")
    assert facts.note_charging(lot.db, stay_id, 60, "li", at(70)) == Done(stay_id)

    out = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(71))
    assert isinstance(verdict(out), Admit)
    assert replay(lot.db.conn, out.decision_id).same
    assert facts.note_charging(lot.db, stay_id, 60, "li", at(72)) == Refuse("no_open_stay")
    row = stays.get(lot.db.conn, stay_id)
    assert row is not None
    assert row.fee_fen == 0
