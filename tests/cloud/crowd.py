"""Many rows of every table, made of one that is there or of the types of its columns."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Boolean, Column, Connection, Engine, LargeBinary, Table, Text, UniqueConstraint, insert, select

from cloud.schema import metadata

ALONE: Final = {
    *(
        "operator",
        "audit_head",
        "balance",
        "channel_row",
        "channel_version",
        "edge_cursor",
        "web_session",
        "lot",
        "edge",
    ),
}
TEXTS: Final = {  # that pages read as more than a text; any other is "x"
    "windows": "[]",
    "body": "{}",
    "sums": "{}",
    "day_difference.kind": "stay_sum",
    "scopes": "",
    "facts": "",
    "pay_invoice.state": "requested",
    "pay_out.state": "due",
    "pay_out.means": "cash",
    "funds": "PAID",
    "commodity": "FEN",
    "lease.state": "active",
    "entitlement.kind": "visitor",
    "booth_person.role": "attendant",
    "voucher.state": "OUTSTANDING",
    "print_state": "confirmed",
}


def loosen(engine: Engine) -> None:
    """Let SQLite's only connection take rows that point at nothing."""
    connection = engine.raw_connection()
    connection.cursor().execute("PRAGMA foreign_keys=OFF")
    connection.close()


def multiply(conn: Connection, first: int, count: int) -> None:
    """*count* more rows of operator 1 in every table; *first* is the number of the first of them."""
    for table in metadata.sorted_tables:
        if table.name not in ALONE and "operator_id" in table.c:
            one = _one(conn, table)
            conn.execute(insert(table), [_another(table, one, number) for number in range(first, first + count)])


def _one(conn: Connection, table: Table) -> dict[str, Any]:
    known = conn.execute(select(table).where(table.c.operator_id == 1).limit(1)).mappings().one_or_none()
    return {column.name: _made(table, column) for column in table.c} if known is None else dict(known)


def _made(table: Table, column: Column[Any]) -> Any:
    if column.nullable:
        return None
    if isinstance(column.type, Boolean):
        return False
    if isinstance(column.type, LargeBinary):
        return b"x"
    if not isinstance(column.type, Text):
        return 1
    return TEXTS.get(f"{table.name}.{column.name}", TEXTS.get(column.name, "x"))


def _another(table: Table, row: dict[str, Any], number: int) -> dict[str, Any]:
    return {**row, **{column.name: _next(column, row[column.name], number) for column in _unique(table)}}


def _unique(table: Table) -> set[Column[Any]]:
    """Columns that make a row its own; those that point elsewhere only where there are no others."""
    rules = [table.primary_key, *(one for one in table.constraints if isinstance(one, UniqueConstraint))]
    found = {column for rule in rules for column in rule.columns}
    found |= {table.c[column.name] for index in table.indexes if index.unique for column in index.columns}
    found = {column for column in found if f"{table.name}.{column.name}" not in TEXTS}
    own = {column for column in found if not column.foreign_keys and column.name != "operator_id"}
    return own or found - {table.c.operator_id}


def _next(column: Column[Any], value: Any, number: int) -> Any:
    if value is None:
        return None
    if isinstance(column.type, Text):
        return f"{value}-{number}"
    if isinstance(column.type, LargeBinary):
        return bytes(value) + str(number).encode()
    return int(value) + 1_000 * (number + 1)
