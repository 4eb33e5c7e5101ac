"""Reading the QR code off a printed slip, as a lane's scanner does."""

from __future__ import annotations

from typing import Any

from drivers.pictures import opencv


def read_qr(png: bytes) -> str:
    """The text of the one QR code on a picture of a slip; "" when there is none that can be read."""
    cv2 = opencv()
    import numpy as np

    picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    detector = cv2.QRCodeDetector()
    for times in (1, 2, 3):  # its finder wants modules of several pixels
        larger: Any = cv2.resize(picture, None, fx=times, fy=times, interpolation=cv2.INTER_NEAREST)
        text, _, _ = detector.detectAndDecode(larger)
        if text:
            return str(text)
    return ""
