"""Pictures of cars for a lane without photographs: a street, a car's rear, and a plate of GA 36-2018 proportions."""

from __future__ import annotations

import io
import random

from PIL import Image, ImageDraw, ImageFilter

from domain.plate import PlateColour, PlateKind, classify, is_electric
from drivers.fonts import font

WIDTH, HEIGHT = 1280, 720
PLATE = (440, 140)  # mm; new-energy plates are 480 mm wide
GROUND = {
    PlateColour.BLUE: ((20, 60, 160), (255, 255, 255)),
    PlateColour.GREEN: ((120, 200, 130), (20, 20, 20)),
    PlateColour.YELLOW: ((240, 190, 30), (20, 20, 20)),
    PlateColour.WHITE: ((240, 240, 240), (20, 20, 20)),
    PlateColour.BLACK: ((25, 25, 25), (245, 245, 245)),
}
BODIES = ((150, 30, 36), (40, 44, 52), (210, 212, 216), (30, 70, 110), (90, 96, 88))


def colour_of(plate: str) -> PlateColour:
    """The usual ground colour of *plate*'s kind."""
    kind = classify(plate)
    if is_electric(plate) or kind in {PlateKind.NEV_SMALL, PlateKind.NEV_LARGE}:
        return PlateColour.GREEN
    return PlateColour.BLUE


def draw_scene(plate: str, seed: int = 0) -> bytes:
    """JPEG of 1280 × 720 with a car that wears *plate*; the same *seed* draws the same picture."""
    rng = random.Random(seed)  # noqa: S311 - a picture, not a secret
    scene = Image.new("RGB", (WIDTH, HEIGHT), (146, 156, 164))
    draw = ImageDraw.Draw(scene)
    draw.rectangle((0, 430, WIDTH, HEIGHT), fill=(92, 94, 96))
    draw.polygon([(500, 430), (780, 430), (1270, HEIGHT), (10, HEIGHT)], fill=(104, 106, 108))
    middle = WIDTH // 2 + rng.randint(-60, 60)
    _draw_car(draw, middle, rng.choice(BODIES))
    _paste_plate(scene, draw_plate(plate), middle, rng)
    return _jpeg(_with_noise(scene, rng))


def draw_plate(plate: str) -> Image.Image:
    """The plate alone, two pixels a millimetre."""
    ground, ink = GROUND[colour_of(plate)]
    width = PLATE[0] + (40 if len(plate) == 8 else 0)
    picture = Image.new("RGB", (width * 2, PLATE[1] * 2), ground)
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((8, 8, width * 2 - 9, PLATE[1] * 2 - 9), 20, outline=ink, width=5)
    step = (width * 2 - 60) / (len(plate) + 0.4)
    left = 34.0
    for place, letter in enumerate(plate):
        draw.text(
            (left + step / 2, PLATE[1]),
            letter,
            fill=ink,
            font=font(132 if place == 0 else 168),
            anchor="mm",
            stroke_width=4,
        )
        left += step
        if place == 1:
            draw.ellipse((left + step * 0.1, PLATE[1] - 9, left + step * 0.1 + 18, PLATE[1] + 9), fill=ink)
            left += step * 0.4
    return picture


def _draw_car(draw: ImageDraw.ImageDraw, middle: int, body: tuple[int, int, int]) -> None:
    dark = tuple(channel // 2 for channel in body)
    draw.ellipse((middle - 360, 600, middle + 360, 690), fill=(60, 61, 62))
    draw.rounded_rectangle((middle - 330, 300, middle + 330, 620), 60, fill=body)
    draw.polygon(
        [(middle - 250, 310), (middle - 180, 170), (middle + 180, 170), (middle + 250, 310)], fill=(58, 70, 82)
    )
    draw.rounded_rectangle((middle - 330, 540, middle + 330, 630), 30, fill=dark)
    for side in (-1, 1):
        left = middle + side * 265
        draw.rounded_rectangle((left - 55, 350, left + 55, 410), 14, fill=(170, 24, 28))
        draw.rounded_rectangle((left - 60, 600, left + 60, 680), 20, fill=(18, 18, 18))


def _paste_plate(scene: Image.Image, plate: Image.Image, middle: int, rng: random.Random) -> None:
    width = rng.randint(210, 250)
    small = plate.resize((width, width * plate.height // plate.width), Image.Resampling.LANCZOS)
    turned = small.rotate(
        rng.uniform(-2.5, 2.5), expand=True, resample=Image.Resampling.BICUBIC, fillcolor=(60, 60, 60)
    )
    scene.paste(turned, (middle - turned.width // 2, 440))


def _with_noise(scene: Image.Image, rng: random.Random) -> Image.Image:
    noise = Image.frombytes("L", (WIDTH // 4, HEIGHT // 4), rng.randbytes(WIDTH * HEIGHT // 16)).resize(scene.size)
    return Image.blend(scene.filter(ImageFilter.GaussianBlur(0.7)), Image.merge("RGB", (noise,) * 3), 0.05)


def _jpeg(scene: Image.Image) -> bytes:
    out = io.BytesIO()
    scene.save(out, "JPEG", quality=88)
    return out.getvalue()
