"""A picture made small enough to be told over a thin line."""

from __future__ import annotations

import io
from typing import Final

from PIL import Image

MOST_PIXELS: Final = 1 << 26  # a small file can claim to be a huge picture
STEPS: Final = ((480, 60), (400, 50), (320, 40), (240, 30))  # longest side, quality


def thumbnail(jpeg: bytes, most_bytes: int) -> bytes | None:
    """The JPEG at most so large, without anything but its pixels; None for what is none, or never gets so small."""
    try:
        with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                return None
            picture.draft("RGB", (STEPS[0][0], STEPS[0][0]))  # decoded at a half, a quarter or an eighth
            whole = picture.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    for side, quality in STEPS:
        small = whole.copy()
        small.thumbnail((side, side))
        file = io.BytesIO()
        small.save(file, "JPEG", quality=quality, optimize=True)
        if file.tell() <= most_bytes:
            return file.getvalue()
    return None
