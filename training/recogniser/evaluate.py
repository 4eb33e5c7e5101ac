"""How many validation plates the network alone reads: best character of each column, no grammar."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from drivers.recogniser.scores import ALPHABET, COLOURS
from drivers.recogniser.strip import as_input, strip, whole
from training.data import Photo, read_pixels
from training.recogniser.augment import upright_box
from training.split import validation_photos

BOX_MARGIN = 0.03  # of a box's width, round boxes of scenes


@dataclass(frozen=True, slots=True)
class Look:
    """One way to cut one validation plate."""

    photo: Photo
    way: str  # plain | warped | box
    strip: NDArray[np.uint8]


def looks() -> Iterator[Look]:
    """Every validation picture, cut in every way its labels allow."""
    for photo in validation_photos():
        pixels = read_pixels(photo.file)
        if photo.corners is not None:
            yield Look(photo, "warped", strip(pixels, photo.corner_array(), photo.rows))
        if not photo.is_scene:
            yield Look(photo, "plain", strip(pixels, whole(pixels), photo.rows))
        elif photo.corners is None and photo.box is not None:
            left, top, right, bottom = photo.box
            box = np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)
            yield Look(photo, "box", strip(pixels, upright_box(box, BOX_MARGIN), photo.rows))


def greedy(columns: NDArray[np.float32]) -> str:
    """Best class of every column, repeats joined, blanks dropped."""
    best = columns.argmax(-1)
    kept = [k for previous, k in zip([0, *best[:-1]], best, strict=True) if k and k != previous]
    return "".join(ALPHABET[k] for k in kept)


@torch.inference_mode()
def scores(net: nn.Module, strips: list[NDArray[np.uint8]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    net.eval()
    batches = [as_input(strips[start : start + 64]) for start in range(0, len(strips), 64)]
    outputs = [net(torch.from_numpy(batch)) for batch in batches]
    return np.concatenate([c.numpy() for c, _ in outputs]), np.concatenate([k.numpy() for _, k in outputs])


def report(net: nn.Module, cut: list[Look]) -> tuple[str, float]:
    """Exact and colour by source and way of cutting, and the share of all looks read exactly."""
    columns, colours = scores(net, [look.strip for look in cut])
    tally: dict[str, list[tuple[bool, bool, bool]]] = defaultdict(list)
    for look, column, colour in zip(cut, columns, colours, strict=True):
        text = greedy(column)
        right = (
            text == look.photo.text,
            text[1:] == look.photo.text[1:],
            COLOURS[colour.argmax()] == look.photo.colour,
        )
        tally[f"{look.photo.source}/{look.way}"].append(right)
        tally["all"].append(right)
    lines = [
        f"{name:28s} {len(rows):5d}  exact {exact:5.1%}  but first {tail:5.1%}  colour {colour:5.1%}"
        for name, rows in sorted(tally.items())
        for exact, tail, colour in [np.mean(rows, axis=0)]
    ]
    return "\n".join(lines), float(np.mean([exact for exact, _, _ in tally["all"]]))
