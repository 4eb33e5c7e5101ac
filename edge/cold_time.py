"""A start without any clock: the time is asked of the cloud before TLS can be, and believed by its signature (sync §8).

The line there proves nothing and need not: the answer is signed by the key that was pinned when the edge was claimed.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import sqlite3
from collections.abc import Callable

import aiohttp

from domain.moment import Anchor
from domain.time_statement import open_statement
from domain.wire import BadMessageError, Json, Verify
from edge.clock import Clock
from edge.db import boots, log
from edge.db.database import Database, DiskFullError, transaction
from edge.settings import EdgeSettings
from plumbing.onethread import OneThread
from plumbing.tls import WRONG_DATE

logger = logging.getLogger(__name__)

ASK_S, REST_S, ANSWER_S = 10.0, 60.0, 10


async def keep_time(
    settings: EdgeSettings, clock: Clock, thread: OneThread, db: Database, verify: Verify,
    line_error: Callable[[], str | None],
) -> None:  # fmt: skip
    """While nobody vouches for the clock, or certificates are refused by their dates, ask the cloud for the time."""
    if not settings.cloud_url_file.exists():
        return  # claimed by a release that did not keep it
    url = settings.cloud_url_file.read_text(encoding="utf-8").strip()
    while True:
        if clock.now().is_vouched and WRONG_DATE not in (line_error() or ""):
            await asyncio.sleep(REST_S)
            continue
        try:
            anchor = await ask_time(url, settings.edge, clock, verify, await thread.run(_certain_ms, db.conn))
            await thread.run(_keep, db, anchor)
            clock.keep([anchor])
            logger.warning("the time is the cloud's word: %s", clock.utc().isoformat(timespec="seconds"))
        except (aiohttp.ClientError, TimeoutError, BadMessageError, DiskFullError, ValueError) as exc:
            logger.info("no time from the cloud: %s", exc)
        await asyncio.sleep(ASK_S)


async def ask_time(url: str, edge: str, clock: Clock, verify: Verify, least_ms: int) -> Anchor:
    """One question, one anchor. Raises BadMessageError, aiohttp.ClientError, TimeoutError."""
    nonce = secrets.token_hex(16)
    timeout = aiohttp.ClientTimeout(total=ANSWER_S)
    asked = clock.now()
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.post(f"{url.rstrip('/')}/api/v1/time", json={"edge_id": edge, "nonce": nonce}, ssl=False) as answer,
    ):
        if answer.status != 200:
            raise BadMessageError(f"answered {answer.status}")
        message: Json = await answer.json()
    if not isinstance(message, dict):
        raise BadMessageError("not an object")
    return open_statement(edge, message, nonce, asked, clock.now(), verify, least_ms)


def _certain_ms(conn: sqlite3.Connection) -> int:
    """The latest time that is past for certain: the cloud's last word, or a clock somebody vouched for."""
    last = boots.last(conn)
    vouched = last.wall_ms - last.uncertainty_ms if last is not None and last.is_vouched else 0
    return max(vouched, log.newest_anchor_ms(conn) or 0)


def _keep(db: Database, anchor: Anchor) -> None:
    with transaction(db) as conn:
        log.keep_anchor(conn, anchor)
