"""What goes over the line is read strictly, and a signature holds for one purpose and one edge."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from enum import IntEnum, StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.wire import (
    INFLATED_LIMIT,
    BadMessageError,
    canonical,
    digest_bytes,
    is_genuine,
    pack,
    signed,
    text,
    unpack,
    whole,
)
from plumbing.signing import PrivateKey

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


def test_equal_values_give_equal_bytes() -> None:
    assert canonical({"b": 1, "a": "京"}) == canonical({"a": "京", "b": 1}) == '{"a":"京","b":1}'.encode()


class Kind(StrEnum):
    LONG = "长"


class Size(IntEnum):
    TWO = 2


@dataclass(frozen=True, slots=True)
class Pair:
    b: object
    a: object


@given(values)
def test_canonical_text_is_what_the_json_module_writes(value: object) -> None:
    inside = {"values": [value, Kind.LONG, Size.TWO, True], 'quoted"': value}

    written = json.dumps(inside, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    assert canonical(inside) == written
    assert canonical(Pair(b=(value,), a=Size.TWO)) == canonical({"a": 2, "b": [value]})


@pytest.mark.parametrize("value", [{1: 2}, {"a": {1, 2}}, b"x", object()])
def test_what_json_has_no_form_for_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        canonical(value)


@pytest.mark.parametrize("value", [1.5, {"a": [1, {"b": 0.1}]}, (float("nan"),)])
def test_a_float_never_leaves(value: object) -> None:
    with pytest.raises(TypeError, match="float"):
        canonical(value)


@given(st.dictionaries(st.text(max_size=8), values, max_size=6))
def test_what_is_packed_is_what_is_unpacked(message: dict[str, object]) -> None:
    assert unpack(pack(message)) == message


def test_long_messages_are_compressed() -> None:
    assert len(pack({"a": "x" * 10_000})) < 200


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x02{}",
        b"\x00",
        b"\x00[1]",
        b"\x00{",
        b"\x00" + b"[" * 100_000,
        b'\x00{"a":1.5}',
        b'\x00{"a":NaN}',
        b"\x00\xff\xfe",
        b"\x01not zlib",
        b"\x01" + zlib.compress(b'{"a":1}')[:-3],
        b"\x01" + zlib.compress(b'"' + b"a" * INFLATED_LIMIT + b'"'),
        b'\x00"' + b"a" * INFLATED_LIMIT + b'"',
    ],
)
def test_anything_but_one_object_within_the_limit_is_refused(payload: bytes) -> None:
    with pytest.raises(BadMessageError):
        unpack(payload)


def test_a_signature_holds_for_its_purpose_its_edge_and_its_words_only() -> None:
    key = PrivateKey.generate()
    message = signed("ack", "e1", {"s": 5}, key)

    assert is_genuine("ack", "e1", message, key.public)
    assert not is_genuine("nak", "e1", message, key.public)
    assert not is_genuine("ack", "e2", message, key.public)
    assert not is_genuine("ack", "e1", {**message, "s": 6}, key.public)
    assert not is_genuine("ack", "e1", {**message, "extra": 1}, key.public)
    assert not is_genuine("ack", "e1", message, PrivateKey.generate().public)


@pytest.mark.parametrize("sig", [None, 5, "", "===", "é", "AAAA", 1.5])
def test_a_senseless_signature_is_false_and_never_an_error(sig: object) -> None:
    assert not is_genuine("ack", "e1", {"s": 1, "sig": sig, "t": 0.5}, PrivateKey.generate().public)
    assert not is_genuine("ack", "e1", {"s": 1}, PrivateKey.generate().public)


@pytest.mark.parametrize(("key", "read"), [("n", text), ("s", whole), ("m", whole), ("b", whole), ("s", digest_bytes)])
def test_fields_of_the_wrong_kind_are_named(key: str, read: object) -> None:
    with pytest.raises(BadMessageError, match=f"'{key}'"):
        read({"n": 1, "s": "x", "m": -1, "b": True}, key)  # type: ignore[operator]
