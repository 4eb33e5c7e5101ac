"""The layouts that come with the program, one file a slip, and what a lot makes of them."""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path

from domain.slip_layouts import Layout
from domain.slip_parse import LONGEST, LayoutError, parse_layout

FOLDER = Path(__file__).parent / "layouts"
MOST_LINES = 8  # of a lot's own above a slip, and as many below


@lru_cache(64)
def layout_of(name: str, text: str = "", head: tuple[str, ...] = (), foot: tuple[str, ...] = ()) -> Layout:
    """A lot's layout: its own *text* or the shipped one, between its own lines. Raises LayoutError."""
    if max(len(head), len(foot)) > MOST_LINES:
        raise LayoutError(f"{name}: at most {MOST_LINES} lines go above or below a slip")
    if any(len(line) > LONGEST or not line.isprintable() for line in (*head, *foot)):
        raise LayoutError(f"{name}: a line above or below it is a plain text of at most {LONGEST} characters")
    return parse_layout(text or shipped_text(name), name, f"{name}.toml").dressed(head, foot)


@cache
def shipped_text(name: str) -> str:
    """The file that is shipped, to begin an own one with; empty for a name that is none."""
    file = FOLDER / f"{name}.toml"
    return file.read_text(encoding="utf-8") if name.isalpha() and file.exists() else ""
