"""Every shape of traffic at a running lot, over real sockets: one car, one decision, one pulse (E24, E25, I22)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from drivers.camera.simulated import Sight
from edge.lanes import sides
from edge.services.lot import Done
from edge.settings import EdgeSettings
from tests.edge.gates import RULES, Gate, codes, entry, gated, passages, way_out
from tests.edge.test_daemon import Running, running

A, B, C = "京A12345", "川Z99999", "粤B54321"


@pytest.fixture
async def lot(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path, make=gated) as lot:
        yield lot


async def inside(lot: Running) -> list[str]:
    return sorted(stay.plate for stay in await lot.opened.edge.cars_inside())


async def comes_in(lot: Running, gate: Gate, plate: str, pulses: int) -> None:
    await gate.comes(plate)
    await gate.opens(pulses)
    await gate.through(plate)
    await gate.until("Idle")


async def owes(lot: Running, *, minutes: int = 30) -> Gate:
    """Car A is inside for half an hour, and stands at the exit."""
    await comes_in(lot, entry(lot), A, 1)
    lot.later(minutes)
    gate = way_out(lot)
    await gate.comes(A)
    await lot.until(lambda: gate.view.verdict == "PayFirst")
    return gate


async def pay(lot: Running, gate: Gate) -> None:
    view = gate.view
    await lot.opened.edge.take_cash(f"p-{view.stay_id}", view.stay_id, view.due_fen, "li")


async def test_three_cars_close_behind_each_other_each_have_a_decision_and_a_pulse(lot: Running) -> None:
    gate = entry(lot)
    await gate.comes(A)
    await gate.opens(1)
    await gate.through(A, follower=B)
    await gate.opens(2)
    await gate.through(B, follower=C)
    await gate.opens(3)
    await gate.through(C)
    await gate.until("Idle")

    assert await inside(lot) == sorted([A, B, C])
    assert await passages(lot, "in") == [("seen", A), ("seen", B), ("seen", C)]
    assert (gate.pulses, gate.stood_under_a_shut_arm, await codes(lot)) == (3, [], [])


async def test_a_car_with_a_trailer_passes_once_and_the_trailers_plate_is_nobody(tmp_path: Path) -> None:
    async with running(tmp_path, lambda folder, port: gated(folder, port, replace(RULES, trailer_gap_ms=5000))) as lot:
        gate = entry(lot)
        await gate.comes(A)
        await gate.opens(1)
        await gate.through(A)
        await gate.input(gate.before, True)  # the trailer: over the loop before the arm, then under the arm again
        await gate.input(gate.under, True)
        await gate.input(gate.before, False)
        await gate.sees("粤B1234挂")
        await gate.off()
        await gate.until("Idle")

        assert await passages(lot, "in") == [("seen", A)]
        assert (await inside(lot), gate.pulses, await codes(lot)) == ([A], 1, [])


async def test_a_car_that_noses_under_the_arm_and_backs_off_was_never_inside(lot: Running) -> None:
    gate = entry(lot)
    await gate.comes(A)
    await gate.opens(1)
    await gate.noses_in(A)
    await gate.off()
    await gate.input(gate.before, False)
    await gate.until("Idle")

    assert (await inside(lot), await codes(lot)) == ([], ["reversed_after_opening"])
    assert await passages(lot, "in") == [("reversed", A)]


async def test_a_motorbike_beside_a_car_that_owes_is_an_incident_and_the_car_still_owes(lot: Running) -> None:
    gate = await owes(lot)
    await gate.noses_in("motorbike")
    await gate.off()
    await lot.until(lambda: gate.view.incident == "unseen_vehicle")

    assert (gate.view.verdict, gate.view.due_fen, gate.pulses) == ("PayFirst", 500, 0)
    assert await codes(lot) == ["unseen_vehicle"]
    assert await inside(lot) == [A]

    await pay(lot, gate)
    await gate.opens(1)
    await gate.through(A)
    await gate.until("Idle")
    (gone,) = await lot.opened.edge.recent_stays()
    assert (gone.plate, gone.outcome, gone.passed) == (A, "PAID", True)


async def test_the_plate_behind_a_car_that_owes_opens_for_nobody_until_its_own_turn(lot: Running) -> None:
    gate = await owes(lot)
    at_the_entry = entry(lot)
    at_the_entry._pulses_used = 1
    await comes_in(lot, at_the_entry, B, 2)  # free to go for a while

    await gate.sees(B)  # it stands behind A
    await asyncio.sleep(0.5)
    assert (gate.view.plate, gate.view.verdict, gate.pulses) == (A, "PayFirst", 0)

    await pay(lot, gate)
    await gate.opens(1)
    await gate.through(A)
    await gate.comes()  # B's turn, and no camera reads it again
    await gate.opens(2)
    await gate.through(B)
    await gate.until("Idle")

    left = {stay.plate: stay.outcome for stay in await lot.opened.edge.recent_stays()}
    assert left == {A: "PAID", B: "FREE"}
    assert await passages(lot, "out") == [("seen", A), ("seen", B)]
    assert (gate.pulses, await codes(lot)) == (2, [])


def two_way(folder: Path, board_port: int) -> EdgeSettings:
    """Both lanes have one arm between them, and one loop under it."""
    plain = gated(folder, board_port)
    return replace(plain, lanes=tuple(replace(lane, barrier="in", passage_loop="in-under") for lane in plain.lanes))


async def test_cars_at_both_sides_of_one_arm_pass_in_turn_and_neither_is_taken_for_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sides, "DRIVES_OFF_S", 1.0)
    async with running(tmp_path, make=two_way) as lot:
        here = Gate(lot, "in", 0, 1, 0)
        there = Gate(lot, "out", 2, 1, 0)
        await comes_in(lot, here, A, 1)
        await asyncio.sleep(1.0)  # it has driven off

        await asyncio.gather(here.input(here.before, True), there.input(there.before, True))
        await asyncio.gather(here.sees(B), there.sees(A))
        await lot.until(lambda: {here.view.phase, there.view.phase} == {"Passing", "Holding"})
        assert here.pulses == 2  # once for A on its way in, once now
        first, second = (here, there) if here.view.phase == "Passing" else (there, here)
        first._pulses_used = 1
        await first.through()
        await second.until("Passing")
        second._pulses_used = 2
        await second.input(first.before, False)
        await second.through()
        await second.until("Idle")

        assert here.pulses == 3
        assert await inside(lot) == [B]
        assert [kind for kind, _ in await passages(lot, "in")] == ["seen", "seen"]
        assert await passages(lot, "out") == [("seen", A)]
        assert await codes(lot) == []


async def test_the_back_of_a_car_that_came_in_is_no_arrival_at_the_other_side(tmp_path: Path) -> None:
    async with running(tmp_path, make=two_way) as lot:
        here, there = Gate(lot, "in", 0, 1, 0), Gate(lot, "out", 2, 1, 0)
        await here.comes(A)
        await here.opens(1)
        await here.noses_in(A)
        await here.input(here.before, False)
        await here.off()
        await here.until("Closing")
        await here.input(there.before, True)  # it drives off over the other side's loop
        await there.sees(A)
        await here.input(there.before, False)
        await here.until("Idle")

        assert there.view.phase == "Idle"
        assert (await passages(lot, "out"), here.pulses, await codes(lot)) == ([], 1, [])


def with_auxiliary(folder: Path, board_port: int) -> EdgeSettings:
    """The exit's camera looks at the entry from the side: a main and an auxiliary camera."""
    plain = gated(folder, board_port, replace(RULES, merge_window_ms=700, read_timeout_ms=3000))
    return replace(plain, lanes=(replace(plain.lanes[0], cameras=("in", "out")),))


