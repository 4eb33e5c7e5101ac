"""Scenes are drawn the same for the same seed, and the plate is where a camera would look."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from domain.plate import PlateColour
from lotgate.demo.scenes import HEIGHT, WIDTH, colour_of, draw_plate, draw_scene


def test_the_same_seed_draws_the_same_picture() -> None:
    assert draw_scene("京A12345", 3) == draw_scene("京A12345", 3)
    assert draw_scene("京A12345", 3) != draw_scene("京A12345", 4)


def test_a_scene_has_the_size_of_a_camera_frame_that_the_standard_asks_for() -> None:
    assert Image.open(io.BytesIO(draw_scene("粤BD12345"))).size == (WIDTH, HEIGHT)


@pytest.mark.parametrize(("plate", "colour"), [("京A12345", PlateColour.BLUE), ("粤BD12345", PlateColour.GREEN)])
def test_new_energy_cars_wear_green(plate: str, colour: PlateColour) -> None:
    assert colour_of(plate) is colour


def test_new_energy_plates_are_wider() -> None:
    assert draw_plate("粤BD12345").width > draw_plate("京A12345").width
