"""The real driver on a real port, pushed to by the simulated camera."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from drivers.base import BadOptionsError, DeviceRefusedError, DeviceUnreachableError, LoopChange, PlateRead
from drivers.camera.listener import device_routes
from drivers.camera.pushed import WAITING_READS
from drivers.camera.simulated import SENDS, Sight, SimulatedVzenith
from drivers.camera.vzenith import VzenithCamera, VzenithOptions, open_vzenith
from drivers.camera.vzenith_codec import parse_push
from drivers.camera.vzenith_reply import Reply, answer
from drivers.wiring import Wiring
from plumbing.files import write_private

SECRET = "s3cret-path-of-entry-1"
SERIAL = "fe71e106-57263272"
NO_FILE = Path("unread")  # the secret is handed over
JPEG = b"\xff\xd8\xff\xe0picture"


@pytest.fixture
async def camera(tmp_path: Path) -> VzenithCamera:
    write_private(tmp_path / "secret", SECRET.encode())
    return await open_vzenith(VzenithOptions(tmp_path / "secret", serials=(SERIAL,)), Wiring("entry-1"))


@pytest.fixture
async def server(camera: VzenithCamera) -> AsyncIterator[TestServer]:
    app = web.Application()
    app.add_routes(device_routes([camera]))
    server = TestServer(app)
    async with server:
        yield server


@pytest.fixture
async def device(server: TestServer) -> AsyncIterator[SimulatedVzenith]:
    async with SimulatedVzenith(str(server.make_url(f"/device/{SECRET}")), SERIAL, resend_after_s=0.01) as device:
        yield device


async def next_read(camera: VzenithCamera) -> PlateRead:
    return await asyncio.wait_for(anext(camera.reads()), 2)


async def no_more_reads(camera: VzenithCamera) -> bool:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(camera.reads()), 0.05)
    return True


@pytest.mark.parametrize(("confidence", "trusted"), [(89, False), (90, True)])
async def test_a_read_below_the_confidence_asked_for_is_for_a_person(confidence: int, trusted: bool) -> None:
    camera = VzenithCamera("entry-1", VzenithOptions(NO_FILE, accept_from=90), SECRET)
    result = b'{"license":"VA12345","plateid":7,"confidence":%d}' % confidence

    await camera.push(
        b'{"AlarmInfoPlate":{"serialno":"S","result":{"PlateResult":%s}}}' % result, "application/json", ""
    )

    assert (await next_read(camera)).trusted is trusted


def test_a_confidence_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="accept_from is 101"):
        VzenithOptions(NO_FILE, accept_from=101)


async def test_a_car_seen_becomes_one_live_read_and_no_relay_moves(
    camera: VzenithCamera, device: SimulatedVzenith
) -> None:
    delivery = await device.see(Sight("京A12345", image=JPEG, crop=JPEG))

    read = await next_read(camera)
    assert (read.camera, read.candidates[0].text, read.candidates[0].confidence) == ("entry-1", "京A12345", 96)
    assert read.live
    assert read.trusted
    assert (read.image, read.crop) == (JPEG, JPEG)
    assert delivery.sends == 1
    assert device.relay_pulses == 0


async def test_a_car_without_a_plate_is_a_read_without_text(camera: VzenithCamera, device: SimulatedVzenith) -> None:
    await device.see(Sight(""))

    assert [candidate.text for candidate in (await next_read(camera)).candidates] == [""]


async def test_a_four_megabyte_picture_is_taken(camera: VzenithCamera, device: SimulatedVzenith) -> None:
    picture = JPEG.ljust(4 * 1024 * 1024, b"\0")

    delivery = await device.see(Sight("京A12345", image=picture))

    assert delivery.reply is not None
    assert len((await next_read(camera)).image) == len(picture)


async def test_offline_records_are_replayed_as_reads_that_are_not_live(
    camera: VzenithCamera, device: SimulatedVzenith
) -> None:
    await device.see_without_network(Sight("京A12345"))
    await device.see_without_network(Sight("粤BD12345"))

    assert await device.replay() == 2

    reads = [await next_read(camera), await next_read(camera)]
    assert [read.candidates[0].text for read in reads] == ["京A12345", "粤BD12345"]
    assert not any(read.live for read in reads)
    assert device.relay_pulses == 0


async def test_a_record_replayed_after_its_answer_was_lost_is_read_once(
    camera: VzenithCamera, device: SimulatedVzenith
) -> None:
    await device.see_without_network(Sight("京A12345"))
    record = device.stored[0]
    await device.replay()
    device.stored.append(record)

    assert await device.replay() == 1

    await next_read(camera)
    assert await no_more_reads(camera)


async def test_copies_outside_the_window_are_left_to_the_lane() -> None:
    now = [0.0]
    camera = VzenithCamera("c", VzenithOptions(NO_FILE, dedupe_minutes=60), SECRET, clock=lambda: now[0])
    body = b'{"AlarmInfoPlate":{"serialno":"S","result":{"PlateResult":{"license":"","plateid":7}}}}'

    for minute in (0, 59, 61):
        now[0] = minute * 60
        await camera.push(body, "application/json", "")

    assert (await next_read(camera)).read_id == (await next_read(camera)).read_id
    assert await no_more_reads(camera)


async def test_an_input_of_the_camera_reaches_the_loop_that_listens(
    camera: VzenithCamera, device: SimulatedVzenith
) -> None:
    changes = camera.input_changes(1, "entry-loop")
    waiting = asyncio.ensure_future(anext(changes))
    await asyncio.sleep(0)

    await device.input_changed(0, 1)  # another contact
    await device.input_changed(1, 1)

    assert await waiting == LoopChange("entry-loop", occupied=True)


async def test_heartbeats_are_answered_and_the_password_is_not_logged(
    device: SimulatedVzenith, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        delivery = await device.heartbeat(password="pa55-w0rd")

    assert delivery.reply == Reply()
    assert "pa55-w0rd" not in caplog.text


async def test_a_wrong_path_answers_404_and_the_camera_tries_five_times(
    server: TestServer, camera: VzenithCamera
) -> None:
    url = str(server.make_url("/device/some-other-secret-path"))

    async with SimulatedVzenith(url, SERIAL, resend_after_s=0) as device:
        delivery = await device.see(Sight("京A12345"))

    assert (delivery.sends, delivery.reply) == (SENDS, None)
    assert await no_more_reads(camera)


async def test_a_serial_number_off_the_list_is_refused(server: TestServer, camera: VzenithCamera) -> None:
    url = str(server.make_url(f"/device/{SECRET}"))

    async with SimulatedVzenith(url, "another", resend_after_s=0) as device:
        assert (await device.see(Sight("京A12345"))).reply is None

    assert await no_more_reads(camera)


@pytest.mark.parametrize(
    ("remote", "allowed"), [("192.168.55.131", True), ("10.0.0.1", False), ("", False), ("fe80::1", False)]
)
async def test_only_listed_addresses_may_push(remote: str, allowed: bool) -> None:
    camera = VzenithCamera("c", VzenithOptions(NO_FILE, addresses=("192.168.55.0/24",)), SECRET)
    body = b'{"AlarmGioIn":{"serialno":"S","result":{"TriggerResult":{"source":0,"value":1}}}}'

    if allowed:
        assert b"Response_AlarmGioIn" in (await camera.push(body, "application/json", remote)).body
    else:
        with pytest.raises(DeviceRefusedError, match="not on its list"):
            await camera.push(body, "application/json", remote)


async def test_bad_pushes_get_400_and_the_lane_goes_on(
    server: TestServer, camera: VzenithCamera, device: SimulatedVzenith
) -> None:
    async with aiohttp.ClientSession() as session:
        for body in (b"", b"\x00" * 100, b"{", b" " * (6 * 1024 * 1024 + 1)):
            async with session.post(device.url, data=io.BytesIO(body)) as response:
                assert response.status == 400

    await device.see(Sight("京A12345"))
    assert (await next_read(camera)).candidates[0].text == "京A12345"


async def test_a_push_that_trickles_is_dropped_in_time(server: TestServer) -> None:
    camera = VzenithCamera("slow", VzenithOptions(NO_FILE, answer_within_ms=50, comet_hold_ms=1), SECRET)
    app = web.Application()
    app.add_routes(device_routes([camera]))

    async def trickle() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(0.3)
        yield b"}"

    async with (
        TestServer(app) as slow,
        aiohttp.ClientSession() as session,
        session.post(slow.make_url(f"/device/{SECRET}"), data=trickle()) as response,
    ):
        assert response.status == 503


async def test_a_lane_that_takes_nothing_leaves_the_records_with_the_camera(
    camera: VzenithCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = b'{"AlarmInfoPlate":{"serialno":"%s","result":{"PlateResult":{"license":"","plateid":%d}}}}'
    for number in range(WAITING_READS):
        await camera.push(body % (SERIAL.encode(), number), "application/json", "")

    with pytest.raises(DeviceUnreachableError, match="has not taken"):
        await camera.push(body % (SERIAL.encode(), 9999), "application/json", "")

    await next_read(camera)
    await camera.push(body % (SERIAL.encode(), 9999), "application/json", "")  # the resend is not taken for a copy


async def test_a_silent_camera_is_logged_once_when_it_goes_and_once_when_it_returns(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = [0.0]
    camera = VzenithCamera("c", VzenithOptions(NO_FILE), SECRET, clock=lambda: now[0])
    now[0] = 100.0

    with caplog.at_level(logging.INFO):
        assert camera.is_lost()
        assert camera.is_lost()
        await camera.push(b'{"heartbeat":{"serialno":"S"}}', "application/json", "")

    assert not camera.is_lost()
    assert [record.getMessage() for record in caplog.records] == [
        "camera c has been silent for 90 s",
        "camera c is back",
    ]


async def test_the_simulated_camera_notices_an_answer_that_would_fire_its_relay() -> None:
    async def careless(request: web.Request) -> web.Response:
        parsed = parse_push(await request.read(), request.content_type)
        return web.Response(body=answer(parsed, Reply(open_relay=True)), content_type="application/json")

    app = web.Application()
    app.add_routes([web.post("/", careless)])

    async with TestServer(app) as server, SimulatedVzenith(str(server.make_url("/"))) as device:
        delivery = await device.see(Sight("京A12345"))

    assert delivery.fired_relay
    assert device.relay_pulses == 1


async def test_a_guessable_or_exposed_secret_is_refused(tmp_path: Path) -> None:
    write_private(tmp_path / "short", b"short")
    (tmp_path / "open").write_text(SECRET)
    (tmp_path / "open").chmod(0o644)

    for name, says in (("short", "at least 16"), ("open", "chmod 600"), ("none", "No such file")):
        with pytest.raises(BadOptionsError, match=says):
            await open_vzenith(VzenithOptions(tmp_path / name), Wiring("entry-1"))
