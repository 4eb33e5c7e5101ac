"""Lists of cameras, kept for when this appliance is dead: who is in them, what a cut costs, what the doctor says."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from domain.moment import Moment, Quality
from drivers.base import DeviceUnreachableError, ListedCar
from edge import doctor, offline_lists
from edge.db import camera_list
from edge.finding import Finding, doctors_words
from edge.offline_lists import Duty, duties, keep_lists
from edge.services.offline_list import standing
from edge.settings import CameraList, Devices, EdgeSettings
from tests.edge.lots import START, SmallLot, at, small_lot
from tests.edge.lots import settings as lot_settings

DAY_MIN = 24 * 60
DUTY = Duty("cam", ("main",), 100)


class Camera:
    """Keeps a list and what it was told; *fails_after* so many changes."""

    list_batch = 2

    def __init__(self) -> None:
        self.cars: dict[str, ListedCar] = {}
        self.told = 0
        self.fails_after = 10_000

    async def list_cars(self, cars: Sequence[ListedCar]) -> None:
        self._tell()
        self.cars |= {car.plate: car for car in cars}

    async def unlist_cars(self, plates: Sequence[str]) -> None:
        self._tell()
        for plate in plates:
            self.cars.pop(plate, None)

    def _tell(self) -> None:
        self.told += 1
        if self.told > self.fails_after:
            raise DeviceUnreachableError("camera cam: no answer")


class ReadableCamera(Camera):
    async def unlisted(self, plates: Sequence[str]) -> set[str]:
        return set(plates) - self.cars.keys()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SmallLot]:
    lot = small_lot(tmp_path)
    yield lot
    lot.db.close()


def office(small: SmallLot, now: Moment = START) -> Any:
    async def run(function: Any, *args: Any) -> Any:
        return function(*args)

    moment = replace(now, quality=Quality.NTP)
    return SimpleNamespace(
        db=small.db, lot=small.lot, now=lambda: moment, thread=SimpleNamespace(run=run), commit=run
    )  # fmt: skip


def entitle(small: SmallLot, plate: str, **values: object) -> None:
    small.put("people", f"{plate}:1", {"list": "entitled", "plate": plate, "id": plate, "grant": "monthly", **values})


def ms(minutes: float) -> int:
    return at(minutes).wall_ms


async def keep(small: SmallLot, camera: object, duty: Duty = DUTY, now: Moment = START) -> None:
    await keep_lists(office(small, now), {"cam": camera}, [duty])  # type: ignore[dict-item]


def run_of(small: SmallLot) -> camera_list.Run:
    return camera_list.run_of(small.db.conn, "cam")


async def test_who_may_come_in_at_any_hour_is_written_with_its_end(small: SmallLot) -> None:
    entitle(small, "京A00001", until_ms=ms(DAY_MIN))
    entitle(small, "京A00002")
    entitle(small, "京A00003", until_ms=ms(-1))  # ended
    entitle(small, "京A00004", from_ms=ms(5 * DAY_MIN))  # much later
    entitle(small, "京A00005", windows=[[480, 1080, []]])  # by day only
    entitle(small, "京A00006", zones=["roof"])
    entitle(small, "京A00007", from_ms=ms(DAY_MIN), grace_days=0)
    entitle(small, "京A00008")
    small.put("people", "block:京A00008", {"list": "block", "plate": "京A00008"})
    camera = Camera()

    await keep(small, camera)

    assert sorted(camera.cars) == ["京A00001", "京A00002", "京A00007"]
    assert camera.cars["京A00001"].ends == datetime(2026, 11, 22, 8, 0, tzinfo=small.lot.tz)
    assert camera.cars["京A00002"].ends.year == 2037
    assert run_of(small) == camera_list.Run("cam", START.wall_ms, 0, "")


async def test_only_differences_are_told_and_who_ended_is_struck_out(small: SmallLot) -> None:
    for number in range(5):
        entitle(small, f"京A0000{number}", until_ms=ms(DAY_MIN if number else 90))
    camera = Camera()
    await keep(small, camera)
    told = camera.told
    await keep(small, camera)
    assert camera.told == told == 3

    entitle(small, "京A00001", until_ms=ms(2 * DAY_MIN))
    await keep(small, camera, now=at(100))

    assert camera.told == told + 2
    assert "京A00000" not in camera.cars
    assert camera.cars["京A00001"].ends == datetime(2026, 11, 23, 8, 0, tzinfo=small.lot.tz)


async def test_a_run_that_is_cut_is_gone_on_with_and_its_failure_told(
    small: SmallLot, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(6):
        entitle(small, f"京A0000{number}")
    camera = Camera()
    camera.fails_after = 1
    with caplog.at_level(logging.WARNING):
        await keep(small, camera)
    assert len(camera_list.held(small.db.conn, "cam")) == 2
    assert (run_of(small).full_wall_ms, run_of(small).why) == (None, "camera cam: no answer")
    assert "京A" not in caplog.text

    camera.fails_after = 10_000
    await keep(small, camera, now=at(60))

    assert camera.told == 4  # one that went well, one in vain, two for the rest
    assert len(camera.cars) == 6
    assert run_of(small) == camera_list.Run("cam", ms(60), 0, "")


async def test_what_a_camera_lost_is_found_at_night_and_written_again(small: SmallLot) -> None:
    for number in range(3):
        entitle(small, f"京A0000{number}")
    camera = ReadableCamera()
    await keep(small, camera)
    del camera.cars["京A00001"]

    await keep(small, camera, now=at(60))
    assert "京A00001" not in camera.cars
    night = at(19 * 60 + 10)  # 03:10
    await keep(small, camera, now=night)

    assert len(camera.cars) == 3


async def test_cars_of_somebody_elses_stay(small: SmallLot) -> None:
    camera = ReadableCamera()
    theirs = ListedCar("京Z00001", datetime(2026, 1, 1, tzinfo=small.lot.tz), datetime(2027, 1, 1, tzinfo=small.lot.tz))
    camera.cars["京Z00001"] = theirs
    entitle(small, "京A00001")

    await keep(small, camera, now=at(19 * 60))

    assert sorted(camera.cars) == ["京A00001", "京Z00001"]


async def test_a_lot_that_never_got_its_list_strikes_nobody_out(small: SmallLot) -> None:
    with small.db.conn:
        camera_list.put(small.db.conn, "cam", {"京A00001": ("2026-01-01T00:00:00", "2027-01-01T00:00:00")})
    camera = Camera()

    await keep(small, camera)

    assert camera.told == 0
    assert "no list of people" in run_of(small).why


async def test_what_does_not_fit_is_counted_and_none_at_all_empties_the_list(small: SmallLot) -> None:
    for number in range(5):
        entitle(small, f"京A0000{number}")
    camera = Camera()

    await keep(small, camera, replace(DUTY, most=3))
    assert (sorted(camera.cars), run_of(small).left_out) == (["京A00000", "京A00001", "京A00002"], 2)
    await keep(small, camera, replace(DUTY, most=0))

    assert camera.cars == {}


async def test_a_camera_without_a_list_is_told_to_the_doctor_and_stops_nobody(small: SmallLot) -> None:
    entitle(small, "京A00001")
    other = Camera()

    await keep_lists(office(small), {"cam": object(), "b": other}, [DUTY, replace(DUTY, camera="b")])  # type: ignore[dict-item]

    assert "keeps no list" in run_of(small).why
    assert sorted(other.cars) == ["京A00001"]


async def test_the_doctor_complains_of_old_lists_of_left_ones_and_of_full_ones(small: SmallLot) -> None:
    for number in range(3):
        entitle(small, f"京A0000{number}")
    await keep(small, Camera(), replace(DUTY, most=2))

    def findings(named: list[str], hours: float) -> list[Finding]:
        return doctor._lists(standing(small.db.conn, named, ms(hours * 60)), doctors_words("en"))

    fresh, old, left = findings(["cam"], 1)[0], findings(["cam"], 49)[0], findings([], 1)[0]
    never = findings(["cam", "other"], 1)[1]
    await keep(small, Camera())

    assert (fresh.well, "1 do not fit" in fresh.what) == (False, True)
    assert (old.well, "49 hours old" in old.what) == (False, True)
    assert "no longer in camera_lists" in left.advice
    assert "never finished" in never.what
    assert findings(["cam"], 48)[0].well


def with_camera(folder: Path, lane: int, **values: Any) -> EdgeSettings:
    plain = lot_settings(folder)
    lanes = list(plain.lanes)
    lanes[lane] = replace(lanes[lane], cameras=("cam",))
    devices = Devices(cameras={"cam": {"type": "vzenith_mqtt"}})
    return replace(plain, lanes=tuple(lanes), devices=devices, camera_lists=(CameraList("cam", **values),))


def test_the_zones_of_a_list_are_where_its_lanes_lead(tmp_path: Path) -> None:
    assert duties(with_camera(tmp_path, 0, used="offline")) == [Duty("cam", ("main",), 1000)]
    assert duties(with_camera(tmp_path, 1, used="offline", at_exit=True)) == [Duty("cam", ("main",), 1000)]


def test_a_list_beside_a_running_edge_and_one_at_an_exit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="only while nobody answers it"):
        with_camera(tmp_path, 0, used="always")
    with pytest.raises(ValueError, match="cars out that owe money"):
        with_camera(tmp_path, 1, used="offline")
    with pytest.raises(ValueError, match="no lane has a camera"):
        replace(lot_settings(tmp_path), camera_lists=(CameraList("cam", used="offline"),))


def test_long_lists_are_looked_up_in_short_turns() -> None:
    assert [len(one) for one in offline_lists._batches(list(range(450)), offline_lists.LOOKED_UP)] == [200, 200, 50]