@pytest.mark.parametrize("auxiliary", ["agrees", "disagrees", "is dead", "is late"])
async def test_a_main_and_an_auxiliary_camera_make_one_arrival(tmp_path: Path, auxiliary: str) -> None:
    async with running(tmp_path, make=with_auxiliary) as lot:
        gate = entry(lot)
        await gate.comes()
        read = {"agrees": A, "disagrees": "京A1234S"}.get(auxiliary)
        if read:
            await lot.cameras["out"].see(Sight(read, confidence=70))
        await gate.sees(A)
        await gate.opens(1)
        await gate.noses_in(A)
        if auxiliary == "is late":
            await lot.cameras["out"].see(Sight("京A1234S", confidence=70))
        await gate.input(gate.before, False)
        await gate.off()
        await gate.until("Idle")

        assert (await inside(lot), gate.pulses, await codes(lot)) == ([A], 1, [])
        assert await passages(lot, "in") == [("seen", A)]


async def test_a_tailgater_is_told_at_the_booth_after_the_lane_is_free_again(lot: Running) -> None:
    gate = await owes(lot)
    await gate.noses_in(A)
    await gate.input(gate.before, False)
    await gate.off()
    await gate.until("Idle")

    assert gate.view.incident == "forced"
    (gone,) = await lot.opened.edge.recent_stays()
    assert (gone.outcome, gone.cause, gate.pulses) == ("UNPAID", "forced", 0)


async def test_who_is_let_out_by_hand_before_being_read_leaves_by_the_plate_that_was_read(lot: Running) -> None:
    await comes_in(lot, entry(lot), A, 1)
    lot.later(30)
    gate = way_out(lot)

    assert isinstance(await lot.opened.edge.lanes.open_by_hand("out", "li", "ambulance"), Done)
    await gate.opens(1)
    await gate.sees(A)
    await gate.through(A)
    await gate.until("Idle")

    (gone,) = await lot.opened.edge.recent_stays()
    assert (gone.plate, gone.outcome, gone.cause) == (A, "UNPAID", "manual")
    assert (gate.pulses, await inside(lot)) == (1, [])


async def test_who_is_let_out_by_hand_while_it_owes_passes_once_with_its_outcome(lot: Running) -> None:
    gate = await owes(lot)

    assert isinstance(await lot.opened.edge.lanes.open_by_hand("out", "li", "no cash"), Done)
    await gate.opens(1)
    await gate.through(A)
    await gate.until("Idle")

    (gone,) = await lot.opened.edge.recent_stays()
    assert (gone.outcome, gone.cause, gone.passed) == ("UNPAID", "manual", True)
    assert (gate.pulses, await codes(lot)) == (1, [])


async def test_a_car_that_owes_and_was_read_a_hundred_times_is_still_known_when_it_has_paid(lot: Running) -> None:
    gate = await owes(lot)
    for _ in range(100):
        await gate.sees(A)

    await pay(lot, gate)
    await gate.opens(1)

    (gone,) = await lot.opened.edge.recent_stays()
    assert (gone.plate, gone.outcome) == (A, "PAID")
