"""Pictures as bytes <-> pixels through OpenCV, which is imported only where a lot has a plain camera."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from drivers.base import BadFrameError, DeviceError

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Pixels = NDArray[numpy.uint8]

MAX_PICTURE = 32 * 1024 * 1024
MAX_PIXELS = 1 << 26  # a small file can claim to be a huge picture
PICTURE_ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
JPEG = b"\xff\xd8"
JPEG_QUALITY = 85


def opencv() -> Any:
    """The cv2 module. Raises DeviceError that says how to get it."""
    os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MAX_PIXELS))
    try:
        import cv2
    except ImportError as exc:
        raise DeviceError("plain cameras and plate reading need OpenCV: pip install 'lotgate[vision]'") from exc
    return cv2


def decode(image: bytes) -> Pixels:
    """BGR pixels of a JPEG, PNG, BMP or WebP. Raises BadFrameError."""
    cv2 = opencv()
    import numpy

    if not image or len(image) > MAX_PICTURE:
        raise BadFrameError(f"picture of {len(image)} bytes; 1 to {MAX_PICTURE} are taken")
    try:
        pixels = cv2.imdecode(numpy.frombuffer(image, numpy.uint8), cv2.IMREAD_COLOR)
    except cv2.error as exc:
        raise BadFrameError("picture is larger than can be taken") from exc
    if pixels is None:
        raise BadFrameError("bytes are not a picture")
    return pixels  # type: ignore[no-any-return]


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
