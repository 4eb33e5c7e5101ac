"""What a plate has to pay at a lot, asked of the lot itself: a command good for seconds, and its result (sync §4)."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import Connection

from cloud.lots.edges import edge_of_lot
from cloud.sync import commands
from domain.wire import Json

KIND = "fee.ask"
GOOD_MS = 10_000


@dataclass(frozen=True, slots=True)
class Sent:
    """A question on its way to a lot."""

    edge_id: str
    cmd_seq: int


@dataclass(frozen=True, slots=True)
class Said:
    """What the lot said: signed quotes for the car inside and for earlier visits, "" where there is none.

    *code* says why nothing is quoted for the car: no_open_stay, nothing_due, clock_unknown.
    """

    code: str = ""
    quote: str = ""
    debts: str = ""
    lines: tuple[Json, ...] = ()


SILENT = Said("silent")


def edge_at(conn: Connection, _operator_id: int, lot_id: int) -> str | None:
    """The edge that runs the lot."""
    return edge_of_lot(conn, lot_id)


def ask(conn: Connection, operator_id: int, edge_id: str, plate: str, now_ms: int) -> Sent:
    """Send the question. It goes out once this is committed."""
    cmd_seq = commands.add_command(conn, operator_id, edge_id, KIND, {"plate": plate}, now_ms, now_ms + GOOD_MS)
    return Sent(edge_id, cmd_seq)


def answer(conn: Connection, _operator_id: int, sent: Sent) -> Said | None:
    """What the lot said, None so far. Neither the plate nor the answer is kept once it is told."""
    text = commands.take_result(conn, sent.edge_id, sent.cmd_seq)
    return None if text is None else read(text)


def read(text: str) -> Said:
    """A result in our terms; a command that was not carried out is silence."""
    try:
        said = json.loads(text)
        lines = tuple(line for line in said.get("lines", ()) if isinstance(line, dict))
        return Said(str(said["code"]), str(said.get("quote", "")), str(said.get("debts", "")), lines)
    except (ValueError, TypeError, KeyError, AttributeError):
        return SILENT
