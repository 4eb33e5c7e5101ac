"""The ticket of a car without plates: a number nobody guesses, and a code that only the edge that gave it can write.

The number is 无 and seven characters to the books, like a plate; the seven are what the ticket shows. The last is a
check character, so a slip of the finger is told from a number nobody has.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from domain.ids import crockford_decode, crockford_encode
from domain.plate import normalise
from domain.scanned import TICKET_PREFIX
from domain.serial import check_character

Sign = Callable[[bytes, bytes], bytes]
Verify = Callable[[bytes, bytes, bytes, bytes], bool]  # public key, purpose, body, signature

PURPOSE = b"lotgate-ticket-1\x00"
LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # none that is taken for another
MARK = "无"
_LENGTH = 7
_BODY = struct.Struct(">BIQ7s")  # version, lot, minute it was given, number
_VERSION = 1
_SIGNATURE = 64
_READABLE = str.maketrans("01IO", "23AB")


def number_of(random: int) -> str:
    """The seven characters for 30 random bits."""
    body = "".join(LETTERS[random >> 5 * place & 31] for place in range(_LENGTH - 1))
    return body + _check(body)


def number_in(text: str) -> str | None:
    """The number a person typed, with 无, blanks and dashes or without; None when it is none."""
    number = normalise(f"{MARK}{text.strip().removeprefix(MARK)}")[1:]
    if len(number) != _LENGTH or not set(number) <= set(LETTERS):
        return None
    return number if _check(number[:-1]) == number[-1] else None


def plate_of(number: str) -> str:
    """What the books call a car with this ticket."""
    return MARK + number


def issue(lot_id: int, number: str, minute: int, sign: Sign) -> str:
    """The text of the ticket's code."""
    body = _BODY.pack(_VERSION, lot_id, minute, number.encode())
    return TICKET_PREFIX + crockford_encode(body + sign(PURPOSE, body))


def read(token: str, lot_id: int, verify: Verify, public: bytes) -> str | None:
    """The number on a genuine ticket of this lot, else None."""
    found = _parts(token)
    if found is None:
        return None
    body, signature = found
    version, lot, _, number = _BODY.unpack(body)
    genuine = version == _VERSION and lot == lot_id and verify(public, PURPOSE, body, signature)
    return number_in(number.decode("ascii", "replace")) if genuine else None


def number_on(token: str) -> str:
    """The number a ticket's code says, believed by nobody: to show whoever holds it. "" for anything else."""
    found = _parts(token)
    return (number_in(_BODY.unpack(found[0])[3].decode("ascii", "replace")) or "") if found else ""


def _parts(token: str) -> tuple[bytes, bytes] | None:
    if not token.startswith(TICKET_PREFIX):
        return None
    try:
        signed = crockford_decode(token.removeprefix(TICKET_PREFIX), _BODY.size + _SIGNATURE)
    except ValueError:
        return None
    return signed[: _BODY.size], signed[_BODY.size :]


def _check(body: str) -> str:
    return check_character(body).translate(_READABLE)
