"""Each benchmark runs from beginning to end, small, and its figures come out; how fast is no matter here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import PARTS, table
from benchmarks.figures import Figure


@pytest.mark.parametrize("part", PARTS)
def test_a_part_runs_and_tells_its_figures(part: str, tmp_path: Path) -> None:
    told = tmp_path / "told.json"
    command = [sys.executable, "-m", "benchmarks", part, "--smoke", "--disk", str(tmp_path), "--json", str(told)]

    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)  # noqa: S603

    assert done.returncode == 0, done.stderr
    figures = json.loads(told.read_text(encoding="utf-8"))["figures"]
    assert figures
    assert all(figure["name"] in done.stdout and figure["measured"] for figure in figures)
    assert [path.name for path in tmp_path.iterdir()] == ["told.json"]


def test_the_table_says_which_targets_were_missed() -> None:
    figures = [Figure("start", "≤ 1.5 ×", "2.0 ×", met=False), Figure("tariff", "≤ 300 µs", "44 µs", met=True)]

    _, first, second = table(figures).splitlines()

    assert first.split() == ["start", "≤", "1.5", "×", "NO", "2.0", "×"]
    assert "yes" in second
