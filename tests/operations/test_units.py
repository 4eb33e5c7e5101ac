"""The units are ones systemd understands, and as closed as docs/operations.md says."""

from __future__ import annotations

import configparser
import json
import re
import subprocess
from pathlib import Path

import pytest

from edge.settings import Listeners
from tests.services.needs import ROOT, needs

UNITS = ROOT / "systemd"
SCORES = re.findall(r"`(lotgate-\w+)\.service` \| ([\d.]+)", (ROOT / "docs" / "operations.md").read_text("utf-8"))


def analyze(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [str(needs("systemd-analyze")), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603


@pytest.mark.parametrize("unit", ["lotgate-edge.service", "lotgate-cloud.service", "kiosk/lotgate-kiosk.service"])
def test_systemd_finds_nothing_wrong(unit: str, tmp_path: Path) -> None:
    text = re.sub(r"/opt/lotgate/current/bin/lotgate|/usr/bin/cage", "/bin/true", (UNITS / unit).read_text("utf-8"))
    here = tmp_path / Path(unit).name
    here.write_text(text.replace("Wants=lotgate-edge.service\n", ""))  # no release is installed here

    checked = analyze("verify", "--man=no", here)

    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize(("unit", "score"), SCORES)
def test_the_exposure_is_what_the_document_says(unit: str, score: str) -> None:
    checked = analyze("security", "--offline=true", "--no-pager", UNITS / f"{unit}.service")

    assert f"Overall exposure level for {unit}.service: {score} " in checked.stdout


def test_both_scores_are_documented() -> None:
    assert {unit for unit, _ in SCORES} == {path.stem for path in UNITS.glob("*.service")}


@pytest.mark.parametrize("unit", sorted(UNITS.glob("*.service")), ids=lambda path: path.stem)
def test_a_unit_is_watched_and_runs_the_current_release(unit: Path) -> None:
    parsed = configparser.ConfigParser(strict=False, interpolation=None)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read(unit, "utf-8")
    service = parsed["Service"]

    assert service["Type"] == "notify"
    assert int(service["WatchdogSec"]) <= 30
    assert service["ExecStart"].startswith("/opt/lotgate/current/bin/lotgate ")
    assert service["User"] in (UNITS / "lotgate.sysusers.conf").read_text("utf-8")


def test_the_booths_screen_shows_one_page_and_leads_nowhere_else() -> None:
    unit = (UNITS / "kiosk" / "lotgate-kiosk.service").read_text("utf-8")
    policy = json.loads((UNITS / "kiosk" / "policy.json").read_text("utf-8"))
    command = next(line for line in unit.replace("\\\n", " ").splitlines() if line.startswith("ExecStart="))
    cage, browser = command.removeprefix("ExecStart=").split(" -- ")
    port = Listeners().booth.port

    assert cage.split() == ["/usr/bin/cage", "-d"]  # -s would let somebody change to another console
    assert "--kiosk" in browser
    assert browser.split()[-1] == f"http://127.0.0.1:{port}/booth/kiosk"  # its sound is on
    assert policy["URLBlocklist"] == [
        "*",
        "chrome://*",
        "chrome-untrusted://*",
    ]  # the first means web addresses and files
    assert policy["URLAllowlist"] == [f"http://127.0.0.1:{port}"]
    assert policy["DeveloperToolsAvailability"] == 2
    assert not policy["AllowFileSelectionDialogs"]
    assert "lotgate-kiosk" in (UNITS / "kiosk" / "lotgate-kiosk.sysusers.conf").read_text("utf-8")
