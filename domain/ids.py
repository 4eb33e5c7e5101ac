"""Identifiers made anywhere without asking anyone: UUIDv7 (RFC 9562) and Crockford base32 texts."""

from __future__ import annotations

import re

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LETTERS = re.compile(f"[{CROCKFORD}]*")
_BASE_32 = str.maketrans(CROCKFORD, "0123456789abcdefghijklmnopqrstuv")  # the digits int(text, 32) reads


def uuid7(wall_ms: int, random: bytes) -> str:
    """UUID version 7 as text: 48 bits of *wall_ms* (UTC epoch milliseconds), then 10 bytes of *random*."""
    if len(random) != 10:
        raise ValueError("uuid7 needs exactly 10 random bytes")
    value = (wall_ms & (1 << 48) - 1) << 80 | int.from_bytes(random, "big")
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0x3 << 62) | 2 << 62
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def crockford_encode(data: bytes) -> str:
    """Crockford base32 in capitals, most significant bit first, zero bits padded at the end."""
    bits = len(data) * 8
    padding = -bits % 5
    value = int.from_bytes(data, "big") << padding
    digits = (bits + padding) // 5
    return "".join(CROCKFORD[value >> 5 * place & 31] for place in reversed(range(digits)))


def crockford_decode(text: str, size: int) -> bytes:
    """The *size* bytes that encode to exactly *text*. Raises ValueError on any other spelling."""
    padding = -size * 8 % 5
    if len(text) * 5 != size * 8 + padding:
        raise ValueError(f"{len(text)} characters are not the base32 of {size} bytes")
    if not _LETTERS.fullmatch(text):
        raise ValueError("a character that is not Crockford base32")
    value = int(text.translate(_BASE_32) or "0", 32)
    if value & (1 << padding) - 1:
        raise ValueError("stray bits at the end")
    return (value >> padding).to_bytes(size, "big")
