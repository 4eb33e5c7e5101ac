"""The lot file: what a good one gives, and that a bad one is refused with the place named."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.plate import PlateKind
from domain.stay import Direction
from edge.settings import load_settings
from plumbing.settings import SettingsError

LOT = """
lot_id = 7
name = "Example lot"
time_zone = "Asia/Shanghai"

[[zones]]
name = "main"
tariffs = ["tariff.toml"]

[[lanes]]
name = "in"
direction = "entry"
source = "outside"
target = "main"
cameras = ["front"]
barrier = "arm"

[devices.cameras.front]
type = "vzenith"
secret = "0123456789abcdef"

[devices.barriers.arm]
type = "simulated"

[rules]
free_kinds = ["police"]
leave_within_min = 20
"""


LANE_AGAIN = """
[[lanes]]
name = "in"
direction = "exit"
source = "main"
target = "outside"

[devices.cameras.front]
"""


TARIFF = 'tariffs = ["tariff.toml"]'
SHARED = 'charge = "shared_cap"\nshared_cap_fen = '


def zone(name: str, inside: str) -> str:
    return f'[[zones]]\nname = "{name}"\n{TARIFF}\ninside = "{inside}"\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "lot.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_lot_file_becomes_values(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, LOT))

    assert settings.lanes[0].direction is Direction.ENTRY
    assert settings.zones[0].tariffs == (tmp_path / "tariff.toml",)
    assert settings.rules.free_kinds == (PlateKind.POLICE,)
    assert settings.rules.for_decisions().leave_within_min == 20
    assert settings.listeners.booth.host == "127.0.0.1"
    assert settings.listeners.counter is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('source = "outside"', 'source = "nowhere"', "no zone 'nowhere'"),
        ('cameras = ["front"]', 'cameras = ["back"]', "no camera 'back'"),
        ('barrier = "arm"', 'barrier = "leg"', "no barrier 'leg'"),
        ('time_zone = "Asia/Shanghai"', 'time_zone = "Asia/Nowhere"', "no zone is called"),
        ("leave_within_min", "leave_in_min", "leave_within_min"),
        ('target = "main"', 'target = "outside"', "from one zone to another"),
        ('tariffs = ["tariff.toml"]', "", r"zones\[0\]: tariffs: name at least one price list"),
        (
            'tariffs = ["tariff.toml"]',
            'tariffs = ["tariff.toml"]\nplaces = -6',
            r"zones\[0\]: places must be 1 or more",
        ),
        ("[[lanes]]", '[[zones]]\nname = "outside"\ntariffs = ["t"]\n[[lanes]]', "'outside' is the street's own name"),
        ('time_zone = "Asia/Shanghai"', 'locale = "fr"', "locale: expected one of zh-CN, en, got 'fr'"),
        ("[devices.cameras.front]", LANE_AGAIN, "lanes: 'in' is given twice"),
        (TARIFF, f'{TARIFF}\ninside = "yard"', "zone main: no other zone 'yard'; known: main"),
        (TARIFF, f'{TARIFF}\ninside = "main"', "zone main: no other zone 'main'"),
        ("[[lanes]]", f"{zone('yard', 'main')}{zone('cage', 'yard')}[[lanes]]", "yard is inside main; zones nest once"),
        (TARIFF, f'{TARIFF}\ncharge = "both"', "name that zone with inside"),
        ("[[lanes]]", f'{zone("yard", "main")}charge = "shared_cap"\n[[lanes]]', "shared_cap_fen belongs to charge"),
        ("[[lanes]]", f"{zone('yard', 'main')}shared_cap_fen = 5\n[[lanes]]", "shared_cap_fen belongs to charge"),
        (
            "[[lanes]]",
            f"{zone('a', 'main')}{SHARED}5\n{zone('b', 'main')}{SHARED}6\n[[lanes]]",
            "must name the same shared_cap_fen",
        ),
        (
            "[[lanes]]",
            '[[slips]]\nslip = "menu"\n[[lanes]]',
            r"slips\[0\]: .*no slip 'menu'; there are voucher, receipt",
        ),
        (
            "[[lanes]]",
            '[[slips]]\nslip = "ticket"\nlayout = "no.toml"\n[[lanes]]',
            r"slips\[0\]: layout .*no.toml cannot be read",
        ),
        (TARIFF, f"{TARIFF}\nplaces = 3\nkept_places = 4", "kept_places must be 0 to places"),
        (TARIFF, f"{TARIFF}\nclass_places = {{ large = -1 }}", "class_places must be 0 or more"),
        ("[[lanes]]", "[broker]\nlongest_wait_s = 0\n[[lanes]]", "longest_wait_s is 1 or more"),
    ],
)
def test_a_wrong_key_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        load_settings(write(tmp_path, LOT.replace(old, new)))
