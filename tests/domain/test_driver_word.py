"""What a plate typed by the driver may do: never against the cameras, never for somebody else's stay."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.decision import Admit, Ask, EntryInputs, ExitInputs, PayFirst, Refuse, decide_entry, decide_exit, replayed
from domain.driver_word import DRIVER, Support, support
from tests.domain.test_decision import MINUTE, RULES, STAY, entry, hourly, leaving, seen

MINE, OTHER, TICKET = "京A12345", "粤B98765", "无7K3P2X5"
TYPED = f"{DRIVER}edge"
UNREAD = (seen(""),)


@pytest.mark.parametrize(
    ("reads", "says"),
    [
        ((seen(MINE),), Support.SEEN),
        ((seen(MINE, confidence=20),), Support.SEEN),
        ((seen("京A12346"),), Support.NEAR),
        ((seen("京A1Z34S"),), Support.NEAR),  # two slips a camera makes
        ((seen("京A12367"),), Support.UNLIKE),  # two it does not
        ((seen(OTHER),), Support.UNLIKE),
        ((seen(OTHER, trusted=False),), Support.NONE),
        ((seen("京A12346", trusted=False),), Support.NEAR),
        ((seen(OTHER, live=False),), Support.NONE),
        ((seen(OTHER), seen("京A12346")), Support.NEAR),
        (UNREAD, Support.NONE),
        ((), Support.NONE),
    ],
)
def test_what_the_cameras_say_to_a_typed_plate(reads: tuple[object, ...], says: Support) -> None:
    assert support(MINE, reads) is says  # type: ignore[arg-type]


def test_a_ticket_is_no_plate_so_any_confirmed_read_speaks_against_it() -> None:
    ticket = "无7K3P2X5"

    assert support(ticket, UNREAD) is Support.NONE
    assert support(ticket, (seen("7K3P2X5"),)) is Support.UNLIKE
    assert support(ticket, (seen("京A12345", trusted=False),)) is Support.NONE


def typed_in(plate: str = MINE, **changes: object) -> EntryInputs:
    return entry(plate, typed_by=TYPED, **{"seen": UNREAD, **changes})


@pytest.mark.parametrize(
    ("inputs", "verdict"),
    [
        (typed_in(), Admit("entered")),
        (typed_in(seen=(seen(trusted=False),)), Admit("entered")),
        (typed_in(seen=(seen(OTHER),)), Ask((), "typed_unlike_read")),
        (typed_in(blocked="stolen"), Refuse("blocked")),
        (typed_in(inside="earlier"), Ask((), "typed_inside")),  # would end a stay of somebody who is still in
        (typed_in(inside="earlier", seen=(seen("京A12346"),)), Ask((), "typed_inside")),
        (typed_in(inside="earlier", seen=(seen(MINE, confidence=20),)), Admit("entered")),
        (typed_in(inside="just_entered"), Refuse("already_inside")),
        (typed_in(places_left=0), Refuse("lot_full")),
        (typed_in(places_left=0, covered=True), Ask((), "typed_unseen")),
        (typed_in("京A1234警", places_left=0), Ask((), "typed_unseen")),
        (typed_in(places_left=0, covered=True, seen=(seen("京A12346"),)), Admit("entered")),
        (typed_in(TICKET), Admit("entered")),
        (typed_in(TICKET, seen=(seen(),)), Ask((), "typed_unlike_read")),
        (typed_in(""), Ask((), "no_plate")),
    ],
)
def test_a_driver_at_the_entry(inputs: EntryInputs, verdict: object) -> None:
    assert decide_entry(inputs).verdict == verdict


PAID = replace(STAY, paid_fen=1000)
MARKING = replace(RULES, typed_free="mark")


def typed_out(plate: str = MINE, **changes: object) -> ExitInputs:
    return leaving(plate, typed_by=TYPED, **{"seen": UNREAD, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("inputs", "verdict"),
    [
        (typed_out(), PayFirst(1000)),  # whoever pays a stay's fee may end it
        (typed_out(seen=(seen(OTHER),)), Ask((MINE,), "typed_unlike_read")),
        (typed_out(stay=PAID), Ask((), "typed_unseen")),  # paid elsewhere, by whoever drives that car
        (typed_out(stay=PAID, paid_here=True), Admit("nothing_due")),
        (typed_out(stay=PAID, rules=MARKING), Admit("nothing_due")),
        (typed_out(stay=PAID, seen=(seen("京A12346"),)), Admit("nothing_due")),
        (typed_out(settled_ms=5 * MINUTE), Ask((), "typed_unseen")),
        (typed_out("京A1234警", near=("京A1234警",), stay=replace(STAY, plate="京A1234警")), Ask((), "typed_unseen")),
        (typed_out("京A1234S"), Ask((), "typed_no_stay")),  # no guessing among other people's stays
        (typed_out("京A1234S", seen=(seen("京A1234S", confidence=20),)), PayFirst(1000)),
        (typed_out(OTHER, near=(), stay=None), Ask((), "typed_no_stay")),
        (typed_out(OTHER, near=(), stay=None, seen=(seen(OTHER, confidence=9),)), Ask((), "no_open_stay")),
        (typed_out("京A12346", near=("京A12345", "京A12346"), seen=(seen(MINE),)),
         Ask(("京A12346", "京A12345"), "typed_unlike_read")),  # the car read is inside: it pays its own fee
        (typed_out("京A12346", near=("京A12346",), seen=(seen(MINE),)), PayFirst(1000)),
        (typed_out(TICKET, near=(TICKET,), stay=replace(STAY, plate=TICKET)), PayFirst(1000)),
        (typed_out(TICKET, near=(TICKET,), stay=replace(PAID, plate=TICKET)), Admit("nothing_due")),
        (typed_out(TICKET, near=(TICKET,), stay=replace(PAID, plate=TICKET), seen=(seen(),)),
         Ask((TICKET,), "typed_unlike_read")),
        (typed_out("无7K3P2X6", near=(TICKET,), stay=None), Ask((), "typed_no_stay")),
    ],
)  # fmt: skip
def test_a_driver_at_the_exit(inputs: ExitInputs, verdict: object) -> None:
    decision = decide_exit(inputs, hourly)

    assert decision.verdict == verdict
    assert replayed(decision.text(), hourly) == decision.text()


def test_the_explanation_says_what_the_cameras_said() -> None:
    assert decide_exit(typed_out(), hourly).explanation["support"] == "none"
    assert "support" not in decide_exit(leaving(), hourly).explanation
