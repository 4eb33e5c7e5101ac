"""The demo as somebody runs it: a scripted day that holds, one that must not, and an end that leaves nothing behind."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.services.needs import ROOT

DAY_S = 400  # the day takes a sixth of it on two idle cores
STOP_S = 5.0
TO_CLAIM, ROUND_OVER = "  a coupon to claim", "     · 一轮完了"
PLATE = re.compile(r"[\u4e00-\u9fff][A-Z][A-Z0-9]{5}\b")
DOUBTED = "/counter：有一张券待确认。纸上不完整，点“没打出来”作废，换一张新编号的"

pytestmark = [pytest.mark.xdist_group("demo")]


def demo(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lotgate", "demo", "--port", "0", "--dir", str(folder), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=DAY_S, check=False)  # noqa: S603


def report_of(folder: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((folder / "demo.json").read_text(encoding="utf-8"))
    return report


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_every_check_of_the_scripted_day_holds(tmp_path: Path) -> None:
    ended = demo(tmp_path, "--once")

    assert ended.returncode == 0, ended.stdout + ended.stderr
    report = report_of(tmp_path)
    assert len(report["acts"]) == 26
    wrong = [(act["act"], check) for act in report["acts"] for check in act["checks"] if not check["held"]]
    assert wrong == []
    assert {name: found["wrong"] for name, found in report["invariants"].items() if found["wrong"]} == {}
    assert stat.S_IMODE((tmp_path / "demo.json").stat().st_mode) == 0o600
    assert [slip.read_bytes()[:4] for slip in (tmp_path / "slips").iterdir()] == [b"\x89PNG"]
    assert not any(is_alive(pid) for pid in report["pids"].values())
    assert report["merchant"]["password"] not in ended.stderr


def test_a_price_that_is_not_the_published_one_fails_the_day(tmp_path: Path) -> None:
    """The script's figures are its own: they do not follow what the system is told to charge."""
    published = (ROOT / "config" / "tariffs" / "g1-hongqiao-t1.toml").read_text(encoding="utf-8")
    (tmp_path / "tariff.toml").write_text(published.replace("price = 5", "price = 6"), encoding="utf-8")

    ended = demo(tmp_path, "--once")

    assert ended.returncode == 1, ended.stdout + ended.stderr
    report = report_of(tmp_path)
    wrong = [check for act in report["acts"] for check in act["checks"] if not check["held"]]
    assert ("fee", "17.00", "19.00") in [(check["what"], check["expected"], check["seen"]) for check in wrong]
    assert not report["held"]


def test_it_leaves_no_process_behind_when_it_is_killed_and_an_attendants_day_is_played_after_it(tmp_path: Path) -> None:
    killed, pids = _started(tmp_path)
    offered = _told_until(killed, TO_CLAIM)[-1].rpartition("/")[2]
    killed.kill()
    killed.communicate(timeout=30)
    deadline = time.monotonic() + 3 * STOP_S
    while left := [name for name, pid in pids.items() if is_alive(pid)]:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)

    process, pids = _started(tmp_path, "--attendant", "--patience", "0")
    assert _told_until(process, TO_CLAIM)[-1].rpartition("/")[2] == offered  # nobody has claimed it
    told = _told_until(process, ROUND_OVER)
    _stops_in_time(process, signal.SIGTERM, pids)

    assert offered[:3] == "LC1"
    assert [line for line in told if "could not be played" in line] == []
    assert told.count("     → 新纸换上了。到 " + report_of(tmp_path)["counter_url"] + DOUBTED) == 1
    _every_scene_came_to_its_end(Scenes(told, tmp_path / "edge" / "lot.db"))


@dataclass
class Scenes:
    """What was told of an attendant's day, and what the lot's books say of its cars."""

    told: list[str]
    database: Path

    def cars(self, number: int) -> list[str]:
        """The plates named in a scene, in turn; its last one is the one it is about."""
        (first,) = (at for at, line in enumerate(self.told) if line.startswith(f"{number:>2}/10 "))
        scene = itertools.takewhile(
            lambda line: not line.startswith((f"{number + 1:>2}/10 ", ROUND_OVER)), self.told[first + 1 :]
        )
        return list(dict.fromkeys(PLATE.findall("\n".join(scene))))

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as conn:
            return list(conn.execute(query, values))

    def left(self, plate: str) -> list[tuple[Any, ...]]:
        """How its stay ended, and the plate that was read when it came."""
        query = "SELECT outcome, cause, paid_fen > 0, owed_fen > 0, plate_raw = plate FROM stay WHERE plate = ?"
        return self.rows(query, plate)


