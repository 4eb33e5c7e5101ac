"""The page that says who writes which table names every table there is, once a side."""

from __future__ import annotations

import re
from pathlib import Path

from cloud.schema import metadata
from edge.db.database import open_database

PAGE = (Path(__file__).parents[2] / "docs" / "architecture.md").read_text()


def owners(side: str) -> list[str]:
    listed = PAGE.split("<!-- owners -->")[1].split("<!-- /owners -->")[0]
    return [
        name
        for paragraph in listed.split("\n\n")
        if paragraph.strip().startswith(f"**{side}")
        for name in re.findall(r"`(\w+)`", paragraph)
    ]


def test_every_table_of_the_edge_has_one_owner(tmp_path: Path) -> None:
    db = open_database(tmp_path / "lot.db")
    tables = set(db.table_names()) - {"_sqlite_migrations"}
    db.close()

    assert sorted(owners("Edge")) == sorted(tables)


def test_every_table_of_the_cloud_has_one_owner() -> None:
    assert sorted(owners("Cloud")) == sorted(metadata.tables)
