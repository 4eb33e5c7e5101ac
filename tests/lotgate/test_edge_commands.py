"""The command line of an edge: made ready, run, asked, examined."""

from __future__ import annotations

import gc
import logging
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from edge.daemon import Opened
from edge.db import people
from edge.facade import Edge
from edge.lanes.devices import LotDevices
from edge.provisioning import with_database
from edge.services import passages
from edge.services.entering import enter
from edge.services.leaving import leave
from edge.settings import load_settings
from lotgate.__main__ import main
from lotgate.commands.edge import ready
from plumbing.passwords import Passwords
from tests.edge.lots import HOURLY, START, at, small_lot

LOT = """
lot_id = 7
name = "Example lot"
edge = "e1"
data = "data"

[[zones]]
name = "main"
tariffs = ["hourly.toml"]

[[lanes]]
name = "in"
direction = "entry"
source = "outside"
target = "main"

[listeners]
booth = { port = 0 }
device = { port = 0 }
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "hourly.toml").write_text(HOURLY, encoding="utf-8")
    path = tmp_path / "lot.toml"
    path.write_text(LOT, encoding="utf-8")
    return path


def test_a_running_edge_does_not_look_for_garbage_in_what_it_loaded() -> None:
    before = gc.get_freeze_count()
    try:
        ready(Opened(cast("Edge", None), cast("LotDevices", None)))

        assert gc.get_freeze_count() > before + 10_000
    finally:
        gc.unfreeze()


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Commands that run here set logging up for a program of their own."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_the_first_pin_is_shown_once_and_opens_the_booth(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["provision", "--config", str(config)]) == 0
    first = capsys.readouterr().out
    assert main(["provision", "--config", str(config)]) == 0
    second = capsys.readouterr().out

    found = re.search(r"PIN\s+(\d{6})", first)
    assert found is not None
    assert "PIN" not in second
    settings = load_settings(config)
    attendant = with_database(settings, lambda db: people.get(db.conn, "booth"))
    assert attendant is not None
    passwords = Passwords()
    assert passwords.verify_blocking(attendant.pin_hash, found[1])
    passwords.close()
    assert settings.key_file.stat().st_mode & 0o077 == 0


def test_a_claim_for_another_edge_is_refused_before_anything_is_sent(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    claim = f"http://127.0.0.1:9#claim?e=e2&k={'0' * 64}&s=SECRET"

    assert main(["provision", "--config", str(config), "--claim", claim]) == 1

    assert 'for edge "e2"' in capsys.readouterr().err


def a_day(config: Path) -> str:
    """One car in and out; returns the exit decision's id."""
    data = config.parent / "data"
    data.mkdir()
    lot = small_lot(config.parent)
    entered = enter(lot.db, lot.lot, lot.arrival("in", "京A12345"), START)
    passages.seen(lot.db, lot.lot, "in", entered.decision_id, "京A12345", START)
    left = leave(lot.db, lot.lot, lot.arrival("out", "京A12345"), at(70))
    lot.db.conn.close()
    (config.parent / "lot.db").rename(data / "lot.db")
    return left.decision_id


