"""The log on its way to the cloud: nothing lost, nothing twice, whatever the line does."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import select

from cloud.lots.tables import incident
from cloud.sync.agent import CloudAgent
from cloud.sync.flow import Flow
from domain.events import LogTotalled, PaymentTaken
from domain.wire import canonical, chain_hash
from edge.db import log
from edge.db.database import transaction
from edge.services.totals import total_log
from plumbing.signing import PublicKey
from tests.journeys.line import Line, act, at


def test_facts_written_before_the_line_was_up_are_applied_and_acked(line: Line) -> None:
    line.write(*[act(number) for number in range(500)])

    line.settle(line.edge.connected(at(10)), at(12))

    assert line.applied() == list(range(1, 501))
    assert log.backlog(line.db.conn) == 0


def test_nothing_is_sent_before_the_hello_is_answered(line: Line) -> None:
    line.write(act(1))

    out = line.edge.connected(at(10)) + line.edge.tick(at(11))

    assert [sent.kind for sent in out] == ["hello"]


def test_a_lost_ack_costs_a_resend_and_no_second_effect(line: Line) -> None:
    line.write(act(1))
    batches = line.down(line.up(line.edge.connected(at(10)), at(10)), at(10))
    line.up(batches, at(11))  # the ack is lost

    again = line.edge.tick(at(20_011))

    assert [sent.kind for sent in again] == ["ev"]
    line.settle(again, at(20_012))
    assert line.applied() == [1]
    assert log.backlog(line.db.conn) == 0


def test_a_lost_batch_is_asked_for_and_nothing_beyond_the_gap_is_applied(line: Line) -> None:
    line.write(*[act(number) for number in range(400)])
    _, second = line.down(line.up(line.edge.connected(at(10)), at(10)), at(10))

    naks = line.up([second], at(11))

    assert [nak.kind for nak in naks] == ["nak"]
    assert line.applied() == []
    line.settle(line.down(naks, at(12)), at(12))
    assert line.applied() == list(range(1, 401))


def test_an_event_nobody_can_apply_is_parked_and_the_log_goes_on(line: Line) -> None:
    line.write(act(1))
    strange = canonical({"s": 2, "t": "door.sung", "tv": 1, "b": "b", "m": 1, "w": 1, "q": 0, "u": 0, "d": {}})
    with transaction(line.db) as conn:
        position = log.newest(conn)
        after = chain_hash(position.head, strange)
        conn.execute("INSERT INTO outbox VALUES (1, 2, 'door.sung', 1, 0, 1, ?, ?)", (strange, after))
        conn.execute("UPDATE stream SET next_seq = 3, head = ?", (after,))
    line.write(act(3))

    line.settle(line.edge.connected(at(10)), at(10))

    assert line.applied() == [1, 2, 3]
    assert [row["why"] for row in line.db.query("SELECT why FROM parked")] == ["unknown event type door.sung 1"]


def test_a_nightly_figure_that_differs_is_an_incident(line: Line) -> None:
    line.write(PaymentTaken("p1", "s1", "CASH", 700, "a1"))
    total_log(line.db, at(6))
    line.settle(line.edge.connected(at(10)), at(10))
    with line.engine.begin() as conn:
        assert conn.execute(select(incident.c.code)).all() == []

    line.write(LogTotalled(1, 2, 701))
    line.settle(line.edge.tick(at(20)), at(20))

    with line.engine.begin() as conn:
        assert conn.execute(select(incident.c.code)).scalar_one() == "log_total_differs"


def test_an_edge_sends_no_faster_than_the_cloud_asks(line: Line) -> None:
    line.cloud = CloudAgent(line.cloud_key, PublicKey.from_raw, Flow(400))
    line.settle(line.edge.connected(at(10)), at(10))
    line.write(act(0))
    line.settle(line.edge.tick(at(20)), at(20))  # the ack of this one carries the rate
    line.write(*[act(number) for number in range(2_000)])

    sent: list[int] = []
    for now in range(1_000, 6_000, 250):
        out = line.edge.tick(at(now))
        sent.append(sum(len(up.message["evs"]) for up in out if up.kind == "ev"))
        line.settle(out, at(now))

    assert 1_600 <= sum(sent) <= 2_000
    assert sum(sent[:4]) <= 800  # one second's worth, and what may go at once


def test_a_cloud_restored_from_a_copy_gets_again_what_it_lost(line: Line) -> None:
    line.write(act(1), act(2))
    line.settle(line.edge.connected(at(10)), at(12))
    database = line.folder / "cloud.db"
    with closing(sqlite3.connect(database)) as now, closing(sqlite3.connect(line.folder / "copy.db")) as copy:
        now.backup(copy)
    line.write(act(3), act(4))
    line.settle(line.edge.tick(at(20)), at(20))

    line.edge.disconnected()
    line.engine.dispose()
    for end in ("", "-wal", "-shm"):
        Path(f"{database}{end}").unlink(missing_ok=True)
    (line.folder / "copy.db").rename(database)
    line.settle(line.edge.connected(at(100)), at(110))
    line.write(act(5))
    line.settle(line.edge.tick(at(300)), at(300))

    assert line.applied() == [1, 2, 3, 4, 5]
    assert log.backlog(line.db.conn) == 0
