"""Monthly cars out of an Excel file: every line is checked, and what is wrong is told by line, column and value (E60).

Nothing is written unless every line is right, or whoever imports asked for the good ones alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from cloud.access import audit
from cloud.act import Act, Refused
from cloud.members import service, telling
from cloud.members.forms import moment_in, plates_in
from cloud.members.terms import Terms
from cloud.web.state import whole
from domain.entitlement import Grant, WhenFull

MOST_LINES: Final = 2000
COLUMNS: Final = ("plates", "name", "phone", "places", "begins", "last_day", "grace_days", "when_full", "remark")
NEEDED: Final = ("plates", "name")
COLUMN_OF: Final = {
    "name_missing": "name",
    "phone_malformed": "phone",
    "places_beyond_plates": "places",
    "ends_before_it_begins": "last_day",
    "grace_malformed": "grace_days",
}
"""Which cell a refusal of the whole line is about; the plates' where it is not here."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in one cell: the sheet's own row number, the column, what stands there, and why not."""

    row: int
    column: str
    value: str
    refused: Refused


@dataclass(frozen=True, slots=True)
class Line:
    """A row that can be read."""

    row: int
    terms: Terms
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Words:
    """How columns and choices are called in a file, in any language: word -> name."""

    columns: Mapping[str, str]
    policies: Mapping[str, WhenFull]


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a file: entitlements added, and the faults of the other lines in order."""

    added: int
    faults: tuple[Fault, ...]


def read_lines(
    rows: Sequence[Sequence[object]], zones: tuple[tuple[int, str], ...], known: Words, tz: ZoneInfo
) -> tuple[list[Line], list[Fault]] | Refused:
    """The lines of a sheet whose first row names the columns, for the lots in *zones*."""
    if not rows:
        return Refused("sheet_empty")
    columns = [known.columns.get(_text(cell).rstrip("*").strip().lower(), "") for cell in rows[0]]
    if not set(NEEDED) <= set(columns):
        return Refused("sheet_without_columns")
    if len(rows) - 1 > MOST_LINES:
        return Refused("sheet_too_long", {"most": MOST_LINES})
    lines: list[Line] = []
    faults: list[Fault] = []
    for number, cells in enumerate(rows[1:], 2):
        texts = {name: _text(cell) for name, cell in zip(columns, cells, strict=False) if name}
        if any(texts.values()):
            _take(number, texts, zones, known, tz, lines, faults)
    return (lines, faults) if lines or faults else Refused("sheet_empty")


def _text(cell: object) -> str:
    if isinstance(cell, datetime | date):
        return cell.isoformat()[:10]
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return "" if cell is None else str(cell).strip()


def _take(
    row: int,
    texts: Mapping[str, str],
    zones: tuple[tuple[int, str], ...],
    known: Words,
    tz: ZoneInfo,
    lines: list[Line],
    faults: list[Fault],
) -> None:
    """Read one row into *lines*, or say in *faults* which of its cells cannot be read."""
    numbers = {name: whole(texts.get(name) or "0") for name in ("places", "grace_days")}
    wrong = [(name, Refused("number_malformed")) for name, number in numbers.items() if number is None]
    begins = moment_in(_day(texts.get("begins", "")), tz)
    ends = moment_in(_day(texts.get("last_day", "")), tz, is_end=True)
    wrong += [(name, at) for name, at in (("begins", begins), ("last_day", ends)) if isinstance(at, Refused)]
    policy = known.policies.get((texts.get("when_full") or "temporary").lower())
    if policy is None:
        wrong.append(("when_full", Refused("choice_unknown")))
    if wrong:
        faults += [Fault(row, name, texts.get(name, ""), refused) for name, refused in wrong]
        return
    terms = Terms(Grant.MONTHLY, texts.get("name", ""), plates_in(texts.get("plates", "")), zones)
    terms = replace(terms, phone=texts.get("phone", ""), remark=texts.get("remark", ""))
    assert not isinstance(begins, Refused) and not isinstance(ends, Refused)  # noqa: S101, PT018  (told above)
    terms = replace(terms, begins_ms=begins, ends_ms=ends, when_full=policy or WhenFull.TEMPORARY)
    terms = replace(terms, places=numbers["places"] or 0, grace_days=numbers["grace_days"] or 0)
    lines.append(Line(row, terms, texts))


def _day(text: str) -> str:
    """2026/1/31 and 2026.1.31 as 2026-01-31; anything else as it is."""
    parts = text.replace("/", "-").replace(".", "-").split("-")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        return text
    return f"{int(parts[0]):04}-{int(parts[1]):02}-{int(parts[2]):02}"


def import_lines(
    conn: Connection, act: Act, lines: Sequence[Line], faults: Sequence[Fault], *, good_ones: bool
) -> Report:
    """Add the entitlements of *lines*; with a fault anywhere none, unless *good_ones* are wanted alone."""
    found, ids = list(faults), []
    attempt = conn.begin_nested()
    for line, made in zip(lines, service.write(conn, act, [line.terms for line in lines]), strict=True):
        if isinstance(made, Refused):
            column = COLUMN_OF.get(made.code, "plates")
            found.append(Fault(line.row, column, line.texts.get(column, ""), made))
        else:
            ids.append(made)
    found.sort(key=lambda fault: fault.row)
    if found and not good_ones:
        attempt.rollback()
        return Report(0, tuple(found))
    attempt.commit()
    telling.tell(conn, act.operator_id, ids, act.now_ms)
    if ids:
        audit.record(conn, act, "people.imported", "people", after={"added": len(ids), "left_out": len(found)})
    return Report(len(ids), tuple(found))