def test_a_decision_is_worked_out_again_to_the_same_bytes(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    decision_id = a_day(config)

    assert main(["replay", decision_id, "--config", str(config)]) == 0
    assert '"due_fen": 1000' in capsys.readouterr().out
    assert main(["replay", "nothing", "--config", str(config)]) == 2


def test_a_decision_somebody_edited_does_not_replay(config: Path) -> None:
    decision_id = a_day(config)
    with sqlite3.connect(config.parent / "data" / "lot.db") as conn:
        conn.execute("UPDATE decision SET body = CAST(replace(CAST(body AS TEXT), '1000', '1') AS BLOB)")
    conn.close()

    assert main(["replay", decision_id, "--config", str(config)]) == 1


TAMPERING = {
    "UPDATE outbox SET body = CAST(replace(CAST(body AS TEXT), '京A', '京B') AS BLOB)": "as it was written",
    "DELETE FROM outbox WHERE seq = 2": "log",
    "UPDATE stay SET paid_fen = 100": "paid is not the sum",
    "INSERT INTO posting VALUES ('x', 0, 'cash', 'FEN', 'PAID', 5, '', 0)": "does not balance",
    "INSERT INTO pulse VALUES ('x', 'out', '', '', '', 0)": "without a decision",
    "INSERT INTO voucher_counter VALUES (1, 3)": "counter",
}


def test_books_that_hold_are_said_to_hold(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a_day(config)

    assert main(["verify-ledger", "--config", str(config)]) == 0
    assert "checks hold" in capsys.readouterr().out


@pytest.mark.parametrize("statement", TAMPERING)
def test_tampering_is_found(config: Path, capsys: pytest.CaptureFixture[str], statement: str) -> None:
    a_day(config)
    conn = sqlite3.connect(config.parent / "data" / "lot.db")
    conn.execute(statement)
    conn.commit()
    conn.close()

    assert main(["verify-ledger", "--config", str(config)]) == 1
    assert TAMPERING[statement] in capsys.readouterr().out


def test_the_doctor_says_what_is_missing(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--config", str(config)]) == 1

    assert "lotgate provision" in capsys.readouterr().out


def test_the_daemon_answers_the_command_line_and_stops_at_once_when_told(config: Path) -> None:
    settings = load_settings(config)
    main(["provision", "--config", str(config)])
    command = [sys.executable, "-m", "lotgate", "edge", "--config", str(config)]
    here = Path(__file__).parents[2]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=here) as daemon:  # noqa: S603
        assert daemon.stderr is not None
        lines = iter(daemon.stderr.readline, "")
        assert any("READY" in line for line in lines)

        asked = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "lotgate", "verify-ledger", "--config", str(config)],
            capture_output=True, text=True, check=False, cwd=here,
        )  # fmt: skip
        mode = os.stat(settings.socket).st_mode & 0o777  # noqa: PTH116
        started = time.monotonic()
        daemon.send_signal(signal.SIGTERM)
        code = daemon.wait(10)

    assert (asked.returncode, mode, code) == (0, 0o600, 0)
    assert time.monotonic() - started < 3
    assert not settings.socket.exists()


COMMANDS = {"edge": 1, "doctor": 1, "verify-ledger": 1, "provision": 1}


@pytest.mark.parametrize("first_torn", [0, 3])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_damaged_database_is_one_sentence_with_what_to_do(
    config: Path, capsys: pytest.CaptureFixture[str], command: str, first_torn: int
) -> None:
    a_day(config)
    database = config.parent / "data" / "lot.db"
    pages = bytearray(database.read_bytes())
    for start in range(first_torn * 4096, len(pages), 4096):
        pages[start : start + 200] = b"\xa5" * 200
    database.write_bytes(pages)

    assert main([command, "--config", str(config)]) == COMMANDS[command]

    told = "".join(capsys.readouterr())
    assert "lot.db is damaged" in told
    assert "keep a copy" in told
    assert "Traceback" not in told


def test_a_database_another_program_holds_is_said_to_be_locked(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a_day(config)
    other = sqlite3.connect(config.parent / "data" / "lot.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    assert main(["edge", "--config", str(config)]) == 1

    other.close()
    assert "is locked by another program" in capsys.readouterr().err


def test_a_taken_port_is_named_with_its_listener(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        config.write_text(LOT.replace("booth = { port = 0 }", f"booth = {{ port = {port} }}"), encoding="utf-8")
        main(["provision", "--config", str(config)])

        assert main(["edge", "--config", str(config)]) == 1

    assert f"listeners.booth: 127.0.0.1:{port} is in use by another program" in capsys.readouterr().err


def test_a_lot_nobody_provisioned_does_not_start(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["edge", "--config", str(config)]) == 2

    assert "run lotgate provision" in capsys.readouterr().err
    assert not (config.parent / "data").exists()
