"""Documents point at things that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.services.needs import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def links(document: Path) -> list[Path]:
    found = re.findall(r"\]\((?!\w+:|#)([^)#\s]+)", document.read_text("utf-8"))
    return [(document.parent / link).resolve() for link in found]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_of_a_document_leads_somewhere(document: Path) -> None:
    assert [link for link in links(document) if not link.exists()] == []


def test_every_page_is_reached_from_the_readme() -> None:
    reached, ahead = set[Path](), [ROOT / "README.md"]
    while ahead:
        document = ahead.pop()
        reached.add(document)
        ahead += [link for link in links(document) if link.suffix == ".md" and link.exists() and link not in reached]

    assert set(ROOT.glob("docs/*.md")) - reached == set()
