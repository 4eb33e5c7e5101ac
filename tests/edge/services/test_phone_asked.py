"""What a lot answers the cloud that asks for a plate: a signed sum, how it comes about, and which coupons took what."""

from __future__ import annotations

import json
from pathlib import Path

from edge.services import phone_asked
from tests.edge.lots import at
from tests.edge.services.test_giving_back import give
from tests.edge.services.test_phone_paying import PLATE, comes, lot_with


def test_the_answer_adds_up_and_names_each_coupon_and_no_time(tmp_path: Path) -> None:
    lot = lot_with(tmp_path)
    stay_id = comes(lot, 0)
    give(lot, stay_id)

    answer = phone_asked.handler(lot.lot, lambda rule: {"en": rule})
    said = json.loads(answer(lot.db.conn, at(73), {"plate": PLATE}))

    assert (said["code"], said["off"]) == ("", [["c1", 300]])
    assert sum(line["fen"] for line in said["lines"]) == 1000
    assert {name for line in said["lines"] for name in line} == {"en", "fen"}
