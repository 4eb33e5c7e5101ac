"""The job that sends messages: signed, again with growing pauses, until they arrive or are given up (E71).

Signatures are those of Standard Webhooks: HMAC-SHA256 over ``id.timestamp.body``, so receivers need no code of ours.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Final

import aiohttp
from sqlalchemy import Connection, RowMapping, select, update

from cloud.hooks.guard import GuardedResolver, refuse_url
from cloud.hooks.service import envelope
from cloud.hooks.tables import hook_message, web_hook
from cloud.lots import incidents as lot_incidents
from cloud.web.state import Cloud
from domain.wire import canonical

AT_ONCE: Final = 20
ROUND_SECONDS: Final = 1.0
TIMEOUT_SECONDS: Final = 10.0
CLAIM_MS: Final = 60_000  # another worker leaves a message alone so long after one took it
FIRST_MS: Final = 10_000
MOST_MS: Final = 6 * 3_600_000
GIVE_UP_MS: Final = 3 * 86_400_000  # a message, and a hook at which nothing arrived for so long


@dataclass(frozen=True, slots=True)
class Due:
    """A message to send now."""

    message: RowMapping
    url: str
    secret: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a try: the status of an answer, or why there was none (not_allowed, timeout, tls, unreachable)."""

    status: int | None
    error: str

    @property
    def arrived(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def pause_ms(tries: int) -> int:
    """How long to wait after the failure number *tries* (from 1)."""
    return min(MOST_MS, FIRST_MS << 2 * (tries - 1))


def take_due(conn: Connection, now_ms: int) -> list[Due]:
    """Messages whose time has come, of hooks that are on; no other worker takes them meanwhile."""
    query = (
        select(hook_message, web_hook.c.url, web_hook.c.secret)
        .join(web_hook, web_hook.c.hook_id == hook_message.c.hook_id)
        .where(hook_message.c.next_ms <= now_ms, web_hook.c.off_ms.is_(None))
        .order_by(hook_message.c.next_ms, hook_message.c.message_id)
        .limit(AT_ONCE)
        .with_for_update(of=hook_message, skip_locked=True)
    )
    rows = conn.execute(query).mappings().all()
    ids = [row["message_id"] for row in rows]
    if ids:
        taken = update(hook_message).where(hook_message.c.message_id.in_(ids))
        conn.execute(taken.values(next_ms=now_ms + CLAIM_MS, tries=hook_message.c.tries + 1))
    return [Due(row, row["url"], row["secret"]) for row in rows]


def note(conn: Connection, due: Due, outcome: Outcome, now_ms: int) -> None:
    """Remember what came of a try; the next one, or none when it arrived or is too old."""
    message, tries = due.message, due.message["tries"] + 1
    tried = {"last_status": outcome.status, "last_error": outcome.error}
    of_hook = update(web_hook).where(web_hook.c.hook_id == message["hook_id"])
    of_message = update(hook_message).where(hook_message.c.message_id == message["message_id"])
    if outcome.arrived:
        conn.execute(of_message.values(arrived_ms=now_ms, next_ms=None, **tried))
        conn.execute(of_hook.where(web_hook.c.failing_ms.is_not(None)).values(failing_ms=None))
        return
    is_old = now_ms - message["made_ms"] > GIVE_UP_MS and tries > 1
    conn.execute(of_message.values(next_ms=None if is_old else now_ms + pause_ms(tries), **tried))
    conn.execute(of_hook.where(web_hook.c.failing_ms.is_(None)).values(failing_ms=now_ms))
    _switch_off(conn, message, now_ms)


def _switch_off(conn: Connection, message: RowMapping, now_ms: int) -> None:
    """A hook at which nothing arrived for days is switched off, and the operator is told."""
    failing = (web_hook.c.failing_ms < now_ms - GIVE_UP_MS) & web_hook.c.off_ms.is_(None)
    off = update(web_hook).where(web_hook.c.hook_id == message["hook_id"], failing)
    if conn.execute(off.values(off_ms=now_ms, off_why="failing")).rowcount != 1:
        return
    url = conn.execute(select(web_hook.c.url).where(web_hook.c.hook_id == message["hook_id"])).scalar_one()
    incident = f"hook:{message['hook_id']}:{now_ms}"
    lot_incidents.raise_incident(conn, message["operator_id"], incident, "hook_off", url, now_ms)


def signature(secret: str, message_id: str, at_s: int, body: bytes) -> str:
    """``v1,…`` over id, time and body."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{message_id}.{at_s}.".encode() + body, hashlib.sha256)
    return "v1," + base64.b64encode(digest).decode()


async def send(session: aiohttp.ClientSession, due: Due, now_ms: int, *, loopback: bool) -> Outcome:
    """One try. Redirects are not followed: they would lead past the guard."""
    if refuse_url(due.url, loopback=loopback) is not None:
        return Outcome(None, "not_allowed")
    told = envelope(due.message, json.loads(due.message["body"]))
    body, at_s = canonical(told), now_ms // 1000
    headers = {
        "Content-Type": "application/json",
        "webhook-id": told["id"],
        "webhook-timestamp": str(at_s),
        "webhook-signature": signature(due.secret, told["id"], at_s, body),
    }
    try:
        async with session.post(due.url, data=body, headers=headers, allow_redirects=False) as answer:
            return Outcome(answer.status, "")
    except TimeoutError:
        return Outcome(None, "timeout")
    except aiohttp.ClientSSLError:
        return Outcome(None, "tls")
    except (aiohttp.ClientError, OSError, ValueError):
        return Outcome(None, "unreachable")


def open_session(*, loopback: bool) -> aiohttp.ClientSession:
    """A client that reaches only what the guard allows and keeps no cookies."""
    connector = aiohttp.TCPConnector(
        resolver=GuardedResolver(loopback=loopback), use_dns_cache=False, limit=AT_ONCE, limit_per_host=4
    )
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    return aiohttp.ClientSession(connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())


async def round_of(cloud: Cloud, session: aiohttp.ClientSession) -> int:
    """Send what is due now; returns how many were tried."""
    due = await cloud.db.run(take_due, cloud.now_ms())
    loopback = cloud.settings.hooks.allow_loopback

    async def one(each: Due) -> None:
        outcome = await send(session, each, cloud.now_ms(), loopback=loopback)
        await cloud.db.run(note, each, outcome, cloud.now_ms())

    await asyncio.gather(*map(one, due))
    return len(due)


async def run(cloud: Cloud) -> None:
    """Send for as long as the service runs."""
    async with open_session(loopback=cloud.settings.hooks.allow_loopback) as session:
        while True:
            if await round_of(cloud, session) < AT_ONCE:
                await asyncio.sleep(ROUND_SECONDS)
