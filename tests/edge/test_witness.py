"""The picture kept with a barrier opened by hand: of the car that stands there, of the empty lane, or none (E30)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from drivers.base import DeviceUnreachableError
from drivers.camera.simulated import Sight
from edge.services.lot import Done
from tests.edge.web.running import PLATE, Lot, running

OF_THE_CAR, OF_NOW = b"\xff\xd8the car\xff\xd9", b"\xff\xd8an empty lane\xff\xd9"


class Still:
    """A camera that gives a picture of now, or none."""

    def __init__(self, image: bytes) -> None:
        self.image = image

    async def snapshot(self) -> bytes:
        if not self.image:
            raise DeviceUnreachableError("no answer")
        return self.image


class Slow:
    """A camera that gives its picture when the barrier has long moved."""

    def __init__(self, lot: Lot) -> None:
        self._lot = lot

    async def snapshot(self) -> bytes:
        await self._lot.until(lambda: bool(self._lot.board.pulses))
        await asyncio.sleep(0.2)
        return OF_NOW


@pytest.fixture
async def lot(tmp_path: Path) -> AsyncIterator[Lot]:
    async with running(tmp_path) as lot:
        yield lot


def looks(lot: Lot, lane: str, image: bytes) -> None:
    """Let the camera of *lane* give *image* when it is asked for a picture of now, none for b""."""
    (name,) = next(one.cameras for one in lot.edge.settings.lanes if one.name == lane)
    lot.see_through({**lot.edge.lanes.cameras, name: Still(image)})


async def opens(lot: Lot, lane: str) -> tuple[bytes | None, list[str]]:
    """Open by hand; the picture kept with it, and what the journal says of it."""
    opened = await lot.edge.lanes.open_by_hand(lane, "li", "ambulance")
    assert isinstance(opened, Done)
    acts = [act.act for act in await lot.edge.acts() if opened.subject in (act.reason, act.subject)]
    return await lot.edge.picture(opened.subject), acts


async def test_the_picture_of_the_car_that_stands_there_is_kept(lot: Lot) -> None:
    await lot.enters()
    await lot.cameras["out"].see(Sight(PLATE, image=OF_THE_CAR))
    await lot.until(lambda: lot.view("out").verdict == "PayFirst")
    looks(lot, "out", OF_NOW)

    assert await opens(lot, "out") == (OF_THE_CAR, [])


async def test_of_an_empty_lane_what_is_seen_now_is_kept_and_not_the_car_before(lot: Lot) -> None:
    await lot.cameras["in"].see(Sight(PLATE, image=OF_THE_CAR))
    await lot.until(lambda: len(lot.board.pulses) == 1 and lot.view("in").phase == "Idle", 10)
    looks(lot, "in", OF_NOW)

    assert await opens(lot, "in") == (OF_NOW, [])


async def test_a_camera_without_a_picture_is_on_record_and_no_other_cars_picture_kept(lot: Lot) -> None:
    await lot.cameras["in"].see(Sight(PLATE, image=OF_THE_CAR))
    await lot.until(lambda: len(lot.board.pulses) == 1 and lot.view("in").phase == "Idle", 10)

    assert await opens(lot, "in") == (None, ["barrier.no_picture"]), "it reads by itself and gives no picture of now"
    looks(lot, "in", b"")
    assert await opens(lot, "in") == (None, ["barrier.no_picture"])


async def test_a_picture_that_takes_its_time_hides_nothing_of_what_came_of_an_opening_from_afar(lot: Lot) -> None:
    (name,) = next(one.cameras for one in lot.edge.settings.lanes if one.name == "in")
    lot.see_through({**lot.edge.lanes.cameras, name: Slow(lot)})

    assert await lot.edge.lanes.open_from_afar({"lane": "in", "by": "admin", "reason": "ambulance"}) == "opened"
    assert len(lot.board.pulses) == 1
