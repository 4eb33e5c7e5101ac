"""What the first bytes of a picture say: its format and its size, before a single pixel is allocated."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

JPEG, PNG, BMP, RIFF = b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"BM", b"RIFF"
FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})  # ITU T.81 B.1.1.3
SCALABLE = frozenset({0xC0, 0xC1})  # sequential Huffman: rows come one by one and can be made smaller on the way
BARE = frozenset({0x00, 0x01, *range(0xD0, 0xD9)})  # markers that no length follows
END, SCAN = 0xD9, 0xDA


@dataclass(frozen=True, slots=True)
class Header:
    """*width* and *height* in pixels as stored. *scalable*: a decoder can make it smaller row by row."""

    width: int
    height: int
    scalable: bool = False


def read_header(image: bytes) -> Header | None:
    """The header of a JPEG, PNG, BMP or WebP; None when *image* is none of them or ends too early."""
    readers: tuple[tuple[bytes, Callable[[bytes], Header | None]], ...] = (
        (JPEG, _jpeg),
        (PNG, _png),
        (BMP, _bmp),
        (RIFF, _webp),
    )
    for start, read in readers:
        if image.startswith(start):
            try:
                return read(image)
            except struct.error:
                return None
    return None


def _jpeg(image: bytes) -> Header | None:
    place = len(JPEG)
    while (place := image.find(b"\xff", place)) >= 0:
        while image[place : place + 1] == b"\xff":  # any number of fill bytes
            place += 1
        (marker,) = struct.unpack_from("B", image, place)
        place += 1
        if marker in FRAMES:
            _, _, height, width = struct.unpack_from(">HBHH", image, place)
            return Header(width, height, marker in SCALABLE)
        if marker in (END, SCAN):
            return None
        if marker not in BARE:
            place += struct.unpack_from(">H", image, place)[0]
    return None


def _png(image: bytes) -> Header | None:
    _, name, width, height = struct.unpack_from(">I4sII", image, len(PNG))
    return Header(width, height) if name == b"IHDR" else None


def _bmp(image: bytes) -> Header:
    (size,) = struct.unpack_from("<I", image, 14)
    width, height = struct.unpack_from("<HH" if size == 12 else "<ii", image, 18)
    return Header(width, abs(height))  # a negative height says that the first row is the top one


def _webp(image: bytes) -> Header | None:
    kind, name = struct.unpack_from("8x4s4s", image)
    if kind != b"WEBP":
        return None
    if name == b"VP8 ":
        width, height = struct.unpack_from("<HH", image, 26)
        return Header(width & 0x3FFF, height & 0x3FFF)
    if name == b"VP8L":
        (bits,) = struct.unpack_from("<I", image, 21)
        return Header((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    low_width, high_width, low_height, high_height = struct.unpack_from("<HBHB", image, 24)
    return Header((high_width << 16 | low_width) + 1, (high_height << 16 | low_height) + 1)
