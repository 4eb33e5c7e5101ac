"""What the cloud tells an edge to do: done once, in time or not at all, and reported."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select

from cloud.sync.agent import Outgoing as Down
from cloud.sync.commands import add_command
from cloud.sync.tables import command
from domain.moment import Moment
from edge.db import leases
from edge.services.leases import HANDLERS
from edge.sync.agent import EdgeAgent
from edge.sync.commands import close_unfinished, finish
from tests.journeys.line import UTC, Line, at, states


def test_a_grant_is_applied_once_however_often_it_arrives(line: Line) -> None:
    body = {"lease_id": 7, "merchant_id": 1, "commodity": "FEN", "funds": "PAID", "granted": 5000, "spend_h": 72}
    with line.engine.begin() as conn:
        add_command(conn, 1, "e1", "lease.grant", body, 10)
    hello = line.edge.connected(at(10))
    answers = line.up(hello, at(10))

    line.settle(line.down(answers, at(11)), at(11))
    line.settle(line.down(answers, at(12)), at(12))

    assert [held.lease.granted for held in leases.active(line.db.conn)] == [5000]
    with line.engine.begin() as conn:
        assert conn.execute(select(command.c.state, command.c.result)).one() == ("done", "applied")
    assert line.applied() == [1, 2]


def test_what_was_sent_is_remembered_only_while_it_says_something(line: Line) -> None:
    line.settle(line.edge.connected(at(10)), at(10))
    for number in range(50):
        with line.engine.begin() as conn:
            add_command(conn, 1, "e1", "test.echo", {"n": number}, 10)
            sent = line.cloud.due(conn, "e1", UTC + number * 1_000)
        line.settle(line.down(sent, at(11)), at(11))

    assert len(line.cloud._sent) <= 12


def asked_to_open(line: Line, now: Moment) -> list[Down]:
    """The cloud asks for a barrier and finds what it may send before a hello."""
    with line.engine.begin() as conn:
        add_command(conn, 1, "e1", "barrier.open", {"lane": "in"}, now.wall_ms, now.wall_ms + 15_000)
        return line.cloud.due(conn, "e1", now.wall_ms)


def test_what_moves_something_waits_for_a_hello_and_is_then_begun_and_reported_once(line: Line) -> None:
    line.settle(line.edge.connected(at(10)), at(12))

    (greet,) = asked_to_open(line, at(100_000))
    assert (greet.kind, greet.message["what"]) == ("res", "greet")
    hello = line.down([greet], at(100_010))
    assert [sent.kind for sent in hello] == ["hello"]
    down = line.up(hello, at(100_020))
    (order,) = [sent for sent in down if sent.kind == "cmd"]
    assert order.expires_ms == UTC + 115_000
    out = line.down([*down, order], at(100_030))

    (begun,) = line.edge.begun
    assert begun.body == {"lane": "in"}
    assert states(line) == [("sent", "")]
    finish(line.db, begun, "opened", at(100_040))
    line.settle([*out, *line.edge.tick(at(100_050))], at(100_050))
    assert states(line) == [("done", "opened")]


def test_a_second_order_within_the_second_is_begun_as_soon_as_another_hello_may_be_said(line: Line) -> None:
    line.settle(line.edge.connected(at(10)), at(12))
    hello = line.down(asked_to_open(line, at(100_000)), at(100_010))
    line.settle(line.down(line.up(hello, at(100_020)), at(100_030)), at(100_040))
    assert len(line.edge.begun) == 1

    (greet,) = asked_to_open(line, at(100_300))
    assert line.down([greet], at(100_310)) == []  # a hello was said a moment ago
    assert [sent.kind for sent in line.edge.tick(at(100_500))] == []
    hello = line.edge.tick(at(101_010))
    line.settle(line.down(line.up(hello, at(101_020)), at(101_030)), at(101_040))

    assert len(line.edge.begun) == 2
    assert line.edge.tick(at(101_500)) == []


def test_a_command_held_up_on_its_way_moves_nothing_whatever_the_wall_clock_says(line: Line) -> None:
    line.settle(line.edge.connected(at(10)), at(12))
    hello = line.down(asked_to_open(line, at(100_000)), at(100_010))
    down = line.up(hello, at(100_020))
    slow = replace(at(115_011), wall_ms=UTC)  # somebody set the clock back: not_after alone would let it through

    line.settle(line.down(down, slow), at(115_020))

    assert line.edge.begun == []
    assert states(line) == [("done", "stale")]


def test_an_expired_command_is_answered_as_such_and_never_done(line: Line) -> None:
    line.settle(line.edge.connected(at(10)), at(12))
    with line.engine.begin() as conn:
        add_command(conn, 1, "e1", "lease.return", {"lease_id": 1}, UTC, UTC + 20)
        down = line.cloud.due(conn, "e1", UTC)

    line.settle(line.down(down, at(21)), at(30))

    assert states(line) == [("done", "expired")]


def test_what_never_went_out_in_time_is_closed_by_the_cloud(line: Line) -> None:
    asked_to_open(line, at(0))

    with line.engine.begin() as conn:
        assert line.cloud.due(conn, "e1", UTC + 15_001) == []

    assert states(line) == [("done", "expired")]


def test_a_process_that_ends_while_it_moves_something_says_that_nobody_knows(line: Line) -> None:
    line.settle(line.edge.connected(at(10)), at(12))
    line.down(line.up(line.down(asked_to_open(line, at(100_000)), at(100_010)), at(100_020)), at(100_030))

    line.edge = line.new_edge()
    close_unfinished(line.db, at(100_040))
    line.settle(line.edge.connected(at(100_050)), at(100_060))

    assert line.edge.begun == []
    assert states(line) == [("done", "unknown")]


def test_an_edge_of_an_older_release_is_sent_nothing_it_does_not_know(line: Line) -> None:
    older = EdgeAgent("e1", line.db, line.edge_key, line.cloud_key.public, lambda: next(line.nonces), HANDLERS)
    line.edge = older
    line.settle(older.connected(at(10)), at(12))

    assert asked_to_open(line, at(100_000)) == []
    assert states(line) == [("waiting", "")]
