"""An installed release holds everything the checkout's programs read."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.services.needs import ROOT

PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["root_packages"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names of the files in a wheel built from what git has."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    for name in tracked():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes((ROOT / name).read_bytes())
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(folder),
        str(source),
    ]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        return set(wheel.namelist())


def tracked() -> list[str]:
    command = ["git", "ls-files", "--", "pyproject.toml", "README.md", "LICENSE", *PACKAGES]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\n")  # noqa: S603
    return [name for name in listed if name and Path(ROOT, name).is_file()]


def test_a_wheel_holds_every_file_of_the_packages(installed: set[str]) -> None:
    wanted = {name for name in tracked() if name.split("/")[0] in PACKAGES}

    assert wanted - installed == set()


def test_a_wheel_holds_nothing_else(installed: set[str]) -> None:
    outside = {name for name in installed if name.split("/")[0] not in PACKAGES and ".dist-info/" not in name}

    assert outside == set()
