"""Printed coupons as a PDF: codes as vectors, hanzi from a font that travels in the file (docs/claims.md).

A font with TrueType outlines is embedded, so that every viewer shows the same. Without one installed the file names
Adobe's STSong, which most viewers have or replace.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import segno
from reportlab.lib.units import mm  # type: ignore[import-untyped]
from reportlab.pdfbase.cidfonts import UnicodeCIDFont  # type: ignore[import-untyped]
from reportlab.pdfbase.pdfmetrics import registerFont, stringWidth  # type: ignore[import-untyped]
from reportlab.pdfbase.ttfonts import TTFont  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from cloud.coupons.layout import Layout

FONTS: Final = ("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc", "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc")
NAMED: Final = "STSong-Light"
QUIET: Final = 4  # modules of white around a code
LEADING: Final = 1.3  # of a line, times its size
LARGEST: Final = 20  # points of plain text, however big the paper
BESIDE: Final = 1.3  # a place this much wider than high has its code beside the words
_one_at_a_time = threading.Lock()  # what of a font a file needs is kept in the font


@dataclass(frozen=True, slots=True)
class Face:
    """What one coupon says on paper; *code* is what its QR holds."""

    code: str
    lot: str
    title: str
    shop: str
    worth: str
    scan: str
    until: str
    serial: str


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on the page in points, from its lower left corner."""

    x: float
    y: float
    width: float
    height: float

    def within(self, across: float, down: float) -> Box:
        """The same less a border at each side."""
        return Box(self.x + across, self.y + down, self.width - 2 * across, self.height - 2 * down)


def pdf(layout: Layout, sheets: Sequence[Sequence[Face]], heading: str) -> bytes:
    """The file; the same coupons give the same bytes. Blocks: 1.2 s of machine time for 200."""
    with _one_at_a_time:
        file = io.BytesIO()
        width, height = (side * mm for side in layout.size)
        canvas = Canvas(file, pagesize=(width, height), invariant=1, pageCompression=1)
        canvas.setTitle(heading)
        for number, faces in enumerate(sheets or [[]], 1):
            _page(canvas, layout, faces, heading, f"{number} / {max(1, len(sheets))}")
            canvas.showPage()
        canvas.save()
        return file.getvalue()


def _page(canvas: Canvas, layout: Layout, faces: Sequence[Face], heading: str, number: str) -> None:
    width, height = (side * mm for side in layout.size)
    space = Box(0, 0, width, height).within(*(side * mm for side in layout.margins))
    if layout.head and layout.paper == "a4":
        top = space.y + space.height - 8
        _line(canvas, heading, 8, Box(space.x + 4, top, space.width - 60, 8), is_left=True)
        canvas.drawRightString(space.x + space.width - 4, top, number)
        space = Box(space.x, space.y, space.width, space.height - 4 * mm)
    across, down = layout.grid
    wide, high = space.width / across, space.height / down
    for place, face in enumerate(faces):
        x, y = space.x + place % across * wide, space.y + space.height - (place // across + 1) * high
        if layout.cut and layout.paper == "a4":
            canvas.setLineWidth(0.4)
            canvas.setDash(3, 3)
            canvas.rect(x, y, wide, high)
        _coupon(canvas, face, Box(x, y, wide, high).within(1.5 * mm, 1.5 * mm))


def _coupon(canvas: Canvas, face: Face, box: Box) -> None:
    above = [(face.lot, 0.8), (face.title, 1.3), (face.shop, 1.0), (face.worth, 2.1)]
    below = [(face.scan, 0.9), (face.until, 0.8), (face.serial, 0.7)]
    lines = LEADING * sum(weight for _, weight in above + below)
    if is_beside := box.width > BESIDE * box.height:
        side = min(box.height, 0.42 * box.width)
        size = min(LARGEST, box.height / lines)
        _code(canvas, face.code, box.x, box.y + (box.height - side) / 2, side)
        box = Box(box.x + side, box.y, box.width - side, box.height)
        top, gap = box.y + (box.height + size * lines) / 2, 0.0
    else:
        side = min(0.55 * box.height, 0.9 * box.width)
        size = min(LARGEST, (box.height - side) / lines)
        top, gap = box.y + (box.height + size * lines + side) / 2, side
    for text, weight in above:
        top -= LEADING * weight * size
        _line(canvas, text, weight * size, Box(box.x, top, box.width, 0), is_left=is_beside)
    top -= gap
    if not is_beside:
        _code(canvas, face.code, box.x + (box.width - side) / 2, top, side)
    for text, weight in below:
        top -= LEADING * weight * size
        _line(canvas, text, weight * size, Box(box.x, top, box.width, 0), is_left=is_beside)


def _line(canvas: Canvas, text: str, size: float, box: Box, *, is_left: bool = False) -> None:
    """One line, smaller where it would not fit."""
    font = _font()
    size = min(size, size * box.width / (stringWidth(text, font, size) or 1))
    canvas.setFont(font, size)
    if is_left:
        canvas.drawString(box.x, box.y + 0.25 * size, text)
    else:
        canvas.drawCentredString(box.x + box.width / 2, box.y + 0.25 * size, text)


def _code(canvas: Canvas, text: str, x: float, y: float, side: float) -> None:
    """A QR of *side* points, its white border included, drawn as the runs of its rows."""
    rows = [bytes(row) for row in segno.make_qr(text, error="m").matrix]
    module = side / (len(rows) + 2 * QUIET)
    path = canvas.beginPath()
    for down, row in enumerate(rows, QUIET + 1):
        start = 0
        while (start := row.find(1, start)) >= 0:
            end = row.find(0, start)
            end = len(row) if end < 0 else end
            path.rect(x + (QUIET + start) * module, y + side - down * module, (end - start) * module, module)
            start = end
    canvas.drawPath(path, stroke=0, fill=1)


@cache
def _font() -> str:
    for file in FONTS:
        if Path(file).exists():
            registerFont(TTFont("hanzi", file))
            return "hanzi"
    registerFont(UnicodeCIDFont(NAMED))
    return NAMED
