"""An exit that is jammed: a supervisor gives everybody who has paid more time, and the decision says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.decision import Admit, PayFirst, Refuse, Verdict
from edge.db import journal
from edge.services.checking import replay
from edge.services.extending import end, extend
from edge.services.leaving import leave
from edge.services.lot import Done
from edge.services.paying import take_cash
from tests.edge.lots import SmallLot, at, small_lot, verdict
from tests.edge.services.test_entering_and_leaving import PLATE, car_in


@pytest.fixture
def lot(tmp_path: Path) -> SmallLot:
    return small_lot(tmp_path)


@pytest.mark.parametrize(("minute", "wanted"), [(89, Admit("within_leave_time")), (91, PayFirst(500))])
def test_who_paid_may_leave_late_while_the_exit_is_jammed_and_no_longer(
    lot: SmallLot, minute: int, wanted: Verdict
) -> None:
    stay_id = car_in(lot)
    take_cash(lot.db, lot.lot, "p1", stay_id, 500, "li", at(50))

    assert extend(lot.db, lot.lot, 30, "li", "attendant", "jam", at(60)) == Refuse("supervisor_only")
    assert extend(lot.db, lot.lot, 30, "wang", "supervisor", " ", at(60)) == Refuse("reason_missing")
    assert extend(lot.db, lot.lot, 900, "wang", "supervisor", "jam", at(60)) == Refuse("bad_extension")
    assert isinstance(extend(lot.db, lot.lot, 30, "wang", "supervisor", "jam", at(60)), Done)
    decided = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(minute))

    assert verdict(decided) == wanted
    assert replay(lot.db.conn, decided.decision_id).same
    assert [(act.act, act.by, act.reason) for act in journal.acts(lot.db.conn, 1)] == [("leave.extend", "wang", "jam")]


def test_ended_early_times_run_out_again(lot: SmallLot) -> None:
    stay_id = car_in(lot)
    take_cash(lot.db, lot.lot, "p1", stay_id, 500, "li", at(50))
    extend(lot.db, lot.lot, 60, "wang", "supervisor", "jam", at(60))

    assert end(lot.db, "wang", "supervisor", at(70)) == Done("")
    assert end(lot.db, "wang", "supervisor", at(70)) == Refuse("not_extended")
    assert verdict(leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(71))) == PayFirst(500)
