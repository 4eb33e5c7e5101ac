"""Plates out of network scores: the forms hold, the sums are right, colours weigh, rubbish comes out low."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby, product
from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.plate import FORMS, PlateColour, PlateKind, PlateVerdict, classify
from domain.plate_grammar import CHINESE, FOREIGN, automaton_of, decode, decode_freely, texts
from domain.plate_reading import NEVER_ALONE, Reading, Thresholds

Column = Mapping[str, float]
BLANK = {"": log(0.999)}
BLUE = {PlateColour.BLUE: log(0.97), PlateColour.GREEN: log(0.02), PlateColour.YELLOW: log(0.01)}
GREEN = {PlateColour.GREEN: log(0.97), PlateColour.BLUE: log(0.02), PlateColour.YELLOW: log(0.01)}


def column(**chances: float) -> Column:
    """One column; what is left of 1 is the blank's."""
    return {one: log(chance) for one, chance in chances.items()} | {"": log(max(1e-6, 1 - sum(chances.values())))}


def spelt(text: str, sure: float = 0.98) -> list[Column]:
    """Columns of a network that reads *text* without doubt."""
    return [part for character in text for part in (column(**{character: sure}), BLANK)]


def replaced(text: str, place: int, **chances: float) -> list[Column]:
    columns = spelt(text)
    columns[2 * place] = column(**chances)
    return columns


EXAMPLES = ["京A12345", "粤BD12345", "粤B12345D", "京A1234警", "京O12345", "皖Q0686学", "京A1234挂", "京A1234试",
            "京A1234超", "粤ZJ068港", "粤ZJ068澳", "224578使", "使224578", "沪22423领", "沪A2345领", "WJ京12345",
            "WJ12345", "WJ123456A", "VA12345", "晋X0101应急", "民航A1234", "京A11111", "京AAA000"]  # fmt: skip


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_kind_is_read_as_it_is_written(text: str) -> None:
    first, *_ = decode(spelt(text), {})

    assert (first.text, first.kind) == (text, classify(text))
    assert first.probability > 0.8
    assert len(first.characters) == len(text)
    assert min(first.characters) > 0.9


def test_an_illegal_best_path_gives_way_to_the_legal_one() -> None:
    columns = replaced("京A12345", 1, **{"8": 0.5, "A": 0.4, "B": 0.05})  # no issuing office is called 8
    best = "".join(max(part, key=part.__getitem__) for part in columns)

    assert (best, classify(best)) == ("京812345", None)
    assert decode(columns, BLUE)[0].text == "京A12345"


def test_what_the_forms_had_to_overrule_makes_it_less_sure() -> None:
    sure, overruled = spelt("京A12345"), replaced("京A12345", 1, **{"8": 0.5, "A": 0.4})

    assert decode(sure, BLUE)[0].probability > 0.8 > 0.6 > decode(overruled, BLUE)[0].probability


def test_a_character_twice_needs_a_blank_between_and_one_long_one_counts_once() -> None:
    once = [*spelt("京A1234"), column(**{"5": 0.9}), column(**{"5": 0.9})]
    twice = [*spelt("京A123"), column(**{"5": 0.9}), BLANK, column(**{"5": 0.9})]

    assert decode(once, BLUE)[0].text == "京A12345"
    assert decode(twice, BLUE)[0].text == "京A12355"


@pytest.mark.parametrize(("ground", "text"), [(BLUE, "皖AD1123"), (GREEN, "皖AD11123")])
def test_the_ground_decides_between_seven_and_eight_characters(ground: Mapping[PlateColour, float], text: str) -> None:
    """A second 1 that is only half there: blue plates have seven characters, green ones eight."""
    columns = [*spelt("皖AD1"), column(**{"1": 0.5}), BLANK, *spelt("123")]

    assert decode(columns, ground)[0].text == text


def test_a_ground_no_such_plate_has_makes_a_text_doubtful_and_forbids_nothing() -> None:
    columns = spelt("京A12345")

    assert decode(columns, BLUE)[0].probability > 0.8
    assert decode(columns, GREEN)[0].text == "京A12345"
    assert decode(columns, GREEN)[0].probability < 0.4


def test_a_text_without_a_rival_is_still_doubted_on_a_ground_it_is_not_made_in() -> None:
    """A plate whose eighth character is cut off reads as a clear plate of seven, on green."""
    columns = spelt("皖AD0952", 0.9999)

    assert decode(columns, BLUE)[0].probability > 0.95
    assert decode(columns, GREEN)[0].probability < 0.7


def test_the_colour_told_is_one_the_kind_is_made_in_when_that_is_a_near_thing() -> None:
    near = {PlateColour.GREEN: log(0.55), PlateColour.YELLOW_GREEN: log(0.45)}

    assert decode(spelt("粤B12345D"), near)[0].colour is PlateColour.YELLOW_GREEN
    assert decode(spelt("粤BD12345"), near)[0].colour is PlateColour.GREEN
    assert decode(spelt("京A12345"), {})[0].colour is PlateColour.UNKNOWN


