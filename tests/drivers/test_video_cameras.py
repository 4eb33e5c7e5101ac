"""Plain cameras: a real MJPEG stream over HTTP, and a folder of pictures."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from domain.plate import PlateColour, classify
from domain.plate_reading import Reading, Thresholds
from drivers.base import (
    BadOptionsError,
    Box,
    DeviceUnreachableError,
    PlateCandidate,
    PlateRead,
    Triggerable,
    Viewable,
)
from drivers.camera.image_folder import ImageFolderCamera, ImageFolderOptions, open_image_folder
from drivers.camera.motion import MotionGate
from drivers.camera.video import VideoCamera, VideoOptions, open_video
from drivers.pictures import decode, jpeg
from drivers.recogniser.simulated import ToldRecogniser
from drivers.wiring import Wiring
from plumbing.broker import free_port
from tests.drivers import scenes

SEEN = PlateCandidate("京A12345", 80)


def plate(text: str, probability: float) -> PlateCandidate:
    """A plate as an engine of ours gives it."""
    reading = Reading(text, classify(text), PlateColour.BLUE, probability, (0.99,) * len(text))
    verdict = Thresholds(accept=0.95, ask=0.1).verdict(reading)
    box = Box(10, 10, 60, 25)
    return PlateCandidate(text, 100 * probability, reading.colour, box, verdict, (reading,), ((10.0, 10.0),))


class Stream:
    """An MJPEG camera: sends ``picture`` over and over."""

    def __init__(self) -> None:
        self.picture = jpeg(scenes.lane())
        self.port = free_port()
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.add_routes([web.get("/video", self._send)])
        self._runner = web.AppRunner(app, shutdown_timeout=0.01)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _send(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "multipart/x-mixed-replace; boundary=frame"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                head = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(self.picture)
                await response.write(head + self.picture + b"\r\n")
                await asyncio.sleep(0.02)
        return response


@pytest.fixture
async def stream() -> AsyncIterator[Stream]:
    stream = Stream()
    await stream.start()
    yield stream
    await stream.stop()


async def open_stream(stream: Stream, recogniser: ToldRecogniser, **changes: object) -> VideoCamera:
    options = VideoOptions(
        f"http://127.0.0.1:{stream.port}/video",
        look_every_ms=30,
        frames_per_second=25,
        quiet_ms=200,
        timeout_ms=10_000,
        **changes,  # type: ignore[arg-type]
    )
    return await open_video(options, Wiring("exit-2", recogniser=recogniser))


async def soon(reads: AsyncIterator[PlateRead]) -> PlateRead:
    return await asyncio.wait_for(anext(reads), 10)


async def test_a_vehicle_that_comes_into_view_is_one_read_with_its_picture(stream: Stream) -> None:
    recogniser = ToldRecogniser()
    recogniser.tell()
    recogniser.tell(SEEN)
    camera = await open_stream(stream, recogniser)
    reads = camera.reads()
    first = asyncio.ensure_future(soon(reads))
    await asyncio.sleep(0.5)
    assert not first.done()  # an empty lane says nothing

    stream.picture = scenes.plate_jpeg("A12345")
    read = await first

    assert read.candidates == (SEEN,)
    assert len(recogniser.pictures) == 2  # the second look read it, the third was not needed
    assert (read.camera, read.live, read.trusted) == ("exit-2", True, False)
    assert decode(read.image).shape == (360, 640, 3)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(reads), 0.3)  # the same car goes on standing there
    await camera.aclose()


async def test_a_vehicle_nobody_could_read_is_still_a_read(stream: Stream) -> None:
    camera = await open_stream(stream, ToldRecogniser(), trigger="loop")
    reads = camera.reads()

    await camera.trigger()
    read = await soon(reads)

    assert read.candidates == ()
    assert read.image
    await reads.aclose()
    await camera.aclose()


async def test_frames_are_joined_until_they_may_be_acted_upon(stream: Stream) -> None:
    recogniser = ToldRecogniser(Thresholds(accept=0.95, ask=0.1))
    for _ in range(9):
        recogniser.tell(plate("京A12345", 0.9))
    camera = await open_stream(stream, recogniser, trigger="loop", looks=9)
    reads = camera.reads()

    await camera.trigger()
    read = await soon(reads)

    assert len(recogniser.pictures) == 3  # 0.9 thrice is 0.97
    assert (read.candidates[0].text, read.trusted) == ("京A12345", True)
    assert decode(read.crop).shape[1] > 40
    await reads.aclose()
    await camera.aclose()


async def test_a_person_may_look_through_the_camera_and_the_lane_hears_nothing(stream: Stream) -> None:
    recogniser = ToldRecogniser()
    recogniser.tell(plate("京A12345", 0.9))
    camera = await open_stream(stream, recogniser, trigger="loop")
    assert isinstance(camera, Viewable)
    with pytest.raises(DeviceUnreachableError, match="exit-2: no picture yet"):
        await camera.view()
    reads = camera.reads()
    waiting = asyncio.ensure_future(anext(reads))
    await asyncio.sleep(0.5)

    views = await asyncio.gather(*(camera.view() for _ in range(5)))

    assert {view.candidates[0].text for view in views} == {"京A12345"}
    assert len(recogniser.pictures) == 1
    assert not waiting.done()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await camera.aclose()


async def test_only_the_lanes_part_of_the_picture_is_looked_at(stream: Stream) -> None:
    recogniser = ToldRecogniser()
    recogniser.tell(plate("京A12345", 0.9))
    camera = await open_stream(stream, recogniser, region=(0.5, 0.5, 1.0, 1.0), looks=1)
    reads = camera.reads()
    first = asyncio.ensure_future(soon(reads))
    await asyncio.sleep(0.3)
    frame = scenes.lane().copy()
    frame[:170] = 0  # something large passes, but not in this lane
    stream.picture = jpeg(frame)
    await asyncio.sleep(0.3)
    assert not first.done()

    frame[170:] = 255
    stream.picture = jpeg(frame)
    read = await first

    assert decode(recogniser.pictures[0]).shape == (180, 320, 3)
    assert decode(read.image).shape == (360, 640, 3)
    assert read.candidates[0].box == Box(330, 190, 380, 205)  # in the whole picture
    assert read.candidates[0].corners[0] == (330.0, 190.0)
    await reads.aclose()
    await camera.aclose()


async def test_with_a_loop_motion_alone_says_nothing(stream: Stream) -> None:
    recogniser = ToldRecogniser()
    camera = await open_stream(stream, recogniser, trigger="loop")
    reads = camera.reads()
    waiting = asyncio.ensure_future(soon(reads))
    await asyncio.sleep(0.4)
    stream.picture = scenes.plate_jpeg("A12345")
    await asyncio.sleep(0.4)
    assert not waiting.done()

    recogniser.tell(SEEN)
    assert isinstance(camera, Triggerable)
    await camera.trigger()

    assert (await waiting).candidates == (SEEN,)
    await reads.aclose()
    await camera.aclose()


async def test_a_stream_that_ends_is_lost_and_reopened_by_the_next_reads(
    stream: Stream, caplog: pytest.LogCaptureFixture
) -> None:
    camera = await open_stream(stream, ToldRecogniser(), trigger="loop")
    await camera.trigger()
    reads = camera.reads()
    await soon(reads)

    with caplog.at_level(logging.INFO, logger="drivers"):
        await stream.stop()
        with pytest.raises(DeviceUnreachableError, match="exit-2"):
            await soon(reads)
        with pytest.raises(DeviceUnreachableError, match="cannot be opened"):
            await soon(camera.reads())
        await stream.start()
        await camera.trigger()
        reads = camera.reads()
        await soon(reads)

    assert [record.getMessage().split(";")[0] for record in caplog.records] == [
        "camera exit-2: sent no picture",
        "camera exit-2 is back",
    ]
    await reads.aclose()
    await camera.aclose()


@pytest.mark.parametrize("source", ["rtsp://127.0.0.1:{port}/live", "usb:97"])
async def test_a_source_that_is_not_there_fails_cleanly(source: str) -> None:
    options = VideoOptions(source.format(port=free_port()))
    camera = await open_video(options, Wiring("exit-2", recogniser=ToldRecogniser()))

    with pytest.raises(DeviceUnreachableError, match="cannot be opened"):
        await soon(camera.reads())

    await camera.aclose()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"source": "ftp://x"}, "source must start with"),
        ({"source": "usb:one"}, "number of the camera"),
        ({"source": "usb:0", "looks": 0}, "at least 1"),
        ({"source": "usb:0", "region": (0.5, 0.0, 0.5, 1.0)}, "left, top, right, bottom"),
        ({"source": "usb:0", "region": (0.0, 0.0, 1.2, 1.0)}, "fractions of the picture"),
        ({"source": "usb:0", "region": (0.0, 0.9, 1.0, 0.92)}, "at least 0.05"),
    ],
)
def test_sources_that_cannot_be_are_refused(changes: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        VideoOptions(**changes)  # type: ignore[arg-type]


async def test_a_camera_that_only_sees_needs_a_recogniser(tmp_path: Path) -> None:
    with pytest.raises(BadOptionsError, match="needs a recogniser"):
        await open_video(VideoOptions("usb:0"), Wiring("exit-2"))
    with pytest.raises(BadOptionsError, match="needs a recogniser"):
        await open_image_folder(ImageFolderOptions(tmp_path), Wiring("exit-2"))


def test_motion_is_told_once_a_vehicle_and_not_by_noise_or_slow_light() -> None:
    gate = MotionGate(0.04, quiet_s=1.0)
    car, empty = scenes.with_plate("A12345"), scenes.lane()
    told = []
    for tenth in range(120):
        here = 20 <= tenth < 50 or 80 <= tenth < 100
        light = (tenth % 3) + tenth // 12
        if gate.arrives((car if here else empty) + light, tenth / 10):
            told.append(tenth)

    assert told == [20, 80]


async def folder_camera(recogniser: ToldRecogniser, folder: Path | None, **changes: object) -> ImageFolderCamera:
    options = ImageFolderOptions(folder, poll_ms=10, **changes)  # type: ignore[arg-type]
    return await open_image_folder(options, Wiring("exit-2", recogniser=recogniser))


async def test_new_pictures_in_a_folder_are_vehicles_in_the_order_of_their_names(tmp_path: Path) -> None:
    recogniser = ToldRecogniser()
    recogniser.tell(SEEN)
    (tmp_path / "0-old.jpg").write_bytes(scenes.plate_jpeg("A00000"))
    camera = await folder_camera(recogniser, tmp_path)
    reads = camera.reads()
    first = asyncio.ensure_future(soon(reads))
    await asyncio.sleep(0.05)

    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "2.jpg").write_bytes(scenes.plate_jpeg("A22222"))
    (tmp_path / "1.jpg").write_bytes(scenes.plate_jpeg("A11111"))

    assert (await first).candidates == (SEEN,)
    assert (await soon(reads)).candidates == ()
    assert recogniser.pictures == [scenes.plate_jpeg("A11111"), scenes.plate_jpeg("A22222")]
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(reads), 0.1)
    await camera.aclose()


async def test_pictures_already_there_can_be_asked_for(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(scenes.plate_jpeg("A11111"))
    camera = await folder_camera(ToldRecogniser(), tmp_path, existing=True)

    assert (await soon(camera.reads())).image == scenes.plate_jpeg("A11111")

    await camera.aclose()


async def test_a_picture_shown_is_read_and_a_broken_one_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    camera = await folder_camera(ToldRecogniser(), None)

    await camera.show(b"broken")
    await camera.show(scenes.plate_jpeg("A11111"))
    read = await soon(camera.reads())

    assert read.image == scenes.plate_jpeg("A11111")
    assert "bytes are not a picture" in caplog.text
    await camera.aclose()


async def test_the_picture_of_the_car_before_is_not_looked_at_for_the_next() -> None:
    camera = await folder_camera(ToldRecogniser(), None)

    assert not isinstance(camera, Triggerable)

    await camera.aclose()


async def test_a_folder_that_goes_away_is_an_unreachable_camera(tmp_path: Path) -> None:
    folder = tmp_path / "card"
    camera = await folder_camera(ToldRecogniser(), folder)

    with pytest.raises(DeviceUnreachableError, match="cannot read"):
        await soon(camera.reads())

    await camera.aclose()
