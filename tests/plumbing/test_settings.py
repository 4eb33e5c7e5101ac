from __future__ import annotations

from dataclasses import dataclass, field
from datetime import time
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import pytest

from domain.fen import Fen
from plumbing.settings import SettingsError, build, load


class Direction(StrEnum):
    ENTRY = "entry"
    EXIT = "exit"


@dataclass(frozen=True, slots=True)
class Barrier:
    type: Literal["modbus_tcp", "simulated"]
    host: str = "127.0.0.1"
    pulse_tenths: int = 5


@dataclass(frozen=True, slots=True)
class Lane:
    name: str
    direction: Direction
    barrier: Barrier
    camera: dict[str, Any] = field(default_factory=dict)
    open_from: time | None = None


@dataclass(frozen=True, slots=True)
class Lot:
    lot_id: int
    lanes: tuple[Lane, ...]
    data: Path = Path("data")
    share: float = 0.5
    cap_fen: Fen | None = None
    photos: Path = Path("photos")
    size: tuple[int, int] = (0, 0)
    keys: dict[str, int] = field(default_factory=dict)
    channel: int | str = 0
    strict: bool = True

    def __post_init__(self) -> None:
        if len({lane.name for lane in self.lanes}) != len(self.lanes):
            raise ValueError("two lanes have the same name")


GOOD = """
lot_id = 7
data = "var/data"
share = 1
cap_fen = 3000
size = [640, 480]
keys = { a = 1 }
channel = "east"

[[lanes]]
name = "in"
direction = "entry"
open_from = 06:30:00
barrier = { type = "simulated" }
camera = { type = "vzenith", anything = [1, 2] }
"""


def read(folder: Path, text: str) -> Lot:
    path = folder / "lot.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, Lot)


def test_a_file_becomes_nested_values(tmp_path: Path) -> None:
    lot = read(tmp_path, GOOD)

    camera = {"type": "vzenith", "anything": [1, 2]}
    lane = Lane("in", Direction.ENTRY, Barrier("simulated"), camera, time(6, 30))
    assert lot == Lot(
        7, (lane,), tmp_path / "var/data", 1.0, Fen(3000), tmp_path / "photos", (640, 480), {"a": 1}, "east"
    )
    assert isinstance(lot.share, float)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("lot_id = 7", "lot_idd = 7", 'lot_idd: unknown key; did you mean "lot_id"?'),
        ("lot_id = 7", "", "lot_id: missing; expected a whole number"),
        ("lot_id = 7", "lot_id = true", "lot_id: expected a whole number, got true"),
        ("lot_id = 7", 'lot_id = "7"', 'lot_id: expected a whole number, got "7"'),
        ('type = "simulated"', 'type = "modbus"', 'lanes[0].barrier.type: expected one of "modbus_tcp", "simulated"'),
        ('{ type = "simulated" }', '"x"', 'lanes[0].barrier: expected a table [lanes[0].barrier], got "x"'),
        ('direction = "entry"', 'direction = "in"', 'lanes[0].direction: expected one of "entry", "exit", got "in"'),
        ('type = "simulated" }', 'type = "simulated", zzz = 1 }', "known keys: type, host, pulse_tenths"),
        ("size = [640, 480]", "size = [640]", "size: expected a list of 2, got 1"),
        ("size = [640, 480]", 'size = [640, "x"]', 'size[1]: expected a whole number, got "x"'),
        ("keys = { a = 1 }", "keys = { a = 1.5 }", "keys.a: expected a whole number, got 1.5"),
        ('channel = "east"', "channel = 1.5", "channel: expected a whole number or a text in quotes, got 1.5"),
        ("share = 1", "share = ", "not TOML"),
        ("06:30:00", '"06:30"', "lanes[0].open_from: expected a time such as 08:30:00"),
    ],
)
def test_a_wrong_file_is_refused_by_place_and_remedy(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, GOOD.replace(old, new))

    assert complaint in str(caught.value)
    assert str(tmp_path / "lot.toml") in str(caught.value)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, 'lot_id = "x"\nfoo = 1\n')

    assert [problem.at for problem in caught.value.problems] == ["foo", "lot_id", "lanes"]


def test_rules_between_fields_are_reported_at_their_table(tmp_path: Path) -> None:
    twice = GOOD + '[[lanes]]\nname = "in"\ndirection = "exit"\nbarrier = { type = "simulated" }\n'

    with pytest.raises(SettingsError, match="two lanes have the same name"):
        read(tmp_path, twice)


def test_an_absent_file_is_told_plainly(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no such file"):
        load(tmp_path / "none.toml", Lot)


def test_a_driver_reads_its_own_table_with_its_place_named() -> None:
    with pytest.raises(SettingsError) as caught:
        build({"type": "simulated", "hots": "x"}, Barrier, source="lot.toml", at="lanes[2].barrier")

    assert str(caught.value) == 'lot.toml: lanes[2].barrier.hots: unknown key; did you mean "host"?'
