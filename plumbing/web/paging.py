"""Long lists, one page at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

PAGE_SIZE = 50
LAST_PAGE = 100_000  # a number beyond it is somebody playing with the address


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """*items* are page *number* (from 1) of *total* rows; with *more* that is as far as anybody counted."""

    items: Sequence[T]
    number: int
    total: int
    size: int = PAGE_SIZE
    more: bool = False

    @property
    def pages(self) -> int:
        """How many pages there are, at least 1."""
        return max(1, -(-self.total // self.size))

    @property
    def length(self) -> str:
        """The total to show: a number, with a + where there are more."""
        return f"{self.total}+" if self.more else str(self.total)


def page_number(query: Mapping[str, str]) -> int:
    """``?page=`` as a number from 1; anything else is the first page. Offset = (number - 1) * PAGE_SIZE."""
    text = query.get("page", "1")
    if not (text.isascii() and text.isdigit()):
        return 1
    return max(1, min(LAST_PAGE, int(text[:8])))
