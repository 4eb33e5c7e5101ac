"""Entry and exit decisions: who gets through, and that the same values always give the same bytes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.decision import (
    Admit,
    Ask,
    Decision,
    EntryInputs,
    ExitInputs,
    OpenStay,
    PayFirst,
    Priced,
    Refuse,
    Rules,
    Seen,
    TariffRef,
    decide_entry,
    decide_exit,
    replayed,
)

RULES = Rules(("army", "police"), 60, 15, 10)
MINUTE = 60_000


def seen(plate: str = "京A12345", **changes: object) -> Seen:
    return replace(Seen("r1", "cam", plate, plate, 95, "blue", live=True, trusted=True), **changes)  # type: ignore[arg-type]


def entry(plate: str = "京A12345", **changes: object) -> EntryInputs:
    inputs = EntryInputs(
        "in", "main", plate, "", (seen(plate),), False, "", "", covered=False, places_left=None, places_taken="",
        agreed=False, rules=RULES,
    )  # fmt: skip
    return replace(inputs, **changes)  # type: ignore[arg-type]


STAY = OpenStay("s1", "京A12345", "small", "main", "2026-11-21T08:00", 1_700_000_000_000, 3, 0, 0)


def leaving(plate: str = "京A12345", near: tuple[str, ...] = ("京A12345",), **changes: object) -> ExitInputs:
    inputs = ExitInputs(
        "out", plate, "", (seen(plate),), False, near, STAY, 90 * MINUTE, False, 0, 0, None, 0,

        settled_off=(), new_stay_after_ms=None, first_stay_of_day=True, charging_min=0, charged_before_fen=0,
        tariffs=(TariffRef("main", "hourly", "2026", "ab"),),
        calendars=(), coupons=(), covered=(), cash=True,
        rules=RULES,
    )  # fmt: skip
    return replace(inputs, **changes)  # type: ignore[arg-type]


def hourly(inputs: ExitInputs, stay: OpenStay) -> Priced:
    fee = -(-inputs.length_ms // (60 * MINUTE)) * 500
    off = tuple((coupon.ref, min(fee, 500)) for coupon in inputs.coupons)
    return Priced(fee, ({"rule": "hour", "fen": fee},), off)


@pytest.mark.parametrize(
    ("inputs", "verdict"),
    [
        (entry(), Admit("entered")),
        (entry(blocked="stolen"), Refuse("blocked")),
        (entry(inside="just_entered"), Refuse("already_inside")),
        (entry(inside="earlier"), Admit("entered")),
        (entry(places_left=0), Refuse("lot_full")),
        (entry(places_left=0, covered=True), Admit("entered")),
        (entry("京A1234警", places_left=0), Admit("entered")),
        (entry(seen=(seen(trusted=False),)), Ask(("京A12345",), "unconfirmed")),
        (entry(seen=(seen(confidence=40),)), Ask(("京A12345",), "low_confidence")),
        (entry(seen=(seen(live=False),)), Refuse("not_live")),
        (entry(repeated=True), Refuse("repeated_record")),
        (entry("", seen=(seen(""),)), Ask((), "no_plate")),
        (entry("", seen=()), Ask((), "no_plate")),  # the loop felt a car, no camera saw it in time
        (entry("无", seen=(seen("无"),)), Ask((), "no_plate")),
        (entry("ABCDEFG"), Ask(("ABCDEFG",), "unlikely_plate")),
        (entry("ABCDEFG", typed_by="li", seen=()), Admit("entered")),
    ],
)
def test_an_entry_is_admitted_asked_about_or_refused(inputs: EntryInputs, verdict: object) -> None:
    assert decide_entry(inputs).verdict == verdict


@pytest.mark.parametrize(
    ("inputs", "verdict"),
    [
        (leaving(), PayFirst(1000)),
        (leaving(stay=replace(STAY, paid_fen=1000)), Admit("nothing_due")),
        (leaving(stay=replace(STAY, paid_fen=400, waived_fen=100)), PayFirst(500)),
        (leaving("京A1234S"), PayFirst(1000)),
        (leaving("京A1234S", near=("京A12345", "京A1234Z")), PayFirst(1000)),
        (leaving("京A1234S", near=("京A12346", "京A1234Z")), Ask(("京A12346", "京A1234Z"), "which_stay")),
        (leaving(near=(), stay=None), Ask((), "no_open_stay")),
        (leaving(seen=(seen(trusted=False),)), Ask(("京A12345",), "unconfirmed")),
        (leaving(seen=(seen(live=False),)), Refuse("not_live")),
        (leaving("", seen=(), near=(), stay=None), Ask((), "no_plate")),
        (leaving(settled_ms=15 * MINUTE, settled_fee_fen=0), Admit("within_leave_time")),
        (leaving(settled_ms=15 * MINUTE + 1), PayFirst(1000)),
        (leaving(settled_ms=0, settled_fee_fen=700, settled_off=(("c", 700),)), Admit("within_leave_time")),
        (leaving(settled_ms=0, settled_fee_fen=700, settled_off=(("c", 300),)), PayFirst(400)),
        (leaving(stay=replace(STAY, base_fee_fen=500)), PayFirst(500)),
        (leaving(stay=replace(STAY, base_fee_fen=1500)), Admit("nothing_due")),
    ],
)
def test_an_exit_opens_only_for_a_known_stay_with_nothing_due(inputs: ExitInputs, verdict: object) -> None:
    assert decide_exit(inputs, hourly).verdict == verdict


def test_a_kind_exempt_by_law_leaves_free() -> None:
    police = replace(STAY, plate="京A1234警")

    decision = decide_exit(leaving("京A1234警", near=("京A1234警",), stay=police), hourly)

    assert decision.verdict == Admit("free_kind")
    assert decision.priced is not None
    assert decision.priced.fee_fen == 0


@pytest.mark.parametrize("decision", [decide_entry(entry()), decide_exit(leaving("京A1234S"), hourly)])
def test_a_stored_decision_replays_to_the_same_bytes(decision: Decision) -> None:
    assert replayed(decision.text(), hourly) == decision.text()


def test_a_replay_with_another_price_list_is_noticed() -> None:
    decision = decide_exit(leaving(), hourly)

    again = replayed(decision.text(), lambda inputs, stay: Priced(1, ()))

    assert again != decision.text()
