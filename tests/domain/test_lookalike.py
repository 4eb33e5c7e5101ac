"""Look-alikes: the one safe match, everything else is asked."""

from __future__ import annotations

import random
import time

import pytest

from domain.lookalike import (
    CONFUSION_GROUPS,
    Ask,
    Exact,
    Fuzzy,
    Match,
    NoMatch,
    PlateIndex,
    Reason,
    compare,
    lookalike_keys,
    lookalikes,
    match,
    rank,
)
from domain.plate import PROVINCES


def test_the_plate_itself_wins_over_every_lookalike() -> None:
    assert match("京A12345", ["京A1234S", "京A12345"]) == Exact("京A12345")


@pytest.mark.parametrize(
    ("read", "inside", "reason", "position"),
    [
        ("京A1234S", "京A12345", Reason.CONFUSABLE, 6),
        ("京A12348", "京A1234B", Reason.CONFUSABLE, 6),
        ("京D12345", "京Q12345", Reason.CONFUSABLE, 1),
        ("京A1M345", "京A1N345", Reason.CONFUSABLE, 3),
        ("津A12345", "京A12345", Reason.PROVINCE, 0),
        ("鲁A12345", "晋A12345", Reason.PROVINCE, 0),
    ],
)
def test_one_confusable_character_or_the_province_opens(read: str, inside: str, reason: Reason, position: int) -> None:
    found = match(read, [inside, "川B99999"])

    assert isinstance(found, Fuzzy)
    assert (found.match.plate, found.match.reason, found.match.position) == (inside, reason, position)


@pytest.mark.parametrize(
    ("read", "inside"),
    [
        ("京A1234S", ["京A12345", "津A1234S"]),  # two stays, each a safe step away
        ("京A12345", ["京A12346"]),  # one character, but 5 and 6 are not mixed up
        ("京A12345", ["京A1234"]),  # a character too few
        ("京A1234", ["京A12345"]),
        ("京A12345", ["京A12354"]),  # swapped neighbours
        ("A12345", ["京A12345"]),  # province not read at all
        ("津A1234S", ["京A12345"]),  # province and a character
        ("京A1Z34S", ["京A12345"]),  # two confusable characters
    ],
)
def test_anything_less_certain_is_asked(read: str, inside: list[str]) -> None:
    found = match(read, inside)

    assert isinstance(found, Ask)
    assert {near.plate for near in found.candidates} == set(inside)


@pytest.mark.parametrize("inside", [[], ["川B99999"]])
def test_a_plate_like_no_other_matches_nothing(inside: list[str]) -> None:
    assert match("京A12345", inside) == NoMatch()


def test_a_lookalike_of_no_known_pair_does_not_stop_the_one_that_is() -> None:
    found = match("京A1234S", ["京A12345", "京A1234K"])

    assert isinstance(found, Fuzzy)
    assert found.match.plate == "京A12345"


def test_another_table_takes_the_place_of_the_default() -> None:
    table = lookalikes(["56"])

    assert isinstance(match("京A12345", ["京A12346"], table), Fuzzy)
    assert isinstance(match("京A1234S", ["京A12345"], table), Ask)


def test_a_learned_pair_ranks_before_other_characters_and_never_opens() -> None:
    table = lookalikes(CONFUSION_GROUPS, learned=["56"])

    found = match("京A12345", ["京A12349", "京A12346"], table)

    assert isinstance(found, Ask)
    assert [(near.plate, near.reason) for near in found.candidates] == [
        ("京A12346", Reason.LEARNED),
        ("京A12349", Reason.ONE_CHARACTER),
    ]
    assert match("京A12345", ["京A12346"], table) == Ask((found.candidates[0],))
    assert isinstance(match("京A1234S", ["京A12345"], table), Fuzzy)


def test_candidates_are_ranked_likeliest_first_each_with_its_reason() -> None:
    inside = ["川B99999", "京A12399", "京A12354", "京A1234", "京A12349", "津A12345", "京A1234S"]

    ranked = rank("京A12345", inside)

    assert [(near.plate, near.reason) for near in ranked] == [
        ("京A1234S", Reason.CONFUSABLE),
        ("津A12345", Reason.PROVINCE),
        ("京A1234", Reason.EXTRA),
        ("京A12354", Reason.SWAPPED),
        ("京A12349", Reason.ONE_CHARACTER),
        ("京A12399", Reason.SEVERAL),
    ]
    assert [near.score for near in ranked] == sorted((near.score for near in ranked), reverse=True)


def test_ranking_does_not_depend_on_the_order_of_the_candidates() -> None:
    inside = [f"京A{number:05d}" for number in range(12000, 13000)]
    shuffled = random.Random(7).sample(inside, len(inside))

    assert rank("京A1234S", inside) == rank("京A1234S", shuffled)


def test_the_same_plate_scores_a_hundred() -> None:
    assert compare("京A12345", "京A12345") == Match("京A12345", 100, Reason.SAME)


def test_a_short_or_strange_read_harms_nothing() -> None:
    for read in ("", "?", "京", "京" * 40):
        assert not isinstance(match(read, ["京A12345", "川B99999"]), Exact | Fuzzy)


@pytest.mark.parametrize("other", ["京A1234S", "津A12345", "京A1234", "京A123455", "京A12354", "京B12345", "A12345"])
def test_near_plates_share_a_key_so_equality_finds_them(other: str) -> None:
    assert lookalike_keys("京A12345") & lookalike_keys(other)


def test_an_index_finds_near_plates_and_forgets_those_that_left() -> None:
    index = PlateIndex()
    for plate in ("京A12345", "津A12345", "川B99999"):
        index.add(plate)
    index.discard("津A12345")
    index.discard("never there")

    assert index.near("京A1234S") == {"京A12345"}


def test_a_hundred_thousand_plates_are_answered_from_the_index_at_once() -> None:
    dice = random.Random(20)
    plates = {f"{dice.choice(PROVINCES)}{dice.choice('ABCDEFGH')}{dice.randrange(10**5):05d}" for _ in range(100_000)}
    index = PlateIndex()
    for plate in plates:
        index.add(plate)
    reads = dice.sample(sorted(plates), 200)

    started = time.perf_counter()
    for read in reads:
        assert match(read, index.near(read)) == Exact(read)
        match(read[:-1] + "S", index.near(read[:-1] + "S"))
    each = (time.perf_counter() - started) / 400

    assert each < 0.02  # a hundred times what it takes, so that a busy machine does not fail it


def test_the_index_and_the_whole_list_agree() -> None:
    dice = random.Random(21)
    plates = [f"{dice.choice('京津鲁')}A{dice.randrange(3000):05d}" for _ in range(1500)]
    index = PlateIndex()
    for plate in plates:
        index.add(plate)

    for read in [f"{dice.choice('京津鲁豫')}A{dice.randrange(3000):05d}" for _ in range(40)]:
        whole, near = match(read, plates), match(read, index.near(read))
        if isinstance(whole, Exact | Fuzzy) or isinstance(near, Exact | Fuzzy):
            assert whole == near
