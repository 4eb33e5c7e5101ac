"""Proof that a quote was paid by phone, signed by the cloud: the lot believes it without a line to anybody.

It is a payment told on paper: the lot books it once, whether this text, its eight digits or the cloud's own list comes
first. So it needs no end of validity: money that was paid stays paid, and what is due later is a matter of the stay.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from dataclasses import dataclass
from typing import Final

from domain.fee_quote import NUMBER_BYTES
from domain.ids import crockford_decode, crockford_encode
from domain.scanned import PASS_PREFIX
from domain.voucher import Sign, Verify

PURPOSE: Final = b"lotgate-pass-1\x00"
CODE_PURPOSE: Final = b"lotgate-pass-code-1\x00"
VERSION: Final = 1
CODE_DIGITS: Final = 8
CODE_ROW: Final = "pass_code"  # in the channel `keys`: the key of the digits as hex, `secret`
_BODY: Final = struct.Struct(">BI32s8s36s16sIIH")
_SIGNATURE_SIZE: Final = 64


@dataclass(frozen=True, slots=True)
class ExitPass:
    """*fen* were paid at *paid_s* (UTC seconds) for the quote *number* of *stay_id* ("": for earlier visits only).

    *payment_id* is at most 32 ASCII characters and the same in every message about this payment. Who paid while the
    quote was good owes no more than it said, and has *leave_min* minutes.
    """

    payment_id: str
    lot_id: int
    number: str
    stay_id: str
    plate: str
    fen: int
    paid_s: int
    leave_min: int


def issue(paid: ExitPass, sign: Sign) -> str:
    """The text of the pass. Raises ValueError when a field does not fit its place."""
    body = _encode(paid)
    return PASS_PREFIX + crockford_encode(body + sign(PURPOSE, body))


def read(token: str, lot_id: int, verify: Verify, cloud: bytes) -> ExitPass | None:
    """What was paid, if the pass is the cloud's and for this lot; None for anything else (I12)."""
    if not token.startswith(PASS_PREFIX):
        return None
    try:
        signed = crockford_decode(token.removeprefix(PASS_PREFIX), _BODY.size + _SIGNATURE_SIZE)
    except ValueError:
        return None
    body, signature = signed[: _BODY.size], signed[_BODY.size :]
    paid = _decode(body)
    if paid is None or paid.lot_id != lot_id or not verify(cloud, PURPOSE, body, signature):
        return None
    return paid


def code_key(secret: bytes, lot_id: int) -> bytes:
    """The key of a lot's digits, from a secret only the cloud has; the lot is told it."""
    return hmac.new(secret, CODE_PURPOSE + struct.pack(">I", lot_id), hashlib.sha256).digest()


def code(key: bytes, number: str, stay_id: str, fen: int) -> str:
    """The eight digits to be typed where nothing can be scanned: good for one quote of one stay and its amount."""
    said = CODE_PURPOSE + bytes.fromhex(number) + stay_id.encode() + struct.pack(">I", fen)
    value = int.from_bytes(hmac.new(key, said, hashlib.sha256).digest()[:8], "big")
    return f"{value % 10**CODE_DIGITS:0{CODE_DIGITS}}"


def code_in(text: str) -> str | None:
    """The digits somebody typed, with blanks and dashes or without; None when they are none."""
    digits = "".join(letter for letter in text if letter not in " -·")
    return digits if len(digits) == CODE_DIGITS and digits.isascii() and digits.isdigit() else None


def is_code(typed: str, key: bytes, number: str, stay_id: str, fen: int) -> bool:
    """Are these the digits of that quote? Takes as long whether they are or not."""
    return hmac.compare_digest(typed, code(key, number, stay_id, fen))


def _encode(paid: ExitPass) -> bytes:
    number, name, stay = bytes.fromhex(paid.number), paid.payment_id.encode("ascii"), paid.stay_id.encode("ascii")
    plate = paid.plate.encode()
    too_long = len(name) > 32 or len(stay) > 36 or len(plate) > 16
    if len(number) != NUMBER_BYTES or not name or too_long or b"\0" in name + stay + plate:
        raise ValueError("the pass's payment, quote, stay or plate does not fit")
    try:
        return _BODY.pack(VERSION, paid.lot_id, name, number, stay, plate, paid.fen, paid.paid_s, paid.leave_min)
    except struct.error as exc:
        raise ValueError(f"does not fit a pass: {exc}") from exc


def _decode(body: bytes) -> ExitPass | None:
    version, lot_id, name, number, stay, plate, fen, paid_s, leave_min = _BODY.unpack(body)
    if version != VERSION:
        return None
    try:
        texts = [part.rstrip(b"\0").decode() for part in (name, stay, plate)]
    except UnicodeDecodeError:
        return None
    return ExitPass(texts[0], lot_id, number.hex(), texts[1], texts[2], fen, paid_s, leave_min)
