"""The lot of the week: the example of eight lanes, its devices those of the street, its yard small enough to fill.

What a car owes from an earlier visit is asked for at the exit; at night nobody attends.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from edge.settings import Arrears, Devices, EdgeSettings, Listener, Listeners, load_settings

EXAMPLE = Path(__file__).parents[2] / "config" / "lots" / "eight-lane.toml"
STREET = {"type": "street"}
NIGHT = "22:00-07:00"  # nobody sits in the booth


def week_lot(data: Path, edge: str, places: dict[str, int]) -> EdgeSettings:
    """The lot file with every device ``street``; *places* by zone."""
    lot = load_settings(EXAMPLE)
    kinds = {
        kind: {name: dict(STREET) for name in getattr(lot.devices, kind)}
        for kind in ("cameras", "barriers", "loops", "printers")
    }
    return replace(
        lot,
        lot_id=1,
        edge=edge,
        data=data,
        devices=Devices(**kinds),
        listeners=Listeners(Listener(), Listener()),
        lanes=tuple(replace(lane, attended=True, unattended=(NIGHT,)) for lane in lot.lanes),
        zones=tuple(replace(zone, places=places.get(zone.name, zone.places)) for zone in lot.zones),
        rules=replace(lot.rules, arrears=Arrears.COLLECT),
        broker=None,
    )
