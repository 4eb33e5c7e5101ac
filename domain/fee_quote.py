"""What a car pays, said by the lot and signed by its edge: whoever holds it can be charged without asking again.

The text is what a QR at the booth or the lane holds, so that a phone can pay while the lot has no line of its own.
``docs/paying-by-phone.md`` explains the rules; the layout is fixed and a golden test holds it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import struct
from dataclasses import dataclass
from typing import Final

from domain.ids import crockford_decode, crockford_encode
from domain.voucher import Sign, Verify

PURPOSE: Final = b"lotgate-quote-1\x00"
VERSION: Final = 1
SEALED: Final = 2  # the plate cannot be read without the lot's seal: a link may end in somebody's log
NUMBER_BYTES: Final = 8
TOKEN_LENGTH: Final = 251
CODE_ASK: Final = "fee-code"  # what an edge signs when it has a payment code taken for a quote
_PREFIX: Final = "LQ1"
_BODY: Final = struct.Struct(">BI8s36s16sIIIIIIH")
_SIGNATURE_SIZE: Final = 64
_PLATE: Final = slice(49, 65)  # of the body
_SEAL_PURPOSE: Final = b"lotgate-quote-plate-1\x00"
_LINK: Final = re.compile(r"https?://[^/\s]{1,128}/q/(\S*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FeeQuote:
    """Fen, and UTC seconds. *number* is 16 hex digits. *stay_id* is "" where only earlier visits are to be paid.

    *before_fen* was paid or waived before; *debts_fen* is for earlier visits at this lot; who pays until *until_s* pays
    this and no more, and may leave within *leave_min* minutes of paying.
    """

    number: str
    lot_id: int
    stay_id: str
    plate: str
    fee_fen: int
    off_fen: int
    before_fen: int
    debts_fen: int
    made_s: int
    until_s: int
    leave_min: int

    @property
    def stay_due_fen(self) -> int:
        """The part that is for this stay."""
        return max(0, self.fee_fen - self.off_fen - self.before_fen)

    @property
    def due_fen(self) -> int:
        """What is to be paid."""
        return self.stay_due_fen + self.debts_fen

    def is_good_at(self, utc_s: int) -> bool:
        """May it still be paid? The last second counts."""
        return utc_s <= self.until_s


def seal_key(lot_key: bytes) -> bytes:
    """What hides the plates of a lot's quotes, from the key it shares with the cloud alone (`exit_pass.code_key`)."""
    return hmac.new(lot_key, _SEAL_PURPOSE, hashlib.sha256).digest()


def issue(quote: FeeQuote, sign: Sign, seal: bytes = b"") -> str:
    """The text of *quote*, its plate hidden where the lot has a *seal*. Raises ValueError when a field does not fit."""
    body = _encode(quote)
    if seal:
        body = bytes([SEALED]) + _turned(body, seal)[1:]
    return _PREFIX + crockford_encode(body + sign(PURPOSE, body))


def read(token: str, verify: Verify, public: bytes, seal: bytes = b"") -> FeeQuote | None:
    """The quote, if it is genuine by the edge's key *public*; None for anything else (I12).

    A hidden plate is "" without the lot's *seal*.
    """
    parts = _parts(token)
    if parts is None:
        return None
    body, signature = parts
    return _decode(body, seal) if verify(public, PURPOSE, body, signature) else None


def lot_of(token: str) -> int | None:
    """The lot a quote names, believed by nobody: to know whose key to check it with."""
    parts = _parts(token)
    quote = _decode(parts[0]) if parts else None
    return quote.lot_id if quote else None


def link_of(base: str, token: str) -> str:
    """What the QR holds: a link in capitals, so that the code stays small."""
    return f"{base.rstrip('/').upper()}/Q/{token}"


def token_in(text: str) -> str:
    """The quote's text within a scanned link, or the text as it is."""
    found = _LINK.fullmatch(text.strip())
    return found[1] if found else text.strip()


def _encode(quote: FeeQuote) -> bytes:
    number, stay, plate = bytes.fromhex(quote.number), quote.stay_id.encode("ascii"), quote.plate.encode()
    if len(number) != NUMBER_BYTES or len(stay) > 36 or len(plate) > 16 or b"\0" in stay + plate:
        raise ValueError("the quote's number, stay or plate does not fit")
    try:
        return _BODY.pack(
            VERSION, quote.lot_id, number, stay, plate, quote.fee_fen, quote.off_fen, quote.before_fen,
            quote.debts_fen, quote.made_s, quote.until_s, quote.leave_min,
        )  # fmt: skip
    except struct.error as exc:
        raise ValueError(f"does not fit a quote: {exc}") from exc


def _parts(token: str) -> tuple[bytes, bytes] | None:
    if len(token) != TOKEN_LENGTH or not token.startswith(_PREFIX):
        return None
    try:
        signed = crockford_decode(token.removeprefix(_PREFIX), _BODY.size + _SIGNATURE_SIZE)
    except ValueError:
        return None
    return signed[: _BODY.size], signed[_BODY.size :]


def _turned(body: bytes, seal: bytes) -> bytes:
    """The body with its plate hidden, or shown again. A number is used once at a lot, so each plate has its own key."""
    over = hmac.new(seal, body[1 : 5 + NUMBER_BYTES], hashlib.sha256).digest()
    plate = bytes(one ^ other for one, other in zip(body[_PLATE], over, strict=False))
    return body[: _PLATE.start] + plate + body[_PLATE.stop :]


def _decode(body: bytes, seal: bytes = b"") -> FeeQuote | None:
    if body[0] == SEALED:
        blank = body[: _PLATE.start] + bytes(16) + body[_PLATE.stop :]
        body = bytes([VERSION]) + (_turned(body, seal) if seal else blank)[1:]
    version, lot_id, number, stay, plate, fee, off, before, debts, made, until, leave = _BODY.unpack(body)
    if version != VERSION:
        return None
    try:
        stay_id, text = stay.rstrip(b"\0").decode("ascii"), plate.rstrip(b"\0").decode()
    except UnicodeDecodeError:
        return None
    return FeeQuote(number.hex(), lot_id, stay_id, text, fee, off, before, debts, made, until, leave)
