"""The few pictures that the documentation shows, cut to their screen and pressed small: ``--keep``."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

from PIL import Image

IMAGES: Final = Path(__file__).resolve().parents[2] / "docs" / "images"
LARGEST: Final = 60_000  # bytes
WIDEST: Final = 1_100
KEPT: Final = {
    "booth-lanes-zh-light": "booth/lanes-zh-booth-light",
    "booth-open-zh-light": "booth/open-zh-booth-light",
    "booth-offline-zh-light": "booth/offline-zh-booth-light",
    "booth-lines-en-dark": "booth/lanes-en-small-dark",
    "booth-cameras-en-light": "booth/cameras-en-booth-light",
    "counter-shop-doubt-zh-light": "counter/doubt-zh-small-light",
    "cloud-board-zh-light": "admin/board-zh-desktop-light",
    "cloud-coupons-en-light": "admin/coupons-en-desktop-light",
    "merchant-shop-zh-light": "merchant/shop-zh-desktop-light",
    "driver-claim-zh-light": "driver/claim-done-zh-phone-light",
    "driver-fee-en-dark": "driver/fee-paid-en-phone-dark",
}
"""Name in docs/images, and the picture of the gallery it is."""


def keep(gallery: Path) -> list[str]:
    """Renew those of docs/images that *gallery* holds; their names."""
    renewed = []
    for name, picture in KEPT.items():
        path = gallery / f"{picture}.jpg"
        if path.exists():
            (IMAGES / f"{name}.jpg").write_bytes(_pressed(path))
            renewed.append(name)
    return renewed


def _pressed(path: Path) -> bytes:
    with Image.open(path) as whole:
        tall = whole.width * 10 // 16 if whole.width > 600 else whole.height
        image = whole.crop((0, 0, whole.width, min(tall, whole.height)))
    image.thumbnail((WIDEST, WIDEST), Image.Resampling.LANCZOS)
    return next(small for quality in range(80, 0, -6) if len(small := _jpeg(image, quality)) <= LARGEST)


def _jpeg(image: Image.Image, quality: int) -> bytes:
    pressed = io.BytesIO()
    image.save(pressed, "JPEG", quality=quality, optimize=True, progressive=True)
    return pressed.getvalue()
