"""The devices of the lot file, opened once and closed in reverse; each lane gets its own handful."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from drivers.base import Barrier, Camera, Display, Loop, Printer, Recogniser, Scanner
from drivers.registry import choose, open_device
from drivers.wiring import Wiring
from edge.settings import DeviceTable, EdgeSettings, Lane
from plumbing.paper.profile import Profile
from plumbing.settings import Problem, SettingsError, build

D = TypeVar("D")


@dataclass(frozen=True, slots=True)
class LaneDevices:
    """What one lane works with; cameras in the order of the lot file, the main one first."""

    cameras: tuple[Camera, ...] = ()
    loops: tuple[Loop, ...] = ()
    barrier: Barrier | None = None
    display: Display | None = None
    scanner: Scanner | None = None

    def named(self, lane: Lane) -> list[tuple[str, object]]:
        """All but the barrier, each under the name that the booth calls it by."""
        found: list[tuple[str, object]] = [
            *((f"camera {name}", one) for name, one in zip(lane.cameras, self.cameras, strict=True)),
            *((f"loop {name}", one) for name, one in zip(lane.reporting_loops, self.loops, strict=True)),
        ]
        single = ((f"display {lane.display}", self.display), (f"scanner {lane.scanner}", self.scanner))
        return found + [(part, one) for part, one in single if one is not None]


@dataclass(slots=True)
class LotDevices:
    """Everything by name."""

    recognisers: dict[str, Recogniser] = field(default_factory=dict)
    cameras: dict[str, Camera] = field(default_factory=dict)
    barriers: dict[str, Barrier] = field(default_factory=dict)
    loops: dict[str, Loop] = field(default_factory=dict)
    displays: dict[str, Display] = field(default_factory=dict)
    printers: dict[str, Printer] = field(default_factory=dict)
    scanners: dict[str, Scanner] = field(default_factory=dict)
    profiles: dict[str, Profile] = field(default_factory=dict)  # of printers

    def by_kind(self) -> dict[str, Mapping[str, object]]:
        """Everything but recognisers and printers, by kind and name."""
        return {
            "camera": self.cameras,
            "barrier": self.barriers,
            "loop": self.loops,
            "display": self.displays,
            "scanner": self.scanners,
        }

    def of_lane(self, lane: Lane) -> LaneDevices:
        """A lane's devices."""
        return LaneDevices(
            tuple(self.cameras[name] for name in lane.cameras),
            tuple(self.loops[name] for name in lane.reporting_loops),
            self.barriers[lane.barrier] if lane.barrier else None,
            self.displays[lane.display] if lane.display else None,
            self.scanners[lane.scanner] if lane.scanner else None,
        )


async def open_devices(settings: EdgeSettings, stack: AsyncExitStack, source: str, folder: Path) -> LotDevices:
    """Open every device; drivers connect when they are first used, so none of them keeps the lot from starting.

    Raises plumbing.settings.SettingsError for keys a driver does not know, and BadOptionsError.
    """
    lot, tables = LotDevices(), settings.devices
    opener = _Opener(stack, source, folder)
    shared: dict[str, object] = {}  # the devices of one relay board share its connection and its polls
    for name, table in tables.recognisers.items():
        lot.recognisers[name] = await opener.open("recogniser", "recognisers", name, table, Wiring(name, shared=shared))
    for name, table in tables.cameras.items():
        recogniser = opener.named(lot.recognisers, table, "recogniser", f"cameras.{name}")
        lot.cameras[name] = await opener.open("camera", "cameras", name, table, Wiring(name, recogniser, shared=shared))
    kinds: tuple[tuple[str, str, Mapping[str, DeviceTable], dict[str, Any]], ...] = (
        ("loop", "loops", tables.loops, lot.loops),
        ("barrier", "barriers", tables.barriers, lot.barriers),
        ("display", "displays", tables.displays, lot.displays),
        ("printer", "printers", tables.printers, lot.printers),
        ("scanner", "scanners", tables.scanners, lot.scanners),
    )
    for kind, at, named, held in kinds:
        for name, table in named.items():
            camera = opener.named(lot.cameras, table, "camera", f"{at}.{name}")  # loops and outputs a camera has
            if kind == "printer":
                lot.profiles[name], table = opener.profile(name, table)
            held[name] = await opener.open(kind, at, name, table, Wiring(name, None, camera, shared))
    return lot


@dataclass(frozen=True, slots=True)
class _Opener:
    stack: AsyncExitStack
    source: str
    folder: Path

    def named(self, devices: Mapping[str, D], table: DeviceTable, key: str, at: str) -> D | None:
        """The device that *key* of a table names, if it names one. Raises SettingsError."""
        if key not in table:
            return None
        if table[key] not in devices:
            known = ", ".join(sorted(devices)) or "none"
            raise SettingsError(
                self.source, [Problem(f"devices.{at}.{key}", f"no {key} {table[key]!r}; known: {known}")]
            )
        return devices[table[key]]

    def profile(self, name: str, table: DeviceTable) -> tuple[Profile, DeviceTable]:
        """How the printer likes its slips, and what is left of its table for its driver. Raises SettingsError."""
        keys = {one.name for one in fields(Profile)}
        own = {key: value for key, value in table.items() if key in keys}
        rest = {key: value for key, value in table.items() if key not in keys}
        return build(own, Profile, source=self.source, at=f"devices.printers.{name}", folder=self.folder), rest

    async def open(self, kind: str, at: str, name: str, table: DeviceTable, wiring: Wiring) -> Any:
        own = {key: value for key, value in table.items() if key not in ("recogniser", "camera")}
        chosen = choose(kind, own, source=self.source, at=f"devices.{at}.{name}", folder=self.folder)
        device = await open_device(chosen, wiring)
        if hasattr(device, "aclose"):
            self.stack.push_async_callback(device.aclose)
        return device
