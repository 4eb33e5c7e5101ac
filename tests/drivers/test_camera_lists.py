"""The list a camera keeps for when nobody answers it: written, renewed, struck out and read back, make by make."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from drivers.base import DeviceRefusedError, DeviceUnreachableError, ListedCar, ListHolding, ListReadable
from drivers.camera.dahua import DahuaOptions, open_dahua
from drivers.camera.hikvision import HikvisionOptions, open_hikvision
from drivers.camera.listener import device_routes
from drivers.camera.simulated import SimulatedVzenith
from drivers.camera.simulated_dahua import SimulatedDahuaPage
from drivers.camera.simulated_hikvision import PASSWORD, SimulatedHikvision
from drivers.camera.simulated_vzenith_mqtt import SimulatedVzenithMqtt
from drivers.camera.vzenith import VzenithCamera, VzenithOptions
from drivers.camera.vzenith_mqtt import VzenithMqttCamera, VzenithMqttOptions
from drivers.camera.vzenith_mqtt_codec import struck_body
from drivers.camera.vzenith_reply import ListChange
from drivers.wiring import Wiring
from plumbing.broker import EmbeddedBroker
from plumbing.files import write_private

TZ = ZoneInfo("Asia/Shanghai")
CARS = [
    ListedCar(f"京A1234{n}", datetime(2026, 1, 1, tzinfo=TZ), datetime(2026, 12, 31, 23, 59, tzinfo=TZ))
    for n in range(3)
]
SECRET = "s3cret-path-of-entry-1"
Lists = tuple[Any, Callable[[], dict[str, str]]]  # a camera, and what its twin holds: plate -> end


@asynccontextmanager
async def over_mqtt(folder: Path) -> AsyncIterator[Lists]:
    async with EmbeddedBroker(folder, {}) as broker, SimulatedVzenithMqtt(broker.port) as device:
        options = VzenithMqttOptions(serial=device.serial, broker_port=broker.port, reply_within_ms=5000)
        camera = VzenithMqttCamera("entry-1", options)
        await camera.start()
        try:
            await camera._connected()
            yield camera, lambda: {plate: row["overdue_time"] for plate, row in device.list.items()}
        finally:
            await camera.aclose()


@asynccontextmanager
async def over_http(folder: Path) -> AsyncIterator[Lists]:
    camera = VzenithCamera("entry-1", VzenithOptions(Path("unread"), comet=True, comet_hold_ms=200), SECRET)
    app = web.Application()
    app.add_routes(device_routes([camera]))
    async with (
        TestServer(app) as server,
        SimulatedVzenith(str(server.make_url(f"/device/{SECRET}")), resend_after_s=0.01) as device,
    ):
        polling = asyncio.create_task(device.poll())
        yield camera, lambda: {plate: row["overdue_time"] for plate, row in device.list.items()}
        polling.cancel()
        assert device.relay_pulses == 0


@asynccontextmanager
async def hikvision(folder: Path) -> AsyncIterator[Lists]:
    write_private(folder / "password", PASSWORD.encode())
    async with SimulatedHikvision() as device:
        options = HikvisionOptions(host="127.0.0.1", port=device.port, password_file=folder / "password")
        camera = await open_hikvision(options, Wiring("entry-1"))
        yield camera, lambda: {p: row["effectiveTime"].replace("T", " ") for p, row in device.list.items()}


@asynccontextmanager
async def dahua(folder: Path) -> AsyncIterator[Lists]:
    write_private(folder / "page", b"page-password")
    write_private(folder / "secret", SECRET.encode())
    async with SimulatedDahuaPage("admin", "page-password") as page:
        options = DahuaOptions(
            secret_file=folder / "secret",
            clock_host="127.0.0.1",
            clock_port=page.port,
            clock_password_file=folder / "page",
        )
        camera = await open_dahua(options, Wiring("entry-1"))
        yield camera, lambda: {row["PlateNumber"]: row["CancelTime"] for row in page.list.values()}


MAKES = [over_mqtt, over_http, hikvision, dahua]


@pytest.mark.parametrize("make", MAKES)
async def test_cars_are_written_renewed_and_struck_out(make: Any, tmp_path: Path) -> None:
    async with asyncio.timeout(60), make(tmp_path) as (camera, held):
        assert isinstance(camera, ListHolding)
        await camera.list_cars(CARS)
        assert held() == dict.fromkeys([car.plate for car in CARS], "2026-12-31 23:59:00")

        await camera.list_cars([replace(CARS[0], ends=datetime(2027, 6, 30, 12, tzinfo=TZ))])
        await camera.unlist_cars([CARS[1].plate, "京Z99999"])

        assert held() == {"京A12340": "2027-06-30 12:00:00", "京A12342": "2026-12-31 23:59:00"}
        if isinstance(camera, ListReadable):
            assert await camera.unlisted([car.plate for car in CARS]) == {"京A12341"}


def test_all_but_the_push_only_make_can_be_read_back() -> None:
    assert issubclass(VzenithMqttCamera, ListReadable)
    assert not issubclass(VzenithCamera, ListReadable)


async def test_a_camera_that_does_not_poll_cannot_be_told() -> None:
    camera = VzenithCamera("entry-1", VzenithOptions(Path("unread")), SECRET)

    with pytest.raises(DeviceUnreachableError, match="comet"):
        await camera.list_cars(CARS)


async def test_firmware_that_says_ok_and_keeps_a_struck_plate_is_found_out(tmp_path: Path) -> None:
    write_private(tmp_path / "password", PASSWORD.encode())
    async with SimulatedHikvision() as device:
        options = HikvisionOptions(host="127.0.0.1", port=device.port, password_file=tmp_path / "password")
        camera = await open_hikvision(options, Wiring("entry-1"))
        await camera.list_cars(CARS)
        device.keeps_struck = True

        with pytest.raises(DeviceRefusedError, match="kept 1 plates"):
            await camera.unlist_cars([CARS[0].plate])


async def test_a_dahua_without_its_page_says_what_to_set(tmp_path: Path) -> None:
    write_private(tmp_path / "secret", SECRET.encode())
    camera = await open_dahua(DahuaOptions(secret_file=tmp_path / "secret"), Wiring("entry-1"))

    with pytest.raises(DeviceRefusedError, match="clock_host"):
        await camera.list_cars(CARS)


def test_nothing_can_strike_out_a_whole_list_by_mistake() -> None:
    with pytest.raises(ValueError, match="whole list"):
        ListChange(1, gone=("",))
    with pytest.raises(ValueError, match="whole list"):
        struck_body("")
    with pytest.raises(ValueError, match="1 to 5"):
        ListChange(1, gone=tuple("ABCDEF"))
