"""The printed voucher's token: 40 signed bytes that one lot issues and its exits honour without asking anyone (I12).

Layout, purposes and rules are those of sync-and-offline §7; ``docs/vouchers.md`` explains them.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from domain.ids import crockford_decode, crockford_encode
from domain.moment import Moment, Quality

PURPOSE: Final = b"lotgate-voucher-1"
VERSION: Final = 1
TOKEN_LENGTH: Final = 170
_PREFIX: Final = "LG1"
_PAYLOAD: Final = struct.Struct(">BBI5sIIIIIH3s4s")
_SIGNATURE_SIZE: Final = 64
_ROAM, _BOUND, _TEST = 1, 2, 4
_UNBOUND: Final = bytes(4)
_MINUTE_MS: Final = 60_000
_ON_PAPER: Final = re.compile(r"https://[^/\s]{1,128}/v/(\S*)", re.IGNORECASE)

Sign: TypeAlias = Callable[[bytes, bytes], bytes]  # (purpose, payload) -> 64 bytes
Verify: TypeAlias = Callable[[bytes, bytes, bytes, bytes], bool]  # (public key, purpose, payload, signature)


@dataclass(frozen=True, slots=True)
class Payload:
    """What a voucher says. Minutes are whole UTC minutes since 1970; valid from *span_h* hours before *not_after_min*.

    *plate_tag* is :func:`plate_tag` of the plate it is bound to, or empty when any car may use it.
    """

    key_id: int
    counter: int
    template_id: int
    merchant_id: int
    cap_fen: int
    lease_id: int
    not_after_min: int
    span_h: int
    home_lot: int
    plate_tag: bytes = b""
    roam: bool = False
    test: bool = False

    @property
    def voucher_id(self) -> tuple[int, int]:
        """Names the voucher everywhere: (key id, counter)."""
        return self.key_id, self.counter

    @property
    def not_before_min(self) -> int:
        return self.not_after_min - 60 * self.span_h


@dataclass(frozen=True, slots=True)
class VoucherKey:
    """An edge's certified signing key as the key list holds it; times in UTC epoch milliseconds.

    *revoked_at_counter* is the last counter still honoured after a revocation (0: none), None while not revoked.
    """

    key_id: int
    public: bytes
    lot_id: int
    not_before_ms: int
    not_after_ms: int
    revoked_at_counter: int | None = None


class Refusal(StrEnum):
    """Why a voucher is not honoured; the words on the screen are looked up from the code."""

    MALFORMED = "voucher_malformed"  # not the exact length, alphabet or spelling
    WRONG_VERSION = "voucher_wrong_version"  # a layout this program does not know
    UNKNOWN_KEY = "voucher_unknown_key"
    BAD_SIGNATURE = "voucher_bad_signature"  # forged, altered, or signed for another purpose
    FOREIGN_KEY = "voucher_foreign_key"  # a lot's key signed for another lot
    KEY_OUT_OF_PERIOD = "voucher_key_out_of_period"
    REVOKED_KEY = "voucher_revoked_key"
    ABOVE_REVOKED_COUNTER = "voucher_above_revoked_counter"
    TEST = "voucher_test"
    NOT_YET = "voucher_not_yet"
    EXPIRED = "voucher_expired"
    OTHER_LOT = "voucher_other_lot"  # home is elsewhere and it may not roam
    OTHER_PLATE = "voucher_other_plate"


@dataclass(frozen=True, slots=True)
class Valid:
    """Genuine and in time. Whether it was used before is for the used set to say.

    *unsure*: honoured only because this clock may be off by that much.
    """

    payload: Payload
    unsure: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Not honoured, and why."""

    code: Refusal


def encode(payload: Payload) -> bytes:
    """The 40 bytes to sign. Raises ValueError when a field does not fit its place."""
    flags = _ROAM * payload.roam | _BOUND * bool(payload.plate_tag) | _TEST * payload.test
    if len(payload.plate_tag) not in (0, 4):
        raise ValueError("a plate tag has four bytes")
    try:
        return _PAYLOAD.pack(
            VERSION,
            flags,
            payload.key_id,
            payload.counter.to_bytes(5, "big"),
            payload.template_id,
            payload.merchant_id,
            payload.cap_fen,
            payload.lease_id,
            payload.not_after_min,
            payload.span_h,
            payload.home_lot.to_bytes(3, "big"),
            payload.plate_tag or _UNBOUND,
        )
    except (struct.error, OverflowError) as exc:
        raise ValueError(f"does not fit a voucher: {exc}") from exc


def issue(payload: Payload, sign: Sign) -> str:
    """The token text of *payload*. Reserve its counter and commit before anything is printed (I13)."""
    body = encode(payload)
    return _PREFIX + crockford_encode(body + sign(PURPOSE, body))


def paper_text(host: str, token: str) -> str:
    """What the printed QR holds: a link in capitals that a phone opens and a lane scanner strips."""
    return f"HTTPS://{host.upper()}/V/{token}"


