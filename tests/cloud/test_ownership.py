"""A capability asks another's service and never touches its tables (docs/architecture.md)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import cloud

ROOT = Path(cloud.__file__).parent
CAPABILITIES = sorted(path.parent.name for path in ROOT.glob("*/tables.py"))
TABLES = re.compile(r"(?:from|import) cloud\.(\w+)\.tables|from cloud\.(\w+) import .*\btables\b")


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_tables_are_touched_by_their_owner_alone(capability: str) -> None:
    foreign = [
        f"{path.name}: {owner}"
        for path in sorted((ROOT / capability).rglob("*.py"))
        for found in TABLES.findall(path.read_text(encoding="utf-8"))
        if (owner := found[0] or found[1]) != capability
    ]

    assert foreign == []


def test_every_capability_is_looked_at() -> None:
    assert {"access", "coupons", "lots", "merchants", "sync"} <= set(CAPABILITIES)
