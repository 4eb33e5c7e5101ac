"""The real driver on a real port, pushed to by a simulated Dahua camera."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.plate import PlateColour
from drivers.base import BadFrameError, DeviceRefusedError, PlateRead
from drivers.camera.dahua import DahuaCamera, DahuaOptions, open_dahua
from drivers.camera.dahua_codec import TollgateInfo, parse_push
from drivers.camera.simulated_dahua import DahuaSight, SimulatedDahua, SimulatedDahuaPage
from drivers.wiring import Wiring
from edge.web.device import device_app
from plumbing.files import write_private

SECRET = "s3cret-path-of-entry-1"
LOGIN = ("lotgate", "pa55word")
JPEG = b"\xff\xd8\xff\xe0picture"
TAKEN = datetime(2026, 1, 14, 8, 2, 58, tzinfo=UTC).timestamp()


def camera_of(**changes: object) -> DahuaCamera:
    options = DahuaOptions(secret_file=Path("unread"), **changes)  # type: ignore[arg-type]
    return DahuaCamera("entry-1", options, SECRET, LOGIN[1], clock=lambda: TAKEN + 5)


@contextlib.asynccontextmanager
async def serving(*cameras: DahuaCamera) -> AsyncIterator[str]:
    app: web.Application = device_app(cameras)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


async def next_read(camera: DahuaCamera) -> PlateRead:
    return await asyncio.wait_for(anext(camera.reads()), 2)


@pytest.mark.parametrize("xml", [False, True])
async def test_a_car_pushed_to_the_secret_address_is_one_read(xml: bool) -> None:
    camera = camera_of()
    async with serving(camera) as url:
        device = SimulatedDahua(f"{url}/device/{SECRET}")

        assert await device.keep_alive() == 200
        assert await device.see(DahuaSight("京A12345", confidence=204, image=JPEG, crop=JPEG + b"2"), xml=xml) == 1
        assert await device.see(DahuaSight("京A12345", confidence=204), xml=xml) == 1  # a copy
        assert await device.see(DahuaSight("Unknown", exists=False, taken="2026-01-14 16:03:00.000"), xml=xml) == 1

    read, unread = await next_read(camera), await next_read(camera)
    assert (read.candidates[0].text, read.candidates[0].confidence) == ("京A12345", 100)
    assert read.candidates[0].colour is PlateColour.BLUE
    assert (read.image, read.crop, read.live, read.trusted) == (JPEG, JPEG + b"2", True, True)
    assert read.taken_wall_ms == int(TAKEN * 1000) + 157
    assert (unread.candidates[0].text, unread.trusted) == ("", False)


async def test_a_record_kept_while_nobody_answered_opens_nothing(caplog: pytest.LogCaptureFixture) -> None:
    camera = camera_of()
    async with serving(camera) as url:
        device = SimulatedDahua(f"{url}/device/{SECRET}")
        for second in (10, 11):
            await device.see(DahuaSight("京A12345", taken=f"2026-01-14 15:30:{second}.000"))
        await device.see(DahuaSight("京A12345"))

    assert [(await next_read(camera)).live for _ in range(3)] == [False, False, True]
    assert len([record for record in caplog.records if "open nothing" in record.getMessage()]) == 1


@pytest.mark.parametrize(
    ("login", "empty", "allowed", "status"),
    [
        (LOGIN, False, False, 200),
        (LOGIN, True, True, 200),
        (LOGIN, True, False, 401),
        (("lotgate", "wrong"), False, False, 401),
        (("lotgate", "wrong"), True, True, 401),
        (None, False, True, 401),
    ],
)
async def test_at_the_bare_address_digest_tells_who_pushes(
    login: tuple[str, str] | None, empty: bool, allowed: bool, status: int
) -> None:
    other = DahuaCamera("other", DahuaOptions(secret_file=Path("x"), user="o", password_file=Path("x")), SECRET + "2")
    camera = camera_of(user="lotgate", password_file=Path("unread"), empty_digest=allowed)
    async with serving(other, camera) as url:
        assert await SimulatedDahua(url, login=login, empty=empty).keep_alive() == status


async def test_without_a_login_the_bare_address_does_not_exist() -> None:
    async with serving(camera_of()) as url:
        assert await SimulatedDahua(url, login=LOGIN).keep_alive() == 404


async def test_a_device_off_the_list_and_bytes_that_are_no_push_are_refused() -> None:
    async with serving(camera_of(devices=("69c87cc1",))) as url:
        device = SimulatedDahua(f"{url}/device/{SECRET}", "another")

        assert await device.keep_alive() == 403
        assert await device.post("/NotificationInfo/TollgateInfo", b"\x00" * 50) == 400
        assert await device.post("/NotificationInfo/TollgateInfo", b"{}") == 400


async def test_secrets_are_read_from_private_files(tmp_path: Path) -> None:
    write_private(tmp_path / "secret", SECRET.encode())
    write_private(tmp_path / "password", b"pa55word")
    options = DahuaOptions(secret_file=tmp_path / "secret", user="u", password_file=tmp_path / "password")

    camera = await open_dahua(options, Wiring("entry-1"))

    assert camera.login is not None
    with pytest.raises(ValueError, match="belong together"):
        DahuaOptions(secret_file=tmp_path / "secret", user="u")


async def test_its_clock_is_set_to_its_own_local_time_where_its_page_is_known(tmp_path: Path) -> None:
    write_private(tmp_path / "secret", SECRET.encode())
    write_private(tmp_path / "password", b"pa55word")
    async with SimulatedDahuaPage("admin", "pa55word") as page:
        options = DahuaOptions(
            secret_file=tmp_path / "secret", clock_host="127.0.0.1", clock_port=page.port,
            clock_password_file=tmp_path / "password",
        )  # fmt: skip
        camera = await open_dahua(options, Wiring("entry-1"))

        await camera.set_clock(datetime(2026, 1, 14, 8, 2, 58, tzinfo=UTC))
        page.answer = "Error"
        with pytest.raises(DeviceRefusedError, match="did not take the time"):
            await camera.set_clock(datetime(2026, 1, 14, 8, 2, 58, tzinfo=UTC))

    assert page.clock_set_to[0] == "2026-01-14 16:02:58"
    await camera_of().set_clock(datetime(2026, 1, 14, tzinfo=UTC))  # without a page nothing is asked


def test_a_broken_picture_does_not_make_the_camera_send_for_ever() -> None:
    parsed = parse_push(b'{"Picture":{"Plate":{"PlateNumber":"A"},"NormalPic":{"Content":"no base64!"}}}', 480)

    assert isinstance(parsed, TollgateInfo)
    assert parsed.image == b""


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda text: ('{"Picture":' + text).encode()))
def test_any_bytes_are_a_push_or_a_sentence(data: bytes) -> None:
    with contextlib.suppress(BadFrameError):
        parse_push(data, 480)
