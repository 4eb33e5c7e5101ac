"""The engine's own rules, with networks that see what a test painted."""

from __future__ import annotations

import numpy
import pytest

from domain.plate import PlateColour, PlateKind, PlateVerdict
from domain.plate_reading import Thresholds
from drivers.base import BadFrameError, Box
from drivers.pictures import jpeg
from drivers.recogniser.detector import Detector
from drivers.recogniser.explain import explained
from drivers.recogniser.figures import ReaderFigures
from drivers.recogniser.reader import PlateReader
from tests.drivers.plate_networks import PatchFinder, ShadeReader, picture

FIGURES = ReaderFigures(Thresholds(accept=0.9, ask=0.2), Thresholds(accept=0.97, ask=0.5))
FIRST, SECOND, THIRD = 20, 90, 160  # shades of green
TEXTS = {FIRST: "京A12345", SECOND: "沪B67891", THIRD: "粤C13579"}


def reader(
    finder: PatchFinder | None = None, characters: ShadeReader | None = None, figures: ReaderFigures = FIGURES
) -> PlateReader:
    return PlateReader(Detector(finder or PatchFinder()), characters or ShadeReader(TEXTS), figures)


def test_a_sure_plate_costs_one_look_and_is_accepted() -> None:
    finder, characters = PatchFinder(), ShadeReader(TEXTS)

    (seen,) = reader(finder, characters).recognise(jpeg(picture(640, 384, (200, 200, 300, 232, FIRST))))

    assert (seen.text, seen.verdict, seen.colour) == ("京A12345", PlateVerdict.ACCEPT, PlateColour.BLUE)
    assert seen.kind is PlateKind.NORMAL
    assert seen.confidence > 95
    assert len(seen.readings[0].characters) == 7
    assert seen.box is not None
    assert seen.box == Box(200, 200, 300, 232)
    assert (len(finder.inputs), characters.looks) == (1, 1)


@pytest.mark.parametrize(
    ("doubt", "verdict", "text"), [(0.05, PlateVerdict.ACCEPT, "京A12345"), (0.3, PlateVerdict.ASK, "京A12345")]
)
def test_the_verdict_follows_the_probability(doubt: float, verdict: PlateVerdict, text: str) -> None:
    characters = ShadeReader(TEXTS, doubts=[doubt])

    (seen,) = reader(characters=characters).look(picture(640, 384, (200, 200, 300, 232, FIRST)))

    assert (seen.verdict, seen.readings[0].text) == (verdict, text)


def test_a_reading_below_the_threshold_leaves_no_text() -> None:
    figures = ReaderFigures(Thresholds(accept=0.99, ask=0.98), Thresholds(accept=0.99, ask=0.98))
    characters = ShadeReader(TEXTS, doubts=[0.4])

    (seen,) = reader(None, characters, figures).recognise(jpeg(picture(640, 384, (200, 200, 300, 232, FIRST))))

    assert (seen.text, seen.verdict) == ("", PlateVerdict.UNREAD)


def test_in_doubt_a_plate_is_looked_at_more_closely_and_the_surer_look_counts() -> None:
    finder, characters = PatchFinder(), ShadeReader(TEXTS, doubts=[0.4, 0.001])

    (seen,) = reader(finder, characters).look(picture(1280, 720, (900, 500, 980, 526, SECOND)))

    assert (seen.verdict, seen.readings[0].text) == (PlateVerdict.ACCEPT, "沪B67891")
    assert numpy.abs(seen.found.corners - [(900, 500), (980, 500), (980, 526), (900, 526)]).max() < 2
    assert len(finder.inputs) == 2


def test_several_cuts_of_a_plate_are_joined_and_a_less_sure_closer_look_changes_nothing() -> None:
    characters = ShadeReader(TEXTS, doubts=[0.4, 0.1, 0.45])  # at once, four cuts of it, four cuts in the closer look

    (seen,) = reader(characters=characters).look(picture(1280, 720, (900, 500, 980, 526, SECOND)))

    assert seen.readings[0].text == "沪B67891"
    assert seen.probability > 0.9


def test_where_nothing_is_found_the_whole_picture_is_seen_again_at_a_higher_resolution() -> None:
    finder = PatchFinder(least=60)

    (seen,) = reader(finder).look(picture(1280, 720, (600, 300, 680, 326, FIRST)))

    assert seen.readings[0].text == "京A12345"
    assert finder.inputs[1] > finder.inputs[0]


def test_a_plate_that_is_seen_only_from_afar_is_found_at_a_lower_resolution() -> None:
    finder = PatchFinder(most=250)

    (seen,) = reader(finder).look(picture(640, 384, (100, 100, 500, 228, FIRST)))

    assert seen.readings[0].text == "京A12345"
    assert finder.inputs[-1] < finder.inputs[0]


