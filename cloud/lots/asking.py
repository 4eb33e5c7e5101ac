"""A driver's question taken to a lot and back: a command good for seconds, and its result (sync §4)."""

from __future__ import annotations

import asyncio

from aiohttp import web
from sqlalchemy import Connection

from cloud.lots.edges import edge_of_lot
from cloud.lots.pages import ONLINE_MS
from cloud.sync import commands
from cloud.web.state import CLOUD, read
from domain.wire import Json

GOOD_MS = 10_000  # after that it is too late: nothing opens and nothing is quoted
POLL_S = 0.15


async def ask_lot(request: web.Request, lot_id: int, kind: str, body: Json, looks: int) -> str | None:
    """What the lot says within *looks* looks, None for silence. One not heard of lately is not asked at all.

    Neither the question nor the answer is kept once it is told.
    """
    cloud = request.config_dict[CLOUD]
    edge_id = await read(request, _edge_at, lot_id)
    heard = cloud.live().get(edge_id) if edge_id else None
    if edge_id is None or heard is None or heard.age_ms > ONLINE_MS:
        return None
    cmd_seq = await read(request, _send, edge_id, kind, body, cloud.now_ms())
    cloud.wake()
    for _ in range(looks):
        await asyncio.sleep(POLL_S)
        said = await read(request, _take, edge_id, cmd_seq)
        if said is not None:
            return said
    return None


def _edge_at(conn: Connection, _operator_id: int, lot_id: int) -> str | None:
    return edge_of_lot(conn, lot_id)


def _send(conn: Connection, operator_id: int, edge_id: str, kind: str, body: Json, now_ms: int) -> int:
    return commands.add_command(conn, operator_id, edge_id, kind, body, now_ms, now_ms + GOOD_MS)


def _take(conn: Connection, _operator_id: int, edge_id: str, cmd_seq: int) -> str | None:
    return commands.take_result(conn, edge_id, cmd_seq)
