"""An edge whose log is not the one the cloud knows: older, forked, fenced."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from cloud.lots.tables import incident
from cloud.sync.tables import edge_cursor
from domain.wire import GENESIS
from edge.db import log
from edge.sync.agent import OutdatedDatabaseError
from tests.journeys.line import Line, act, at


def test_a_database_older_than_what_the_cloud_has_seen_is_refused(line: Line) -> None:
    line.write(act(1), act(2))
    copy = line.copy()
    line.write(act(3))
    line.settle(line.edge.connected(at(10)), at(10))
    line.restore(copy)
    with pytest.raises(OutdatedDatabaseError, match="behind"):
        line.settle(line.edge.connected(at(20)), at(20))
    with line.engine.begin() as conn:
        assert conn.execute(select(incident.c.code)).scalar_one() == "log_behind"


def test_two_histories_under_one_name_are_a_fork(line: Line) -> None:
    line.write(act(1))
    copy = line.copy()
    line.write(act(2))
    line.settle(line.edge.connected(at(10)), at(10))
    line.restore(copy)
    line.write(act(77))

    answers = line.up(line.edge.connected(at(20)), at(20))

    with pytest.raises(OutdatedDatabaseError, match="fork"):
        line.down(answers, at(21))


def test_an_edge_of_a_fenced_epoch_gives_up_its_leases_and_starts_anew(line: Line) -> None:
    line.write(act(1))
    with line.engine.begin() as conn:
        conn.execute(edge_cursor.update().values(epoch=2, seq=0, head=GENESIS))

    line.settle(line.edge.connected(at(10)), at(10))
    line.write(act(2))
    line.settle(line.edge.tick(at(20)), at(20))

    assert log.newest(line.db.conn).epoch == 2
    assert line.applied() == [1, 1]  # what it wrote before goes up beside its new log
    assert line.db.execute("SELECT count(*) FROM salvage").fetchone()[0] == 0
