"""The cloud's lists on their way to an edge, and when it may say that they are equal."""

from __future__ import annotations

import pytest

from cloud.sync.agent import Outgoing as Down
from cloud.sync.channels import put_row, put_rows
from domain.sync.channel import CHANNELS
from domain.wire import signed
from edge.db import channels, equal_lists
from tests.journeys.line import Line, at


def test_a_list_changes_at_the_edge_once_and_the_cloud_hears_of_it(line: Line) -> None:
    line.settle(line.edge.connected(at(10)), at(10))
    with line.engine.begin() as conn:
        put_row(conn, 1, "e1", "coupons", "c1", {"plate": "京A12345"}, 10)
        out = line.cloud.due(conn, "e1", 10)

    line.settle(line.down(out, at(12)), at(12))
    line.settle(line.down(out, at(13)), at(13))

    assert channels.for_plate(line.db.conn, "coupons", "京A12345") == [("c1", {"plate": "京A12345"})]
    with line.engine.begin() as conn:
        assert line.cloud.due(conn, "e1", 99_999) == []
    assert len(line.applied()) == 1


def confirmed(line: Line) -> dict[str, int]:
    """When each list was last confirmed, by the boot clock."""
    return {channel: said.boot_ms for channel, said in equal_lists.said(line.db.conn).items()}


def test_a_hello_confirms_the_lists_that_are_equal_and_no_other(line: Line) -> None:
    with line.engine.begin() as conn:
        put_row(conn, 1, "e1", "people", "p1", {"name": "li"}, 5)
    line.settle(line.edge.connected(at(10)), at(10))
    assert set(confirmed(line)) == set(CHANNELS) - {"people"}, "told just now, and not compared yet"
    with line.engine.begin() as conn:
        put_row(conn, 1, "e1", "coupons", "c1", {"plate": "京A12345"}, 10)

    answers = line.up(line.edge.tick(at(300_010)), at(300_010))
    late = [sent for sent in answers if sent.kind == "ch"]
    line.down([sent for sent in answers if sent.kind != "ch"], at(300_020))
    first = confirmed(line)
    line.down(late, at(300_030))
    line.settle(line.edge.tick(at(600_040)), at(600_040))

    assert first == {**dict.fromkeys(CHANNELS, 300_020), "coupons": 10}
    assert confirmed(line) == dict.fromkeys(CHANNELS, 600_040)


def test_a_list_whose_rows_differ_at_the_same_version_is_not_confirmed(line: Line) -> None:
    with line.engine.begin() as conn:
        put_row(conn, 1, "e1", "people", "p1", {"name": "li"}, 5)
    line.settle(line.edge.connected(at(10)), at(10))
    line.settle(line.edge.tick(at(300_010)), at(300_010))
    line.db.execute("UPDATE applied SET digest = ? WHERE channel = 'people'", ("0" * 1024,))

    line.down([sent for sent in line.up(line.edge.tick(at(600_020)), at(600_020)) if sent.kind != "ch"], at(600_030))

    assert (confirmed(line)["people"], confirmed(line)["rules"]) == (300_010, 600_030)


def test_a_cloud_of_an_earlier_release_confirms_nothing(line: Line) -> None:
    answers = line.up(line.edge.connected(at(10)), at(10))
    (res,) = [sent for sent in answers if sent.kind == "res"]
    message = {name: value for name, value in res.message.items() if name not in ("same", "sig")}
    line.down([Down(res.edge, "res", signed("res", "e1", message, line.cloud_key))], at(11))

    assert line.edge.in_session
    assert confirmed(line) == {}


def test_a_long_list_goes_on_after_a_broken_line_where_it_stopped(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("domain.sync.channel.PART_BYTES", 1)
    monkeypatch.setattr("domain.sync.channel.PARTS_AT_ONCE", 3)
    with line.engine.begin() as conn:
        put_rows(conn, 1, "e1", "people", {f"p{number}": {"plate": f"京A1000{number}"} for number in range(8)}, 10)

    def parts_of(sent: list[Down]) -> list[int]:
        return [down.message["part"] for down in sent if down.kind == "ch"]

    first = line.up(line.edge.connected(at(10)), at(10))
    asked = line.down(first, at(11))
    second = line.up(asked, at(12))
    line.down(second[:-1], at(13))  # the line breaks before the last part of these
    line.edge.disconnected()
    again = line.up(line.edge.connected(at(20)), at(20))
    assert (parts_of(first), parts_of(second), parts_of(again)) == ([1, 2, 3], [4, 5, 6], [6, 7, 8])

    line.settle(line.down(again, at(21)), at(21))
    assert len(channels.rows(line.db.conn, "people")) == 8
