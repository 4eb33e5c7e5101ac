"""Seals: one key opens them, as what they were closed as, and not a bit changed."""

from __future__ import annotations

import pytest

from plumbing.sealing import BadSealError, SealKey, seal
from plumbing.signing import PrivateKey


def test_only_the_holder_opens_it_and_only_as_what_it_was_closed_as() -> None:
    key, other = (SealKey.of(PrivateKey.from_raw(bytes([number]) * 32)) for number in (1, 2))
    sealed = seal(key.public, b"secret", b"pin:li")

    assert key.open(sealed, b"pin:li") == b"secret"
    assert b"secret" not in sealed
    for opener, text, label in ((other, sealed, b"pin:li"), (key, sealed, b"pin:wang"), (key, b"", b"pin:li")):
        with pytest.raises(BadSealError):
            opener.open(text, label)


def test_a_changed_bit_is_noticed_and_no_two_seals_are_alike() -> None:
    key = SealKey.of(PrivateKey.from_raw(bytes(31) + b"\x01"))
    sealed = seal(key.public, b"secret", b"x")

    assert seal(key.public, b"secret", b"x") != sealed
    for place in (0, 31, 32, len(sealed) - 1):
        with pytest.raises(BadSealError):
            key.open(sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :], b"x")


def test_the_key_follows_from_the_signing_key_and_is_not_it() -> None:
    signing = PrivateKey.from_raw(b"k" * 32)

    assert SealKey.of(signing).public == SealKey.of(PrivateKey.from_raw(b"k" * 32)).public
    assert SealKey.of(signing).public != signing.public.raw
    with pytest.raises(BadSealError):
        seal(bytes(31), b"secret", b"x")
