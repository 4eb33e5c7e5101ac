"""The page of slips names every field that a layout may print."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from domain.slip import Paper
from domain.slip_faces import Language
from domain.slip_parse import MUST
from domain.slip_samples import SAMPLES

PAGE = (Path(__file__).parents[2] / "docs" / "slips.md").read_text("utf-8")


@pytest.mark.parametrize("name", list(SAMPLES))
def test_a_slips_fields_stand_in_the_table(name: str) -> None:
    face = SAMPLES[name]("Lot", datetime(2026, 1, 1), Paper.MM58, Language.ZH)  # noqa: DTZ001 - lot-local
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{name}` | ")]
    _, _, single, groups, must, _ = [cell.strip() for cell in row.split("|")[1:]]
    fields = face.fields(Language.ZH)

    assert single.strip("`").split() == [name for name, value in fields.items() if isinstance(value, str)]
    assert must.strip("`").split() == list(MUST[name])
    for group, rows in fields.items():
        if not isinstance(rows, str):
            assert f"`{group}`" in groups
            assert f"(`{' '.join(rows[0])}`)" in groups
