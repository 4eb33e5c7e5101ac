"""Pictures as bytes <-> pixels through OpenCV, which is imported only where a lot has a plain camera."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any

from drivers.base import BadFrameError, DeviceError
from drivers.picture_header import JPEG, Header, read_header

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Pixels = NDArray[numpy.uint8]

MAX_PICTURE = 32 * 1024 * 1024
MAX_PIXELS = 1 << 26  # a small file can claim to be a huge picture
DECODED_PIXELS = 3840 * 2160  # a baseline JPEG with more is halved while it is decoded
WHOLE_PIXELS = 6 << 20  # of any other picture: its decoder holds all of it, up to 9 bytes a pixel beside the result
PICTURE_ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
JPEG_QUALITY = 85


@cache
def opencv() -> Any:
    """The cv2 module, told to work in the caller's thread. Raises DeviceError that says how to get it."""
    os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MAX_PIXELS))
    try:
        import cv2
    except ImportError as exc:
        raise DeviceError("plain cameras and plate reading need OpenCV: pip install 'lotgate[vision]'") from exc
    cv2.setNumThreads(1)  # lanes run side by side; a picture split over threads is hardly faster
    return cv2


def decode(image: bytes) -> Pixels:
    """BGR pixels of a JPEG, PNG, BMP or WebP, turned as its EXIF says; a very large JPEG at a half or a quarter.

    Raises BadFrameError, before any pixel is allocated when the size is the trouble.
    """
    cv2 = opencv()
    import numpy

    header = _checked(image)
    try:
        pixels = cv2.imdecode(numpy.frombuffer(image, numpy.uint8), _flag(cv2, header))
    except cv2.error as exc:
        raise BadFrameError(f"picture of {header.width} x {header.height} cannot be decoded") from exc
    if pixels is None:
        raise BadFrameError(f"picture of {header.width} x {header.height} is broken or cut off")
    return pixels  # type: ignore[no-any-return]


def _checked(image: bytes) -> Header:
    """The header of a picture that may be decoded. Raises BadFrameError."""
    if not image or len(image) > MAX_PICTURE:
        raise BadFrameError(f"picture of {len(image)} bytes; 1 to {MAX_PICTURE} are taken")
    header = read_header(image)
    if header is None:
        raise BadFrameError("bytes are not a picture: JPEG, PNG, BMP and WebP are read")
    most = MAX_PIXELS if header.scalable else WHOLE_PIXELS
    if not 0 < header.width * header.height <= most or header.width < 0:
        raise BadFrameError(f"picture of {header.width} x {header.height} pixels; 1 to {most:,} in all are taken")
    return header


def _flag(cv2: Any, header: Header) -> int:
    """How to read it: whole, or a JPEG so small that it stays within bounds."""
    if not header.scalable:
        return int(cv2.IMREAD_COLOR)
    sizes = {1: cv2.IMREAD_COLOR, 2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4}
    fits = (by for by in sizes if header.width * header.height <= DECODED_PIXELS * by * by)
    return int(sizes[next(fits)])


def jpeg(pixels: Pixels) -> bytes:
    """*pixels* as a JPEG."""
    cv2 = opencv()
    ok, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not ok:
        raise BadFrameError("picture cannot be written as JPEG")
    return bytes(data)


def as_jpeg(image: bytes) -> bytes:
    """*image* itself if it is a JPEG, else converted. Raises BadFrameError."""
    return image if image.startswith(JPEG) else jpeg(decode(image))
