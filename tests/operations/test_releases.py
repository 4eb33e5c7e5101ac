"""Switching releases: one link, never missing, and back by itself when the new one does not come up."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.services.needs import ROOT


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A machine with two releases, of which none runs yet."""
    for name in ("0.1.0-a", "0.2.0-b"):
        program = tmp_path / "releases" / name / "bin" / "lotgate"
        program.parent.mkdir(parents=True)
        _script(program, "exit 0")
    return tmp_path


def _script(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def release(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LOTGATE_ROOT": str(place), "SYSTEMCTL": str(place / "systemctl")}
    if not (place / "systemctl").exists():
        _script(place / "systemctl", f"echo $* >> {place}/asked")
    command = [str(ROOT / "scripts" / "release.sh"), *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603


def runs(place: Path) -> str:
    return (place / "current").readlink().name


def test_switching_points_the_link_and_restarts_what_runs(place: Path) -> None:
    done = release(place, "switch", "0.1.0-a")

    assert (done.returncode, runs(place)) == (0, "0.1.0-a")
    assert (place / "asked").read_text().split() == [
        "try-restart",
        "lotgate-edge.service",
        "try-restart",
        "lotgate-cloud.service",
    ]


def test_back_returns_to_the_release_before(place: Path) -> None:
    release(place, "switch", "0.1.0-a")
    release(place, "switch", "0.2.0-b")

    done = release(place, "back")

    assert (done.returncode, runs(place)) == (0, "0.1.0-a")


def test_a_release_that_does_not_come_up_is_left_at_once(place: Path) -> None:
    release(place, "switch", "0.1.0-a")
    _script(place / "systemctl", f"case $(readlink {place}/current) in *0.2.0-b) exit 1;; esac")

    done = release(place, "switch", "0.2.0-b")

    assert (done.returncode, runs(place)) == (1, "0.1.0-a")
    assert "0.2.0-b did not come up; releases/0.1.0-a runs again" in done.stderr


def test_a_release_that_cannot_even_start_changes_nothing(place: Path) -> None:
    release(place, "switch", "0.1.0-a")
    _script(place / "releases" / "0.2.0-b" / "bin" / "lotgate", "exit 3")

    done = release(place, "switch", "0.2.0-b")

    assert (done.returncode, runs(place)) == (1, "0.1.0-a")
    assert "nothing was changed" in done.stderr


def test_an_unknown_release_and_going_back_from_the_first_are_refused(place: Path) -> None:
    assert release(place, "switch", "9.9.9").returncode == 1
    assert "no release before this one" in release(place, "back").stderr


def test_the_list_marks_what_runs(place: Path) -> None:
    release(place, "switch", "0.2.0-b")

    assert release(place, "list").stdout == "  0.1.0-a\n* 0.2.0-b\n"
