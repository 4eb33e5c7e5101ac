"""Reading the QR code off a printed slip, as a lane's scanner does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from drivers.pictures import opencv

if TYPE_CHECKING:
    from drivers.pictures import Pixels

SCALES = (2, 3, 1, 4, 5)


def read_qr(png: bytes) -> str:
    """The text of the one QR code on a picture of a slip; "" when there is none that can be read."""
    cv2 = opencv()
    import numpy as np

    picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    for look in _looks(picture):
        for detector in (cv2.QRCodeDetector(), cv2.QRCodeDetectorAruco()):
            text: Any = detector.detectAndDecode(look)[0]
            if text:
                return str(text)
    return ""


def _looks(picture: Pixels) -> Iterator[Pixels]:
    """The picture in several sizes, sharp and softened: one look finds what another misses."""
    cv2 = opencv()
    for times in SCALES:
        larger = cv2.resize(picture, None, fx=times, fy=times, interpolation=cv2.INTER_NEAREST)
        yield larger
        yield cv2.GaussianBlur(larger, (5, 5), 0)
