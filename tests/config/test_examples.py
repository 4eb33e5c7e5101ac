"""The example settings are ones the daemons take: every key known, every device one we drive, every file there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from cloud.settings import load_settings as load_cloud
from drivers.registry import choose
from edge.settings import EdgeSettings, load_settings
from tests.services.needs import ROOT

LOTS = sorted((ROOT / "config" / "lots").glob("*.toml"))
KINDS = {"cameras": "camera", "barriers": "barrier", "loops": "loop", "displays": "display", "printers": "printer"}


@pytest.fixture(params=LOTS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    chosen: Path = request.param
    return chosen


@pytest.fixture
def lot(path: Path) -> EdgeSettings:
    return load_settings(path)


def test_its_devices_are_ones_we_drive(path: Path, lot: EdgeSettings) -> None:
    for group, kind in KINDS.items():
        for name, table in getattr(lot.devices, group).items():
            assert choose(kind, table, source=path.name, at=f"devices.{group}.{name}", folder=path.parent).options


def test_its_price_lists_and_calendars_are_there(lot: EdgeSettings) -> None:
    named = [*lot.calendars, *(tariff for zone in lot.zones for tariff in zone.tariffs)]

    assert named
    assert [file for file in named if not file.exists()] == []


def test_no_two_barriers_or_loops_share_a_place(lot: EdgeSettings) -> None:
    outputs = [(table["host"], table["channel"]) for table in lot.devices.barriers.values()]
    inputs = {
        (table["host"], number): loop
        for table in lot.devices.loops.values()
        for loop, number in table["inputs"].items()
    }

    assert len(set(outputs)) == len(outputs)
    assert len(inputs) == len(set(inputs.values()))


def test_every_lane_hears_of_its_loops(lot: EdgeSettings) -> None:
    for lane in lot.lanes:
        heard = {loop for device in lane.reporting_loops for loop in lot.devices.loops[device]["inputs"]}

        assert heard == {lane.loop, lane.passage_loop}


def test_the_commented_out_video_camera_is_one_we_drive_too() -> None:
    commented = (ROOT / "config" / "lots" / "two-lane.toml").read_text("utf-8").split("# [devices.recognisers")[1]
    block = "# [devices.recognisers" + commented.split("\n\n")[0]
    devices = tomllib.loads(re.sub(r"^# ?", "", block, flags=re.MULTILINE))["devices"]
    camera = {key: value for key, value in devices["cameras"]["in"].items() if key != "recogniser"}

    assert choose("camera", camera, source="two-lane.toml", at="devices.cameras.in").options.trigger == "loop"
    assert choose("recogniser", devices["recognisers"]["own"], source="two-lane.toml", at="devices").options


def test_the_examples_are_a_small_a_large_and_a_nested_lot() -> None:
    assert {path.stem: len(load_settings(path).lanes) for path in LOTS} == {"two-lane": 2, "eight-lane": 8, "nested": 4}


def test_the_example_cloud_is_one_the_cloud_takes() -> None:
    settings = load_cloud(ROOT / "config" / "cloud.toml")

    assert settings.broker is not None
    assert settings.database == "sqlite:////var/lib/lotgate-cloud/cloud.sqlite"
