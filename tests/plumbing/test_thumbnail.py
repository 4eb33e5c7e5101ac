"""Pictures made small: within the bytes there are, without anything but pixels, and nothing of what is no picture."""

from __future__ import annotations

import io
import random

import pytest
from PIL import Image

from plumbing.thumbnail import thumbnail

MOST = 20_000


def jpeg(width: int, height: int, *, noisy: bool = False) -> bytes:
    picture = Image.effect_noise((width, height), 255) if noisy else Image.new("RGB", (width, height), (90, 120, 40))
    exif = Image.Exif()
    exif[0x010E] = "where the car was"
    file = io.BytesIO()
    picture.convert("RGB").save(file, "JPEG", exif=exif, quality=90)
    return file.getvalue()


@pytest.mark.parametrize(("size", "noisy"), [((1920, 1080), False), ((1280, 720), True), ((200, 100), False)])
def test_a_picture_gets_small_enough_and_says_nothing_beside(size: tuple[int, int], noisy: bool) -> None:
    small = thumbnail(jpeg(*size, noisy=noisy), MOST)

    assert small is not None
    assert len(small) <= MOST
    with Image.open(io.BytesIO(small)) as picture:
        assert max(picture.size) <= 480
        assert abs(picture.width / picture.height - size[0] / size[1]) < 0.05
        assert not picture.getexif()


def test_what_is_no_picture_or_claims_to_be_huge_is_none() -> None:
    rng = random.Random(1)
    whole = jpeg(640, 480)
    huge = whole.replace((480).to_bytes(2, "big") + (640).to_bytes(2, "big"), b"\xff\xff\xff\xff", 1)

    assert [thumbnail(bad, MOST) for bad in (b"", b"no picture", whole[:200], rng.randbytes(5000), huge)] == [None] * 5
    assert thumbnail(jpeg(1280, 720, noisy=True), 500) is None


def test_a_png_is_not_taken_for_a_jpeg() -> None:
    file = io.BytesIO()
    Image.new("RGB", (10, 10)).save(file, "PNG")

    assert thumbnail(file.getvalue(), MOST) is None
