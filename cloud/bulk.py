"""Many rows in few statements: what a batch of events writes must not cost more than its reading."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, Table
from sqlalchemy.dialects import postgresql, sqlite

Rows = Sequence[Mapping[str, Any]]
AT_ONCE: Final = 400
"""Values in one question: a database takes only so many."""


def rows_among(
    conn: Connection, query: Select[Any], column: ColumnElement[Any], values: Sequence[Any]
) -> list[RowMapping]:
    """Rows of *query* where *column* is one of *values*, in no order."""
    found: list[RowMapping] = []
    for at in range(0, len(values), AT_ONCE):
        found += conn.execute(query.where(column.in_(values[at : at + AT_ONCE]))).mappings()
    return found


def sums_among(
    conn: Connection, query: Select[Any], column: ColumnElement[Any], values: Sequence[Any]
) -> dict[str, int]:
    """The same of a *query* for a name and a number: the number by name."""
    pairs: list[Iterable[Any]] = [row.values() for row in rows_among(conn, query, column, values)]
    return {str(name): int(number) for name, number in pairs}


def insert_rows(conn: Connection, table: Table, rows: Rows) -> None:
    """Insert *rows*, which all have the same columns."""
    _write(conn, table, rows, "", ())


def insert_new(conn: Connection, table: Table, rows: Rows, key: str) -> None:
    """Insert those of *rows* whose *key* is not there yet."""
    _write(conn, table, rows, key, ())


def upsert_own(conn: Connection, table: Table, rows: Rows, key: str, mended: tuple[str, ...]) -> None:
    """Insert *rows*; where *key* is there already, mend the columns *mended* if the row is the same lot's (I19)."""
    _write(conn, table, rows, key, mended)


def _write(conn: Connection, table: Table, rows: Rows, key: str, mended: tuple[str, ...]) -> None:
    if not rows:
        return
    columns = tuple(rows[0])
    sql, places = _compiled(conn.dialect.name, table, columns, key, mended)
    if places:
        conn.exec_driver_sql(sql, list(map(itemgetter(*places), rows)))
    else:
        conn.exec_driver_sql(sql, [dict(row) for row in rows])


@cache
def _compiled(
    dialect: str, table: Table, columns: tuple[str, ...], key: str, mended: tuple[str, ...]
) -> tuple[str, tuple[str, ...]]:
    """The statement in the driver's own words, and the order of its values where the driver counts them."""
    statement = sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
    if mended:
        fresh = statement.excluded
        statement = statement.on_conflict_do_update(
            index_elements=[key], set_={name: fresh[name] for name in mended}, where=table.c.lot_id == fresh.lot_id
        )
    elif key:
        statement = statement.on_conflict_do_nothing(index_elements=[key])
    spoken = sqlite.dialect() if dialect == "sqlite" else postgresql.psycopg.dialect()  # type: ignore[no-untyped-call]
    compiled = statement.compile(dialect=spoken, column_keys=list(columns))
    return str(compiled), tuple(compiled.positiontup or ())
