"""The simulated twin of every device a lot file names, each on its real protocol: a demo's hardware in one process.

It reads the same lot file as the edge. Cameras push over HTTP, answer ISAPI or send video; relay boards speak Modbus
TCP and RTU; boards, scanner, printer and USB relay hang on pseudo-terminals.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
import zlib
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from aiohttp import web

from domain.wire import Json
from drivers.barrier.simulated import SimulatedRelayBoard
from drivers.barrier.simulated_lcus import SimulatedLcus
from drivers.barrier.simulated_rtu import SimulatedRtuBus
from drivers.camera.simulated import Sight, SimulatedVzenith
from drivers.camera.simulated_dahua import DahuaSight, SimulatedDahua
from drivers.camera.simulated_hikvision import HikvisionSight, SimulatedHikvision
from drivers.display.simulated_olm import OlmModel, SimulatedOlm
from drivers.printer.simulated import SimulatedPrinter
from drivers.printer.simulated_serial import SimulatedSerialPrinter
from drivers.serial_simulated import SimulatedSerial
from lotgate.demo.scenes import colour_of, draw_scene, draw_street
from plumbing.settings import read_table

FRAME_S = 0.1
See = Callable[[str, str, bytes], Awaitable[bool]]  # (as read, as worn, picture) -> was it taken
SetInput = Callable[[int, bool], Awaitable[None]]


class SimulatedVideo:
    """A plain network camera: MJPEG of the lane, with the car before it or without."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.picture = draw_street()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> SimulatedVideo:
        app = web.Application()
        app.router.add_get("/video", self._send)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _send(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "multipart/x-mixed-replace; boundary=frame"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(self.picture)}\r\n\r\n"
                await response.write(head.encode() + self.picture + b"\r\n")
                await asyncio.sleep(FRAME_S)
        return response


