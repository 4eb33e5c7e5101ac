"""The split keeps a plate on one side, and what may not be trained on stays out of training."""

from __future__ import annotations

from domain.plate import PlateColour
from training.data import Photo
from training.split import choose_validation


def photo(file: str, text: str, source: str) -> Photo:
    return Photo(file, text, "scenes" in file, source, "blue", PlateColour.BLUE, 1, None, None, has_other_plates=False)


def test_what_may_not_be_trained_on_is_held_back_with_every_picture_of_its_plate() -> None:
    pictures = (
        photo("plates/scenes/a.jpg", "京A12345", "easypr-gdts"),
        photo("plates/crops/a.jpg", "京A12345", "easypr-gdts-crop"),
        photo("plates/crops/b.jpg", "京B12345", "lprnet-test"),
    )

    held = choose_validation(pictures)

    assert held == {"京A12345"}


def test_a_fifth_of_each_source_is_held_back_and_always_the_same() -> None:
    lprnet = tuple(photo(f"plates/crops/l{n}.jpg", f"皖A{n:05}", "lprnet-test") for n in range(100))
    green = tuple(photo(f"plates/crops/g{n}.jpg", f"皖AD{n:05}", "ccpd-green-crop") for n in range(50))

    held = choose_validation(lprnet + green)

    assert held == choose_validation(lprnet + green)
    assert sum(len(text) == 7 for text in held) == 20
    assert sum(len(text) == 8 for text in held) == 10


def test_training_material_is_never_validation_by_itself() -> None:
    material = tuple(photo(f"plates-train/scenes/{n}.jpg", f"皖A{n:05}", "ccpd-blue") for n in range(50))

    assert choose_validation(material) == frozenset()