def test_two_likely_characters_share_the_probability_and_both_are_offered() -> None:
    first, second, *_ = decode(replaced("京A12345", 4, **{"3": 0.6, "8": 0.38}), BLUE)

    assert (first.text, second.text) == ("京A12345", "京A12845")
    assert first.probability / second.probability == pytest.approx(0.6 / 0.38, rel=0.01)
    assert first.characters[4] == pytest.approx(0.6)


def test_columns_that_spell_nothing_give_nothing_or_next_to_nothing() -> None:
    smear = [column(**{one: 0.02 for one in "京沪苏ABC123"}) for _ in range(40)]

    assert all(reading.probability < 0.01 for reading in decode(smear, BLUE))
    assert decode(spelt("A12345"), BLUE) == ()
    assert decode([], BLUE) == ()


def test_what_is_left_of_a_chinese_plate_is_no_foreign_one() -> None:
    columns = spelt("B683J8", 0.9999)  # the province was too dark

    assert decode_freely(columns, {PlateColour.UNKNOWN: log(0.9), PlateColour.BLUE: log(0.1)})[0].probability > 0.9
    assert decode_freely(columns, BLUE)[0].probability < 0.6


def test_a_foreign_plate_is_read_without_a_form() -> None:
    first, *_ = decode_freely(spelt("LOT8KI"), {})

    assert (first.text, first.kind) == ("LOT8KI", None)
    assert decode_freely(spelt("京A12345"), {})[0].probability < 0.05
    assert decode_freely(spelt("AB1"), {}) == ()


chances = st.lists(st.floats(0.01, 1), min_size=4, max_size=4).map(lambda given: [one / sum(given) for one in given])


@given(st.lists(chances, min_size=1, max_size=6))
def test_a_text_weighs_the_sum_of_its_alignments(rows: list[list[float]]) -> None:
    alphabet = ("", "A", "B", "1")
    forms = (("AB", "AB1"), ("A", "1", "1"))  # ten beginnings, so none is dropped
    legal = {"".join(one) for form in forms for one in product(*form)}
    summed = dict.fromkeys(legal, 0.0)
    for path in product(range(4), repeat=len(rows)):
        text = "".join(alphabet[one] for one, _ in groupby(path))
        if text in summed:
            weight = 1.0
            for row, one in zip(rows, path, strict=True):
                weight *= row[one]
            summed[text] += weight
    columns = [{one: log(chance) for one, chance in zip(alphabet, row, strict=True)} for row in rows]

    found = texts(columns, automaton_of(forms))

    assert {text: found.get(text, 0.0) for text in legal} == pytest.approx(summed)


@st.composite
def form_texts(draw: st.DrawFn) -> str:
    _, form = draw(st.sampled_from(FORMS))
    return "".join(draw(st.sampled_from(places)) for places in form)


@given(form_texts())
def test_every_text_of_a_form_is_walked_to_an_end(text: str) -> None:
    state = 0
    for character in text:
        state = CHINESE.steps[state][character]

    assert state in CHINESE.ends
    assert classify(text) is not None
    assert decode(spelt(text), {})[0].text == text


@given(st.text("京皖WJABDIO0189警使领学港应急民航", max_size=9))
def test_the_automaton_and_the_forms_say_the_same(text: str) -> None:
    state: int | None = 0
    for character in text:
        state = CHINESE.steps[state].get(character) if state is not None else None

    assert (state in CHINESE.ends) == (classify(text) is not None)


@given(st.lists(st.dictionaries(st.sampled_from([*"京皖AB018D学", ""]), st.floats(-12, -0.1)), max_size=24))
def test_probabilities_are_probabilities_and_what_is_offered_is_legal(columns: list[Column]) -> None:
    readings = decode(columns, BLUE)

    assert all(0 <= reading.probability <= 1 for reading in readings)
    assert all(classify(reading.text) is reading.kind is not None for reading in readings)
    assert list(readings) == sorted(readings, key=lambda reading: -reading.probability)


def test_the_automata_are_small() -> None:
    assert len(CHINESE.steps) < 200
    assert len(FOREIGN.steps) == 10


def reading(probability: float) -> Reading:
    return Reading("京A12345", PlateKind.NORMAL, PlateColour.BLUE, probability, (1.0,) * 7)


@pytest.mark.parametrize(
    ("probability", "verdict"),
    [(0.95, PlateVerdict.ACCEPT), (0.9, PlateVerdict.ACCEPT), (0.5, PlateVerdict.ASK), (0.1, PlateVerdict.UNREAD)],
)
def test_thresholds_say_what_may_be_done(probability: float, verdict: PlateVerdict) -> None:
    assert Thresholds(accept=0.9, ask=0.2).verdict(reading(probability)) is verdict


def test_nothing_read_is_unread_and_a_doubted_reader_never_acts_alone() -> None:
    assert NEVER_ALONE.verdict(None) is PlateVerdict.UNREAD
    assert NEVER_ALONE.verdict(reading(1.0)) is PlateVerdict.ASK


def test_thresholds_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(ValueError, match="accept"):
        Thresholds(accept=0.2, ask=0.9)