class Twins:
    """Everything of one lot file, opened on *stack*. What is told to it is what the street and its drivers do."""

    def __init__(self, lot_file: Path, stack: AsyncExitStack) -> None:
        self._folder, self._stack = lot_file.parent, stack
        self._lot = read_table(lot_file)
        self._at: dict[object, Any] = {}  # by port or by wire: what several devices share
        self._see: dict[str, See] = {}
        self._videos: dict[str, SimulatedVideo] = {}
        self._vzeniths: dict[str, SimulatedVzenith] = {}
        self._inputs: dict[str, tuple[SetInput, int]] = {}
        self._polls: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Start all of them; cameras first, for others hang on them."""
        devices = self._lot["devices"]
        for name, table in devices["cameras"].items():
            await self._open_camera(name, table)
        for kind in ("barriers", "loops", "displays", "scanners", "printers"):
            for table in devices.get(kind, {}).values():
                await self._open_other(kind, table)

    async def see(self, order: Json) -> Json:
        """A camera sees a car: *plate* as it reads it, *wears* as it is, *photo* a picture of it."""
        wears = str(order.get("wears") or order["plate"])
        photo = order.get("photo")
        image = await asyncio.to_thread(
            Path(photo).read_bytes if photo else lambda: draw_scene(wears, zlib.crc32(wears.encode()))
        )
        return {"answered": await self._see[str(order["camera"])](str(order["plate"]), wears, image)}

    async def gone(self, order: Json) -> Json:
        """Nobody is before a video camera any more."""
        if video := self._videos.get(str(order["camera"])):
            video.picture = draw_street()
        return {}

    async def loop(self, order: Json) -> Json:
        """A ground loop's contact closes or opens; *input* is the loop's name."""
        set_input, place = self._inputs[str(order["input"])]
        await set_input(place, bool(order["on"]))
        return {}

    async def _open_camera(self, name: str, table: Json) -> None:
        match table["type"]:
            case "vzenith":
                camera = await self._enter(SimulatedVzenith(self._url(table), f"demo-{name}"))
                self._vzeniths[name] = camera
                self._see[name] = lambda read, worn, image: _vzenith_sees(camera, read, worn, image)
                if table.get("comet"):
                    self._polls.add(asyncio.create_task(camera.poll(), name=f"comet {name}"))
            case "hikvision":
                device = await self._hikvision(table)
                self._see[name] = lambda read, worn, image: _hikvision_sees(device, "", read, worn, image)
            case "hikvision_push":
                pushing = SimulatedHikvision()
                self._see[name] = lambda read, worn, image: _hikvision_sees(
                    pushing, self._url(table), read, worn, image
                )
            case "dahua":
                dahua = SimulatedDahua(self._url(table))
                self._see[name] = lambda read, worn, image: _dahua_sees(dahua, read, worn, image)
            case "video":
                port = int(str(table["source"]).rpartition(":")[2].partition("/")[0])
                self._videos[name] = video = await self._enter(SimulatedVideo(port))
                self._see[name] = lambda read, worn, image: _video_shows(video, image)
            case make:
                raise ValueError(f"no twin of a {make} camera")

    async def _open_other(self, kind: str, table: Json) -> None:
        match table["type"]:
            case "modbus_tcp":
                board = await self._shared(table["port"], lambda: SimulatedRelayBoard(port=table["port"]))
                self._wire(table, board.set_input)
            case "modbus_rtu":
                bus = await self._shared(table["device"], lambda: SimulatedRtuBus(self._folder / table["device"]))
                self._wire(table, bus.boards[1].inputs.__setitem__)
            case "camera_io":
                self._wire_contact(table, self._vzeniths[table["camera"]])
            case "hikvision":
                await self._hikvision(table)
            case "lcus":
                await self._shared(table["device"], lambda: SimulatedLcus(self._folder / table["device"]))
            case "olm":
                await self._shared(table["device"], lambda: SimulatedOlm(self._folder / table["device"]))
            case "olm_camera":
                model = OlmModel()
                self._vzeniths[table["camera"]].on_serial = lambda data: _feed(model, data)
            case "serial":
                await self._shared(table["device"], lambda: SimulatedSerial(self._folder / table["device"]))
            case "escpos_network":
                await self._shared(table["port"], lambda: SimulatedPrinter(port=table["port"]))
            case "escpos_serial":
                await self._shared(table["device"], lambda: SimulatedSerialPrinter(self._folder / table["device"]))
            case "vzenith_io":
                pass  # the camera itself
            case make:
                raise ValueError(f"{kind}: no twin of a {make}")

    async def _enter(self, device: Any) -> Any:
        return await self._stack.enter_async_context(device)

    async def _shared(self, at: object, make: Callable[[], Any]) -> Any:
        if at not in self._at:
            self._at[at] = await self._enter(make())
        return self._at[at]

    async def _hikvision(self, table: Json) -> SimulatedHikvision:
        def make() -> SimulatedHikvision:
            password = (self._folder / table["password_file"]).read_text(encoding="ascii")
            device = SimulatedHikvision(table["user"], password)
            device.port = table["port"]
            return device

        found: SimulatedHikvision = await self._shared(table["port"], make)
        return found

    def _url(self, table: Json) -> str:
        secret = (self._folder / table["secret_file"]).read_text(encoding="ascii")
        return f"http://127.0.0.1:{self._lot['listeners']['device']['port']}/device/{secret}"

    def _wire(self, table: Json, set_input: Callable[[int, bool], None]) -> None:
        async def set_later(place: int, on: bool) -> None:
            set_input(place, on)

        for loop, place in table.get("inputs", {}).items():
            self._inputs[loop] = (set_later, place)

    def _wire_contact(self, table: Json, camera: SimulatedVzenith) -> None:
        async def push(place: int, on: bool) -> None:
            await camera.input_changed(place, int(on))

        for loop, place in table["inputs"].items():
            self._inputs[loop] = (push, place)


async def _vzenith_sees(camera: SimulatedVzenith, read: str, worn: str, image: bytes) -> bool:
    delivery = await camera.see(Sight(read, colour_of(worn), image=image))
    return delivery.reply is not None


async def _hikvision_sees(camera: SimulatedHikvision, url: str, read: str, worn: str, image: bytes) -> bool:
    pictures = {"detectionPicture.jpg": image}
    sight = HikvisionSight(read, uuid=uuid.uuid4().hex, colour=colour_of(worn).value, pictures=pictures)
    if url:
        return await camera.push(url, sight) == 200
    camera.see(sight)
    return camera.followers > 0


async def _dahua_sees(camera: SimulatedDahua, read: str, worn: str, image: bytes) -> bool:
    return bool(await camera.see(DahuaSight(read, colour=colour_of(worn).value.capitalize(), image=image)))


async def _video_shows(video: SimulatedVideo, image: bytes) -> bool:
    video.picture = image
    return True


def _feed(model: OlmModel, data: bytes) -> None:
    model.feed(data)
