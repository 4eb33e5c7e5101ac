"""What a lot runs by is told when it changes, without secrets, and comes back where nothing stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.services.lot_files import keep_files, lot_files, write_missing
from edge.settings import load_settings
from plumbing.paper.shipped import shipped_text
from tests.edge.lots import HOURLY, at, small_lot
from tests.lotgate.test_edge_commands import LOT


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / "etc" / "lots"
    (folder.parent / "tariffs").mkdir(parents=True)
    folder.mkdir()
    (folder.parent / "tariffs" / "hourly.toml").write_text(HOURLY, encoding="utf-8")
    path = folder / "lot.toml"
    path.write_text(LOT.replace("hourly.toml", "../tariffs/hourly.toml"), encoding="utf-8")
    return path


def test_files_are_told_once_and_again_when_they_change(config: Path, tmp_path: Path) -> None:
    lot = small_lot(tmp_path)
    files = lot_files(load_settings(config), config)

    told = [keep_files(lot.db, files, at(0)), keep_files(lot.db, files, at(1))]
    config.write_text(config.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    told.append(keep_files(lot.db, lot_files(load_settings(config), config), at(2)))

    assert sorted(files) == ["../tariffs/hourly.toml", "lot.toml"]
    assert told == [2, 0, 1]
    assert lot.types() == ["settings.kept"] * 3


def test_an_own_layout_of_a_slip_is_told_too(config: Path) -> None:
    (config.parent / "ticket.toml").write_text(shipped_text("ticket"), encoding="utf-8")
    with config.open("a", encoding="utf-8") as file:
        file.write('\n[[slips]]\nslip = "ticket"\nlayout = "ticket.toml"\n')

    assert lot_files(load_settings(config), config)["ticket.toml"] == shipped_text("ticket")


def test_a_file_with_a_login_written_into_it_stays_here(config: Path) -> None:
    with config.open("a", encoding="utf-8") as file:
        file.write("# rtsp://admin:hunter2@192.168.1.5/live\n")

    assert list(lot_files(load_settings(config), config)) == ["../tariffs/hourly.toml"]


def test_what_is_missing_is_written_and_nothing_else(config: Path, tmp_path: Path) -> None:
    files = {**lot_files(load_settings(config), config), "../../../outside": "x"}
    blank = tmp_path / "new" / "etc" / "lots" / "lot.toml"
    blank.parent.mkdir(parents=True)
    blank.write_text("mine", encoding="utf-8")

    written = write_missing(files, blank)

    assert [path.name for path in written] == ["hourly.toml"]
    assert blank.read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "outside").exists()
