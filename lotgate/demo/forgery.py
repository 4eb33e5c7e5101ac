"""A voucher nobody here signed: what a forger with a printer would bring to the exit."""

from __future__ import annotations

from domain.ids import crockford_decode, crockford_encode
from domain.voucher import PURPOSE
from plumbing.signing import PrivateKey

PREFIX, PAYLOAD, SIGNATURE = "LG1", 40, 64


def forged_like(token: str) -> str:
    """The very promise of *token* under the signature of a key that no lot has."""
    body = crockford_decode(token.removeprefix(PREFIX), PAYLOAD + SIGNATURE)[:PAYLOAD]
    return PREFIX + crockford_encode(body + PrivateKey.generate()(PURPOSE, body))
