"""The stream and the pushes of a simulated Hikvision camera, quirks and all."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.plate import PlateColour
from drivers.base import BadFrameError, DeviceUnreachableError, LoopChange, PlateRead
from drivers.camera.hikvision import (
    HikvisionCamera,
    HikvisionOptions,
    HikvisionPushCamera,
    HikvisionPushOptions,
    open_hikvision,
    time_xml,
)
from drivers.camera.hikvision_codec import OtherEvent, PlateEvent, parse_event
from drivers.camera.listener import device_routes
from drivers.camera.simulated_hikvision import HEARTBEAT, HikvisionSight, SimulatedHikvision
from drivers.multipart import MultipartStream, split_body
from drivers.wiring import Wiring
from plumbing.files import write_private

SECRET = "s3cret-path-of-entry-1"
FRAME = b"\xff\xd8\xff\xe0" + b"frame" * 40
CROP = b"\xff\xd8\xff\xe0plate"
PICTURES = {"licensePlatePicture.jpg": CROP, "detectionPicture.jpg": FRAME}


@pytest.fixture
async def device() -> AsyncIterator[SimulatedHikvision]:
    async with SimulatedHikvision() as device:
        yield device


@pytest.fixture
async def camera(device: SimulatedHikvision, tmp_path: Path) -> HikvisionCamera:
    write_private(tmp_path / "password", b"pa55word")
    options = HikvisionOptions(
        host="127.0.0.1", port=device.port, password_file=tmp_path / "password", wait_pictures_ms=80
    )
    return await open_hikvision(options, Wiring("entry-1"))


@pytest.fixture
async def reads(camera: HikvisionCamera, device: SimulatedHikvision) -> AsyncIterator[asyncio.Queue[PlateRead]]:
    queue: asyncio.Queue[PlateRead] = asyncio.Queue()

    async def follow() -> None:
        async for read in camera.reads():
            queue.put_nowait(read)

    following = asyncio.create_task(follow())
    await until_followed(device)
    yield queue
    following.cancel()


async def until_followed(device: SimulatedHikvision) -> None:
    async with asyncio.timeout(5):
        while not device.followers:
            await asyncio.sleep(0.01)


async def next_read(reads: asyncio.Queue[PlateRead]) -> PlateRead:
    return await asyncio.wait_for(reads.get(), 3)


async def test_an_event_and_its_pictures_become_one_read(
    device: SimulatedHikvision, reads: asyncio.Queue[PlateRead]
) -> None:
    device.heartbeat()
    device.see(HikvisionSight("京A12345", pictures=PICTURES, picture_type="application/octet-stream"))

    read = await next_read(reads)

    assert (read.candidates[0].text, read.candidates[0].confidence) == ("京A12345", 98)
    assert read.candidates[0].colour is PlateColour.BLUE
    assert (read.image, read.crop) == (FRAME, CROP)
    assert (read.live, read.trusted) == (True, True)
    assert read.taken_wall_ms == 1779351006000
    assert reads.empty()


async def test_text_first_then_the_whole_event_is_one_car_whose_picture_comes_later(
    device: SimulatedHikvision, reads: asyncio.Queue[PlateRead]
) -> None:
    device.see(HikvisionSight("京A12345", more=True))
    first = await next_read(reads)

    device.see(HikvisionSight("京A12345", pictures=PICTURES))
    second = await next_read(reads)
    device.see(HikvisionSight("京A12345", pictures=PICTURES))  # and once more
    device.see(HikvisionSight("粤BD12345", uuid="u-2"))

    assert (first.image, second.image) == (b"", FRAME)
    assert first.read_id == second.read_id
    assert (await next_read(reads)).candidates[0].text == "粤BD12345"


async def test_pictures_that_never_come_hold_no_car_up(
    device: SimulatedHikvision, reads: asyncio.Queue[PlateRead]
) -> None:
    sight = HikvisionSight("京A12345", pictures=PICTURES)
    device.say(b"--boundary\r\nContent-Type: application/xml\r\n\r\n" + sight.xml() + b"\r\n--boundary\r\n")

    assert (await next_read(reads)).image == b""


@pytest.mark.parametrize(
    ("sight", "plate", "confidence", "live"),
    [
        (HikvisionSight("京A12345", namespace="http://www.std-cgi.com/ver10/XMLSchema"), "京A12345", 98, True),
        (HikvisionSight("京A12345", confidence="97.6"), "京A12345", 97, True),
        (HikvisionSight("京A12345", confidence=""), "京A12345", 0, True),
        (HikvisionSight("京A12345", raw_name="gate & <b>yard</b> &amp; more"), "京A12345", 98, True),
        (HikvisionSight("", confidence="204"), "", 100, True),
        (HikvisionSight("京A12345", history=True), "京A12345", 98, False),
    ],
)
def test_what_firmware_makes_of_an_event_is_understood(
    sight: HikvisionSight, plate: str, confidence: int, live: bool
) -> None:
    event = parse_event(sight.xml())

    assert isinstance(event, PlateEvent)
    assert (event.plate, event.confidence, event.live) == (plate, confidence, live)


def test_a_prefixed_namespace_and_json_say_the_same() -> None:
    prefixed = (
        '<ns:EventNotificationAlert xmlns:ns="x"><ns:eventType>ANPR</ns:eventType><ns:ANPR><ns:licensePlate>京A12345'
        "</ns:licensePlate><ns:confidenceLevel>98</ns:confidenceLevel></ns:ANPR><ns:UUID>u-1</ns:UUID>"
        "</ns:EventNotificationAlert>"
    )
    as_json = (
        '{"eventType":"ANPR","UUID":"u-1","ANPR":{"licensePlate":"京A12345","confidenceLevel":98},'
        '"isDataRetransmission":false}'
    )

    assert parse_event(prefixed.encode()) == parse_event(as_json.encode())


def test_a_heartbeat_is_a_sign_of_life() -> None:
    assert parse_event(HEARTBEAT) == OtherEvent("videoloss")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<",
        b"<!DOCTYPE x [<!ENTITY a 'aaaa'>]><EventNotificationAlert>&a;</EventNotificationAlert>",
        b"<!DOCTYPE x SYSTEM 'file:///etc/passwd'><x/>",
        b"<a>" * 100 + b"</a>" * 100,
        b'{"ANPR":',
        b"[1]",
        b"<x><eventType>IO</eventType></x>",
        b"<x><ANPR><licensePlate>" + b"A" * 200 + b"</licensePlate></ANPR></x>",
        b"\x00" * 2_000_000,
    ],
)
def test_what_is_no_event_is_a_sentence(data: bytes) -> None:
    with pytest.raises(BadFrameError):
        parse_event(data)


async def test_a_bad_part_costs_only_itself(
    device: SimulatedHikvision, reads: asyncio.Queue[PlateRead], caplog: pytest.LogCaptureFixture
) -> None:
    device.say(b"--boundary\r\nContent-Type: application/xml\r\n\r\n<broken\r\n")
    device.see(HikvisionSight("京A12345"))

    assert (await next_read(reads)).candidates[0].text == "京A12345"
    assert "not XML" in caplog.text


async def test_unplugged_the_reads_end_with_an_error_and_plugged_in_they_begin_again(
    camera: HikvisionCamera, device: SimulatedHikvision, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="drivers"):
        reading = asyncio.ensure_future(anext(camera.reads()))
        await until_followed(device)
        await device.stop()
        with pytest.raises(DeviceUnreachableError):
            await asyncio.wait_for(reading, 3)
        with pytest.raises(DeviceUnreachableError, match="no answer from 127"):
            await asyncio.wait_for(anext(camera.reads()), 3)
        await device.start()
        again = asyncio.ensure_future(anext(camera.reads()))
        await until_followed(device)
        device.see(HikvisionSight("京A12345"))
        assert (await asyncio.wait_for(again, 3)).candidates[0].text == "京A12345"

    assert len(caplog.records) == 2


async def test_a_contact_of_the_camera_is_a_loop(
    camera: HikvisionCamera, device: SimulatedHikvision, reads: asyncio.Queue[PlateRead]
) -> None:
    waiting = asyncio.ensure_future(anext(camera.input_changes(1, "approach")))
    await asyncio.sleep(0)
    event = b"<E><eventType>IO</eventType><inputIOPortID>1</inputIOPortID><eventState>active</eventState></E>"

    device.say(b"--boundary\r\n\r\n" + event + b"\r\n--boundary\r\n")

    assert await asyncio.wait_for(waiting, 3) == LoopChange("approach", occupied=True)


async def test_a_snapshot_is_a_jpeg(camera: HikvisionCamera, device: SimulatedHikvision) -> None:
    assert await camera.snapshot() == device.snapshot
    device.snapshot = b"<html>"
    with pytest.raises(BadFrameError, match="not a JPEG"):
        await camera.snapshot()


async def test_its_clock_is_set_with_its_zone(camera: HikvisionCamera, device: SimulatedHikvision) -> None:
    await camera.set_clock(datetime(2026, 1, 14, 16, 2, 58, tzinfo=timezone(timedelta(hours=8))))

    assert device.clock_set_to == ["2026-01-14T16:02:58+08:00"]
    assert b"<timeZone>CST-8:00:00</timeZone>" in time_xml(datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=8))))


async def test_pushes_are_taken_and_bad_ones_refused(device: SimulatedHikvision) -> None:
    camera = HikvisionPushCamera("entry-1", HikvisionPushOptions(secret_file=Path("unread")), SECRET)
    app = web.Application()
    app.add_routes(device_routes([camera]))
    async with TestServer(app) as server:
        url = str(server.make_url(f"/device/{SECRET}"))

        assert await device.push(url, HikvisionSight("京A12345", pictures=PICTURES)) == 200
        assert await device.push(url, HikvisionSight("京A12345", pictures=PICTURES)) == 200  # a copy
        assert await device.push(url, HikvisionSight("", uuid="u-2")) == 200
        assert await device.post(url, HikvisionSight("粤BD12345", uuid="u-3").xml(), "application/xml") == 200
        assert await device.post(url, b"--boundary\r\n" + b"x" * 5000) == 400
        assert await device.push(str(server.make_url("/device/some-other-secret")), HikvisionSight("京A12345")) == 404

        reads = camera.reads()
        taken = [await asyncio.wait_for(anext(reads), 3) for _ in range(3)]
    assert [read.candidates[0].text for read in taken] == ["京A12345", "", "粤BD12345"]
    assert (taken[0].image, taken[0].crop) == (FRAME, CROP)
    assert not taken[1].trusted


@settings(max_examples=60, deadline=None)
@given(cuts=st.lists(st.integers(1, 400), max_size=20), lengths=st.booleans())
def test_however_a_stream_is_cut_its_parts_are_the_same(cuts: list[int], lengths: bool) -> None:
    bodies = [b"<x/>", FRAME, b"\r\n--not the boundary\r\n"]
    data = b"preamble\r\n"
    for body in bodies:
        length = f"Content-Length: {len(body)}\r\n" if lengths else ""
        data += b"--B\r\n" + f'Content-Disposition: form-data; name="n"\r\n{length}'.encode() + b"\r\n" + body + b"\r\n"
    data += b"--B--\r\n"
    stream, parts, start = MultipartStream(b"B"), [], 0
    for size in [*cuts, len(data)]:
        parts += list(stream.feed(data[start : start + size]))
        start += size

    assert [part.body for part in parts] == bodies


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(["multipart/form-data; boundary=B", "multipart/mixed", "x", "\x00"]))
def test_any_bytes_are_parts_or_a_sentence(data: bytes, content_type: str) -> None:
    with contextlib.suppress(BadFrameError):
        for part in split_body(b"--B\r\n\r\n" + data, content_type):
            parse_event(part.body)
    with contextlib.suppress(BadFrameError):
        parse_event(data)
