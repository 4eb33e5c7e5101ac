"""The page on which a camera is set up."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from domain.plate import PlateColour, PlateKind, PlateVerdict
from domain.plate_reading import Reading
from drivers.base import DeviceUnreachableError, Fault, PlateCandidate, PlateRead, Trouble
from drivers.camera.simulated import Sight
from edge.supervise import keep_running
from lotgate.demo.scenes import draw_scene
from tests.edge.web.running import PLATE, Lot, Visitor, running, visiting

FRAME = draw_scene(PLATE, 1)
READING = Reading(PLATE, PlateKind.NORMAL, PlateColour.BLUE, 0.84, (0.99, 0.98, 0.97, 0.96, 0.55, 0.94, 0.93))
CORNERS = ((100.0, 200.0), (300.0, 210.0), (298.0, 270.0), (99.0, 262.0))


@dataclass
class Glass:
    """A camera that can be looked through."""

    read: PlateRead | None = None

    async def view(self) -> PlateRead:
        if self.read is None:
            raise DeviceUnreachableError("camera in: no picture yet")
        return self.read


class Eye:
    """A camera that reads by itself and gives its picture when asked."""

    async def snapshot(self) -> bytes:
        return FRAME


@pytest.fixture
async def lot(tmp_path: Path) -> AsyncIterator[Lot]:
    async with running(tmp_path) as lot:
        yield lot


@pytest.fixture
async def booth(lot: Lot) -> AsyncIterator[Visitor]:
    async with visiting(lot, "booth") as visitor:
        assert await visitor.sign_in() == 200
        yield visitor


def camera_of(lot: Lot, lane: str) -> str:
    return next(one for settings in lot.edge.settings.lanes if settings.name == lane for one in settings.cameras)


async def test_a_smart_camera_shows_what_it_said_last(lot: Lot, booth: Visitor) -> None:
    camera = camera_of(lot, "in")
    assert "启动后还没有识别过车辆" in await booth.get(f"/booth/cameras?camera={camera}")

    await lot.cameras["in"].see(Sight(PLATE, image=FRAME))
    await lot.until(lambda: len(lot.board.pulses) == 1)
    page = await booth.get("/booth/cameras")  # the first camera is that of the entry

    assert 'points="1002,565 1263,565 1263,674 1002,674"' in page
    assert "可自动放行" in page
    picture = re.findall(r'href="(/booth/cameras/[^"]+/picture[^"]+)"', page)[0]
    assert await booth.status(picture) == 200
    assert await booth.status(picture.partition("?")[0] + "?read=another") == 404


async def test_a_camera_that_can_be_looked_through_shows_every_character(lot: Lot, booth: Visitor) -> None:
    camera, glass = camera_of(lot, "in"), Glass()
    lot.see_through({camera: glass})
    blind = await booth.get(f"/booth/cameras/{camera}/view")
    assert "相机没有画面：没有应答。看电源和网线。" in blind
    assert '<p class="note" lang="en">camera in: no picture yet</p>' in blind

    found = PlateCandidate(PLATE, 84.0, PlateColour.BLUE, None, PlateVerdict.ASK, (READING,), CORNERS)
    unread = PlateCandidate("", 3.0, verdict=PlateVerdict.UNREAD)
    glass.read = PlateRead("r1", camera, (found, unread), image=FRAME)
    page = await booth.get(f"/booth/cameras/{camera}/view")

    assert 'points="100,200 300,210 298,270 99,262"' in page
    assert re.search(r'<b>3</b><meter [^>]*value="0.55">', page)
    assert "需人工确认" in page
    assert "看不清，不作判断" in page
    assert lot.view("in").phase == "Idle"


async def test_a_fault_is_kept_with_what_a_driver_said() -> None:
    heard: list[str] = []

    async def work() -> None:
        if not heard:
            raise DeviceUnreachableError("camera in: login refused", Fault.LOGIN)

    await keep_running("camera in", work, on_state=heard.append, first_delay_s=0.0)
    assert heard == ["camera in: login refused"]
    assert isinstance(heard[0], Trouble)
    assert heard[0].fault is Fault.LOGIN


@pytest.mark.parametrize(
    "path", ["/booth/cameras?camera=none", "/booth/cameras/none/view", "/booth/cameras/none/picture"]
)
async def test_a_camera_no_lane_has_is_not_there(booth: Visitor, path: str) -> None:
    assert await booth.status(path) == 404


async def test_nobody_looks_through_a_camera_without_signing_in(lot: Lot) -> None:
    async with visiting(lot, "booth") as visitor:
        for path in ("", f"/{camera_of(lot, 'in')}/view", f"/{camera_of(lot, 'in')}/picture"):
            assert await visitor.status("/booth/cameras" + path) in (303, 401)
