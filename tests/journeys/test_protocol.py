"""Both ends of the line against each other over real databases, message by message."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest
from sqlalchemy import Engine, insert, select, update

from cloud.db import open_engine, upgrade
from cloud.lots.tables import edge as edge_table
from cloud.lots.tables import incident, lot, operator
from cloud.sync.agent import CloudAgent
from cloud.sync.agent import Outgoing as Down
from cloud.sync.channels import put_row, put_rows
from cloud.sync.commands import MOVES, add_command
from cloud.sync.flow import Flow
from cloud.sync.tables import command, edge_cursor, inbox
from domain.events import ActRecorded, Event, LogTotalled, PaymentTaken
from domain.moment import Moment
from domain.sync.caps import newest_versions
from domain.sync.channel import CHANNELS
from domain.wire import GENESIS, Json, canonical, chain_hash, pack, signed
from edge.db import channels, equal_lists, leases, log
from edge.db.database import open_database, transaction
from edge.services.leases import HANDLERS
from edge.services.totals import total_log
from edge.sync.agent import EdgeAgent, OutdatedDatabaseError
from edge.sync.agent import Outgoing as Up
from edge.sync.commands import close_unfinished, finish
from plumbing.signing import PrivateKey, PublicKey
from plumbing.tls import Authority, common_name, make_request

UTC = 1_790_000_000_000


def at(boot_ms: int) -> Moment:
    return Moment("b1", boot_ms, UTC + boot_ms)


def act(number: int) -> Event:
    return ActRecorded("a1", "test", f"s{number}", "because")


class Line:
    """An edge, a cloud, and what is on its way between them."""

    def __init__(self, folder: Path, cloud_url: str = "") -> None:
        self.edge_key, self.cloud_key = PrivateKey.generate(), PrivateKey.generate()
        self.engine: Engine = open_engine(cloud_url or f"sqlite:///{folder / 'cloud.db'}")
        upgrade(self.engine)
        with self.engine.begin() as conn:
            conn.execute(insert(operator).values(operator_id=1, name="o", created_ms=0))
            conn.execute(
                insert(lot).values(lot_id=1, operator_id=1, name="l", time_zone="Asia/Shanghai", places=9, created_ms=0)
            )
            conn.execute(
                insert(edge_table).values(
                    edge_id="e1", operator_id=1, lot_id=1, name="", state="claimed", created_ms=0,
                    public_key=self.edge_key.public.raw,
                )
            )  # fmt: skip
            conn.execute(
                insert(edge_cursor).values(
                    edge_id="e1", operator_id=1, epoch=1, seq=0, head=GENESIS, told_seq=0, boot="", sid="", caps="[]"
                )
            )
        self.cloud = CloudAgent(self.cloud_key, PublicKey.from_raw)
        self.folder = folder
        self.db = open_database(folder / "lot.db")
        self.nonces = (f"n{number}" for number in itertools.count())
        self.edge = self.new_edge()

    def new_edge(self) -> EdgeAgent:
        return EdgeAgent(
            "e1", self.db, self.edge_key, self.cloud_key.public, lambda: next(self.nonces), HANDLERS, MOVES
        )

    def up(self, out: list[Up], now: Moment) -> list[Down]:
        answers = []
        for sent in out:
            with self.engine.begin() as conn:
                answers += self.cloud.received(conn, "e1", sent.kind, pack(sent.message), now.wall_ms)
        return answers

    def down(self, out: list[Down], now: Moment) -> list[Up]:
        return [up for sent in out for up in self.edge.received(sent.kind, pack(sent.message), now)]

    def settle(self, out: list[Up], now: Moment) -> None:
        while out:
            out = self.down(self.up(out, now), now)

    def write(self, *events: Event) -> None:
        with transaction(self.db) as conn:
            for event in events:
                log.append(conn, event, at(5))

    def copy(self) -> Path:
        """The lot's database as an image of the card would keep it."""
        path = self.folder / "copy.db"
        self.db.conn.execute("VACUUM INTO ?", (str(path),))
        return path

    def restore(self, copy: Path) -> None:
        self.db.close()
        self.db = open_database(copy)
        self.edge = self.new_edge()

    def applied(self) -> list[int]:
        with self.engine.begin() as conn:
            return [row.seq for row in conn.execute(select(inbox.c.seq).order_by(inbox.c.seq))]


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    line = Line(tmp_path)
    yield line
    line.engine.dispose()
    line.db.close()


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


def test_an_edge_cannot_speak_for_another(line: Line) -> None:
    hello = line.edge.connected(at(10))[0]
    with line.engine.begin() as conn:
        assert line.cloud.received(conn, "e2", "hello", pack(hello.message), 1) == []
        stranger = EdgeAgent("e1", line.db, PrivateKey.generate(), line.cloud_key.public, lambda: "n", {})
        assert line.cloud.received(conn, "e1", "hello", pack(stranger.connected(at(1))[0].message), 1) == []


def test_after_a_restart_the_first_answer_of_the_cloud_makes_leases_fresh(line: Line) -> None:
    body = {"lease_id": 7, "merchant_id": 1, "commodity": "FEN", "funds": "PAID", "granted": 5000, "spend_h": 2}
    with line.engine.begin() as conn:
        add_command(conn, 1, "e1", "lease.grant", body, 10)
    line.settle(line.edge.connected(at(10)), at(10))
    rebooted = Moment("b2", 5, UTC + 60_000)
    line.edge = line.new_edge()
    (held,) = leases.active(line.db.conn)
    before = held.is_fresh(rebooted)

    line.settle(line.edge.connected(rebooted), rebooted)

    (held,) = leases.active(line.db.conn)
    assert (before, held.is_fresh(rebooted)) == (False, True)
    assert not held.is_fresh(Moment("b2", 5 + 2 * 3_600_000 + 1, UTC))


