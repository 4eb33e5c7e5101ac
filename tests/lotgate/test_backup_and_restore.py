"""Copies of databases: made while they are in use, put back only where nothing newer is lost."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from cloud.db import open_engine, upgrade
from edge.db import log, stays
from edge.provisioning import with_database
from edge.services.entering import enter
from edge.settings import load_settings
from lotgate.__main__ import main
from tests.edge.lots import START, SmallLot, at, small_lot
from tests.lotgate.test_edge_commands import LOT

CARS = ("京A12345", "粤B98765")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "lot.toml"
    path.write_text(LOT.replace('data = "data"', 'data = "."'), encoding="utf-8")
    return path


@pytest.fixture
def lot(tmp_path: Path) -> SmallLot:
    lot = small_lot(tmp_path)
    enter(lot.db, lot.lot, lot.arrival("in", CARS[0]), START)
    return lot


def copies(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.db"))


def inside(config: Path) -> int:
    return with_database(load_settings(config), lambda db: stays.count_open(db.conn))


def test_a_lots_copy_is_whole_and_goes_back_after_the_disk_broke(
    config: Path, lot: SmallLot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lot.db.close()
    assert main(["backup", "--config", str(config), str(tmp_path / "stick")]) == 0
    (copy,) = copies(tmp_path / "stick")
    (tmp_path / "lot.db").write_bytes(b"torn" * 4096)

    assert main(["restore", "--config", str(config), str(copy)]) == 0

    assert "the old database is" in capsys.readouterr().out
    assert inside(config) == 1
    assert (tmp_path / "lot.db").stat().st_mode & 0o077 == 0


def test_a_copy_never_goes_over_a_database_that_goes_further(
    config: Path, lot: SmallLot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lot.db.close()
    main(["backup", "--config", str(config), str(tmp_path / "stick")])
    (copy,) = copies(tmp_path / "stick")
    later = small_lot(tmp_path)
    enter(later.db, later.lot, later.arrival("in", CARS[1]), at(1))
    end = log.newest(later.db.conn).seq
    later.db.close()

    assert main(["restore", "--config", str(config), str(copy)]) == 1

    assert f"the database here at {end}" in capsys.readouterr().err
    assert inside(config) == 2


@pytest.mark.parametrize("harm", ["bytes", "beside", "edge"])
def test_a_copy_that_is_not_what_was_made_is_refused(config: Path, lot: SmallLot, tmp_path: Path, harm: str) -> None:
    lot.db.close()
    main(["backup", "--config", str(config), str(tmp_path / "stick")])
    (copy,) = copies(tmp_path / "stick")
    if harm == "bytes":
        copy.write_bytes(copy.read_bytes()[:-100] + b"x" * 100)
    elif harm == "beside":
        copy.with_suffix(".json").unlink()
    else:
        config.write_text(config.read_text(encoding="utf-8").replace('edge = "e1"', 'edge = "e2"'), encoding="utf-8")
    before = (tmp_path / "lot.db").read_bytes()

    assert main(["restore", "--config", str(config), str(copy)]) == 1
    assert (tmp_path / "lot.db").read_bytes() == before


def test_a_clouds_copy_is_made_while_it_writes_and_is_of_one_moment(tmp_path: Path) -> None:
    config = tmp_path / "cloud.toml"
    config.write_text(f'data = "{tmp_path / "cloud"}"\nlisten.port = 9\n', encoding="utf-8")
    (tmp_path / "cloud").mkdir()
    engine = open_engine(f"sqlite:///{tmp_path / 'cloud' / 'cloud.sqlite'}")
    upgrade(engine)
    with engine.begin() as conn:  # a writer in the middle of something
        conn.exec_driver_sql("INSERT INTO operator (name, created_ms) VALUES ('not yet', 0)")
        assert main(["backup", "--config", str(config), "--cloud", str(tmp_path / "copies")]) == 0
    engine.dispose()
    (copy,) = copies(tmp_path / "copies")

    assert sqlite3.connect(copy).execute("SELECT count(*) FROM operator").fetchone() == (0,)
    assert main(["restore", "--config", str(config), "--cloud", str(copy)]) == 0
    assert main(["backup", "--config", str(config), "--cloud", str(tmp_path / "missing" / "no" / "such")]) == 0
