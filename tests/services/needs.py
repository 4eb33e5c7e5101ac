"""What a test needs of the machine beyond Python: found here, or the test is skipped and named (in CI: failed)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SYSTEM_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"  # Debian keeps daemons out of users' PATH


def _program(name: str) -> Callable[[], Path | None]:
    def find() -> Path | None:
        found = shutil.which(name, path=SYSTEM_PATH)
        return Path(found) if found else None

    return find


def _postgres() -> Path | None:
    """The newest installed server's program folder."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    found = versions[-1] if versions else _program("initdb")()
    return found.resolve().parent if found else None


def _emupos() -> Path | None:
    found = Path(sys.prefix).resolve().parent / ".venv-emupos" / "bin" / "emupos"  # beside the .venv in use
    return found if found.exists() else None


def _unshare() -> Path | None:
    found = _program("unshare")()
    made = found and subprocess.run([found, "-rm", "true"], capture_output=True, check=False)  # noqa: S603
    return found if made and made.returncode == 0 else None


_NEEDS: dict[str, tuple[Callable[[], Path | None], str]] = {
    "mosquitto": (_program("mosquitto"), "apt-get install mosquitto"),
    "mosquitto_passwd": (_program("mosquitto_passwd"), "apt-get install mosquitto"),
    "postgres": (_postgres, "apt-get install postgresql"),
    "chromium": (_program("chromium"), "apt-get install chromium"),
    "tesseract": (_program("tesseract"), "apt-get install tesseract-ocr"),
    "emupos": (_emupos, "a Python 3.13, then make setup"),
    "unshare": (_unshare, "apt-get install util-linux, and a machine that gives users namespaces of their own"),
    "systemd-analyze": (_program("systemd-analyze"), "apt-get install systemd"),
}
_REQUIRED_IN_CI = frozenset({"mosquitto", "postgres", "chromium", "emupos"})
MARKERS = {"broker": "mosquitto", "postgres": "postgres", "browser": "chromium", "emupos": "emupos"}


def needs(name: str) -> Path:
    """Path of *name* (a program, PostgreSQL's program folder); skips the test without it, fails it in CI."""
    find, remedy = _NEEDS[name]
    found = find()
    if found is not None:
        return found
    reason = f"needs {name}: {remedy}"
    if name in _REQUIRED_IN_CI and os.environ.get("CI") == "true":
        pytest.fail(f"{reason} (in CI it may not be missing)", pytrace=False)
    pytest.skip(reason)


def summary(skipped: Iterable[pytest.TestReport]) -> list[str]:
    """One line a missing thing, with how many tests it cost."""
    counts: dict[str, int] = {}
    for report in skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
        if reason.startswith("Skipped: needs "):
            counts[reason.removeprefix("Skipped: ")] = counts.get(reason.removeprefix("Skipped: "), 0) + 1
    return [f"{count} not run: {reason}" for reason, count in sorted(counts.items())]
