"""Lists short enough to be read whole: searched by what their rows say, turned over, kept as files (E67)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from aiohttp import web

from cloud import sheets
from cloud.sheets import Cell
from cloud.web.state import search_of
from plumbing.web import Page, page_number
from plumbing.web.paging import PAGE_SIZE

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class ShortList(Generic[Row]):
    """The rows that hold what is looked for, each beside the cells it is written as."""

    heads: Sequence[str]
    rows: Sequence[tuple[Row, Sequence[Cell]]]

    def page(self, request: web.Request) -> Page[Row]:
        """The page asked for."""
        number = page_number(request.query)
        start = (number - 1) * PAGE_SIZE
        return Page([row for row, _ in self.rows[start : start + PAGE_SIZE]], number, len(self.rows))

    async def file(self, request: web.Request, name: str, title: str) -> web.Response:
        """All of them as the kind of file asked for."""
        lines = [cells for _, cells in self.rows]
        return await sheets.table_file(request.match_info["kind"], name, title, self.heads, lines)


def short_list(
    request: web.Request, heads: Sequence[str], rows: Iterable[Row], cells: Callable[[Row], Sequence[Cell]]
) -> ShortList[Row]:
    """A list of *rows* under *heads*, as the page is asked."""
    search = search_of(request).casefold()
    written = [(row, cells(row)) for row in rows]
    return ShortList(heads, [each for each in written if any(search in str(cell or "").casefold() for cell in each[1])])
