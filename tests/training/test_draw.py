"""What is drawn shows what was asked for. With the glyph pictures at hand every form is drawn, else the bare face."""

from __future__ import annotations

import numpy as np
import pytest

from training.data import photo_root
from training.plates import draw as drawing
from training.plates.draw import draw
from training.plates.texts import FORMS, random_plate

HAS_GLYPHS = (photo_root() / "plates-train" / "ga36-glyphs.zip").exists()


def block(_family: str, _char: str, width: int, height: int, _weight: int) -> np.ndarray:
    """Stands in for a glyph: its whole cell is ink."""
    return np.full((height, width), 255, np.uint8)


@pytest.mark.parametrize("form", sorted(FORMS))
def test_each_character_stands_out_from_the_ground_in_its_cell(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if not HAS_GLYPHS:
        monkeypatch.setattr(drawing, "glyph", block)
        monkeypatch.setattr(drawing, "cut_out", lambda *_: None)
    rng = np.random.default_rng(11)

    face = draw(random_plate(rng, form), rng)

    assert len(face.cells) == len(face.spec.text)
    for x, y, width, height in face.cells.round().astype(int):
        around = face.image[max(0, y - 2) : y + height + 2, max(0, x - 2) : x + width + 2].astype(int)
        assert np.ptp(around, axis=(0, 1)).max() > 60
