"""Draws how a picture was read: corners of every plate, its straightened strip, how sure each character is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from domain.plate import PlateVerdict
from domain.plate_reading import Reading
from drivers.pictures import jpeg
from drivers.recogniser.reader import SeenPlate
from plumbing.fonts import drawable, font

if TYPE_CHECKING:
    from drivers.pictures import Pixels

WIDTH = 1280  # of the drawing; the picture is made to fit
TIMES = 3  # a strip's pixels are drawn so large
PANEL, MARGIN, BAR = 250, 16, 40
LABEL, SMALL, LARGE = 26, 18, 34
GROUND, INK, PALE = (24, 26, 30), (235, 235, 235), (130, 134, 140)
COLOURS = {
    PlateVerdict.ACCEPT: (80, 220, 100),
    PlateVerdict.ASK: (255, 180, 40),
    PlateVerdict.UNREAD: (240, 80, 80),
}


def explained(pixels: Pixels, plates: Sequence[SeenPlate]) -> bytes:
    """JPEG: the picture with every plate outlined, and below it one panel a plate, the main one first."""
    import numpy

    picture = Image.fromarray(pixels[:, :, ::-1])
    scale = WIDTH / picture.width if picture.width > WIDTH or picture.width < WIDTH // 2 else 1.0
    picture = picture.resize((max(1, round(picture.width * scale)), max(1, round(picture.height * scale))))
    sheet = Image.new("RGB", (WIDTH, picture.height + PANEL * len(plates)), GROUND)
    sheet.paste(picture, (0, 0))
    draw = ImageDraw.Draw(sheet)
    for number, plate in enumerate(plates, start=1):
        _outline(draw, plate, scale, number)
        _panel(sheet, draw, plate, picture.height + PANEL * (number - 1), number)
    return jpeg(numpy.ascontiguousarray(numpy.asarray(sheet)[:, :, ::-1]))


def _outline(draw: ImageDraw.ImageDraw, plate: SeenPlate, scale: float, number: int) -> None:
    colour = COLOURS[plate.verdict]
    points = [(float(x) * scale, float(y) * scale) for x, y in plate.found.corners]
    draw.line([*points, points[0]], fill=colour, width=3, joint="curve")
    left, top = min(x for x, _ in points), min(y for _, y in points)
    words = f"{number} {drawable(plate.readings[0].text)}" if plate.readings else str(number)
    place = (left, max(0.0, top - LABEL - 6))
    draw.rectangle(draw.textbbox(place, words, font=font(LABEL)), fill=GROUND)
    draw.text(place, words, fill=colour, font=font(LABEL))


def _panel(sheet: Image.Image, draw: ImageDraw.ImageDraw, plate: SeenPlate, top: int, number: int) -> None:
    strip = Image.fromarray(plate.strip[:, :, ::-1])
    strip = strip.resize((strip.width * TIMES, strip.height * TIMES), Image.Resampling.NEAREST)
    sheet.paste(strip, (MARGIN, top + MARGIN))
    rows = f"{plate.found.rows} row{'s' if plate.found.rows > 1 else ''}"
    found = f"{number}: found {plate.found.score:.2f}, {rows}, {plate.verdict} {plate.probability:.4f}"
    draw.text((MARGIN, top + MARGIN + strip.height + 8), found, fill=COLOURS[plate.verdict], font=font(SMALL))
    left = MARGIN * 2 + strip.width
    if plate.readings:
        _characters(draw, plate.readings[0], left, top + MARGIN)
        for place, reading in enumerate(plate.readings[1:]):
            words = f"{drawable(reading.text)}  {reading.probability:.4f}"
            draw.text((left, top + 170 + place * (SMALL + 6)), words, fill=PALE, font=font(SMALL))


def _characters(draw: ImageDraw.ImageDraw, reading: Reading, left: int, top: int) -> None:
    """The best reading, a bar of its probability under every character."""
    step = min(78, (WIDTH - MARGIN - left) // max(1, len(reading.text)))
    for place, (letter, sure) in enumerate(zip(reading.text, reading.characters, strict=True)):
        x = left + place * step
        draw.text((x, top), drawable(letter), fill=INK, font=font(LARGE))
        draw.rectangle((x, top + 50, x + step - 10, top + 50 + BAR), outline=PALE)
        colour = COLOURS[PlateVerdict.ACCEPT if sure > 0.9 else PlateVerdict.ASK if sure > 0.5 else PlateVerdict.UNREAD]
        draw.rectangle((x, top + 50 + BAR * (1 - sure), x + step - 10, top + 50 + BAR), fill=colour)
        draw.text((x, top + 56 + BAR), f"{sure:.2f}", fill=PALE, font=font(SMALL))
    kind = f"{reading.colour}, {reading.kind or 'no form of GA 36'}"
    draw.text((left, top + 82 + BAR), kind, fill=INK, font=font(SMALL))
