"""The list of events is made from the code and kept with it."""

from __future__ import annotations

from scripts.events_doc import PAGE, page


def test_the_events_page_is_what_the_code_says() -> None:
    assert PAGE.read_text() == page(), "run: python scripts/events_doc.py"
