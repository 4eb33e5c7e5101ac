"""Statements put into the database's words once: for what is asked so often that SQLAlchemy costs more than the answer.

Values go in and come out as the driver has them: SQLite knows no truth, so a boolean column comes back as 0 or 1.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    Dialect,
    Insert,
    Integer,
    RowMapping,
    Select,
    bindparam,
    insert,
    literal_column,
    select,
    true,
)
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.schema import Table

Values = Mapping[str, Any]
Found = Values | RowMapping  # a row by the names of its columns
Answers = Mapping[str, Found | None]
_ONE: Final[ColumnElement[int]] = literal_column("1", Integer)
_MARK: Final = "is_there"


@dataclass(frozen=True, slots=True)
class _Text:
    sql: str
    names: Sequence[str] | None  # of its parameters in their order; None: the driver takes them by name
    fixed: Values

    def filled(self, values: Values) -> Any:
        if self.names is None:
            return {**self.fixed, **values}
        known = {**self.fixed, **values} if self.fixed else values
        return tuple([known[name] for name in self.names])


class Prepared:
    """One statement, compiled for each kind of database when it is first asked."""

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._texts: dict[str, _Text] = {}

    def __call__(self, conn: Connection, values: Values) -> CursorResult[Any]:
        """Run it once."""
        text = self._text(conn.dialect)
        return conn.exec_driver_sql(text.sql, text.filled(values))

    def many(self, conn: Connection, rows: Sequence[Values]) -> None:
        """Run it for each of *rows*."""
        text = self._text(conn.dialect)
        conn.exec_driver_sql(text.sql, [text.filled(values) for values in rows])

    def one(self, conn: Connection, values: Values) -> Sequence[Any] | None:
        """Its only row, straight from the driver: SQLAlchemy looks up every column of a plain text each time anew."""
        text = self._text(conn.dialect)
        with contextlib.closing(conn.connection.cursor()) as cursor:
            cursor.execute(text.sql, text.filled(values))
            row: Sequence[Any] | None = cursor.fetchone()
            return row

    def _text(self, dialect: Dialect) -> _Text:
        known = self._texts.get(dialect.name)
        if known is None:
            known = self._texts[dialect.name] = _compiled(self._statement, dialect)
        return known


def _compiled(statement: ClauseElement, dialect: Dialect) -> _Text:
    made: Any = statement.compile(dialect=dialect)
    asked = [name for name, bind in made.binds.items() if bind.required]
    whole = made.construct_expanded_state(dict.fromkeys(asked), escape_names=False)  # the list of an IN spelt out
    fixed = {name: value for name, value in whole.parameters.items() if name not in asked}
    return _Text(whole.statement, whole.positiontup, fixed)


def adding(table: Table, names: Sequence[str]) -> Insert:
    """An INSERT of a row that gives these columns."""
    return insert(table).values({name: bindparam(name) for name in names})


def adding_all(into: Any, names: Sequence[str], rows: int) -> Any:
    """An INSERT, begun as *into*, of so many rows that give these columns; ``numbered`` makes its values."""
    return into.values([{name: bindparam(f"{name}_{row}") for name in names} for row in range(rows)])


def numbered(rows: Sequence[Values]) -> Values:
    """The values of ``adding_all``."""
    return {f"{name}_{number}": value for number, row in enumerate(rows) for name, value in row.items()}


class Questions:
    """What several capabilities must be asked, each answered by one row at most, as one statement."""

    def __init__(self, **questions: Select[*tuple[Any, ...]]) -> None:
        self._cuts: list[tuple[str, tuple[str, ...], int]] = []
        columns: list[Any] = []
        source: Any = select(_ONE.label("one")).subquery("asked")
        for name, question in questions.items():
            part = question.add_columns(_ONE.label(_MARK)).subquery(name)
            names = tuple(column.name for column in part.c if column.name != _MARK)
            self._cuts.append((name, names, len(columns)))
            columns += [part.c[each].label(f"{name}_{each}") for each in (*names, _MARK)]
            source = source.outerjoin(part, true())
        self._prepared = Prepared(select(*columns).select_from(source))

    def __call__(self, conn: Connection, values: Values) -> Answers:
        """The answers by the names of their questions; None where there is no row."""
        row = self._prepared.one(conn, values)
        if row is None:
            raise LookupError("a question without a source gave no row")
        return {
            name: dict(zip(names, row[start:], strict=False)) if row[start + len(names)] else None
            for name, names, start in self._cuts
        }
