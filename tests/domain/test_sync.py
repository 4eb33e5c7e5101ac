"""The protocol's rules by themselves: window, verdicts, channels."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.events import TYPES, ActRecorded, decode, encode, open_envelope
from domain.moment import Moment
from domain.sync.batch import MOST_BYTES, Batch, batch_message, cut, open_batch
from domain.sync.channel import Row, advance, bucket_of, differing, digest, open_part, split
from domain.sync.inbox import Apply, Cursor, Fork, Known, Nak, NewEpoch, judge, judge_hello
from domain.sync.uplink import TIMEOUT_MS, Uplink
from domain.wire import GENESIS, BadMessageError, Json, canonical, chain_hash, pack, unpack
from plumbing.signing import PrivateKey

KEY = PrivateKey.generate()


def open_uplink(cursor: int = 0) -> Uplink:
    return Uplink(1, cursor, open=True)


def test_the_window_opens_with_acks_and_halves_with_silence() -> None:
    uplink = open_uplink()
    for place in range(2):
        assert uplink.next_start(10_000) == place * 10 + 1
        uplink.sent(place * 10 + 1, place * 10 + 10, 0)
    assert uplink.next_start(10_000) is None

    assert uplink.acked(1, 20, 8)
    assert (uplink.window, uplink.cursor, uplink.flights) == (4, 20, [])

    uplink.sent(21, 30, 0)
    assert not uplink.is_late(TIMEOUT_MS - 1)
    assert uplink.is_late(TIMEOUT_MS)
    uplink.timed_out()
    assert (uplink.window, uplink.next_start(40)) == (2, 21)


def test_late_repeated_and_foreign_answers_change_nothing() -> None:
    uplink = open_uplink(20)
    uplink.sent(21, 30, 0)

    assert not uplink.acked(1, 20, 8)
    assert not uplink.acked(2, 25, 8)
    assert not uplink.wanted(2, 21)
    assert not uplink.wanted(1, 15)
    assert not uplink.wanted(1, 21)  # the batch that fills the gap is on its way
    assert uplink.cursor == 20
    assert len(uplink.flights) == 1


def test_a_gap_sends_again_from_the_cursor() -> None:
    uplink = open_uplink()
    uplink.sent(1, 10, 0)
    uplink.sent(11, 20, 0)

    assert uplink.wanted(1, 1)
    assert uplink.next_start(20) == 1


def test_a_gap_is_filled_once_however_many_batches_beyond_it_are_refused() -> None:
    uplink = open_uplink()
    for start in (1, 11):
        uplink.sent(start, start + 9, 0)
    assert uplink.wanted(1, 1)
    for start in (1, 11):
        uplink.sent(start, start + 9, 5)

    assert not uplink.wanted(1, 1)

    uplink.timed_out()
    for start in (1, 11):
        uplink.sent(start, start + 9, 10_005)
    assert uplink.wanted(1, 1)


def test_nothing_is_sent_without_a_session() -> None:
    uplink = open_uplink()
    uplink.lost_session()

    assert uplink.next_start(10) is None


def chain(start: int, count: int, previous: bytes = GENESIS, salt: bytes = b"") -> Batch:
    return Batch(1, start, previous, tuple(b"%d" % seq + salt for seq in range(start, start + count)))


def known(count: int) -> tuple[Cursor, dict[int, bytes]]:
    hashes = dict(enumerate(chain(1, count).hashes(), 1))
    return Cursor(1, count, hashes.get(count, GENESIS)), hashes


def test_verdicts() -> None:
    cursor, hashes = known(5)

    def verdict(batch: Batch) -> object:
        return judge(cursor, batch, batch.hashes(), hashes.get)

    assert verdict(chain(6, 3, cursor.head)) == Apply(6, 0)
    assert verdict(chain(1, 8)) == Apply(6, 5)
    assert verdict(chain(1, 5)) == Known()
    assert verdict(chain(3, 2, hashes[2])) == Known()
    assert verdict(chain(7, 2, cursor.head)) == Nak(6, "gap")
    assert verdict(chain(0, 2)) == Nak(6, "hash")
    assert verdict(chain(6, 3, GENESIS)) == Fork(5)
    assert verdict(chain(1, 8, salt=b"x")) == Fork(5)
    assert verdict(chain(2, 2, GENESIS)) == Fork(3)
    assert judge(Cursor(2, 0, GENESIS), chain(1, 1), chain(1, 1).hashes(), hashes.get) == NewEpoch(2)


def test_a_hello_is_judged_by_epoch_position_and_hash() -> None:
    cursor = Cursor(2, 5, b"h" * 32)

    assert judge_hello(cursor, 2, 5, b"h" * 32) is None
    assert judge_hello(cursor, 2, 9, b"z" * 32) is None  # it is ahead; its batches will show whether they fit
    assert judge_hello(cursor, 1, 5, b"h" * 32) == "epoch"
    assert judge_hello(cursor, 2, 4, b"h" * 32) == "behind"
    assert judge_hello(cursor, 2, 5, b"x" * 32) == "fork"


def test_a_batch_survives_the_line_and_a_twisted_one_does_not() -> None:
    batch = chain(1, 3)
    message = unpack(pack(batch_message("e1", batch, batch.hashes()[-1], KEY)))

    assert open_batch("e1", message, KEY.public) == (batch, batch.hashes())
    for twisted in (
        {**message, "from": 2},
        {**message, "evs": message["evs"][:-1]},
        {**message, "evs": [*message["evs"], "x"]},
        {**message, "prev": "11" * 32},
        {**message, "ep": 2},
        {**message, "v": 2},
        {**message, "evs": []},
        {**message, "evs": [1, 2, 3]},
        {**message, "sig": "*"},
    ):
        with pytest.raises(BadMessageError):
            open_batch("e1", twisted, KEY.public)
    with pytest.raises(BadMessageError, match="not signed"):
        open_batch("e2", message, KEY.public)


def test_batches_are_cut_by_count_and_by_size() -> None:
    assert cut([b"x"] * 500) == 200
    assert cut([b"x" * (MOST_BYTES // 2)] * 5) == 2
    assert cut([b"x" * (MOST_BYTES * 2)] * 2) == 1
    assert cut([]) == 0


rows = st.dictionaries(st.text("abc", min_size=1, max_size=3), st.integers(0, 5), max_size=12)


@given(rows, rows)
def test_a_delta_brings_one_state_to_the_other(before: dict[str, int], after: dict[str, int]) -> None:
    old = {key: Row(key, 1, {"v": value}) for key, value in before.items()}
    changed = [Row(key, 2, {"v": value}) for key, value in after.items() if before.get(key) != value]
    gone = [Row(key, 2, None) for key in before if key not in after]
    new = {**{key: row for key, row in old.items() if key in after}, **{row.key: row for row in changed}}
    parts = [open_part(part.message()) for part in split("coupons", 1, 2, changed + gone, digest(new.values()))]
    named = {row.key for part in parts for row in part.rows}

    step = advance(digest(old.values()), {key: old[key] for key in named if key in old}, parts)

    assert step.buckets == digest(new.values())
    assert {row.key: row for row in step.changed} == {row.key: row for row in changed}
    assert sorted(step.gone) == sorted(row.key for row in gone)


def test_differing_buckets_name_the_changed_row() -> None:
    one, other = [Row("a", 1, {"v": 1})], [Row("a", 2, {"v": 2})]

    assert differing(digest(one), digest(other)) == [bucket_of("a")]


@pytest.mark.parametrize(
    "change",
    [{"ch": "gossip"}, {"part": 0}, {"part": 2}, {"to": 0, "from": 1}, {"rows": [["a", 1]]}, {"rows": 5},
     {"repair": [64]}, {"repair": ["x"]}, {"digest": 5}],
)  # fmt: skip
def test_a_senseless_part_is_refused(change: Json) -> None:
    message = split("coupons", 0, 1, [Row("a", 1, {})], digest([]))[0].message()

    with pytest.raises(BadMessageError):
        open_part({**message, **change})


def test_every_event_type_reads_back_and_unknown_fields_are_left_aside() -> None:
    samples = {"str": "x", "int": 7, "bool": True}
    moment = Moment("b1", 5, 6)
    for cls in TYPES.values():
        event = cls(**{name: samples[str(kind)] for name, kind in cls.__annotations__.items()})
        envelope = open_envelope(encode(3, moment, event, "x1"))
        assert decode(envelope) == event
        envelope.payload["later"] = 1
        assert decode(envelope) == event
        assert (envelope.seq, envelope.moment, envelope.correlation) == (3, moment, "x1")


def test_a_payload_of_the_wrong_kind_is_named() -> None:
    envelope = open_envelope(encode(1, Moment("b", 1, 1), ActRecorded("a", "b", "c", "d")))
    envelope.payload["by"] = 5

    with pytest.raises(BadMessageError, match="'by' must be str"):
        decode(envelope)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"s":1}', canonical({"s": "x"}), b"\xff"])
def test_a_body_that_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(BadMessageError):
        open_envelope(body)


def test_the_chain_depends_on_every_byte_and_on_where_bodies_end() -> None:
    assert chain_hash(chain_hash(GENESIS, b"ab"), b"c") != chain_hash(chain_hash(GENESIS, b"a"), b"bc")
