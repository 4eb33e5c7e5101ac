from __future__ import annotations

from math import exp

import numpy as np
import pytest

from domain.plate import PlateColour
from drivers.recogniser.scores import ALPHABET, BLANK, COLOURS, read_scores


def columns_saying(*classes: int, by: float = 12.0) -> np.ndarray:
    columns = np.zeros((len(classes), len(ALPHABET)), np.float32)
    columns[range(len(classes)), classes] = by
    return columns


def test_every_character_has_one_class() -> None:
    assert len(set(ALPHABET)) == len(ALPHABET) == 81
    assert ALPHABET[0] == BLANK


def test_a_column_holds_log_probabilities_by_character() -> None:
    columns = columns_saying(ALPHABET.index("皖"))
    columns[0, ALPHABET.index("浙")] = 11.0

    (column,) = read_scores(columns, np.zeros(len(COLOURS), np.float32)).columns

    assert list(column) == ["皖", "浙"]
    assert exp(column["皖"]) / exp(column["浙"]) == pytest.approx(exp(1.0))


def test_what_is_unlikely_is_left_out_and_the_rest_is_not_scaled_up() -> None:
    (column,) = read_scores(columns_saying(0, by=8.0), np.zeros(len(COLOURS), np.float32)).columns

    assert len(column) == len(ALPHABET)  # e^-8 of the best is above the floor
    assert sum(map(exp, column.values())) == pytest.approx(1.0)
    assert list(read_scores(columns_saying(0), np.zeros(len(COLOURS), np.float32)).columns[0]) == [BLANK]


def test_huge_scores_do_not_overflow() -> None:
    scores = read_scores(columns_saying(1, by=5000.0), np.full(len(COLOURS), 3000, np.float32))

    assert scores.columns[0][ALPHABET[1]] == pytest.approx(0.0)
    assert scores.colours[PlateColour.BLUE] == pytest.approx(-np.log(len(COLOURS)))
