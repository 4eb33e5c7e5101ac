"""Coming in by WeChat (S2.2-S2.5): who a person of WeChat is here, and what travels through WeChat and back."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import aiohttp
from sqlalchemy import Connection, delete, insert, select

from cloud.access import audit, service
from cloud.access.service import Person
from cloud.access.tables import wechat_binding
from cloud.act import Act, Refused

GOOD_S: Final = 600  # a way to WeChat and back, and a code to bind by
TIMEOUT_S: Final = 8.0
_STATE: Final = 8 + 10 + 8  # hex digits before the mark


@dataclass(frozen=True, slots=True)
class WechatLogin:
    """The service account people sign in by; its addresses are WeChat's own unless a simulator stands in."""

    appid: str
    secret_file: Path
    authorize_url: str = "https://open.weixin.qq.com/connect/oauth2/authorize"
    api_url: str = "https://api.weixin.qq.com"


class WechatError(Exception):
    """WeChat did not say who it is."""


@dataclass(frozen=True, slots=True)
class State:
    """What comes back from WeChat with the person: when it left, and the account to bind (0: none) with its moment."""

    at_s: int
    user_id: int = 0
    asked_s: int = 0

    def text(self, secret: str, nonce: str) -> str:
        """Letters and digits alone, as WeChat wants them; good only with the browser's *nonce*."""
        plain = f"{self.at_s:08x}{self.user_id:010x}{self.asked_s:08x}"
        return plain + mark(secret, "state", plain, nonce)


def mark(secret: str, *parts: str) -> str:
    """A short HMAC-SHA256 that only this cloud makes."""
    return hmac.digest(secret.encode(), "\n".join(parts).encode(), hashlib.sha256).hex()[:32]


def is_marked(given: str, secret: str, *parts: str) -> bool:
    """Whether *given* is the mark of *parts*."""
    return hmac.compare_digest(given.encode(), mark(secret, *parts).encode())


def read_state(text: str, secret: str, nonce: str, now_s: int) -> State | None:
    """The state this browser left with; None for any other, and for an old one."""
    plain, given = text[:_STATE], text[_STATE:]
    if not nonce or not text.isascii() or not is_marked(given, secret, "state", plain, nonce):
        return None
    state = State(int(plain[:8], 16), int(plain[8:18], 16), int(plain[18:], 16))
    return state if 0 <= now_s - state.at_s <= GOOD_S else None


def ticket(secret: str, user_id: int, now_s: int) -> str:
    """What the code in the operator's office holds: this account may be bound, for ten minutes, once (S2.5)."""
    plain = f"{user_id:010x}{now_s:08x}"
    return plain + mark(secret, "ticket", plain)


def read_ticket(text: str, secret: str, now_s: int) -> tuple[int, int] | None:
    """(account, moment of asking); None for a forged or old one."""
    plain = text[:18]
    if not text.isascii() or not is_marked(text[18:], secret, "ticket", plain):
        return None
    asked_s = int(plain[10:], 16)
    return (int(plain[:10], 16), asked_s) if 0 <= now_s - asked_s <= GOOD_S else None


def authorize(options: WechatLogin, back: str, state: str) -> str:
    """Where the browser goes; ``snsapi_base`` asks the person nothing and tells no more than who it is."""
    query = {"appid": options.appid, "redirect_uri": back, "response_type": "code", "scope": "snsapi_base"}
    return f"{options.authorize_url}?{urlencode({**query, 'state': state})}#wechat_redirect"


async def openid_of(options: WechatLogin, secret: str, code: str) -> str:
    """Who came back with *code*, which WeChat honours once. Raises WechatError."""
    query = {"appid": options.appid, "secret": secret, "code": code, "grant_type": "authorization_code"}
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(f"{options.api_url}/sns/oauth2/access_token", params=query, allow_redirects=False) as answer,
        ):
            told = json.loads(await answer.text())
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as exc:
        raise WechatError("no answer") from exc
    openid = told.get("openid") if isinstance(told, dict) else None
    if not isinstance(openid, str) or not 0 < len(openid) <= 128:
        raise WechatError("no such code")
    return openid


def find(conn: Connection, operator_id: int, appid: str, openid: str) -> Person | None:
    """The enabled account this person of WeChat is bound to."""
    query = select(wechat_binding.c.user_id).where(
        wechat_binding.c.appid == appid,
        wechat_binding.c.openid == openid,
        wechat_binding.c.operator_id == operator_id,
    )
    user_id = conn.execute(query).scalar_one_or_none()
    return None if user_id is None else service.person(conn, user_id)


def bind(
    conn: Connection, act: Act, appid: str, openid: str, user_id: int, asked_ms: int | None = None
) -> Person | Refused:
    """Let this person of WeChat in as a merchant's account, in place of what they were bound to before.

    *asked_ms*: by a code shown then, which is used up by the first who binds after it.
    """
    person = service.person(conn, user_id)
    if person is None or person.merchant_id is None or person.operator_id != act.operator_id:
        return Refused("wechat_not_here")
    used = select(wechat_binding.c.openid).where(
        wechat_binding.c.user_id == user_id, wechat_binding.c.bound_ms >= (asked_ms or 0)
    )
    if asked_ms is not None and conn.execute(used.limit(1)).first() is not None:
        return Refused("wechat_code_used")
    this = (wechat_binding.c.appid == appid) & (wechat_binding.c.openid == openid)
    conn.execute(delete(wechat_binding).where(this))
    values: Mapping[str, object] = {"appid": appid, "openid": openid, "user_id": user_id, "bound_ms": act.now_ms}
    conn.execute(insert(wechat_binding).values(operator_id=act.operator_id, **values))
    audit.record(conn, act, "wechat.bound", f"user:{person.login}")
    return person


def unbind(conn: Connection, act: Act, user_id: int) -> int:
    """Let nobody of WeChat in as this account any more; returns how many that ends."""
    this = delete(wechat_binding).where(wechat_binding.c.user_id == user_id)
    ended = conn.execute(this.where(wechat_binding.c.operator_id == act.operator_id)).rowcount
    if ended:
        audit.record(conn, act, "wechat.unbound", f"user:{user_id}")
    return ended


def count(conn: Connection, user_id: int) -> int:
    """How many people of WeChat may come in as this account."""
    return len(conn.execute(select(wechat_binding.c.openid).where(wechat_binding.c.user_id == user_id)).all())
