"""What neither end believes: forged, stale, said again, of somebody else, beyond all reason."""

from __future__ import annotations

from sqlalchemy import select, update

from cloud.lots.tables import edge as edge_table
from cloud.lots.tables import incident
from domain.wire import GENESIS, pack, signed
from edge.db import log
from edge.sync.agent import EdgeAgent
from edge.sync.agent import Outgoing as Up
from plumbing.signing import PrivateKey
from tests.journeys.line import Line, act, at


def test_a_forged_stale_or_twisted_answer_changes_nothing(line: Line) -> None:
    line.write(act(1))
    batches = line.down(line.up(line.edge.connected(at(10)), at(10)), at(10))
    acks = line.up(batches, at(11))
    ack = acks[0].message
    for forged in (
        {**ack, "s": 0},
        {**ack, "h": GENESIS.hex()},
        {**ack, "sig": ack["sig"][::-1]},
        {key: value for key, value in ack.items() if key != "sig"},
    ):
        assert line.edge.received("ack", pack(forged), at(12)) == []
    assert line.edge.received("res", pack(ack), at(12)) == []  # signed, but for another purpose
    assert log.backlog(line.db.conn) == 1

    line.edge.received("ack", pack(ack), at(12))

    assert log.backlog(line.db.conn) == 0


def test_a_hello_that_comes_twice_or_late_condemns_nobody(line: Line) -> None:
    first = line.edge.connected(at(10))
    line.settle(first, at(10))
    line.write(act(1))
    line.settle(line.edge.tick(at(15)), at(15))
    assert line.up(first, at(20)) == []

    line.settle(line.edge.connected(at(30)), at(30))
    line.down(line.up(first, at(40)), at(40))

    line.write(act(2))
    line.settle(line.edge.tick(at(50)), at(50))
    assert line.applied() == [1, 2]


def test_an_old_hello_that_comes_after_the_new_one_holds_nothing_up(line: Line) -> None:
    old = line.edge.connected(at(10))
    line.settle(line.edge.connected(at(20)), at(20))
    line.down(line.up(old, at(30)), at(30))

    line.write(act(1))
    line.settle(line.edge.tick(at(40)), at(40))

    assert log.backlog(line.db.conn) == 0


def test_an_old_hello_said_again_by_somebody_raises_no_alarm(line: Line) -> None:
    old = line.edge.connected(at(10))
    line.settle(old, at(12))
    line.write(act(1))
    line.edge.disconnected()
    line.settle(line.edge.connected(at(100)), at(110))
    assert line.applied() == [1]

    line.settle(line.down(line.up(old, at(200_000)), at(200_010)), at(200_020))

    with line.engine.begin() as conn:
        assert conn.execute(select(incident.c.code)).all() == []


def test_an_edge_cannot_speak_for_another(line: Line) -> None:
    hello = line.edge.connected(at(10))[0]
    with line.engine.begin() as conn:
        assert line.cloud.received(conn, "e2", "hello", pack(hello.message), 1) == []
        stranger = EdgeAgent("e1", line.db, PrivateKey.generate(), line.cloud_key.public, lambda: "n", {})
        assert line.cloud.received(conn, "e1", "hello", pack(stranger.connected(at(1))[0].message), 1) == []


def test_a_revoked_edge_is_not_listened_to_and_told_nothing(line: Line) -> None:
    line.write(act(1))
    batches = line.down(line.up(line.edge.connected(at(10)), at(10)), at(10))
    with line.engine.begin() as conn:
        conn.execute(update(edge_table).values(state="revoked"))

    assert line.up(batches, at(11)) == []
    assert line.up(line.new_edge().connected(at(12)), at(12)) == []
    assert line.applied() == []


def test_a_number_beyond_all_reason_is_no_message(line: Line) -> None:
    hello = line.edge.connected(at(10))[0]
    unsigned = {name: value for name, value in hello.message.items() if name != "sig"}
    for absurd in (1 << 53, 10**30):
        forged = signed("hello", "e1", {**unsigned, "seq": absurd}, line.edge_key)

        assert line.up([Up("hello", forged)], at(10)) == []