def test_a_revoked_edge_is_not_listened_to_and_told_nothing(line: Line) -> None:
    line.write(act(1))
    batches = line.down(line.up(line.edge.connected(at(10)), at(10)), at(10))
    with line.engine.begin() as conn:
        conn.execute(update(edge_table).values(state="revoked"))

    assert line.up(batches, at(11)) == []
    assert line.up(line.new_edge().connected(at(12)), at(12)) == []
    assert line.applied() == []


def test_what_was_sent_is_remembered_only_while_it_says_something(line: Line) -> None:
    line.settle(line.edge.connected(at(10)), at(10))
    for number in range(50):
        with line.engine.begin() as conn:
            add_command(conn, 1, "e1", "test.echo", {"n": number}, 10)
            sent = line.cloud.due(conn, "e1", UTC + number * 1_000)
        line.settle(line.down(sent, at(11)), at(11))

    assert len(line.cloud._sent) <= 12


def test_a_number_beyond_all_reason_is_no_message(line: Line) -> None:
    hello = line.edge.connected(at(10))[0]
    unsigned = {name: value for name, value in hello.message.items() if name != "sig"}
    for absurd in (1 << 53, 10**30):
        forged = signed("hello", "e1", {**unsigned, "seq": absurd}, line.edge_key)

        assert line.up([Up("hello", forged)], at(10)) == []


def asked_to_open(line: Line, now: Moment) -> list[Down]:
    """The cloud asks for a barrier and finds what it may send before a hello."""
    with line.engine.begin() as conn:
        add_command(conn, 1, "e1", "barrier.open", {"lane": "in"}, now.wall_ms, now.wall_ms + 15_000)
        return line.cloud.due(conn, "e1", now.wall_ms)


def states(line: Line) -> list[tuple[str, str]]:
    with line.engine.begin() as conn:
        return [(row.state, row.result) for row in conn.execute(select(command).order_by(command.c.cmd_seq))]


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


def test_a_cloud_behind_its_edges_tells_people_once_and_goes_on(line: Line) -> None:
    newer = {**newest_versions(), "stay.closed": 2}
    with patch("domain.sync.caps.newest_versions", lambda: newer):
        hello = line.edge.connected(at(10))
    line.settle(hello, at(12))
    line.settle(hello, at(13))

    with line.engine.begin() as conn:
        found = conn.execute(select(incident.c.code, incident.c.detail)).all()
    assert [row.code for row in found] == ["cloud_outdated"]
    assert found[0].detail.startswith("stay.closed:")
    assert line.edge.in_session


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


def test_a_lot_is_active_once_its_self_test_names_nothing_and_says_so_at_once(line: Line) -> None:
    result: list[Json | None] = [None]
    verify, nonces = line.cloud_key.public, line.nonces
    line.edge = EdgeAgent(
        "e1", line.db, line.edge_key, verify, lambda: next(nonces), HANDLERS, (), lambda: {"test": result[0]}
    )

    def told() -> tuple[str, list[str]]:
        with line.engine.begin() as conn:
            codes = conn.execute(select(incident.c.code)).scalars().all()
            return conn.execute(select(edge_table.c.state)).scalar_one(), list(codes)

    line.settle(line.edge.connected(at(10)), at(12))
    assert told() == ("claimed", [])

    result[0] = {"failed": ["barrier out"]}
    line.settle(line.edge.tick(at(6_000)), at(6_010))
    assert told() == ("claimed", ["self_test_failed"])

    result[0] = {"failed": []}
    line.settle(line.edge.tick(at(12_000)), at(12_010))
    assert told() == ("active", ["self_test_failed"])
    assert line.edge.tick(at(20_000)) == []


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


def renewing(line: Line, tmp_path: Path) -> list[str]:
    """The edge asks for a certificate in its hello; returns what it was sent."""
    installed: list[str] = []

    def install(_conn: object, _now: Moment, body: Json) -> str:
        installed.append(body["pem"])
        return "installed"

    verify, nonces = line.cloud_key.public, line.nonces
    more: Json = {} if installed else {"csr": make_request(tmp_path / "edge.key", "e1").decode()}
    line.edge = EdgeAgent(
        "e1", line.db, line.edge_key, verify, lambda: next(nonces), {**HANDLERS, "cert.install": install}, (),
        lambda: more,
    )  # fmt: skip
    line.settle(line.edge.connected(at(10)), at(12))
    line.settle(
        line.edge.tick(at(400_000)), at(400_010)
    )  # the hello after five minutes asks again: once a day is enough
    return installed


def test_a_certificate_is_renewed_over_the_line_by_whoever_may_sign(line: Line, tmp_path: Path) -> None:
    authority = Authority.create(tmp_path)

    def issue(request: str, edge: str) -> str:
        return authority.issue_client(request.encode(), edge).decode()

    line.cloud = CloudAgent(line.cloud_key, PublicKey.from_raw, None, issue)

    (pem,) = renewing(line, tmp_path)

    assert common_name(pem.encode()) == "e1"
    assert states(line) == [("done", "installed")]


def test_where_the_cloud_may_not_sign_people_are_told(line: Line, tmp_path: Path) -> None:
    assert renewing(line, tmp_path) == []

    with line.engine.begin() as conn:
        assert [row.code for row in conn.execute(select(incident.c.code))] == ["certificate_due"]


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
