"""What other capabilities may ask about events that were set aside."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, select

from cloud.sync.tables import inbox
from domain.events import open_envelope
from domain.wire import BadMessageError, Json


def payloads(conn: Connection, edge_id: str, event_type: str) -> list[Json]:
    """Payloads of an edge's parked events of a type, oldest first, as far as they can be read."""
    return _read(conn, inbox.c.edge_id == edge_id, event_type)


def of_operator(conn: Connection, operator_id: int, event_type: str) -> list[Json]:
    """The same of all edges of an operator, also of those another one has replaced."""
    return _read(conn, inbox.c.operator_id == operator_id, event_type)


def _read(conn: Connection, whose: ColumnElement[bool], event_type: str) -> list[Json]:
    bodies = conn.execute(
        select(inbox.c.body)
        .where(whose, inbox.c.parked_why.is_not(None), inbox.c.type == event_type)
        .order_by(inbox.c.epoch, inbox.c.seq)
    ).scalars()
    found = []
    for body in bodies:
        try:
            found.append(open_envelope(bytes(body)).payload)
        except BadMessageError:
            continue
    return found
