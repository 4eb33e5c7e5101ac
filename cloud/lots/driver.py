"""A driver's question at a lane, taken to the lot and back: a command good for seconds, and its result (sync §4)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from cloud.lots.edges import edge_of_lot
from cloud.lots.tables import lane, lot
from cloud.sync import commands
from domain.driver_page import Question, lane_code
from domain.stay import OUTSIDE

ASK = "lane.ask"
GOOD_MS = 10_000


@dataclass(frozen=True, slots=True)
class Asked:
    """A question on its way to a lot."""

    edge_id: str
    cmd_seq: int


@dataclass(frozen=True, slots=True)
class FoundLane:
    """The lane of a code."""

    lot_id: int
    lot: str
    lane: str
    leads_out: bool


def find_lane(conn: Connection, operator_id: int, code: str) -> FoundLane | None:
    """The lane with this code; codes are made from lot and name, so nothing has to be kept."""
    query = (
        select(lane.c.lot_id, lane.c.name, lane.c.to_zone, lot.c.name.label("lot"))
        .join(lot, lot.c.lot_id == lane.c.lot_id)
        .where(lane.c.operator_id == operator_id)
    )
    for row in conn.execute(query):
        if lane_code(row.lot_id, row.name) == code:
            return FoundLane(row.lot_id, row.lot, row.name, row.to_zone == OUTSIDE)
    return None


def edge_at(conn: Connection, _operator_id: int, lot_id: int) -> str | None:
    """The edge that runs the lot."""
    return edge_of_lot(conn, lot_id)


def ask(conn: Connection, operator_id: int, edge_id: str, code: str, question: Question, now_ms: int) -> Asked:
    """Send it; after ten seconds it is too late and nothing opens. It goes out once this is committed."""
    body = {"code": code, "wish": question.wish.value, "text": question.text, "turn": question.turn}
    cmd_seq = commands.add_command(conn, operator_id, edge_id, ASK, body, now_ms, now_ms + GOOD_MS)
    return Asked(edge_id, cmd_seq)


def answer(conn: Connection, _operator_id: int, asked: Asked) -> str | None:
    """What the lot said, None so far. The plate and the answer are not kept once they are told."""
    return commands.take_result(conn, asked.edge_id, asked.cmd_seq)
