"""Several looks at one plate: agreement makes surer, one bad look does no harm, doubt stays doubt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.plate import PlateColour, classify
from domain.plate_reading import Reading
from domain.plate_votes import Look, join


def reading(text: str, probability: float, **doubts: float) -> Reading:
    """*doubts* names places (``at3=0.6``) of which the look was less sure than 0.99."""
    characters = tuple(doubts.get(f"at{place}", 0.99) for place in range(len(text)))
    return Reading(text, classify(text), PlateColour.BLUE, probability, characters)


def look(text: str, probability: float, **doubts: float) -> Look:
    return (reading(text, probability, **doubts),)


def test_one_look_is_its_own_answer_and_none_is_none() -> None:
    only = (reading("京A12345", 0.7), reading("京A12346", 0.2))

    assert join([only]) == only
    assert join([(), only, ()]) == only
    assert join([]) == join([()]) == ()


@pytest.mark.parametrize("probability", [0.5, 0.8, 0.95, 0.999])
def test_looks_that_agree_make_surer(probability: float) -> None:
    once = join([look("京A12345", probability)])[0]
    thrice = join([look("京A12345", probability)] * 3)[0]

    assert thrice.text == "京A12345"
    assert thrice.probability > once.probability


def test_the_examples_of_the_page() -> None:
    seen, other = look("京A12345", 0.9), look("沪B99999", 0.97)
    either = (reading("京A12348", 0.55, at6=0.55), reading("京A1234B", 0.40, at6=0.40))
    clear = (reading("京A1234B", 0.97), reading("京A12348", 0.01, at6=0.01))

    joined = [join(looks)[0] for looks in ([seen] * 2, [seen] * 3, [seen, seen, other], [either, either, clear])]

    assert [(one.text, round(one.probability, 2)) for one in joined] == [
        ("京A12345", 0.94), ("京A12345", 0.97), ("京A12345", 0.73), ("京A1234B", 0.90)
    ]  # fmt: skip


@pytest.mark.parametrize("bad", [look("沪B99999", 0.97), look("京A1234S", 0.02), look("京A123456", 0.1), ()])
def test_one_bad_look_does_not_change_the_answer(bad: Look) -> None:
    good = [look("京A12345", 0.95), look("京A12345", 0.95), look("京A12345", 0.9)]

    joined = join([*good, bad])[0]

    assert joined.text == "京A12345"
    assert joined.probability > 0.85


def test_two_sure_looks_that_contradict_each_other_leave_it_open() -> None:
    joined = join([look("京A12345", 0.97), look("沪B99999", 0.97)])

    assert {reading.text for reading in joined[:2]} == {"京A12345", "沪B99999"}
    assert joined[0].probability == pytest.approx(joined[1].probability)
    assert joined[0].probability < 0.5


def test_the_character_most_surely_seen_wins_over_the_one_seen_more_often() -> None:
    blurred = (reading("京A12348", 0.55, at6=0.55), reading("京A1234B", 0.40, at6=0.40))
    sharp = (reading("京A1234B", 0.97), reading("京A12348", 0.01, at6=0.01))

    assert join([blurred, blurred, sharp])[0].text == "京A1234B"


def test_looks_that_each_misread_another_character_spell_the_plate_together() -> None:
    looks = [
        look("京A1Z345", 0.5, at3=0.5),
        look("京A123A5", 0.5, at5=0.5),
        look("沪A12345", 0.5, at0=0.5),
    ]

    assert join(looks)[0].text == "京A12345"


def test_a_dropped_character_is_outvoted_by_the_looks_that_saw_it() -> None:
    looks = [look("粤BD12345", 0.8), look("粤BD1234", 0.6), look("粤BD12345", 0.8)]

    assert join(looks)[0].text == "粤BD12345"


def test_each_character_shows_how_surely_the_looks_saw_it() -> None:
    joined = join([look("京A12345", 0.9, at3=0.8), look("京A12845", 0.4, at3=0.4)])[0]

    assert joined.text == "京A12345"
    assert joined.characters[0] == pytest.approx(0.99)
    assert joined.characters[4] == pytest.approx(0.495)  # one of two looks saw a 3 there


texts = st.sampled_from(["京A12345", "京A1234S", "沪A12345", "粤BD12345", "粤BD1234"])
looks_seen = st.lists(
    st.lists(st.tuples(texts, st.floats(0, 1)), max_size=3, unique_by=lambda one: one[0]).map(
        lambda pairs: tuple(reading(text, chance / len(pairs)) for text, chance in sorted(pairs, key=lambda p: -p[1]))
    ),
    max_size=5,
)


@given(looks_seen)
def test_the_answer_is_a_share_and_does_not_depend_on_the_order_of_looks(looks: list[Look]) -> None:
    joined, reversed_ = join(looks, best=9), join(looks[::-1], best=9)

    assert sum(one.probability for one in joined) <= 1 + 1e-9
    assert {one.text: pytest.approx(one.probability) for one in joined} == {
        one.text: one.probability for one in reversed_
    }
