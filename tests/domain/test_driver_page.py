"""The lane's code, what a driver may type, and the answer on its way through the cloud."""

from __future__ import annotations

import pytest

from domain.driver_page import Answer, Outcome, lane_code, lane_url, open_answer, typed_plate


def test_a_lane_has_one_short_code_that_nothing_but_lot_and_name_make() -> None:
    assert lane_code(7, "out") == lane_code(7, "out")
    assert len({lane_code(lot, lane) for lot in range(200) for lane in ("1", "2", "入口", "出口")}) == 800
    assert lane_url("https://lot.example/", "ABCDEFGH") == "https://lot.example/lane/ABCDEFGH"
    assert len(lane_code(7, "out")) == 8


@pytest.mark.parametrize(
    ("typed", "plate", "problem"),
    [
        (" 京a·12345 ", "京A12345", ""),
        ("京AD12345", "京AD12345", ""),
        ("京A1234挂", "京A1234挂", ""),
        ("WJ12345", "WJ12345", ""),
        ("无7K3P2X5", "无7K3P2X5", ""),
        ("", "", "plate_missing"),
        ("A12345", "A12345", "plate_province"),
        ("京A1234", "京A1234", "plate_short"),
        ("京A12345678", "京A12345678", "plate_long"),
        ("京112345", "京112345", "plate_letter"),
        ("京A1234567", "京A1234567", "plate_long"),
        ("京AX123456"[:8], "京AX12345", "plate_new_energy"),
        ("京A123学5", "京A123学5", "plate_form"),
        ("京A12345" * 50, "京A12345京A12345京A1Z"[:20].replace("Z", "2"), "plate_long"),
    ],
)
def test_a_typed_plate_is_taken_or_says_what_is_wrong(typed: str, plate: str, problem: str) -> None:
    found = typed_plate(typed)

    assert found[1] == problem
    assert problem == "plate_long" or found[0] == plate


def test_an_answer_travels_whole() -> None:
    answer = Answer(
        Outcome.PAY, "", "京A·1***5", "2026-11-21T08:00", 125, 1500, 500, 1000,
        ({"rule": "time:all", "fen": 1500},), ("京A·1***6",), "d1", "7K3P2X5", "LT1",
    )  # fmt: skip

    assert open_answer(answer.text()) == answer
    assert open_answer(Answer(Outcome.NO_CAR).text()) == Answer(Outcome.NO_CAR)


@pytest.mark.parametrize("text", ["expired", "", "[]", "{}", '{"outcome":"sesame"}', "null", "7"])
def test_what_makes_no_sense_is_no_answer(text: str) -> None:
    assert open_answer(text) == Answer(Outcome.SILENT)