def test_a_picture_that_is_a_plate_to_its_edges_is_read_as_one() -> None:
    (seen,) = reader(PatchFinder(least=1000)).look(picture(94, 24, (0, 0, 94, 24, THIRD)))

    assert seen.readings[0].text == "粤C13579"


def test_an_empty_lane_has_no_plate() -> None:
    assert reader().recognise(jpeg(picture(1280, 720))) == ()


@pytest.mark.parametrize(("width", "height"), [(1, 1), (9, 400), (3000, 2)])
def test_a_sliver_of_a_picture_has_no_plate(width: int, height: int) -> None:
    assert reader().look(picture(width, height, (0, 0, width, height, FIRST))) == ()


def test_of_several_plates_the_large_central_one_is_the_main_one() -> None:
    small, central, aside = (30, 300, 80, 316, FIRST), (270, 180, 370, 212, SECOND), (530, 20, 630, 52, THIRD)

    seen = reader().look(picture(640, 384, small, central, aside))

    assert [plate.readings[0].text for plate in seen] == ["沪B67891", "粤C13579", "京A12345"]


def test_the_main_plate_gets_its_closer_look_though_a_smaller_one_is_sure_at_once() -> None:
    characters = ShadeReader(TEXTS, doubts=[0.3, 0.001])  # the first strip read is of the most prominent find

    seen = reader(characters=characters).look(
        picture(640, 384, (30, 300, 80, 316, FIRST), (270, 180, 370, 212, SECOND))
    )

    assert [(plate.readings[0].text, plate.verdict) for plate in seen] == [
        ("沪B67891", PlateVerdict.ACCEPT),
        ("京A12345", PlateVerdict.ACCEPT),
    ]


def test_a_plate_that_can_be_read_comes_before_a_larger_one_that_cannot() -> None:
    foreign = ShadeReader({FIRST: "京A12345", SECOND: "QQ"})  # two letters spell no plate

    seen = reader(characters=foreign).look(picture(640, 384, (100, 180, 300, 240, SECOND), (400, 200, 480, 226, FIRST)))

    assert [plate.verdict for plate in seen] == [PlateVerdict.ACCEPT, PlateVerdict.UNREAD]


def test_a_plate_of_the_standard_comes_before_a_larger_foreign_one() -> None:
    both = ShadeReader({FIRST: "京A12345", SECOND: "KA99XYZ"}, PlateColour.UNKNOWN)

    seen = reader(characters=both).look(picture(640, 384, (100, 180, 300, 240, SECOND), (400, 200, 480, 226, FIRST)))

    assert [plate.readings[0].text for plate in seen] == ["京A12345", "KA99XYZ"]


def test_what_has_no_form_of_the_standard_is_read_freely_against_its_own_threshold() -> None:
    characters = ShadeReader({FIRST: "KA99XYZ"}, PlateColour.UNKNOWN)

    (seen,) = reader(characters=characters).recognise(jpeg(picture(640, 384, (200, 200, 300, 232, FIRST))))

    assert (seen.text, seen.kind, seen.verdict) == ("KA99XYZ", None, PlateVerdict.ACCEPT)


def test_probabilities_are_calibrated_before_they_are_judged() -> None:
    overconfident = ReaderFigures(FIGURES.plates, FIGURES.foreign, ((0.0, 0.0), (0.9, 0.3), (1.0, 0.6)))

    (seen,) = reader(figures=overconfident).look(picture(640, 384, (200, 200, 300, 232, FIRST)))

    assert 0.5 < seen.probability <= 0.6
    assert seen.verdict is PlateVerdict.ASK


def test_a_broken_picture_is_an_error_and_not_an_empty_lane() -> None:
    with pytest.raises(BadFrameError):
        reader().recognise(b"\xff\xd8\xff")


def test_a_two_row_plate_is_cut_into_its_rows() -> None:
    one = reader(PatchFinder()).look(picture(640, 384, (200, 200, 300, 250, FIRST)))
    two = reader(PatchFinder(two_rows=True)).look(picture(640, 384, (200, 200, 300, 250, FIRST)))

    assert (one[0].found.rows, two[0].found.rows) == (1, 2)


def test_the_explaining_picture_shows_the_picture_and_a_panel_for_every_plate() -> None:
    from drivers.pictures import decode

    pixels = picture(1280, 720, (200, 200, 300, 232, FIRST), (800, 200, 900, 232, SECOND))
    seen = reader().look(pixels)

    drawn = decode(explained(pixels, seen))

    assert drawn.shape[1] == 1280
    assert drawn.shape[0] > 720 + 2 * 150
    green = (drawn[190:210, 190:310, 1] > 180) & (drawn[190:210, 190:310, 2] < 140)
    assert green.any()  # the outline of an accepted plate
