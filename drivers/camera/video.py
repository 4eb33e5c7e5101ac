"""A plain camera: MJPEG, RTSP or USB through OpenCV, and a recogniser that looks when a vehicle comes."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from domain.ids import uuid7
from drivers.base import BadOptionsError, DeviceUnreachableError, PlateCandidate, PlateRead, Recogniser
from drivers.camera.looks import FrameLook, is_enough, joined
from drivers.camera.motion import MotionGate
from drivers.camera.region import WHOLE, Region, bounds, check_region, cut, shifted
from drivers.pictures import jpeg, opencv
from drivers.wiring import Wiring
from plumbing.onethread import OneThread

if TYPE_CHECKING:
    from drivers.pictures import Pixels

log = logging.getLogger(__name__)

NETWORK = ("rtsp://", "rtsps://", "http://", "https://")
USB = "usb:"
VIEW_EVERY_S = 1.0
FFMPEG_OPTIONS = "rtsp_transport;tcp|timeout;3000000"  # microseconds; UDP loses slices of the very frame we want


@dataclass(frozen=True, slots=True)
class VideoOptions:
    """*source*: ``rtsp://…``, ``http://…`` (MJPEG) or ``usb:0``. *trigger*: what makes it look for a plate."""

    source: str
    trigger: Literal["motion", "loop"] = "motion"
    looks: int = 5  # frames read a vehicle at most, until what they say together may be acted upon
    look_every_ms: int = 250
    frames_per_second: int = 8  # looked at for motion; the camera may send more
    least_change_percent: int = 4  # of the picture, to count as a vehicle
    quiet_ms: int = 1500  # stillness that ends one vehicle
    timeout_ms: int = 3000
    region: Region = WHOLE  # the lane's part of the picture; motion and plates outside it are not looked at

    def __post_init__(self) -> None:
        if not self.source.startswith((*NETWORK, USB)):
            raise ValueError(f'source must start with one of {", ".join(NETWORK)} or "{USB}"')
        if self.source.startswith(USB) and not self.source.removeprefix(USB).isdecimal():
            raise ValueError(f'source "{self.source}" must end in the number of the camera, as in "usb:0"')
        if min(self.looks, self.look_every_ms, self.frames_per_second, self.least_change_percent) < 1:
            raise ValueError("looks, look_every_ms, frames_per_second and least_change_percent must be at least 1")
        check_region(self.region)


class Capture:
    """The newest frame of a source, read by a thread that owns the device, because OpenCV's ``read`` blocks."""

    def __init__(self, name: str, options: VideoOptions) -> None:
        self._name = name
        self._options = options
        self._loop = asyncio.get_running_loop()
        self._frame: Pixels | None = None
        self._trouble = ""
        self._news = asyncio.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, name=f"camera {name}", daemon=True)
        self._thread.start()

    async def frame(self) -> Pixels:
        """The next frame that has not been given out; frames between are dropped. Raises DeviceUnreachableError."""
        await self._news.wait()
        self._news.clear()
        if self._frame is None:
            raise DeviceUnreachableError(f"camera {self._name}: {self._trouble}")
        return self._frame

    @property
    def newest(self) -> Pixels | None:
        """The last frame, given out or not; None before the first and after the last."""
        return self._frame

    async def close(self) -> None:
        """Stop the thread; it may take as long as one blocked read."""
        self._stop.set()
        await asyncio.to_thread(self._thread.join)

    def _read(self) -> None:
        device = _device(self._options)
        trouble = "cannot be opened; check its address, power and login"
        pause = 1 / self._options.frames_per_second
        given = 0.0
        while device.isOpened() and not self._stop.is_set():
            ok, pixels = device.read()
            if not ok:
                trouble = "sent no picture"
                break
            if time.monotonic() - given >= pause:
                given = time.monotonic()
                self._tell(pixels, "")
        device.release()
        self._tell(None, trouble)

    def _tell(self, pixels: Pixels | None, trouble: str) -> None:
        if not self._stop.is_set():
            self._loop.call_soon_threadsafe(self._take, pixels, trouble)

    def _take(self, pixels: Pixels | None, trouble: str) -> None:
        self._frame, self._trouble = pixels, trouble
        self._news.set()


def _device(options: VideoOptions) -> Any:
    cv2 = opencv()
    os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", FFMPEG_OPTIONS)
    if options.source.startswith(USB):
        return cv2.VideoCapture(int(options.source.removeprefix(USB)), cv2.CAP_V4L2)
    limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, options.timeout_ms, cv2.CAP_PROP_READ_TIMEOUT_MSEC, options.timeout_ms]
    return cv2.VideoCapture(options.source, cv2.CAP_FFMPEG, limits)


