"""Identifiers: UUIDv7 and the one spelling of Crockford texts."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ids import crockford_decode, crockford_encode, uuid7


def test_a_uuid7_is_one_and_sorts_by_its_time() -> None:
    early, late = uuid7(1_700_000_000_000, bytes(10)), uuid7(1_700_000_000_001, bytes(10))

    assert uuid.UUID(early).version == 7
    assert uuid.UUID(early).variant == uuid.RFC_4122
    assert uuid.UUID(early).int >> 80 == 1_700_000_000_000
    assert early < late


@given(st.binary(max_size=120))
def test_bytes_come_back_from_their_text(data: bytes) -> None:
    assert crockford_decode(crockford_encode(data), len(data)) == data


@given(st.text(alphabet="0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=7, max_size=7))
def test_no_two_texts_stand_for_the_same_bytes(text: str) -> None:
    try:
        data = crockford_decode(text, 4)
    except ValueError:
        return
    assert crockford_encode(data) == text


@pytest.mark.parametrize(
    "text", ["0000001", "000000", "00000000", "o000000", "I000000", "000_000", " 000000", "٠000000"]
)
def test_any_other_spelling_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"base32|stray"):
        crockford_decode(text, 4)
