"""The example with every make is a lot file the daemon takes; its devices open while nothing is plugged in."""

from __future__ import annotations

import shutil
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from drivers.registry import MAKES
from edge.lanes.devices import open_devices
from edge.settings import load_settings
from plumbing.files import write_private
from plumbing.settings import SettingsError
from tests.services.needs import ROOT

PLAIN = {"video", "image_folder", "modbus_tcp", "simulated", "log", "escpos_network", "escpos_file"}  # shown elsewhere


@pytest.fixture
def lot_file(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "config" / "tariffs", tmp_path / "tariffs")
    (tmp_path / "secrets").mkdir()
    for name in ("vzenith", "vzenith-mqtt", "hikvision", "hikvision-push", "dahua", "dahua-page"):
        write_private(tmp_path / "secrets" / name, f"{name}-0123456789abcdef".encode())
    return Path(shutil.copy(ROOT / "config" / "every-make.toml", tmp_path / "lot.toml"))


async def test_every_device_of_it_opens_with_nothing_plugged_in(lot_file: Path) -> None:
    settings = load_settings(lot_file)
    async with AsyncExitStack() as stack:
        devices = await open_devices(settings, stack, str(lot_file), lot_file.parent)

        assert {name for kind in devices.by_kind().values() for name in kind} >= {"dahua", "led", "usb-relay"}
        assert all(devices.of_lane(lane).barrier for lane in settings.lanes)


def test_it_shows_every_make_but_those_shown_elsewhere(lot_file: Path) -> None:
    tables = load_settings(lot_file).devices
    named = {
        table["type"]
        for group in (tables.cameras, tables.barriers, tables.loops, tables.displays, tables.printers, tables.scanners)
        for table in group.values()
    }

    assert named >= {name for kind, makes in MAKES.items() if kind != "recogniser" for name in makes} - PLAIN


async def test_a_camera_nobody_named_is_told_with_its_place(lot_file: Path) -> None:
    settings = load_settings(lot_file)
    settings.devices.loops["camera-contact"]["camera"] = "vzenth"
    async with AsyncExitStack() as stack:
        with pytest.raises(SettingsError, match=r"devices\.loops\.camera-contact\.camera: no camera 'vzenth'; known"):
            await open_devices(settings, stack, "lot.toml", lot_file.parent)