def strip_to_token(scanned: str) -> str:
    """The token within whatever a scanner sent; text without a link comes back as it is, less white space around it."""
    bare = scanned.strip()
    on_paper = _ON_PAPER.fullmatch(bare)
    return on_paper[1] if on_paper else bare


def peek(token: str) -> Payload | None:
    """What a token says, believed by nobody: to know whose business it is before it is checked."""
    try:
        signed = crockford_decode(token.removeprefix(_PREFIX), _PAYLOAD.size + _SIGNATURE_SIZE)
    except ValueError:
        return None
    return _decode(signed[: _PAYLOAD.size])


def plate_tag(key: bytes, plate: str) -> bytes:
    """The four bytes that bind a voucher to *plate* (normal form) without naming it."""
    return hmac.new(key, plate.encode(), hashlib.sha256).digest()[:4]


def number(payload: Payload) -> str:
    """The voucher id as people read it out: key, then counter."""
    return f"{payload.key_id}-{payload.counter:06d}"


def check(
    token: str,
    keys: Mapping[int, VoucherKey],
    verify: Verify,
    now: Moment,
    lot_id: int,
    *,
    plate_tag: bytes = b"",
    allow_test: bool = False,
) -> Valid | Refused:
    """Whether *token* is genuine and good at *lot_id* now. *plate_tag* is that of the car at the lane.

    The exact length is demanded before any other work, the signature before anything the payload claims is believed
    beyond its key id. A roaming voucher away from home is Valid; the offline budget is the caller's rule.
    """
    if len(token) != TOKEN_LENGTH or not token.startswith(_PREFIX):
        return Refused(Refusal.MALFORMED)
    try:
        signed = crockford_decode(token[len(_PREFIX) :], _PAYLOAD.size + _SIGNATURE_SIZE)
    except ValueError:
        return Refused(Refusal.MALFORMED)
    body = signed[: _PAYLOAD.size]
    payload = _decode(body)
    if payload is None:
        return Refused(Refusal.WRONG_VERSION)
    key = keys.get(payload.key_id)
    if key is None:
        return Refused(Refusal.UNKNOWN_KEY)
    if not verify(key.public, PURPOSE, body, signed[_PAYLOAD.size :]):
        return Refused(Refusal.BAD_SIGNATURE)
    refusal = _key_refusal(payload, key) or _use_refusal(payload, lot_id, plate_tag, allow_test=allow_test)
    return Refused(refusal) if refusal else _in_time(payload, now)


def _decode(body: bytes) -> Payload | None:
    version, flags, key_id, counter, template, merchant, cap, lease, not_after, span, lot, tag = _PAYLOAD.unpack(body)
    bound = bool(flags & _BOUND)
    if version != VERSION or flags > _ROAM | _BOUND | _TEST or (not bound and tag != _UNBOUND):
        return None
    return Payload(
        key_id,
        int.from_bytes(counter, "big"),
        template,
        merchant,
        cap,
        lease,
        not_after,
        span,
        int.from_bytes(lot, "big"),
        tag if bound else b"",
        bool(flags & _ROAM),
        bool(flags & _TEST),
    )


def _key_refusal(payload: Payload, key: VoucherKey) -> Refusal | None:
    if payload.home_lot != key.lot_id:
        return Refusal.FOREIGN_KEY
    if key.revoked_at_counter is not None and payload.counter > key.revoked_at_counter:
        return Refusal.ABOVE_REVOKED_COUNTER if key.revoked_at_counter else Refusal.REVOKED_KEY
    begins_ms, ends_ms = payload.not_before_min * _MINUTE_MS, (payload.not_after_min + 1) * _MINUTE_MS
    if begins_ms >= key.not_after_ms or ends_ms <= key.not_before_ms:
        return Refusal.KEY_OUT_OF_PERIOD
    return None


def _use_refusal(payload: Payload, lot_id: int, plate_tag: bytes, *, allow_test: bool) -> Refusal | None:
    if payload.test and not allow_test:
        return Refusal.TEST
    if payload.home_lot != lot_id and not payload.roam:
        return Refusal.OTHER_LOT
    if payload.plate_tag and not hmac.compare_digest(payload.plate_tag, plate_tag):
        return Refusal.OTHER_PLATE
    return None


def _in_time(payload: Payload, now: Moment) -> Valid | Refused:
    """Both bounds count as whole minutes and are inside; the clock's uncertainty is the driver's gain."""
    if now.quality is Quality.UNKNOWN:
        return Valid(payload, unsure=True)
    early, late = now.wall_ms - now.uncertainty_ms, now.wall_ms + now.uncertainty_ms
    if late // _MINUTE_MS < payload.not_before_min:
        return Refused(Refusal.NOT_YET)
    if early // _MINUTE_MS > payload.not_after_min:
        return Refused(Refusal.EXPIRED)
    unsure = not payload.not_before_min <= now.wall_ms // _MINUTE_MS <= payload.not_after_min
    return Valid(payload, unsure)
