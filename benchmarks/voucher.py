"""Checking a voucher token, against the bare Ed25519 verification it contains."""

from __future__ import annotations

from functools import cache

from benchmarks.figures import Figure, Options, figure_of
from benchmarks.pairs import measure
from domain.ids import crockford_decode
from domain.moment import Moment
from domain.voucher import PURPOSE, TOKEN_LENGTH, Payload, Valid, VoucherKey, check, issue
from plumbing.signing import PrivateKey, PublicKey

LEAST = 0.85
NOW = Moment("b", 0, 29_000_000 * 60_000)


def run(options: Options) -> list[Figure]:
    """How fast a check is beside the bare verification."""
    key = PrivateKey.generate()
    payload = Payload(
        key_id=7, counter=1, template_id=1, merchant_id=1, cap_fen=1000, lease_id=1, not_after_min=29_000_100,
        span_h=24, home_lot=3,
    )  # fmt: skip
    token = issue(payload, key)
    keys = {7: VoucherKey(7, key.public.raw, 3, 0, NOW.wall_ms * 2)}
    signed = crockford_decode(token[3:], 104)
    loaded = cache(PublicKey.from_raw)

    def verify(public: bytes, purpose: bytes, body: bytes, signature: bytes) -> bool:
        return loaded(public)(purpose, body, signature)

    if not isinstance(check(token, keys, verify, NOW, 3), Valid) or len(token) != TOKEN_LENGTH:
        raise SystemExit("the token is not valid")
    pair = measure(
        "voucher check",
        "bare Ed25519 verify",
        lambda: key.public(PURPOSE, signed[:40], signed[40:]),
        lambda: check(token, keys, verify, NOW, 3),
        pairs=100 if options.smoke else 5000,
    )
    return [figure_of(pair, LEAST)]
