"""What a device can do, in one small Protocol an ability, and what readings look like.

A driver turns one make's wire protocol into these. Its library's types and errors stop at its own file.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from domain.plate import PlateColour, PlateKind, PlateVerdict, classify, normalise
from domain.plate_reading import Reading, Thresholds


class Fault(StrEnum):
    """What is wrong with a device, for words that say what to do next."""

    ABSENT = "absent"  # no such port, no such file: not plugged in, or another name
    FORBIDDEN = "forbidden"  # this account may not open it
    BUSY = "busy"  # another program holds it
    SILENT = "silent"
    LOGIN = "login"  # user or password refused
    LOGIN_HELD = "login_held"  # not tried again for a while, or the device locks the account
    BROKER = "broker"  # the server between us and the device is away
    REFUSED = "refused"
    STUCK = "stuck"  # an output that does not follow
    NONSENSE = "nonsense"  # it answers, and not what its protocol says
    SETTING = "setting"  # the lot file


class DeviceError(Exception):
    """A device did not do what it was asked; the message says which and what to check."""

    fault = Fault.REFUSED

    def __init__(self, message: str = "", fault: Fault | None = None) -> None:
        super().__init__(message)
        if fault is not None:
            self.fault = fault


class Trouble(str):
    """What a driver said is wrong, with its fault behind it, so that a page can tell it in its reader's language."""

    __slots__ = ("fault",)
    fault: Fault

    @classmethod
    def of(cls, error: DeviceError) -> Trouble:
        """What *error* says."""
        said = cls(error)
        said.fault = error.fault
        return said


class DeviceUnreachableError(DeviceError):
    """No answer in time, connection lost or never made."""

    fault = Fault.SILENT


class NothingSentError(DeviceUnreachableError):
    """It could not be reached at all, so nothing of what was to be sent went out."""


class DeviceRefusedError(DeviceError):
    """The device answered, and the answer was no."""


class BadFrameError(DeviceError):
    """Bytes that are not what the protocol says; the lane goes on without them."""

    fault = Fault.NONSENSE


class BadOptionsError(DeviceError):
    """The lot file asks for something a driver does not know; the message names the place and what is allowed."""

    fault = Fault.SETTING


@dataclass(frozen=True, slots=True)
class Box:
    """Pixels of the frame, right and bottom exclusive."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True)
class PlateCandidate:
    """One plate as a recogniser or camera believes it. *confidence* is 0-100; *text* is "" when unread.

    *verdict* is ACCEPT only where the read may open a barrier by itself. *readings* are the likeliest texts, best
    first, and *corners* the plate's own in pixels (top left, top right, bottom right, bottom left) where an engine of
    ours looked; a camera that reads by itself gives neither.
    """

    text: str
    confidence: float
    colour: PlateColour = PlateColour.UNKNOWN
    box: Box | None = None
    verdict: PlateVerdict = PlateVerdict.ASK
    readings: tuple[Reading, ...] = ()
    corners: tuple[tuple[float, float], ...] = ()

    @property
    def kind(self) -> PlateKind | None:
        """What the form of its text says, None for no form of GA 36."""
        return classify(normalise(self.text))


@dataclass(frozen=True, slots=True)
class PlateRead:
    """One push of a camera, or one look of a recogniser at a frame.

    *read_id* is stable over resends of the same record (serial number + plate id), so the lane can drop copies.
    *live* is False for replayed records: they are kept as facts and never open a barrier.
    """

    read_id: str
    camera: str
    candidates: tuple[PlateCandidate, ...]
    live: bool = True
    image: bytes = field(default=b"", repr=False)  # JPEG of the frame, "" when none
    crop: bytes = field(default=b"", repr=False)  # JPEG of the plate
    taken_wall_ms: int | None = None  # the camera's own clock, for the record only

    @property
    def trusted(self) -> bool:
        """Whether its best candidate may act by itself; otherwise a person confirms it."""
        return bool(self.candidates) and self.candidates[0].verdict is PlateVerdict.ACCEPT


@dataclass(frozen=True, slots=True)
class LoopChange:
    """A vehicle came onto (or left) a ground loop or other input."""

    loop: str
    occupied: bool


@dataclass(frozen=True, slots=True)
class ListedCar:
    """A plate that a camera may let in by itself, between two moments that carry a zone."""

    plate: str
    begins: datetime
    ends: datetime


class Barrier(Protocol):
    """A boom gate. One call, one pulse timed by the board; closing belongs to its own controller."""

    async def open(self) -> None:
        """Pulse once. Raises DeviceError; is never repeated by itself, whatever happened (I22)."""
        ...

    async def prepare(self) -> None:
        """Write every output off (but those held) and read it back, at start. Raises DeviceError."""
        ...

    async def aclose(self) -> None:
        """Let the line go; safe to call twice."""
        ...


@runtime_checkable
class Holdable(Protocol):
    """A barrier that can be latched open (fire, convoy): a state, not a pulse, so both calls may be repeated."""

    async def hold(self) -> None:
        """Latch open until ``release``; from this call on ``prepare`` keeps it so. Raises DeviceError."""
        ...

    async def release(self) -> None:
        """Let go of the latch, if it is held; the gate's own controller closes it. Raises DeviceError."""
        ...


class Loop(Protocol):
    """Vehicle-presence inputs of a lane."""

    def changes(self) -> AsyncIterator[LoopChange]:
        """Every change, debounced, starting with the present state. Raises DeviceUnreachableError."""
        ...

    async def aclose(self) -> None:
        """Let the line go; safe to call twice."""
        ...


