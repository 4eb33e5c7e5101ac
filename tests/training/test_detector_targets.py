"""What the detector is trained to say is what the product understands."""

import numpy as np
import pytest

from drivers.recogniser.detector import FoundPlate, decode, merge
from training.detector.targets import Plate, targets

HEIGHT, WIDTH = 384, 640


def plate(x: float, y: float, length: float, rows: int = 1, certain: bool = True) -> Plate:
    tall = length * (0.5 if rows == 2 else 0.318)
    corners = [(x, y), (x + length, y + 0.1 * length), (x + length, y + 0.1 * length + tall), (x, y + tall)]
    return Plate(np.array(corners, np.float32), rows, certain)


def understood(plates: list[Plate]) -> list[FoundPlate]:
    """What the product makes of a network that has learnt its lesson perfectly."""
    maps = []
    for level in targets(plates, HEIGHT, WIDTH):
        said = level[:10].copy()
        score = said[0].clip(1e-4, 1 - 1e-4)
        said[0] = np.log(score / (1 - score))
        said[9] = said[9] * 20 - 10
        maps.append(said[None])
    return merge(*decode(maps, HEIGHT))


@pytest.mark.parametrize("length", [30, 60, 100, 150, 220, 400, 560])
@pytest.mark.parametrize("rows", [1, 2])
def test_a_plate_of_any_length_comes_back_where_it_is(length: float, rows: int) -> None:
    drawn = plate(40, 30, length, rows)

    (found,) = understood([drawn])

    assert found.corners == pytest.approx(drawn.corners, abs=0.01)
    assert found.rows == rows
    assert found.score > 0.99


def test_neighbours_stay_apart() -> None:
    drawn = [plate(40, 30, 90), plate(140, 30, 90), plate(300, 200, 200, rows=2)]

    found = sorted(understood(drawn), key=lambda one: one.corners[0, 0])

    assert [one.rows for one in found] == [1, 1, 2]
    for one, other in zip(found, drawn, strict=True):
        assert one.corners == pytest.approx(other.corners, abs=0.01)


@pytest.mark.parametrize("doubtful", [plate(40, 30, 90, certain=False), plate(40, 30, 20)])
def test_a_cut_or_tiny_plate_is_neither_wanted_nor_blamed(doubtful: Plate) -> None:
    score = targets([doubtful], HEIGHT, WIDTH)[0][0]

    assert understood([doubtful]) == []
    assert score.min() == -1
