"""Pictures to train the detector on: photographs zoomed, tilted and tiled, their plates kept, redrawn or gone."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from training.data import Pixels, read_pixels
from training.detector.light import relight, shoot
from training.detector.place import Board, board, free_quad, light_at, put, quad_over, seen_in
from training.detector.targets import Plate
from training.plates.draw import draw
from training.plates.texts import Rng, random_plate
from training.plates.wear import surroundings
from training.split import training_photos

LONGEST_SIDE: Final = 700  # photographs are kept in memory no larger than this
SHORTEST_PLATE, LONGEST_PLATE = 30.0, 560.0  # pixels, in the training frame


@dataclass(frozen=True, slots=True)
class Scene:
    """A photograph at full, half and quarter size, and its plate in the full one."""

    levels: tuple[Pixels, ...]
    plate: Plate

    def at(self, level: int) -> tuple[Pixels, Plate]:
        """A copy of the photograph at one size, and its plate there."""
        full, pixels = self.levels[0], self.levels[level]
        scale = np.array([pixels.shape[1] / full.shape[1], pixels.shape[0] / full.shape[0]], np.float32)
        return pixels.copy(), Plate(self.plate.corners * scale, self.plate.rows)


def load_scenes(most: int | None = None) -> list[Scene]:
    """The photographs with known corners that may be trained on, in memory."""
    scenes = []
    for photo in [photo for photo in training_photos() if photo.is_scene and photo.corners is not None][:most]:
        pixels = read_pixels(photo.file)
        scale = min(1.0, LONGEST_SIDE / max(pixels.shape[:2]))
        full = _smaller(pixels, scale) if scale < 1 else pixels
        half = _smaller(full, 0.5)
        plate = Plate(photo.corner_array() * np.float32(scale), photo.rows)
        scenes.append(Scene((full, half, _smaller(half, 0.5)), plate))
    return scenes


def _smaller(pixels: Pixels, scale: float) -> Pixels:
    return cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


class Sampler:
    """Endless samples from *scenes*; the same *rng* gives the same ones."""

    def __init__(self, scenes: list[Scene], rng: Rng, boards: int = 3000) -> None:
        self._scenes = scenes
        self._rng = rng
        self._boards = [board(draw(random_plate(rng), rng), rng) for _ in range(boards)]

    def _board(self) -> Board:
        return self._boards[self._rng.integers(len(self._boards))]

    def _pick(self) -> Scene:
        return self._scenes[self._rng.integers(len(self._scenes))]

    def sample(self, width: int, height: int) -> tuple[Pixels, list[Plate]]:
        """One training picture: one to nine tiles with their plates, shot by one camera."""
        rng = self._rng
        canvas = np.empty((height, width, 3), np.uint8)
        plates: list[Plate] = []
        columns, rows = ((1, 1), (1, 1), (2, 1), (1, 2), (2, 2), (2, 2), (3, 3))[rng.integers(7)]
        xs, ys = _cuts(width, columns, rng), _cuts(height, rows, rng)
        for left, right in itertools.pairwise(xs):
            for top, bottom in itertools.pairwise(ys):
                tile, found = self._tile(right - left, bottom - top)
                canvas[top:bottom, left:right] = tile
                corner = np.array([left, top], np.float32)
                plates += [Plate(plate.corners + corner, plate.rows, plate.certain) for plate in found]
        return shoot(canvas, rng), plates

    def _tile(self, width: int, height: int) -> tuple[Pixels, list[Plate]]:
        kind = self._rng.random()
        if kind < 0.78:
            return self._from_photo(width, height)
        return self._close_up(width, height) if kind < 0.9 else self._from_nothing(width, height)

    def _from_photo(self, width: int, height: int) -> tuple[Pixels, list[Plate]]:
        """A photograph zoomed so that it fills the tile and its plate has some random length."""
        rng = self._rng
        scene = self._pick()
        tall, wide = scene.levels[0].shape[:2]
        low = max(SHORTEST_PLATE, max(width / wide, height / tall) * scene.plate.length)
        high = max(low * 1.3, min(LONGEST_PLATE, 0.95 * width))
        scale = float(np.exp(rng.uniform(np.log(low), np.log(high)))) / scene.plate.length
        level = 0 if scale > 0.6 else 1 if scale > 0.3 else 2
        pixels, plates, anchor = self._dressed(scene, level)
        tall, wide = pixels.shape[:2]
        scale *= 2**level
        middle = anchor.corners.mean(axis=0)
        clear = scale * anchor.length / 2 if rng.random() < 0.8 else -0.05 * width
        x = _between(rng, width - scale * (wide - middle[0]), scale * middle[0], (clear, width - clear))
        y = _between(rng, height - scale * (tall - middle[1]), scale * middle[1], (clear / 2, height - clear / 2))
        matrix = _looking(middle, (x, y), scale, rng)
        view = cv2.warpPerspective(pixels, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
        tile = relight(view.astype(np.uint8, copy=False), rng)
        plates = seen_in(plates, matrix, (width, height))
        if rng.random() < 0.2:
            self._hang(tile, plates)
        if rng.random() < 0.15:
            _letter(tile, rng)
        return tile, plates

    def _dressed(self, scene: Scene, level: int) -> tuple[Pixels, list[Plate], Plate]:
        """A photograph with its plate as it was, redrawn as some other plate, or painted over; and where that was."""
        rng = self._rng
        pixels, plate = scene.at(level)
        what = rng.random()
        if what < 0.4:
            return pixels, [plate], plate
        if rng.random() < 0.5:
            pixels = cv2.flip(pixels, 1).astype(np.uint8, copy=False)
            mirrored = plate.corners[[1, 0, 3, 2]] * np.array([-1, 1], np.float32)
            plate = Plate(mirrored + np.array([pixels.shape[1], 0], np.float32), plate.rows)
        if what > 0.92:
            _paint_over(pixels, plate, rng)
            return pixels, [], plate
        hung = self._board()
        corners = quad_over(plate.corners, hung, rng)
        put(pixels, hung, corners, light_at(pixels, plate.corners), rng)
        drawn = Plate(corners, hung.rows)
        return pixels, [drawn], drawn

    def _close_up(self, width: int, height: int) -> tuple[Pixels, list[Plate]]:
        """A crop of a plate, squeezed or not, on a plain ground: what comes of cameras that cut plates out."""
        rng = self._rng
        pixels, plates, anchor = self._dressed(self._pick(), int(rng.integers(0, 2)))
        margin = anchor.length * rng.uniform(0.0, 0.08, 4)
        left, top = np.floor(np.maximum(anchor.corners.min(axis=0) - margin[:2], 0)).astype(int)
        right, bottom = np.ceil(anchor.corners.max(axis=0) + margin[2:]).astype(int)
        crop = pixels[top:bottom, left:right]
        wide = rng.uniform(0.4, 1.0) * min(width, 480)
        tall = wide * (24 / 94 if rng.random() < 0.4 else crop.shape[0] / crop.shape[1] * rng.uniform(0.8, 1.2))
        wide, tall = int(max(24, wide)), int(np.clip(tall, 12, height))
        if rng.random() < 0.5:
            crop = cv2.resize(crop, (94, 24), interpolation=cv2.INTER_AREA)
        crop = cv2.resize(crop, (wide, tall), interpolation=cv2.INTER_LINEAR)
        tile = np.zeros((height, width, 3), np.uint8) if rng.random() < 0.6 else surroundings((width, height), rng)
        x, y = int(rng.integers(0, width - wide + 1)), int(rng.integers(0, height - tall + 1))
        tile[y : y + tall, x : x + wide] = relight(crop.astype(np.uint8), rng)
        stretch = np.array([wide / (right - left), tall / (bottom - top)], np.float32)
        corners = (anchor.corners - np.array([left, top], np.float32)) * stretch + np.array([x, y], np.float32)
        return tile, [Plate(corners.astype(np.float32), anchor.rows)] if plates else []

    def _from_nothing(self, width: int, height: int) -> tuple[Pixels, list[Plate]]:
        """Smooth grounds with lettering that is no plate, and with or without plates."""
        rng = self._rng
        tile = surroundings((width, height), rng)
        for _ in range(int(rng.integers(0, 4))):
            _letter(tile, rng)
        plates: list[Plate] = []
        for _ in range(int(rng.integers(0, 3))):
            self._hang(tile, plates)
        return tile, plates

    def _hang(self, tile: Pixels, plates: list[Plate]) -> None:
        """Add a drawn plate somewhere in *tile* where there is none."""
        rng = self._rng
        height, width = tile.shape[:2]
        hung = self._board()
        length = float(np.exp(rng.uniform(np.log(SHORTEST_PLATE), np.log(max(40.0, 0.7 * width)))))
        corners = free_quad(hung, (rng.uniform(0, width), rng.uniform(0, height)), length, rng)
        reach = length / 2 + 8
        middle = corners.mean(axis=0)
        if any(np.abs(plate.corners.mean(axis=0) - middle).max() < reach + plate.length / 2 for plate in plates):
            return
        put(tile, hung, corners, float(rng.uniform(0.35, 1.1)), rng)
        plates += seen_in([Plate(corners, hung.rows)], np.eye(3), (width, height))


def _cuts(length: int, parts: int, rng: Rng) -> list[int]:
    """Borders of *parts* about equal parts of *length*."""
    inner = [round(length * (n + rng.uniform(-0.2, 0.2)) / parts) for n in range(1, parts)]
    return [0, *inner, length]


def _between(rng: Rng, low: float, high: float, wished: tuple[float, float]) -> float:
    """A place from *low* to *high*, within *wished* if that can be."""
    inside = max(low, wished[0]), min(high, wished[1])
    return (
        float(rng.uniform(*inside)) if inside[0] < inside[1] else float(np.clip(sum(wished) / 2, low, max(low, high)))
    )


def _looking(middle: np.ndarray, target: tuple[float, float], scale: float, rng: Rng) -> np.ndarray:
    """The matrix that takes *middle* to *target*, scaled, turned, stretched and seen a little from the side."""
    angle = np.deg2rad(rng.normal(0, 5) if rng.random() < 0.75 else rng.uniform(-30, 30))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    slant = np.array(
        [[np.exp(rng.normal(0, 0.1)), rng.normal(0, 0.06)], [rng.normal(0, 0.03), np.exp(rng.normal(0, 0.1))]]
    )
    matrix = np.eye(3)
    matrix[:2, :2] = turn @ slant * scale
    matrix[2, :2] = rng.normal(0, 0.0002, 2) * scale
    start, end = np.eye(3), np.eye(3)
    start[:2, 2], end[:2, 2] = -middle, target
    return end @ matrix @ start


def _paint_over(pixels: Pixels, plate: Plate, rng: Rng) -> None:
    """Hide a plate behind a piece of the same photograph or one colour."""
    left, top = np.maximum(plate.corners.min(axis=0) - plate.length * 0.04, 0).astype(int)
    right, bottom = (plate.corners.max(axis=0) + plate.length * 0.04).astype(int)
    place = pixels[top:bottom, left:right]
    height, width = place.shape[:2]
    above = pixels[max(0, top - height) : top, left:right]
    if above.shape == place.shape and rng.random() < 0.7:
        place[:] = above[::-1]
    else:
        small = cv2.resize(place, (max(1, width // 10), max(1, height // 10)), interpolation=cv2.INTER_AREA)
        place[:] = cv2.resize(small, (width, height))


def _letter(tile: Pixels, rng: Rng) -> None:
    """A word or a long number as on a shop, a door or a bumper."""
    alphabet = "abcdefghijklmnopqrstuvwxyz" if rng.random() < 0.6 else "0123456789-"
    word = "".join(alphabet[n] for n in rng.integers(0, len(alphabet), int(rng.integers(4, 14))))
    height, width = tile.shape[:2]
    place = (int(rng.uniform(-0.2, 0.8) * width), int(rng.uniform(0.1, 1) * height))
    size = float(rng.uniform(0.4, 2.0))
    colour = tuple(float(c) for c in rng.uniform(0, 255, 3))
    cv2.putText(tile, word, place, int(rng.integers(0, 5)), size, colour, int(rng.integers(1, 4)), cv2.LINE_AA)
