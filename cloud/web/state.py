"""What every page and API handler works with, and the few steps they all take."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Concatenate, Final, ParamSpec, TypeVar
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy import Connection

from cloud.access.roles import Right, Role, may
from cloud.act import Act, Refused
from cloud.db import Database
from cloud.reach import EVERY, Lots
from cloud.settings import CloudSettings
from cloud.sync.link import Live
from plumbing.metrics import Metrics
from plumbing.passwords import Passwords
from plumbing.signing import PrivateKey
from plumbing.web import Hub, LoginThrottle, Session, Sessions, current_session, require_session, texts

P = ParamSpec("P")
T = TypeVar("T")

LONGEST_SEARCH: Final = 60  # characters


def wall_ms() -> int:
    """UTC epoch milliseconds now."""
    return time.time_ns() // 1_000_000


async def _nothing(_edge: str, _stay: str) -> bytes | None:
    return None


@dataclass(slots=True)
class Cloud:
    """The running service."""

    settings: CloudSettings
    db: Database
    config_key: PrivateKey
    operator_id: int
    public_url: str
    passwords: Passwords = field(default_factory=Passwords)
    throttle: LoginThrottle = field(default_factory=LoginThrottle)
    metrics: Metrics = field(default_factory=lambda: Metrics("lotgate_cloud"))
    hub: Hub[str] = field(default_factory=Hub)
    wake: Callable[[], None] = lambda: None  # tells the line to the edges that something waits for them
    live: Callable[[], Mapping[str, Live]] = dict  # edge id -> what it last said of its lanes
    see: Callable[[str, str], Awaitable[bytes | None]] = _nothing  # edge, stay -> a small picture of the car
    is_connected: Callable[[], bool] = lambda: False
    now_ms: Callable[[], int] = wall_ms
    random: Callable[[int], bytes] = secrets.token_bytes

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the operator's days."""
        return ZoneInfo(self.settings.time_zone)

    def act(self, by: str) -> Act:
        """An act of *by* at this moment."""
        return Act(self.operator_id, by, self.now_ms(), self.random)


CLOUD = web.AppKey("cloud", Cloud)
SESSIONS = web.AppKey("sessions", Sessions)


async def allow(request: web.Request, right: Right) -> Session:
    """Who is asking, if they may. Raises LoginNeededError, HTTPSeeOther to a due password change, HTTPForbidden."""
    session = await require_session(request)
    if session.data.get("must_change") == "1":
        raise web.HTTPSeeOther("/password")
    if not may(session.role, right):
        raise web.HTTPForbidden
    return session


async def read(
    request: web.Request, work: Callable[Concatenate[Connection, int, P], T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """``work(connection, operator_id, …)`` in one transaction."""
    cloud = request.config_dict[CLOUD]
    return await cloud.db.run(work, cloud.operator_id, *args, **kwargs)


async def change(
    request: web.Request, by: str, work: Callable[Concatenate[Connection, Act, P], T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """``work(connection, act, …)`` in one transaction; then edges and open pages hear of it."""
    cloud, session = request.config_dict[CLOUD], current_session(request)
    act = replace(cloud.act(by), within=EVERY if session is None else lots_of(session))
    result = await cloud.db.run(work, act, *args, **kwargs)
    cloud.wake()
    cloud.hub.publish("changed")
    return result


def zone_of(request: web.Request) -> ZoneInfo:
    """The time zone pages are written in."""
    return request.config_dict[CLOUD].zone


def search_of(request: web.Request) -> str:
    """What a list is searched for, as typed; "" for nothing."""
    return request.query.get("q", "").strip()[:LONGEST_SEARCH]


def lots_of(session: Session) -> Lots:
    """The lots somebody sees and runs: those of the account for a lot manager, all of them for everybody else."""
    if session.role != Role.LOT_MANAGER:
        return EVERY
    return Lots(frozenset(map(int, session.data.get("lots", "").split())))


def staff_login(session: Session) -> str:
    """The login of a merchant's staff, who see only what they made themselves; "" for everybody else."""
    return login_of(session) if session.role == Role.MERCHANT_STAFF else ""


def login_of(session: Session) -> str:
    """The account name acts are recorded under."""
    return session.data.get("login", session.name)


def merchant_of(session: Session) -> int:
    """The merchant a merchant's account acts for as a whole. Raises HTTPForbidden for a branch and anybody else."""
    merchant_id, branch_id = place_of(session)
    if branch_id:
        raise web.HTTPForbidden
    return merchant_id


def place_of(session: Session) -> tuple[int, int]:
    """The merchant a merchant's account acts for, and its branch (0: the whole). Raises HTTPForbidden for others."""
    merchant_id, branch_id = session.data.get("merchant_id", ""), session.data.get("branch_id", "0")
    if not (merchant_id.isdigit() and branch_id.isdigit()):
        raise web.HTTPForbidden
    return int(merchant_id), int(branch_id)


def words(request: web.Request, refused: Refused | None) -> str:
    """A refusal in the language of the page; empty when nothing was refused."""
    return "" if refused is None else texts(request)(f"refused.{refused.code}", **refused.facts)


async def field_of(request: web.Request, name: str) -> str:
    """A text of the posted form, trimmed; empty when missing."""
    value = (await request.post()).get(name, "")
    return value.strip() if isinstance(value, str) else ""


def whole(text: str) -> int | None:
    """A whole number somebody typed, or None."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def path_id(request: web.Request, name: str) -> int:
    """A number in the path. Raises HTTPNotFound for anything else."""
    number = whole(request.match_info[name])
    if number is None:
        raise web.HTTPNotFound
    return number


def done(path: str, key: str) -> web.HTTPSeeOther:
    """Where to go after a change, with words that say it happened."""
    return web.HTTPSeeOther(f"{path}{'&' if '?' in path else '?'}done={key}")


async def require_alive(request: web.Request) -> None:
    """For pages that stay open. Raises ConnectionResetError once the session they began with is over."""
    if not await request.app[SESSIONS].is_alive(request):
        raise ConnectionResetError("the session is over")


async def tick(hub: Hub[str], seconds: float = 2.0) -> None:
    """Have open pages look again now and then: edges report on their own time."""
    while True:
        await asyncio.sleep(seconds)
        if hub.listeners:
            hub.publish("tick")
