from __future__ import annotations

import pytest

from domain.board import Page, Template, event_of, minute_of, page, volume_at
from domain.decision import Admit, Ask, PayFirst, Refuse, Verdict

TEMPLATES = (
    Template("pay", ("{plate}", "请缴费 {yuan} 元"), "{plate},请交费{yuan}元"),
    Template("pay", ("大车 {yuan}",), vehicle_class="large"),
    Template("pay", ("一号口 {yuan}",), lane="exit-1"),
    Template("refuse", ("请按铃",)),
    Template("refuse.lot_full", ("车位已满", "请倒车离开")),
    Template("idle", ("{lot}", "余位 {free}", "{notice}", "欢迎")),
)


@pytest.mark.parametrize(
    ("event", "lane", "vehicle_class", "lines"),
    [
        ("pay", "exit-2", "small", ("京A12345", "请缴费 15 元")),
        ("pay", "exit-2", "large", ("大车 15",)),
        ("pay", "exit-1", "large", ("一号口 15",)),
        ("refuse.lot_full", "exit-2", "small", ("车位已满", "请倒车离开")),
        ("refuse.blocked", "exit-2", "small", ("请按铃",)),
        ("welcome", "exit-2", "small", ()),
    ],
)
def test_the_most_particular_template_is_taken(
    event: str, lane: str, vehicle_class: str, lines: tuple[str, ...]
) -> None:
    assert page(TEMPLATES, event, lane, vehicle_class, {"plate": "京A12345", "yuan": "15"}).lines == lines


def test_a_line_whose_variables_are_empty_is_left_out() -> None:
    assert page(TEMPLATES, "idle", "in", "", {"lot": "示例", "free": "12"}) == Page(("示例", "余位 12", "欢迎"))
    assert page(TEMPLATES, "idle", "in", "", {}) == Page(("欢迎",))


@pytest.mark.parametrize(
    ("verdict", "leaving", "attended", "event"),
    [
        (Admit("entered"), False, True, "welcome"),
        (Admit("covered"), True, True, "goodbye.covered"),
        (PayFirst(500), True, False, "pay"),
        (Ask((), "no_plate"), True, True, "ask.no_plate"),
        (Ask((), "no_plate"), True, False, "scan.no_plate"),
        (Refuse("lot_full"), False, True, "refuse.lot_full"),
    ],
)
def test_a_decision_is_an_event_to_the_driver(verdict: Verdict, leaving: bool, attended: bool, event: str) -> None:
    assert event_of(verdict, leaving=leaving, attended=attended) == event


@pytest.mark.parametrize(
    ("at", "percent"),
    [("00:00", 0), ("06:59", 0), ("07:00", 80), ("21:59", 80), ("22:00", 0), ("23:59", 0)],
)
def test_the_voice_is_off_at_night(at: str, percent: int) -> None:
    assert volume_at({"22:00": 0, "07:00": 80}, minute_of(at)) == percent


@pytest.mark.parametrize("text", ["7:00", "24:00", "07:60", "0700", "ab:cd", ""])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time"):
        minute_of(text)


@pytest.mark.parametrize(
    ("event", "line", "says"),
    [
        ("bye", "x", "no event 'bye'"),
        ("pay", "{plte}", "no variable {plte}"),
        ("pay", "{plate.__class__}", "no variable"),
        ("pay", "{plate!r}", "nothing else"),
        ("pay", "{plate", "expected"),
        ("pay", "{}", "no variable"),
    ],
)
def test_a_template_that_cannot_be_filled_is_refused_when_it_is_read(event: str, line: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Template(event, (line,))


def test_between_two_zones_nobody_is_welcomed_or_sent_off() -> None:
    assert event_of(Admit("moved"), leaving=False, attended=True) == "move"
