"""Lanes as lots have them, over real sockets: two cameras at one lane, a plain video lane with a loop, restarts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from domain.decision import Refuse
from drivers.camera.simulated import Sight
from edge.db import decisions
from edge.services.checking import check_books, replay
from edge.services.lot import Done
from edge.settings import EdgeSettings
from tests.drivers import scenes
from tests.drivers.test_video_cameras import Stream
from tests.edge.test_daemon import PLATE, QUICK, Running, lot_settings, running
from tests.services.needs import needs

PATIENT = replace(QUICK, merge_window_ms=20_000, read_timeout_ms=20_000)


@pytest.fixture
async def stream() -> AsyncIterator[Stream]:
    stream = Stream()
    await stream.start()
    yield stream
    await stream.stop()


def with_video(folder: Path, board_port: int, stream: Stream) -> EdgeSettings:
    """The entry has a plain camera beside its smart one; the exit has only a plain camera, woken by a loop."""
    settings = lot_settings(folder, board_port, PATIENT)
    plain = {
        "type": "video", "source": f"http://127.0.0.1:{stream.port}/video", "recogniser": "eye",
        "looks": 1, "look_every_ms": 50, "frames_per_second": 25, "quiet_ms": 200,
    }  # fmt: skip
    entry, leaving = settings.lanes
    devices = replace(
        settings.devices,
        cameras={**settings.devices.cameras, "beside": plain, "exit-video": {**plain, "trigger": "loop"}},
        recognisers={"eye": {"type": "tesseract"}},
        loops={"pads": {"type": "modbus_tcp", "host": "127.0.0.1", "port": board_port, "inputs": {"pad": 2, "arm": 3}}},
    )
    lanes = (
        replace(entry, cameras=("in", "beside")),
        replace(leaving, cameras=("exit-video",), loop="pad", passage_loop="arm", loop_devices=("pads",)),
    )
    return replace(settings, lanes=lanes, devices=devices)


async def seen_by(lot: Running, decision_id: str) -> set[str]:
    row = await lot.opened.edge.read(decisions.get, decision_id)
    assert row is not None
    return {read["camera"] for read in json.loads(row.body)["inputs"]["seen"]}


async def test_two_cameras_make_one_arrival_and_a_plain_video_exit_asks_an_attendant(
    tmp_path: Path, stream: Stream
) -> None:
    needs("tesseract")
    async with running(tmp_path, lambda folder, port: with_video(folder, port, stream)) as lot:
        edge, board = lot.opened.edge, lot.board
        await asyncio.sleep(0.5)  # the empty lane is what motion is told from
        stream.picture = scenes.plate_jpeg("A12345")
        await lot.until(lambda: (view := edge.live.get("in")) is not None and view.phase == "Reading")
        assert board.pulses == []  # the lane waits for its main camera
        await lot.cameras["in"].see(Sight(PLATE))
        await lot.until(lambda: len(board.pulses) == 1)

        (stay,) = await edge.cars_inside()
        assert (stay.plate, await seen_by(lot, stay.decision_in)) == (PLATE, {"in", "beside"})

        board.set_input(2, on=True)
        await lot.until(lambda: (view := edge.live.get("out")) is not None and view.verdict == "Ask")
        view = edge.live.get("out")
        assert view is not None
        assert view.code in {"no_plate", "unconfirmed"}
        assert await edge.picture(view.decision_id)
        assert await edge.lanes.choose_plate("out", "A", "li") == Refuse("not_a_plate")

        assert await edge.lanes.choose_plate("out", PLATE, "li") == Done("out")
        await lot.until(lambda: len(board.pulses) == 2)
        for place, on in ((3, True), (2, False), (3, False)):  # over the pad, under the arm, gone
            board.set_input(place, on=on)
            await asyncio.sleep(0.3)
        await lot.until(lambda: (view := edge.live.get("out")) is not None and view.phase == "Idle")

        (gone,) = await edge.recent_stays()
        assert gone.passed
        assert [pulse.channel for pulse in board.pulses] == [0, 1]
        assert (await edge.read(replay, gone.decision_out)).same
        assert await edge.read(check_books) == []


def slow_to_leave(folder: Path, board_port: int) -> EdgeSettings:
    """A passage is taken for granted only after a minute, and a car may take an hour to leave once it settled."""
    return lot_settings(folder, board_port, replace(QUICK, assumed_passage_s=60, leave_within_min=60))


async def test_a_settled_car_never_seen_leaving_goes_free_for_15_minutes_after_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path, slow_to_leave) as lot:
        await lot.passes("in", PLATE, 1)
        await lot.cameras["out"].see(Sight(PLATE))
        await lot.until(lambda: len(lot.board.pulses) == 2)
        (settled,) = await lot.opened.edge.recent_stays()
        assert not settled.passed

    await asyncio.sleep(1.1)  # the cameras of this test count their records from 1 again: another second, another car
    async with running(tmp_path, slow_to_leave) as lot:
        lot.later(14)
        await lot.passes("out", PLATE, 1)
        view = lot.opened.edge.live.get("out")
        assert view is not None
        assert (view.verdict, view.code) == ("Admit", "within_leave_time")

    await asyncio.sleep(1.1)
    async with running(tmp_path, slow_to_leave) as lot:
        lot.later(16)
        await lot.cameras["out"].see(Sight(PLATE))
        edge = lot.opened.edge
        await lot.until(lambda: (view := edge.live.get("out")) is not None and view.verdict == "PayFirst")
        view = edge.live.get("out")
        assert view is not None
        assert (view.due_fen, lot.board.pulses) == (500, [])
