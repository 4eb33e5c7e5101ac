"""LED and voice boards of the OLM kind, on a serial port (``olm``) or behind a Vzenith camera (``olm_camera``)."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from drivers.base import BadFrameError, BadOptionsError, DeviceRefusedError, DeviceUnreachableError
from drivers.camera.vzenith_codec import SerialData
from drivers.camera.vzenith_orders import Order, TakesOrders
from drivers.display.olm_codec import (
    GREEN,
    HUSH,
    RED,
    VOLUME,
    YELLOW,
    Frame,
    Line,
    decode,
    encode,
    is_done,
    level_frame,
    line_frame,
    page_frame,
    say_frame,
    size_of,
    text_bytes,
)
from drivers.serial_port import SerialLine, SerialPort, check_baud
from drivers.wiring import Wiring

COLOURS = {"red": RED, "green": GREEN, "yellow": YELLOW}


@dataclass(frozen=True, kw_only=True)  # no slots: options with a second base of their own build on it
class BoardShape:
    """How many lines the board has, how wide they are in half characters, and their colours from the top.

    *one_message*: the card knows command 6F, so that a page and its voice travel together.
    """

    lines: int = 4
    columns: int = 8
    colours: tuple[str, ...] = ("red",)
    one_message: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.lines <= 8 or not 4 <= self.columns <= 64:
            raise ValueError(f"a board has 1 to 8 lines of 4 to 64 columns, not {self.lines} of {self.columns}")
        if not self.colours or not set(self.colours) <= set(COLOURS):
            raise ValueError(f"colours are one or more of {', '.join(COLOURS)}")

    def page(self, lines: Sequence[str]) -> list[Line]:
        """Every line of the board: what does not fit moves, what is not used is blank, what is too much is left out."""
        texts = [*lines, *[""] * self.lines][: self.lines]
        wide = [len(text_bytes(text)) > self.columns for text in texts]
        colours = [COLOURS[self.colours[min(place, len(self.colours) - 1)]] for place in range(self.lines)]
        return [
            Line(place, text, colour, scrolls)
            for place, (text, colour, scrolls) in enumerate(zip(texts, colours, wide, strict=True))
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class OlmOptions(SerialPort, BoardShape):
    """A board on a serial port of the edge. *answers*: False for cards in simplex mode, which say nothing."""

    answers: bool = True
    timeout_ms: int = 300

    def __post_init__(self) -> None:
        check_baud(self.baud)
        BoardShape.__post_init__(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class OlmCameraOptions(BoardShape):
    """A board on the RS-485 port of the camera that ``camera`` names: one that polls (comet), or over MQTT."""

    channel: int = 0


class Wire(Protocol):
    """The way to a board."""

    async def send(self, frames: Sequence[Frame]) -> None:
        """Send *frames* in order. Raises DeviceError."""
        ...

    async def check(self) -> None:
        """Whether it is there. Raises DeviceError."""
        ...

    async def aclose(self) -> None:
        """Let it go."""
        ...


class SerialWire:
    """A serial port; every frame is answered, unless the card is in simplex mode."""

    def __init__(self, line: SerialLine, *, answers: bool) -> None:
        self._line = line
        self._answers = answers

    async def send(self, frames: Sequence[Frame]) -> None:
        """Send each once its forerunner was answered. Raises DeviceUnreachableError, DeviceRefusedError."""
        for frame in frames:
            if not self._answers:
                await self._line.write(encode(frame))
                continue
            try:
                done = is_done(decode(await self._line.exchange(encode(frame), size_of)), frame)
            except BadFrameError as exc:
                raise DeviceUnreachableError(f"{self._line.name}: no answer from the board ({exc})") from exc
            if not done:
                raise DeviceRefusedError(f"{self._line.name}: the board refused command {frame.command:02X}")

    async def check(self) -> None:
        """Open the port; the board itself is asked by the next page. Raises DeviceUnreachableError."""
        await self._line.check()

    async def aclose(self) -> None:
        """Close the port."""
        await self._line.aclose()


class CameraWire:
    """The transparent RS-485 port of a Vzenith camera; nothing comes back this way."""

    def __init__(self, camera: TakesOrders, channel: int) -> None:
        self._camera = camera
        self._channel = channel

    async def send(self, frames: Sequence[Frame]) -> None:
        """All frames with one order to the camera. Raises DeviceUnreachableError."""
        await self._camera.order(Order(serial=tuple(SerialData(self._channel, encode(frame)) for frame in frames)))

    async def check(self) -> None:
        """Nothing to ask: the line is the camera's."""

    async def aclose(self) -> None:
        """Nothing to let go: the line is the camera's."""


class OlmDisplay:
    """Shows lines until the next ones; what is being said is cut short by what is said next."""

    def __init__(self, name: str, wire: Wire, shape: BoardShape) -> None:
        self.name = name
        self._wire = wire
        self._shape = shape

    async def show(self, lines: tuple[str, ...], *, speak: str = "") -> None:
        """Replace what is shown, then speak. Raises DeviceError."""
        await self._wire.send(self._frames(self._shape.page(lines), speak))

    def _frames(self, page: Sequence[Line], speak: str) -> list[Frame]:
        hush = [Frame(HUSH)] if speak else []
        if self._shape.one_message:
            with contextlib.suppress(BadFrameError):  # too long for one message: line by line then
                return [*hush, page_frame(page, speak)]
        return [*(line_frame(line) for line in page), *hush, *([say_frame(speak)] if speak else [])]

    async def set_volume(self, percent: int) -> None:
        """How loud it speaks from now on. Raises DeviceError."""
        await self._wire.send([level_frame(VOLUME, percent)])

    async def check(self) -> None:
        """Whether the line is there; nothing is shown. Raises DeviceError."""
        await self._wire.check()

    async def aclose(self) -> None:
        """Let the line go."""
        await self._wire.aclose()


async def open_olm(options: OlmOptions, wiring: Wiring) -> OlmDisplay:
    """A board whose port is opened when something is first shown."""
    line = SerialLine(f"display {wiring.name}", options, options.timeout_ms)
    return OlmDisplay(wiring.name, SerialWire(line, answers=options.answers), options)


async def open_olm_camera(options: OlmCameraOptions, wiring: Wiring) -> OlmDisplay:
    """A board behind the camera named beside it. Raises BadOptionsError when that is no polling Vzenith."""
    camera = wiring.camera
    if not isinstance(camera, TakesOrders) or not camera.takes_orders_always:
        raise BadOptionsError(
            f'display {wiring.name}: olm_camera needs camera = "…", a vzenith camera with comet = true or a '
            "vzenith_mqtt camera"
        )
    return OlmDisplay(wiring.name, CameraWire(camera, options.channel), options)
