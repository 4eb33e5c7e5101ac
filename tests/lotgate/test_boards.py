from __future__ import annotations

from pathlib import Path

import pytest

from lotgate.__main__ import main
from tests.edge.lots import HOURLY

LOT = """
lot_id = 1
name = "示例"

[[zones]]
name = "main"
tariffs = ["hourly.toml"]

[[lanes]]
name = "in"
direction = "entry"
source = "outside"
target = "main"
display = "in"

[devices.displays.in]
type = "olm"
device = "/dev/ttyUSB0"
lines = 2
colours = ["red", "green"]

[[boards.texts]]
event = "welcome"
lines = ["{plate}"]
"""


def test_every_event_of_every_lane_is_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "hourly.toml").write_text(HOURLY, encoding="utf-8")
    (tmp_path / "lot.toml").write_text(LOT, encoding="utf-8")

    assert main(["boards", "--config", str(tmp_path / "lot.toml"), str(tmp_path / "pages")]) == 0

    assert (tmp_path / "pages" / "in refuse.lot_full.png").read_bytes().startswith(b"\x89PNG")
    assert "in welcome.png" in capsys.readouterr().out


def test_a_text_that_cannot_be_filled_is_told_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "hourly.toml").write_text(HOURLY, encoding="utf-8")
    (tmp_path / "lot.toml").write_text(LOT.replace("{plate}", "{plte}"), encoding="utf-8")

    assert main(["boards", "--config", str(tmp_path / "lot.toml"), str(tmp_path / "pages")]) == 2

    assert "boards.texts[0]: no variable {plte}" in capsys.readouterr().err