class Camera(Protocol):
    """Delivers plate reads for one lane, by push or by looking at video."""

    def reads(self) -> AsyncIterator[PlateRead]:
        """Every read once, or again with the same read_id. Raises DeviceUnreachableError when the device is lost."""
        ...

    async def aclose(self) -> None:
        """Let the line go; safe to call twice."""
        ...


@runtime_checkable
class Triggerable(Protocol):
    """A camera that can be asked to look now (loop occupied, or the booth wants a picture)."""

    async def trigger(self) -> None:
        """Look once at the present frame; what is seen arrives through ``reads``. Raises DeviceError."""
        ...


@runtime_checkable
class Snapshots(Protocol):
    """A camera that gives a picture of what it sees, without reading it."""

    async def snapshot(self) -> bytes:
        """A JPEG of now. Raises DeviceError."""
        ...


@runtime_checkable
class HasClock(Protocol):
    """A device whose clock can be set."""

    async def set_clock(self, now: datetime) -> None:
        """Set it to *now*, which has a zone. Raises DeviceError."""
        ...


@runtime_checkable
class ListHolding(Protocol):
    """A camera that keeps a list of plates, to let in by itself while nobody answers it. Whether it does that at other
    times too is a setting of its own that no driver can see."""

    list_batch: int  # how many at a time

    async def list_cars(self, cars: Sequence[ListedCar]) -> None:
        """Write or renew them; said again does no harm. Raises DeviceError."""
        ...

    async def unlist_cars(self, plates: Sequence[str]) -> None:
        """Strike them out; one that is not there is no error. Raises DeviceError."""
        ...


@runtime_checkable
class ListReadable(Protocol):
    """A camera whose list can be read back."""

    async def unlisted(self, plates: Sequence[str]) -> set[str]:
        """Which of *plates* it does not hold. Raises DeviceError."""
        ...


@runtime_checkable
class Checkable(Protocol):
    """A device that can say whether it is there, without moving or showing anything."""

    async def check(self) -> None:
        """Raises DeviceError when it does not answer as it should."""
        ...


@runtime_checkable
class Watchable(Protocol):
    """A device whose loss would not show by itself until it is needed."""

    async def still_there(self) -> None:
        """Raises DeviceError when it is gone; cheap enough to be asked every second, and moves nothing."""
        ...


@runtime_checkable
class Viewable(Protocol):
    """A camera whose present picture can be read for a person who sets it up."""

    async def view(self) -> PlateRead:
        """What it sees now; the lane hears nothing of it. Raises DeviceUnreachableError without a picture."""
        ...


@runtime_checkable
class HasInputs(Protocol):
    """A camera with dry-contact inputs of its own, where a loop detector may be wired."""

    def input_changes(self, source: int, loop: str) -> AsyncIterator[LoopChange]:
        """Changes of input *source* under the name *loop*; nothing is known before the first push."""
        ...


class Recogniser(Protocol):
    """Finds plates in a picture. Called in a thread; must not keep state between calls.

    *thresholds* say what a reading of it is worth, also one that was joined out of several pictures.
    """

    @property
    def thresholds(self) -> Thresholds: ...

    def recognise(self, image: bytes) -> tuple[PlateCandidate, ...]:
        """Best candidate first; an empty tuple when no plate is seen. Raises BadFrameError on a broken picture."""
        ...


class Display(Protocol):
    """Tells the driver something, on a board or aloud. Lines are plain text, already in the right language."""

    async def show(self, lines: tuple[str, ...], *, speak: str = "") -> None:
        """Replace what is shown; *speak* is said aloud where the board has a voice. Raises DeviceError."""
        ...

    async def aclose(self) -> None:
        """Let the line go; safe to call twice."""
        ...


@runtime_checkable
class Audible(Protocol):
    """A display with a voice."""

    async def set_volume(self, percent: int) -> None:
        """How loud it speaks from now on, 10 to 100. Raises DeviceError."""
        ...


class Scanner(Protocol):
    """Reads codes off paper and telephones."""

    def scans(self) -> AsyncIterator[str]:
        """The text of every code held before it, each once while it stays there. Raises DeviceUnreachableError."""
        ...

    async def aclose(self) -> None:
        """Let the line go; safe to call twice."""
        ...


class PrinterStatus(StrEnum):
    """What a printer last said of itself."""

    READY = "ready"
    PAPER_LOW = "paper_low"
    PAPER_OUT = "paper_out"
    COVER_OPEN = "cover_open"
    CUTTER = "cutter"  # its knife is stuck
    OFFLINE = "offline"
    FAULT = "fault"
    UNKNOWN = "unknown"  # many cheap units never answer


class Printer(Protocol):
    """Puts bytes on paper and says what it knows of the outcome."""

    async def print(self, data: bytes) -> PrinterStatus:
        """Send *data* whole (it ends with its own cut) and hear how it went; UNKNOWN where nothing is heard.

        Raises NothingSentError when no byte went out, else DeviceError: what reached the paper is then unknown.
        """
        ...

    async def status(self) -> PrinterStatus:
        """What the printer says now; UNKNOWN when it does not answer in time. Raises DeviceUnreachableError."""
        ...

    async def aclose(self) -> None:
        """Let the line go; safe to call twice."""
        ...
