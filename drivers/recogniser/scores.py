"""What the character network says about a strip, in the form the plate grammar decodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from domain.plate import PROVINCES, PlateColour

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLANK: Final = ""
ALPHABET: Final = (BLANK, *PROVINCES, *"0123456789", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ", *"学警领使港澳挂试超应急民航")
"""The network's classes in order. I and O are here for old police plates and foreign ones."""

COLOURS: Final = (
    PlateColour.BLUE,
    PlateColour.YELLOW,
    PlateColour.WHITE,
    PlateColour.BLACK,
    PlateColour.GREEN,
    PlateColour.YELLOW_GREEN,
    PlateColour.UNKNOWN,  # a foreign plate, or no Chinese one
)
FLOOR: Final = float(np.log(1e-4))


@dataclass(frozen=True, slots=True)
class Scores:
    """*columns*: from left to right, character ("" = none) -> natural-log probability, those under FLOOR left out.

    *colours*: natural-log probability of every ground colour.
    """

    columns: tuple[Mapping[str, float], ...]
    colours: Mapping[PlateColour, float]


def read_scores(columns: NDArray[np.float32], colours: NDArray[np.float32]) -> Scores:
    """Scores from the network's two outputs for one strip: [T, len(ALPHABET)] and [len(COLOURS)], not normalised."""
    likely = [_log_softmax(column) for column in columns]
    return Scores(
        columns=tuple({ALPHABET[i]: float(column[i]) for i in np.flatnonzero(column >= FLOOR)} for column in likely),
        colours=dict(zip(COLOURS, map(float, _log_softmax(colours)), strict=True)),
    )


def _log_softmax(values: NDArray[np.float32]) -> NDArray[np.float64]:
    shifted = values.astype(np.float64) - values.max()
    return np.asarray(shifted - np.log(np.exp(shifted).sum()), np.float64)