def _every_scene_came_to_its_end(day: Scenes) -> None:
    """Each by what it leaves on the lot's books, and all of it is with the cloud, which was gone in between."""
    inside, paid, mended = ("", "", 0, 0, 1), ("PAID", "", 1, 0, 1), ("PAID", "", 1, 0, 0)
    acts = "SELECT act FROM act WHERE subject = (SELECT stay_id FROM stay WHERE plate = ?) ORDER BY wall_ms"

    assert [day.left(plate) for plate in day.cars(1)] == [[inside]] * 3, "arrivals"
    assert [day.left(plate) for plate in day.cars(2)] == [[paid]], "cash"
    (refunded,) = day.cars(3)
    assert day.rows(acts, refunded) == [("payment.take",), ("refund.give",)]
    assert day.left(refunded) == [paid]
    correct, read = day.cars(4)
    assert (day.left(correct), day.left(read)) == ([mended], []), "misread"
    assert day.rows(acts, correct) == [("plate.correct",), ("payment.take",)]
    (typed,) = day.cars(5)
    assert day.left(typed) == [paid]
    assert day.left(typed[:-1] + "5") == [inside], "its like stays inside"
    (unknown,) = day.cars(6)
    assert day.left(unknown) == [paid]
    assert day.rows(acts, unknown) == [("entry.add",), ("payment.take",)]
    first, second = day.cars(7)
    assert (day.left(first), day.left(second)) == ([paid], [("UNPAID", "tailgate", 0, 1, 1)])
    assert day.rows("SELECT cause FROM debt WHERE plate = ?", second) == [("tailgate",)]
    assert day.rows("SELECT state, voided FROM voucher") == [("unknown", 1)], "the slip in doubt was withdrawn"
    assert [day.left(plate) for plate in (*day.cars(9), *day.cars(10))] == [[paid], [paid]], "camera, cloud"
    (gone,) = day.cars(10)
    closed = (
        "SELECT seq <= (SELECT seq FROM acked) FROM outbox WHERE type = 'stay.closed' AND CAST(body AS TEXT) LIKE ?"
    )
    assert day.rows(closed, f"%{gone}%") == [(1,)], "what happened without the cloud has reached it"


def _stops_in_time(process: subprocess.Popen[str], number: signal.Signals, pids: dict[str, int]) -> None:
    process.send_signal(number)
    began = time.monotonic()
    process.communicate(timeout=30)

    assert time.monotonic() - began < STOP_S
    assert process.returncode == 0
    assert [name for name, pid in pids.items() if is_alive(pid)] == []


def test_eight_lanes_with_every_make_let_cars_through_and_stop(tmp_path: Path) -> None:
    process, pids = _started(tmp_path, "--lot", "eight-lanes")
    try:
        deadline = time.monotonic() + DAY_S
        while len(lanes := _lanes_passed(tmp_path / "edge" / "lot.db")) < 8:
            assert time.monotonic() < deadline, lanes
            assert process.poll() is None
            time.sleep(0.5)
    except BaseException:
        process.kill()
        raise
    _stops_in_time(process, signal.SIGINT, pids)


def _told_until(process: subprocess.Popen[str], start: str) -> list[str]:
    """What an attendant's day says up to the line that begins with *start*."""
    assert process.stdout is not None
    told = [""]
    while not told[-1].startswith(start):
        line = process.stdout.readline()
        assert line, "it ended before that"
        told.append(line.rstrip("\n"))
    return told


def _lanes_passed(database: Path) -> set[str]:
    """Lanes where a car was let through and seen to go."""
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as conn:
        return {row[0] for row in conn.execute("SELECT DISTINCT lane FROM passage WHERE kind = 'seen'")}


def _started(folder: Path, *arguments: str) -> tuple[subprocess.Popen[str], dict[str, int]]:
    """A demo that said READY, and the processes it is made of."""
    command = [sys.executable, "-m", "lotgate", "demo", "--port", "0", "--dir", str(folder), *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)  # noqa: S603
    assert process.stdout is not None
    while "READY" not in (line := process.stdout.readline()):
        assert line, "it ended before it was ready"
    return process, report_of(folder)["pids"]


def test_a_second_demo_in_the_same_folder_is_told_so(tmp_path: Path) -> None:
    from lotgate.demo.folder import Folder, held

    folder = Folder(tmp_path)
    folder.make()
    with held(folder):
        ended = demo(tmp_path)

    assert ended.returncode == 1
    assert "already runs" in ended.stderr
