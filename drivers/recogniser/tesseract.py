"""The declared baseline: OpenCV finds a plate, Tesseract reads it. Never trusted: a person confirms every answer.

Tesseract was trained on documents. It is here so that a lane with a plain camera works, with a person in the loop,
until a plate engine takes its place. It sees pixels and nothing else: no file name and no label.
"""

from __future__ import annotations

import asyncio
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from domain.plate import PROVINCES, PlateColour
from domain.plate_reading import NEVER_ALONE
from drivers.base import Box, DeviceError, PlateCandidate
from drivers.pictures import decode, opencv
from drivers.recogniser.localise import Patch, patches
from drivers.wiring import Wiring

if TYPE_CHECKING:
    from drivers.pictures import Pixels

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"  # no I, no O (GA 36)
UNKNOWN_PROVINCE = "?"
READ_HEIGHT = 64
RIM = 12  # white pixels around the line: Tesseract misreads characters at an edge
TIMEOUT_S = 5
INSTALL = "tesseract is not installed: sudo apt-get install tesseract-ocr tesseract-ocr-chi-sim"
_FORM = re.compile(r"[A-Z][A-Z0-9]{5,6}")


@dataclass(frozen=True, slots=True)
class TesseractOptions:
    """*most_patches* places are read a picture; each costs one or two Tesseract runs (about 0.2 s)."""

    most_patches: int = 3


class TesseractRecogniser:
    """Reads letters and digits, and the province where ``chi_sim`` is installed (else "?" stands for it)."""

    thresholds = NEVER_ALONE

    def __init__(self, options: TesseractOptions, *, chinese: bool) -> None:
        self._options = options
        self._chinese = chinese

    def recognise(self, image: bytes) -> tuple[PlateCandidate, ...]:
        """Candidates, best first. Raises BadFrameError on a broken picture, DeviceError without Tesseract."""
        pixels = decode(image)
        read = [self._read(pixels, patch) for patch in patches(pixels, self._options.most_patches)]
        return tuple(sorted((found for found in read if found), key=lambda found: -found.confidence))

    def _read(self, pixels: Pixels, patch: Patch) -> PlateCandidate | None:
        line = _line_of(pixels, patch)
        text, confidence = _tesseract(line, "eng", f"--psm 7 -c tessedit_char_whitelist={ALPHABET}")
        serial = _serial(text, patch.colour)
        if not serial:
            return None
        province = self._province(line) if self._chinese else UNKNOWN_PROVINCE
        text = province + serial
        return PlateCandidate(text, confidence, patch.colour, patch.box)

    def _province(self, line: Pixels) -> str:
        first = line[:, : RIM + READ_HEIGHT]  # one character is about as wide as the plate is high, less its gaps
        text, _ = _tesseract(first, "chi_sim", f"--psm 10 -c tessedit_char_whitelist={PROVINCES}")
        return next((letter for letter in text if letter in PROVINCES), UNKNOWN_PROVINCE)


def _line_of(pixels: Pixels, patch: Patch) -> Pixels:
    """The patch as dark characters on white, of one height, with a white rim."""
    cv2 = opencv()
    box: Box = patch.box
    grey = cv2.cvtColor(pixels[box.top : box.bottom, box.left : box.right], cv2.COLOR_BGR2GRAY)
    width = max(1, round(grey.shape[1] * READ_HEIGHT / grey.shape[0]))
    grey = cv2.resize(grey, (width, READ_HEIGHT), interpolation=cv2.INTER_CUBIC)
    flag = cv2.THRESH_BINARY_INV if patch.colour is PlateColour.BLUE else cv2.THRESH_BINARY
    flat = cv2.threshold(grey, 0, 255, flag | cv2.THRESH_OTSU)[1]
    if patch.colour is PlateColour.UNKNOWN and flat.mean() < 127:
        flat = 255 - flat  # most of a plate is ground
    return cv2.copyMakeBorder(flat, RIM, RIM, RIM, RIM, cv2.BORDER_CONSTANT, value=255)  # type: ignore[no-any-return]


def _serial(text: str, colour: PlateColour) -> str:
    """Office letter and serial at the end of *text*; what stands before them was the province or noise."""
    length = 7 if colour in (PlateColour.GREEN, PlateColour.YELLOW_GREEN) else 6
    tail = re.sub(f"[^{ALPHABET}]", "", text.upper())[-length:]
    return tail if _FORM.fullmatch(tail) else ""


def _tesseract(line: Pixels, language: str, config: str) -> tuple[str, int]:
    """Text and its mean confidence 0-100; nothing when it takes too long."""
    pytesseract = _pytesseract()
    try:
        data = pytesseract.image_to_data(
            line, lang=language, config=config, timeout=TIMEOUT_S, output_type=pytesseract.Output.DICT
        )
    except pytesseract.TesseractNotFoundError as exc:
        raise DeviceError(INSTALL) from exc
    except RuntimeError:  # pytesseract's word for its timeout
        return "", 0
    words = [(text, float(sure)) for text, sure in zip(data["text"], data["conf"], strict=True) if text.strip()]
    sure = sum(sure for _, sure in words) / len(words) if words else 0.0
    return "".join(text for text, _ in words), min(max(round(sure), 0), 100)


def _pytesseract() -> Any:
    os.environ.setdefault("OMP_THREAD_LIMIT", "1")  # its threads cost more than they gain on a line of text
    try:
        import pytesseract  # type: ignore[import-untyped]
    except ImportError as exc:
        raise DeviceError("plate reading needs pytesseract: pip install 'lotgate[vision]'") from exc
    return pytesseract


def new_tesseract(options: TesseractOptions | None = None) -> TesseractRecogniser:
    """The engine with the languages of this machine. Raises DeviceError with the command that installs it."""
    opencv()
    pytesseract = _pytesseract()
    try:
        languages = pytesseract.get_languages()
    except pytesseract.TesseractNotFoundError as exc:
        raise DeviceError(INSTALL) from exc
    if "eng" not in languages:
        raise DeviceError("tesseract has no English data: sudo apt-get install tesseract-ocr-eng")
    return TesseractRecogniser(options or TesseractOptions(), chinese="chi_sim" in languages)


async def open_tesseract(options: TesseractOptions, wiring: Wiring) -> TesseractRecogniser:
    """The engine, checked once in a thread. Raises DeviceError."""
    return await asyncio.to_thread(new_tesseract, options)
