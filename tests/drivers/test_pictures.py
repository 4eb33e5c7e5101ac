"""Pictures as they come: odd ones are read, broken and hostile ones are refused, and neither takes much memory."""

from __future__ import annotations

import contextlib
import io
import json
import struct
import subprocess
import sys

import numpy
import pytest
from PIL import Image

from drivers.base import BadFrameError
from drivers.picture_header import read_header
from drivers.pictures import MAX_PICTURE, WHOLE_PIXELS, as_jpeg, decode
from tests.drivers import scenes
from tests.services.needs import ROOT

WIDTH, HEIGHT = 200, 120
RED, BLUE = (250, 10, 10), (10, 10, 250)
MOST_MB = 120

MANGLE = r"""
import io, json, random, re, resource
from PIL import Image
from drivers.base import BadFrameError
from drivers.pictures import decode

resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
rng = random.Random(20261122)

def saved(form, **options):
    out = io.BytesIO()
    Image.effect_noise((96, 64), 60).convert("RGB").save(out, form, **options)
    return out.getvalue()

whole = [saved("JPEG"), saved("JPEG", progressive=True), saved("PNG"), saved("BMP"), saved("WEBP"),
         saved("WEBP", lossless=True)]
read = refused = 0
for _ in range(480):
    data = bytearray(rng.choice(whole))
    for _ in range(rng.choice((1, 3, 20))):
        place = rng.randrange(rng.choice((32, len(data))))
        data[place] = rng.choice((0, 1, 0x7F, 0xFF, rng.randrange(256)))
    if rng.random() < 0.3:
        del data[rng.randrange(2, len(data)):]
    try:
        assert decode(bytes(data)).ndim == 3
        read += 1
    except BadFrameError:
        refused += 1
status = open("/proc/self/status").read()  # the peak of getrusage would be that of the process we come from
peak = int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024
print(json.dumps({"read": read, "refused": refused, "peak": peak}))
"""


def saved(form: str, mode: str = "RGB", **options: object) -> bytes:
    """A picture whose left half is red and whose right half is blue."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), RED)
    picture.paste(BLUE, (WIDTH // 2, 0, WIDTH, HEIGHT))
    out = io.BytesIO()
    picture.convert(mode).save(out, form, **options)
    return out.getvalue()


def claims(width: int, height: int) -> list[bytes]:
    """Small files that say they are pictures of that size."""
    frame = b"\xff\xd8\xff%c\0\x11\x08" + struct.pack(">HH", height, width) + b"\3\1\x22\0\2\x11\1\3\x11\1"
    return [
        frame % 0xC0,
        frame % 0xC2,
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height) + b"\x08\2\0\0\0\0\0\0\0",
        b"BM" + struct.pack("<IIIIiiHH", 54, 0, 54, 40, width, height, 1, 24) + bytes(24),
    ]


@pytest.mark.parametrize(
    "image",
    [
        saved("JPEG"),
        saved("JPEG", progressive=True),
        saved("JPEG", "CMYK"),
        saved("PNG"),
        saved("PNG", "RGBA"),
        saved("PNG", "P"),
        saved("BMP"),
        saved("WEBP"),
        saved("WEBP", lossless=True),
        saved("WEBP", "RGBA"),
    ],
)
def test_every_common_form_of_picture_is_read_in_its_colours(image: bytes) -> None:
    pixels = decode(image)

    assert pixels.shape == (HEIGHT, WIDTH, 3)
    left, right = pixels[:, : WIDTH // 2 - 8].mean((0, 1)), pixels[:, WIDTH // 2 + 8 :].mean((0, 1))
    assert left[2] > 200 > 80 > left[0]  # BGR
    assert right[0] > 200 > 80 > right[2]


@pytest.mark.parametrize("image", [saved("JPEG", "L"), saved("PNG", "L"), saved("PNG", "LA"), saved("PNG", "1")])
def test_grey_pictures_become_colour(image: bytes) -> None:
    assert decode(image).shape == (HEIGHT, WIDTH, 3)


def test_sixteen_bits_become_eight() -> None:
    import cv2

    deep = numpy.full((20, 30, 3), 257 * 200, numpy.uint16)

    pixels = decode(bytes(cv2.imencode(".png", deep)[1]))

    assert pixels.dtype == numpy.uint8
    assert int(pixels.mean()) == 200


def test_a_photograph_is_turned_as_its_exif_says() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the top of the scene is on the right

    pixels = decode(saved("JPEG", exif=exif))

    assert pixels.shape == (WIDTH, HEIGHT, 3)
    assert pixels[: WIDTH // 2 - 8].mean((0, 1))[2] > 200  # red is on top now


def test_a_very_large_jpeg_is_made_smaller_while_it_is_decoded() -> None:
    out = io.BytesIO()
    Image.new("L", (6000, 3000), 90).save(out, "JPEG")

    assert decode(out.getvalue()).shape == (1500, 3000, 3)


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff", b"not a picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 40, b"GIF89a"])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(BadFrameError, match="picture"):
        decode(data)


def test_more_bytes_than_any_camera_sends_are_refused() -> None:
    with pytest.raises(BadFrameError, match="bytes"):
        decode(saved("BMP") + bytes(MAX_PICTURE))


@pytest.mark.parametrize("image", claims(20_000, 20_000))
def test_a_small_file_that_claims_a_huge_picture_is_refused_by_its_size(image: bytes) -> None:
    with pytest.raises(BadFrameError, match="20000 x 20000 pixels"):
        decode(image)


@pytest.mark.parametrize("image", [*claims(0, 0), *claims(0, 200)])
def test_a_picture_without_pixels_is_refused(image: bytes) -> None:
    with pytest.raises(BadFrameError, match=r"0 x \d+ pixels"):
        decode(image)


def test_only_a_jpeg_that_can_be_read_row_by_row_may_be_larger_than_what_is_kept() -> None:
    side = int(WHOLE_PIXELS**0.5) + 1
    baseline, progressive, *_ = (read_header(image) for image in claims(side, side))

    assert baseline is not None
    assert progressive is not None
    assert (baseline.scalable, progressive.scalable) == (True, False)
    with pytest.raises(BadFrameError, match="are taken"):
        decode(claims(side, side)[1])


@pytest.mark.parametrize("form", ["JPEG", "PNG", "BMP", "WEBP"])
def test_a_picture_cut_off_anywhere_is_read_or_refused(form: str) -> None:
    image = saved(form)

    for length in range(1, len(image), max(1, len(image) // 40)):
        with contextlib.suppress(BadFrameError):
            assert decode(image[:length]).shape == (HEIGHT, WIDTH, 3)


def test_mangled_pictures_neither_end_the_process_nor_fill_its_memory() -> None:
    command = [sys.executable, "-c", MANGLE]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603

    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["read"] > 50
    assert seen["refused"] > 50
    assert seen["peak"] < MOST_MB


def test_other_formats_become_jpeg_and_jpeg_stays_as_it_is() -> None:
    picture = scenes.plate_jpeg("A58264")

    assert as_jpeg(picture) is picture
    assert as_jpeg(saved("PNG")).startswith(b"\xff\xd8")
