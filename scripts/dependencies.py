"""Write the tables of docs/platforms.md and docs/third-party.md from the locks and the installed packages.

Run by ``make lock``. The platform table asks uv which wheels are published; only their names are kept.
"""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker

ROOT = Path(__file__).resolve().parent.parent
UV = ROOT / ".venv" / "bin" / "uv"
EXTRAS = ("edge", "cloud", "pg", "vision", "broker", "usb", "dev")
EDGE_EXTRAS = ("edge", "vision", "usb")
PYTHONS = ("3.11", "3.13")  # of Debian 12 and 13
ARM = "aarch64"
DEBIAN_12_GLIBC = 36  # of 2.36, the oldest system we run on
PLAIN_NAMES = {  # what older packages call their licence, by its usual name
    "Apache 2": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "3-Clause BSD License": "BSD-3-Clause",
    "BSD 2-Clause License": "BSD-2-Clause",
    "BSD License": "BSD",
    "BSD license (see license.txt for details), Copyright (c) 2000-2025, ReportLab Inc.": "BSD-3-Clause",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}


@dataclass(frozen=True, slots=True)
class Locked:
    """One line of a lock; *marker* is "" when it holds everywhere."""

    name: str
    version: str
    marker: str

    def used_by(self, python: str) -> bool:
        """True when that Python on Linux installs it."""
        there = {"python_full_version": f"{python}.0", "python_version": python, "sys_platform": "linux"}
        return not self.marker or Marker(self.marker).evaluate(there)


def main() -> None:
    """Rewrite both tables in place."""
    base, brought = resolved(()), {extra: resolved((extra,)) for extra in EXTRAS}
    rows = [
        f"| {one.name} | {one.version} | {licence(one.name)} | {comes_with(one.name, base, brought)} |"
        for one in linux_packages("test")
    ]
    write_table("third-party.md", "packages", ("package", "version", "licence", "comes with"), rows)
    wheels = published_wheels(EDGE_EXTRAS)
    rows = [
        f"| {one.name} | {one.version} | " + " | ".join(best(one, wheels, python) for python in PYTHONS) + " |"
        for one in linux_packages("edge")
    ]
    write_table("platforms.md", "edge wheels", ("package", "version", *(f"Python {one}" for one in PYTHONS)), rows)


def linux_packages(lock: str) -> list[Locked]:
    """What a lock installs on Linux with any of our Pythons."""
    text = (ROOT / "requirements" / f"{lock}.txt").read_text("utf-8")
    found = re.findall(r"^([a-z0-9.\-]+)==(\S+)(?: ; ([^\\\n]*))?", text, re.MULTILINE)
    locked = [Locked(name, version, marker.strip()) for name, version, marker in found]
    return [one for one in locked if any(one.used_by(python) for python in PYTHONS)]


def comes_with(name: str, base: set[str], brought: dict[str, set[str]]) -> str:
    """The extras that bring a package in; ``all`` when it is always there."""
    return "all" if name in base else ", ".join(extra for extra in EXTRAS if name in brought[extra])


def resolved(extras: tuple[str, ...]) -> set[str]:
    """Names uv needs for the project with *extras*, at the locked versions."""
    found = re.findall(r"^([a-z0-9.\-]+)==", compile_with(extras), re.MULTILINE)
    return set(found)


def published_wheels(extras: tuple[str, ...]) -> dict[tuple[str, str], list[str]]:
    """Wheel file names published for each package and version."""
    packages = tomllib.loads(compile_with(extras, "--format", "pylock.toml"))["packages"]
    return {
        (one["name"], one["version"]): [wheel["url"].rsplit("/", 1)[1] for wheel in one.get("wheels", ())]
        for one in packages
    }


def compile_with(extras: tuple[str, ...], *options: str) -> str:
    """What uv answers for the project with *extras*."""
    command = [str(UV), "pip", "compile", "-q", "--universal", "--python-version", "3.11", "--no-annotate", *options]
    command += [word for extra in extras for word in ("--extra", extra)]
    command += ["-c", "requirements/test.txt", "pyproject.toml"]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout  # noqa: S603


def best(one: Locked, wheels: dict[tuple[str, str], list[str]], python: str) -> str:
    """How a package is published for 64-bit ARM Linux and that Python."""
    if not one.used_by(python):
        return "not used"
    digits = python.replace(".", "")
    for wheel in wheels[one.name, one.version]:
        _, tag, abi, platform = wheel.removesuffix(".whl").rsplit("-", 3)
        if platform == "any":
            return "any machine"
        fits = f"cp{digits}" in tag.split(".") or tag == "py3" or (abi == "abi3" and int(tag[2:]) <= int(digits))
        glibc = [int(minor) for minor in re.findall(rf"manylinux_2_(\d+)_{ARM}", platform)]
        if fits and not abi.endswith("t") and glibc and min(glibc) <= DEBIAN_12_GLIBC:
            return f"wheel, 2.{min(glibc)}"
    return "none"


def licence(name: str) -> str:
    """What the installed package says its licence is."""
    metadata = importlib.metadata.metadata(name)
    classifiers = [one.rsplit("::", 1)[1].strip() for one in metadata.get_all("Classifier") or () if "License" in one]
    said = [*(metadata.get_all("License-Expression") or ()), *(metadata.get_all("License") or ()), *classifiers]
    return PLAIN_NAMES.get(said[0], said[0]) if said else "not stated"


def write_table(document: str, mark: str, header: tuple[str, ...], rows: list[str]) -> None:
    """Put the table between its marks in a document of docs/."""
    path = ROOT / "docs" / document
    table = "\n".join([f"| {' | '.join(header)} |", "|" + "---|" * len(header), *rows])
    text, count = re.subn(
        rf"(<!-- {mark} -->\n).*?(<!-- end -->)",
        lambda found: f"{found[1]}{table}\n{found[2]}",
        path.read_text("utf-8"),
        flags=re.DOTALL,
    )
    if count != 1:
        raise LookupError(f"{path}: the marks of {mark!r} are gone")
    path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
