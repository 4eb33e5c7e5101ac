"""A camera made of files: each new picture in a folder, or each picture shown to it, is one vehicle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from drivers.base import BadFrameError, BadOptionsError, DeviceUnreachableError, Fault, PlateRead, Recogniser
from drivers.camera.looks import FrameLook
from drivers.camera.video import log, new_read
from drivers.pictures import MAX_PICTURE, PICTURE_ENDINGS, as_jpeg, opencv
from drivers.wiring import Wiring
from plumbing.onethread import OneThread

WAITING = 64


@dataclass(frozen=True, slots=True)
class ImageFolderOptions:
    """*folder* is watched for new pictures, in the order of their names; without one only ``show`` feeds it."""

    folder: Path | None = None
    poll_ms: int = 200
    existing: bool = False  # True: pictures already there at start are vehicles too


class ImageFolderCamera:
    """Hands pictures, and nothing else of their files, to the recogniser.

    It cannot be triggered: the last picture is of the car before, and must not be read for this one.
    """

    def __init__(self, name: str, options: ImageFolderOptions, recogniser: Recogniser) -> None:
        self.name = name
        self._options = options
        self._recogniser = recogniser
        self._thread = OneThread(f"recogniser {name}")
        self._shown: asyncio.Queue[bytes] = asyncio.Queue(WAITING)
        self._sizes: dict[Path, int] = {}  # a file is taken once its size holds for one poll
        self._taken: set[Path] | None = None

    async def show(self, image: bytes) -> None:
        """Put *image* before the camera; waits while too many are unread."""
        await self._shown.put(image)

    async def reads(self) -> AsyncIterator[PlateRead]:
        """One read a picture; files that are no pictures are logged and left out."""
        while True:
            for image in await self._thread.run(self._new_files):
                await self._shown.put(image)
            try:
                async with asyncio.timeout(self._options.poll_ms / 1000):
                    image = await self._shown.get()
            except TimeoutError:
                continue
            try:
                yield await self._thread.run(self._read, image)
            except BadFrameError as exc:
                log.warning("camera %s: %s", self.name, exc)

    async def aclose(self) -> None:
        """Finish the picture at hand and end the thread."""
        await self._thread.close()

    def _read(self, image: bytes) -> PlateRead:
        picture = as_jpeg(image)
        return new_read(self.name, FrameLook(self._recogniser.recognise(picture), picture))

    def _new_files(self) -> list[bytes]:
        """Pictures that have come and are whole; at most as many as may wait. Raises DeviceUnreachableError."""
        if self._options.folder is None:
            return []
        try:
            files = [path for path in self._options.folder.iterdir() if path.suffix.lower() in PICTURE_ENDINGS]
            sizes = {path: path.stat().st_size for path in files}
        except OSError as exc:
            raise DeviceUnreachableError(
                f"camera {self.name}: cannot read {self._options.folder}", Fault.ABSENT
            ) from exc
        if self._taken is None:
            self._taken = set() if self._options.existing else set(sizes)
        new = sorted(path for path in sizes if path not in self._taken and sizes[path] == self._sizes.get(path))
        chosen = new[: WAITING - self._shown.qsize()]
        self._taken = (self._taken & set(sizes)) | set(chosen)
        self._sizes = sizes
        return [path.read_bytes() for path in chosen if 0 < sizes[path] <= MAX_PICTURE]


async def open_image_folder(options: ImageFolderOptions, wiring: Wiring) -> ImageFolderCamera:
    """A camera over a folder. Raises BadOptionsError without a recogniser, DeviceError without OpenCV."""
    if wiring.recogniser is None:
        raise BadOptionsError(f"camera {wiring.name}: type image_folder needs a recogniser")
    await asyncio.to_thread(opencv)
    return ImageFolderCamera(wiring.name, options, wiring.recogniser)
