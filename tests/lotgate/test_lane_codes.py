"""The codes to put up at the lanes: the ones the pages answer to."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.driver_page import lane_code
from lotgate.__main__ import main

CONFIG = Path(__file__).parents[2] / "config" / "lots" / "two-lane.toml"


def test_every_lane_has_its_address_and_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lane-codes", "--config", str(CONFIG), "--url", "https://lot.example", str(tmp_path)]) == 0

    lines = dict(line.split("\t") for line in capsys.readouterr().out.splitlines())
    assert len(lines) == 3
    assert lines.pop("pay") == "https://park.example.com/pay/1"
    assert "<svg" in (tmp_path / "pay.svg").read_text()
    for lane, url in lines.items():
        assert url.startswith("https://lot.example/lane/")
        assert len(url.rpartition("/")[2]) == len(lane_code(1, "x"))
        assert "<svg" in (tmp_path / f"{lane}.svg").read_text()


def test_a_lot_file_that_is_none_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lane-codes", "--config", str(tmp_path / "none.toml")]) == 2
    assert "none.toml" in capsys.readouterr().err
