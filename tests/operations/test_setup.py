"""What set-up says when it cannot go on."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.services.needs import ROOT


def old_python(folder: Path) -> Path:
    program = folder / "python3"
    program.write_text('#!/bin/sh\n[ "$1" = -V ] && echo Python 3.9.2 && exit 0\nexit 1\n')
    program.chmod(0o755)
    return program


def set_up(**environment: str) -> subprocess.CompletedProcess[str]:
    command = [str(ROOT / "scripts" / "setup.sh"), "demo"]
    return subprocess.run(  # noqa: S603
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


def test_a_chosen_python_that_is_too_old_is_named(tmp_path: Path) -> None:
    chosen = old_python(tmp_path)

    done = set_up(PYTHON=str(chosen))

    assert (done.returncode, done.stderr) == (
        1,
        f"set-up: PYTHON={chosen} is not Python 3.11 or newer (Python 3.9.2)\n",
    )


def test_without_a_new_enough_python_it_says_which_is_there_and_what_to_do(tmp_path: Path) -> None:
    old_python(tmp_path)
    for name in ("python3.11", "python3.12", "python3.13", "python3.14"):
        (tmp_path / name).symlink_to("python3")

    done = set_up(PYTHON="", PATH=f"{tmp_path}:{os.environ['PATH']}")

    assert done.returncode == 1
    assert "needs Python 3.11 or newer; python3 here is Python 3.9.2" in done.stderr
    assert "apt-get install python3" in done.stderr


@pytest.mark.parametrize("script", sorted((ROOT / "scripts").glob("*.sh")), ids=lambda path: path.name)
def test_the_scripts_are_executable_bash(script: Path) -> None:
    checked = subprocess.run(["bash", "-n", script], capture_output=True, text=True, check=False)  # noqa: S603, S607

    assert (checked.returncode, checked.stderr) == (0, "")
    assert os.access(script, os.X_OK)
