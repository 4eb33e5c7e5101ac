"""Tables as files for a spreadsheet, out and in: CSV and Excel, nothing in them is ever a formula, big ones bounded."""

from __future__ import annotations

import asyncio
import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from datetime import datetime
from xml.etree.ElementTree import ParseError
from zoneinfo import ZoneInfo

import openpyxl  # type: ignore[import-untyped]
from aiohttp import web
from openpyxl.utils.exceptions import InvalidFileException  # type: ignore[import-untyped]

Cell = str | int | None
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_UNPACKED = 32 * 1024 * 1024  # bytes of all parts of a workbook
MOST_PARTS = 100
WIDEST = 40  # characters
MOST_ROWS = 100_000  # of one file


class SheetError(Exception):
    """A file that is no workbook, or one too big to open."""


def written(ms: int | None, zone: ZoneInfo) -> str:
    """A moment as a file shows it; "" for none."""
    return "" if ms is None else f"{datetime.fromtimestamp(ms / 1000, zone):%Y-%m-%d %H:%M:%S}"


def to_the_minute(ms: int | None, zone: ZoneInfo) -> str:
    """The same where seconds tell nothing."""
    return "" if ms is None else f"{datetime.fromtimestamp(ms / 1000, zone):%Y-%m-%d %H:%M}"


def neutral(value: Cell) -> Cell:
    """A text that a spreadsheet would take for a formula begins with a quote instead."""
    return f"'{value}" if isinstance(value, str) and value[:1] in tuple("=+-@\t\r") else value


def csv_file(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """UTF-8 with the mark by which spreadsheets know it."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow([neutral(column) for column in columns])
    writer.writerows([neutral(cell) for cell in row] for row in rows)
    return b"\xef\xbb\xbf" + file.getvalue().encode()


def xlsx_file(title: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]], notes: Sequence[str] = ()) -> bytes:
    """One sheet under a fixed row of *columns*, and a second with *notes* where there are any."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    sheet.freeze_panes = "A2"
    sheet.append([neutral(column) for column in columns])
    widths = [len(column) for column in columns]
    for row in rows:
        sheet.append([neutral(cell) for cell in row])
        widths = [max(width, len(str(cell or ""))) for width, cell in zip(widths, row, strict=True)]
    for number, width in enumerate(widths, 1):
        letter = openpyxl.utils.get_column_letter(number)
        sheet.column_dimensions[letter].width = min(WIDEST, 2 * width + 2)
    if notes:
        more = book.create_sheet("info")
        more.column_dimensions["A"].width = 3 * WIDEST
        for note in notes:
            more.append([neutral(note)])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def read_xlsx(body: bytes, most_rows: int, most_columns: int) -> list[tuple[object, ...]]:
    """Rows of the first sheet, at most one more than *most_rows*. Blocks. Raises SheetError."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as parts:
            _refuse_bombs(parts)
        book = openpyxl.load_workbook(io.BytesIO(body), read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
        return list(sheet.iter_rows(max_row=most_rows + 1, max_col=most_columns, values_only=True))
    except (zipfile.BadZipFile, InvalidFileException, ParseError, KeyError, IndexError, ValueError, TypeError,
            AttributeError, NotImplementedError, EOFError, OSError) as exc:  # fmt: skip
        raise SheetError(str(exc)) from exc  # a workbook somebody made up fails anywhere in the library


def _refuse_bombs(parts: zipfile.ZipFile) -> None:
    """Sizes as told are those the library unpacks to: zipfile reads no further."""
    told = parts.infolist()
    if len(told) > MOST_PARTS or sum(part.file_size for part in told) > MOST_UNPACKED:
        raise SheetError("too big")
    if any(b"<!ENTITY" in parts.read(part) for part in told if part.filename.endswith((".xml", ".rels"))):
        raise SheetError("entities")


def attachment(body: bytes, name: str) -> web.Response:
    """A file to keep, by the ending of its *name*."""
    kind = XLSX if name.endswith(".xlsx") else "text/csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    charset = "utf-8" if kind == "text/csv" else None
    return web.Response(body=body, content_type=kind, charset=charset, headers=headers)


async def table_file(
    kind: str, name: str, title: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]
) -> web.Response:
    """A table to keep as *kind* (csv, xlsx)."""
    if kind == "xlsx":
        return attachment(await asyncio.to_thread(xlsx_file, title, columns, rows), f"{name}.xlsx")
    return attachment(csv_file(columns, rows), f"{name}.csv")
