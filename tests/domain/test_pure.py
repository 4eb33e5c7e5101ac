"""Rules see values only: no library beyond Python's own, no clock, no file, no network."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "domain").rglob("*.py"))
TOUCH_THE_WORLD = {"asyncio", "logging", "os", "pathlib", "random", "secrets", "socket", "sqlite3", "subprocess",
                   "tempfile", "threading", "time", "urllib.request", "zoneinfo"}  # fmt: skip
READ_A_CLOCK = {"now", "utcnow", "today"}


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


@pytest.mark.parametrize("file", FILES, ids=[str(file.relative_to(ROOT)) for file in FILES])
def test_a_rule_needs_the_standard_library_only_and_asks_the_world_nothing(file: Path) -> None:
    tree = ast.parse(file.read_text("utf-8"))
    names = set(imports(tree))

    assert {name for name in names if name.partition(".")[0] not in sys.stdlib_module_names | {"domain"}} == set()
    assert names & TOUCH_THE_WORLD == set()
    calls = {node.func for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert {func.attr for func in calls if isinstance(func, ast.Attribute)} & READ_A_CLOCK == set()
    assert {func.id for func in calls if isinstance(func, ast.Name)} & {"open", "input", "print"} == set()
