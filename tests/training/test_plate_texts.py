"""Drawn texts are legal, and no province or kind is rare."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from domain.plate import PROVINCES, classify
from training.plates.layouts import layout_of
from training.plates.texts import FORMS, random_plate

NOT_IN_THE_GRAMMAR = {"eu", "us", "brazil", "agricultural", "army_double"}


@pytest.mark.parametrize("form", sorted(FORMS))
def test_a_drawn_text_has_a_form_that_is_issued(form: str) -> None:
    rng = np.random.default_rng(7)

    kinds = {classify(random_plate(rng, form).text) for _ in range(50)}

    if form not in NOT_IN_THE_GRAMMAR:
        assert None not in kinds


def test_every_province_is_about_equally_frequent() -> None:
    rng = np.random.default_rng(7)

    seen = Counter(random_plate(rng, "blue").text[0] for _ in range(3100))

    assert set(seen) == set(PROVINCES)
    assert min(seen.values()) > 60


@pytest.mark.parametrize("form", sorted(FORMS))
def test_every_character_has_its_place_on_the_plate(form: str) -> None:
    rng = np.random.default_rng(7)
    for _ in range(30):
        spec = random_plate(rng, form)
        layout = layout_of(spec)

        assert len(layout.cells) == len(spec.text)
        for cell in layout.cells:
            assert cell.x >= 0
            assert cell.x + cell.width <= layout.width
            assert cell.y + cell.height <= layout.height


def test_characters_of_a_row_do_not_overlap() -> None:
    rng = np.random.default_rng(7)
    for form in FORMS:
        layout = layout_of(random_plate(rng, form))
        for left, right in zip(layout.cells, layout.cells[1:], strict=False):
            if left.y == right.y:
                assert left.x + left.width <= right.x, form
