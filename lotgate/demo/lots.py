"""The lots a demo can run: which lot file it starts from, its gates on the street, and how its devices are reached."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from domain.wire import Json
from plumbing.settings import read_table

CONFIG = Path(__file__).parents[2] / "config"
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Gate:
    """A lane of a demo's lot on the street: its camera, and how the devices' process calls its loops.

    *smart* is False where a plain camera's pictures are read by lotgate. *channel* is its barrier's on the one board
    of the small lot.
    """

    name: str
    camera: str
    smart: bool
    approach: int | str
    passage: int | str
    channel: int = -1
    zone: str = "yard"
    cameras: tuple[str, ...] = ()  # more that see the same car

    @classmethod
    def on_board(cls, name: str, camera: str, channel: int, *, smart: bool) -> Gate:
        """A gate of the small lot: everything of it hangs on one relay board."""
        return cls(name, camera, smart, channel * 2, channel * 2 + 1, channel)


Ways = tuple[tuple[Gate, float], ...]  # gates with their shares of the cars that come one after another


@dataclass(frozen=True, slots=True)
class DemoLot:
    """One kind of demo. *ways_in* and *ways_out*: cars of one entry come one after another, entries side by side."""

    name: str
    places: int
    ways_in: tuple[Ways, ...]
    ways_out: tuple[Ways, ...]
    minutes: tuple[int, int]  # pass for the lot between two cars
    table: Callable[[], Json]
    tells_all: bool = False  # the devices' process is told nothing but the written lot file
    scripted: bool = False  # has a day to play with --once
    smart: tuple[str, ...] = ()
    plain: tuple[str, ...] = ()
    secrets: tuple[str, ...] = field(default=())

    @property
    def gates(self) -> tuple[Gate, ...]:
        """Every gate."""
        return tuple(gate for ways in (*self.ways_in, *self.ways_out) for gate, _ in ways)


EAST_IN = Gate.on_board("东门入口", "east-in", 0, smart=True)
EAST_OUT = Gate.on_board("东门出口", "east-out", 1, smart=True)
WEST_IN = Gate.on_board("西门入口", "west-in", 2, smart=False)
WEST_OUT = Gate.on_board("西门出口", "west-out", 3, smart=False)

FOUR = DemoLot(
    "four-lanes",
    120,
    (((EAST_IN, 0.8), (WEST_IN, 0.2)),),
    (((EAST_OUT, 0.8), (WEST_OUT, 0.2)),),
    (4, 9),
    lambda: read_table(CONFIG / "demo.toml"),
    scripted=True,
    smart=("east-in", "east-out"),
    plain=("west-in", "west-out"),
    secrets=("east-in", "east-out"),
)


def _eight_lanes() -> Json:
    """The example of eight lanes, with the makes, names and schedules of the demo's own file."""
    lot, own = read_table(CONFIG / "lots" / "eight-lane.toml"), read_table(CONFIG / "demo-eight-lanes.toml")
    lanes = [lane | own["lanes"][lane["name"]] for lane in lot["lanes"]]
    zones = [zone | {"tariffs": [str(CONFIG / "lots" / path) for path in zone["tariffs"]]} for zone in lot["zones"]]
    kept = {key: value for key, value in lot.items() if key != "broker"}
    return kept | {
        "name": own["name"],
        "lanes": lanes,
        "zones": zones,
        "rules": own["rules"],
        "devices": own["devices"],
    }


def _gate(name: str, camera: str, zone: str, *more: str, passage: str = "", smart: bool = True) -> Gate:
    return Gate(name, camera, smart, f"{camera}-approach", passage or f"{camera}-passage", zone=zone, cameras=more)


EIGHT = DemoLot(
    "eight-lanes",
    800,
    (
        ((_gate("地面入口1", "yard-in-1", "yard"), 1.0),),
        ((_gate("地面入口2", "yard-in-2", "yard"), 1.0),),
        ((_gate("地库入口", "garage-in", "garage"), 1.0),),
        ((_gate("送货门进", "gate-in", "yard", passage="gate-passage"), 1.0),),
    ),
    (
        ((_gate("地面出口1", "yard-out-1", "yard", "yard-out-1-side"), 1.0),),
        ((_gate("地面出口2", "yard-out-2", "yard"), 1.0),),
        ((_gate("地库出口", "garage-out", "garage"), 1.0),),
        ((_gate("送货门出", "gate-out", "yard", passage="gate-passage"), 1.0),),
    ),
    (1, 2),
    _eight_lanes,
    tells_all=True,
    secrets=(
        "yard-in-1", "yard-in-2", "yard-out-1", "yard-out-1-side", "yard-out-2", "garage-in", "gate-in", "gate-out",
    ),
)  # fmt: skip

LOTS: Mapping[str, DemoLot] = {lot.name: lot for lot in (FOUR, EIGHT)}


def reached(devices: Json, ports: Mapping[str, int], secrets: str, wires: str) -> Json:
    """*devices* with this machine's ports, secret files below *secrets* and pseudo-terminals below *wires* put in."""

    def here(table: dict[str, Any]) -> dict[str, Any]:
        table = dict(table)
        if host := table.get("host"):
            table |= {"host": LOOPBACK, "port": ports[host]}
        if "source" in table:
            table["source"] = f"http://{LOOPBACK}:{ports['video']}/video"
        for key in ("secret_file", "password_file"):
            if key in table:
                table[key] = f"{secrets}/{table[key]}"
        if "device" in table:
            table["device"] = f"{wires}/{table['device']}"
        return table

    return {kind: {name: here(table) for name, table in named.items()} for kind, named in devices.items()}
