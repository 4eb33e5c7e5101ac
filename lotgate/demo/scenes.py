"""Pictures of cars for a lane without photographs: a street, a car's rear, and a plate of GA 36-2018 proportions."""

from __future__ import annotations

import io
import random

from PIL import Image, ImageDraw, ImageFilter

from domain.plate import PlateColour, PlateKind, classify, is_electric
from plumbing.fonts import font

WIDTH, HEIGHT = 1280, 720
PLATE = (440, 140)  # mm; new-energy plates are 480 mm wide
CHARACTER = (45, 90)  # mm
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
    scene = _street()
    draw = ImageDraw.Draw(scene)
    middle = WIDTH // 2 + rng.randint(-60, 60)
    _draw_car(draw, middle, rng.choice(BODIES))
    _paste_plate(scene, draw_plate(plate), middle, rng)
    return _jpeg(_with_noise(scene, rng))


def draw_street() -> bytes:
    """JPEG of the lane with nobody in it."""
    return _jpeg(_with_noise(_street(), random.Random(0)))  # noqa: S311 - a picture, not a secret


def _street() -> Image.Image:
    scene = Image.new("RGB", (WIDTH, HEIGHT), (146, 156, 164))
    draw = ImageDraw.Draw(scene)
    draw.rectangle((0, 430, WIDTH, HEIGHT), fill=(92, 94, 96))
    draw.polygon([(500, 430), (780, 430), (1270, HEIGHT), (10, HEIGHT)], fill=(104, 106, 108))
    return scene


def draw_plate(plate: str) -> Image.Image:
    """The plate alone, two pixels a millimetre, with characters of the standard's size in the standard's places."""
    ground, ink = GROUND[colour_of(plate)]
    gap, width = (9, PLATE[0] + 40) if len(plate) == 8 else (12, PLATE[0])
    picture = Image.new("RGB", (width * 2, PLATE[1] * 2), ground)
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((8, 8, width * 2 - 9, PLATE[1] * 2 - 9), 20, outline=ink, width=5)
    left = 15.5
    for place, letter in enumerate(plate):
        picture.paste(ink, (round(left * 2), 50), _letter(letter))
        left += CHARACTER[0] + gap
        if place == 1:
            draw.ellipse((left * 2, 130, left * 2 + 20, 150), fill=ink)
            left += 34 - gap
    return picture


def _letter(letter: str) -> Image.Image:
    """A mask of the standard's 45 x 90 mm, filled by the font's letter as far as its shape allows."""
    drawn = Image.new("L", (260, 260))
    ImageDraw.Draw(drawn).text((130, 130), letter, fill=255, font=font(180), anchor="mm", stroke_width=5)
    shape = drawn.crop(drawn.getbbox())
    width, height = CHARACTER[0] * 2, CHARACTER[1] * 2
    wide = min(width, round(shape.width * 1.3 * height / shape.height))
    mask = Image.new("L", (width, height))
    mask.paste(shape.resize((wide, height)), ((width - wide) // 2, 0))
    return mask


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
