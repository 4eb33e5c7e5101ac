"""Documents point at things that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.services.needs import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_of_a_document_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!\w+:|#)([^)#\s]+)", document.read_text("utf-8"))

    assert [link for link in links if not (document.parent / link).exists()] == []