class VideoCamera:
    """One read a vehicle, with a picture even when no plate could be read: then a person types it."""

    def __init__(self, name: str, options: VideoOptions, recogniser: Recogniser) -> None:
        self.name = name
        self._options = options
        self._recogniser = recogniser
        self._thread = OneThread(f"recogniser {name}")
        self._triggered = asyncio.Event()
        self._capture: Capture | None = None
        self._viewing = asyncio.Lock()
        self._viewed: tuple[float, PlateRead] | None = None
        self._lost = False

    async def trigger(self) -> None:
        """Look at the next frames: the loop is occupied, or the booth wants a picture."""
        self._triggered.set()

    async def view(self) -> PlateRead:
        """The newest frame as it would be read, at most once a second: vehicles come first."""
        async with self._viewing:
            pixels = self._capture.newest if self._capture else None
            if pixels is None:
                raise DeviceUnreachableError(f"camera {self.name}: no picture yet; check its address, power and login")
            if self._viewed is None or time.monotonic() - self._viewed[0] > VIEW_EVERY_S:
                self._viewed = time.monotonic(), new_read(self.name, await self._thread.run(self._see, pixels))
            return self._viewed[1]

    async def still_there(self) -> None:
        """Raises DeviceUnreachableError while no picture comes."""
        if self._lost:
            raise DeviceUnreachableError(f"camera {self.name}: sends no picture")

    async def check(self) -> None:
        """Wait for a picture and throw it away. Raises DeviceUnreachableError."""
        if self._capture is not None:
            await self.view()
            return
        capture = Capture(self.name, self._options)
        try:
            await capture.frame()
        finally:
            await capture.close()

    async def reads(self) -> AsyncGenerator[PlateRead, None]:
        """Reads as vehicles come. Raises DeviceUnreachableError when the source is lost; call again to reopen."""
        capture = self._capture = Capture(self.name, self._options)
        gate = MotionGate(self._options.least_change_percent / 100, self._options.quiet_ms / 1000)
        try:
            while True:
                pixels = await capture.frame()
                self._came()
                lane = cut(pixels, bounds(pixels, self._options.region))
                moved = await self._thread.run(gate.arrives, lane, time.monotonic())
                if self._triggered.is_set() or (moved and self._options.trigger == "motion"):
                    self._triggered.clear()
                    yield await self._look(capture, pixels)
        except DeviceUnreachableError as exc:
            self._went(exc)
            raise
        finally:
            self._capture = None
            await capture.close()

    async def aclose(self) -> None:
        """Finish the picture at hand and end the recogniser's thread."""
        await self._thread.close()

    async def _look(self, capture: Capture, pixels: Pixels) -> PlateRead:
        """Frames until they are surely read, at most *looks*: one read of them all."""
        looks = [await self._thread.run(self._see, pixels)]
        answer = looks[0]
        while len(looks) < self._options.looks and not is_enough(looks, answer):
            await asyncio.sleep(self._options.look_every_ms / 1000)
            looks.append(await self._thread.run(self._see, await capture.frame()))
            answer = joined(looks, self._recogniser.thresholds)
        return new_read(self.name, answer)

    def _see(self, pixels: Pixels) -> FrameLook:
        lane = bounds(pixels, self._options.region)
        image = jpeg(pixels)
        seen = image if self._options.region == WHOLE else jpeg(cut(pixels, lane))
        found = tuple(shifted(one, lane.left, lane.top) for one in self._recogniser.recognise(seen))
        return FrameLook(found, image, crop_of(pixels, found))

    def _went(self, exc: DeviceUnreachableError) -> None:
        if not self._lost:
            self._lost = True
            log.warning("%s", exc)

    def _came(self) -> None:
        if self._lost:
            self._lost = False
            log.info("camera %s is back", self.name)


def crop_of(pixels: Pixels, candidates: tuple[PlateCandidate, ...]) -> bytes:
    """JPEG of the main plate with a rim around it, empty when there is none."""
    box = candidates[0].box if candidates else None
    if box is None:
        return b""
    rim = (box.bottom - box.top) // 4
    top, left = max(0, box.top - rim), max(0, box.left - rim)
    near = pixels[top : box.bottom + rim, left : box.right + rim]
    return jpeg(near) if near.size else b""


def new_read(camera: str, look: FrameLook) -> PlateRead:
    """A read made now."""
    now = time.time_ns() // 1_000_000
    return PlateRead(
        uuid7(now, os.urandom(10)), camera, look.candidates, image=look.image, crop=look.crop, taken_wall_ms=now
    )


async def open_video(options: VideoOptions, wiring: Wiring) -> VideoCamera:
    """A camera that is opened by its first ``reads``. Raises BadOptionsError without a recogniser, DeviceError."""
    if wiring.recogniser is None:
        raise BadOptionsError(f"camera {wiring.name}: type video needs a recogniser")
    await asyncio.to_thread(opencv)
    return VideoCamera(wiring.name, options, wiring.recogniser)
