"""Every example on the tariff page is a tariff the program takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from domain.tariff import parse_tariff
from domain.tariff.parse import TOP_KEYS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "tariffs.md").read_text("utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
WINDOW = '\n[[window]]\nname = "any"\nunit = 60\nprice = 5\n'


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.splitlines()[0])
def test_an_example_is_taken_as_it_stands(example: str) -> None:
    head = "" if "code =" in example else 'code = "page"\n'
    head += 'classes = ["small", "nev"]\n' if '"nev"' in example and "classes = [" + '"small"' not in example else ""
    body = example if "[[window]]" in example else example + WINDOW

    tariff = parse_tariff(head + body, "docs/tariffs.md")

    assert tariff.digest


def test_the_page_names_every_key_of_the_file() -> None:
    assert [key for key in TOP_KEYS if f"`{key}`" not in PAGE and f"[{key}" not in PAGE] == []


@pytest.mark.parametrize("path", sorted((ROOT / "config" / "tariffs").glob("*.toml")), ids=lambda path: path.name)
def test_every_tariff_in_config_is_taken(path: Path) -> None:
    assert parse_tariff(path.read_text("utf-8"), path.name).name
