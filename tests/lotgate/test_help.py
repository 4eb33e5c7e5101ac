"""Help that is worth reading, and examples that can be typed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from lotgate.__main__ import COMMANDS, command_line, main
from lotgate.examples import EXAMPLES

ROOT = Path(__file__).parents[2]
LINES = [line.strip() for text in EXAMPLES.values() for line in text.splitlines() if line.startswith("  lotgate ")]


def test_every_command_has_an_example_of_its_own() -> None:
    assert set(EXAMPLES) == set(COMMANDS)
    assert all(f"  lotgate {name} " in text or f"  lotgate {name}\n" in text for name, text in EXAMPLES.items())


@pytest.mark.parametrize("line", LINES)
def test_an_example_is_taken_as_it_stands(line: str) -> None:
    words = shlex.split(re.split(r" >|   ", line)[0])[1:]  # without redirection and remarks

    assert command_line(words).parse_args(words).command == words[0]


def test_pages_and_files_named_in_help_are_there() -> None:
    named = re.findall(r"(?:docs|config)/[\w./-]+\w", " ".join(EXAMPLES.values()))

    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_help_ends_with_the_examples(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])

    assert ended.value.code == 0
    assert capsys.readouterr().out.endswith(f"examples:\n{EXAMPLES[name]}\n")


def test_what_no_command_is_ends_with_2_and_names_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["open-sesame"])

    assert ended.value.code == 2
    assert "verify-ledger" in capsys.readouterr().err
