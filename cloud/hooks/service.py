"""Who wants to hear of what, and the messages to them: written in the transaction of the fact they tell of (E71)."""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, Select, bindparam, insert, literal, or_, select, update

from cloud.access import audit
from cloud.act import Act, Refused
from cloud.db import new_id, paged
from cloud.hooks.guard import refuse_url
from cloud.hooks.tables import hook_message, web_hook
from domain.wire import Json, canonical
from plumbing.web.paging import Page

FACTS: Final = (
    "coupon.issued",
    "coupon.bound",
    "coupon.redeemed",
    "coupon.expired",
    "coupon.voided",
    "topup",
    "topup.suggested",
    "purchase.paid",
)
PING: Final = "ping"  # a try asked for on the page; every hook hears its own
MOST_HOOKS: Final = 20  # an operator or merchant has switched on at a time


@dataclass(frozen=True, slots=True)
class Made:
    """A new hook; *secret* is told this once."""

    hook_id: int
    secret: str


LISTENING: Final = (
    select(web_hook.c.hook_id)
    .where(
        web_hook.c.operator_id == bindparam("of_operator"),
        web_hook.c.off_ms.is_(None),
        or_(web_hook.c.merchant_id.is_(None), web_hook.c.merchant_id == bindparam("of_merchant")),
    )
    .limit(1)
)
"""A hook that hears of a merchant, if there is any, as a part of another question."""

_TELL: Final = insert(hook_message).from_select(
    [
        "operator_id", "merchant_id", "hook_id", "fact", "body", "made_ms", "tries", "next_ms", "last_error",
    ],
    select(
        web_hook.c.operator_id,
        bindparam("of_merchant", type_=hook_message.c.merchant_id.type),
        web_hook.c.hook_id,
        bindparam("the_fact", type_=hook_message.c.fact.type),
        bindparam("the_body", type_=hook_message.c.body.type),
        bindparam("at_ms", type_=hook_message.c.made_ms.type),
        literal(0),
        bindparam("at_ms", type_=hook_message.c.made_ms.type),
        literal(""),
    ).where(
        web_hook.c.operator_id == bindparam("of_operator"),
        web_hook.c.off_ms.is_(None),
        or_(web_hook.c.merchant_id.is_(None), web_hook.c.merchant_id == bindparam("of_merchant")),
        web_hook.c.facts.like(bindparam("like_fact")),
    ),
)  # fmt: skip


def tell(
    conn: Connection, operator_id: int, merchant_id: int, facts: Sequence[tuple[str, Mapping[str, object]]], now_ms: int
) -> None:
    """Write a message to every hook that wants to hear of these facts, each a name and what it is about.

    No plates: whoever needs one asks for the coupon or stay with a key that may see it.
    """
    if not facts:
        return
    conn.execute(
        _TELL,
        [
            {
                "of_operator": operator_id,
                "of_merchant": merchant_id,
                "the_fact": fact,
                "like_fact": f"% {fact} %",
                "the_body": canonical(dict(about)).decode(),
                "at_ms": now_ms,
            }
            for fact, about in facts
        ],
    )


def create(
    conn: Connection,
    act: Act,
    url: str,
    facts: Collection[str],
    merchant_id: int | None = None,
    *,
    loopback: bool = False,
) -> Made | Refused:
    """A hook for *facts*, of one merchant or of all; *loopback* lets demos and tests name this machine."""
    refused = refuse_url(url, loopback=loopback)
    if refused is not None:
        return refused
    if not facts or not set(facts) <= set(FACTS):
        return Refused("hook_facts")
    of_tenant = web_hook.c.merchant_id.is_(None) if merchant_id is None else web_hook.c.merchant_id == merchant_id
    on = select(web_hook.c.hook_id).where(web_hook.c.operator_id == act.operator_id, web_hook.c.off_ms.is_(None))
    if len(conn.execute(on.where(of_tenant)).all()) >= MOST_HOOKS:
        return Refused("hooks_many", {"most": MOST_HOOKS})
    secret = "whsec_" + base64.b64encode(act.random(24)).decode()
    wanted = [fact for fact in FACTS if fact in facts]
    values = {
        "operator_id": act.operator_id,
        "merchant_id": merchant_id,
        "url": url,
        "facts": f" {' '.join(wanted)} ",
        "secret": secret,
        "created_ms": act.now_ms,
        "created_by": act.by,
        "off_why": "",
    }
    hook_id = new_id(conn, insert(web_hook).values(**values))
    audit.record(conn, act, "hook.created", f"hook:{hook_id}", after={"url": url, "facts": wanted})
    return Made(hook_id, secret)


def find(conn: Connection, operator_id: int, hook_id: int, merchant_id: int | None = None) -> RowMapping | None:
    """A hook of the operator, or of this merchant alone."""
    query = select(web_hook).where(web_hook.c.hook_id == hook_id, web_hook.c.operator_id == operator_id)
    if merchant_id is not None:
        query = query.where(web_hook.c.merchant_id == merchant_id)
    return conn.execute(query).mappings().one_or_none()


def switch(conn: Connection, act: Act, hook_id: int, *, on: bool) -> Refused | None:
    """Off: nothing more is sent, what waits waits. On: what waits is sent."""
    row = find(conn, act.operator_id, hook_id)
    if row is None or (row["off_ms"] is None) is on:
        return Refused("hook_unknown")
    values = {"off_ms": None if on else act.now_ms, "off_why": "" if on else "person", "failing_ms": None}
    conn.execute(update(web_hook).where(web_hook.c.hook_id == hook_id).values(**values))
    before = {"on": not on, "off_why": row["off_why"]}
    after = {"on": on, "off_why": values["off_why"]}
    audit.record(conn, act, "hook.on" if on else "hook.off", f"hook:{hook_id}", before=before, after=after)
    return None


def ping(conn: Connection, act: Act, hook_id: int) -> Refused | None:
    """A message that tells of nothing, to see whether it arrives."""
    row = find(conn, act.operator_id, hook_id)
    if row is None or row["off_ms"] is not None:
        return Refused("hook_unknown")
    values = {"operator_id": act.operator_id, "hook_id": hook_id, "merchant_id": row["merchant_id"], "fact": PING}
    stamp = {"made_ms": act.now_ms, "tries": 0, "next_ms": act.now_ms, "body": "{}", "last_error": ""}
    conn.execute(insert(hook_message).values(**values, **stamp))
    return None


def send_again(conn: Connection, act: Act, hook_id: int, message_id: int) -> Refused | None:
    """The same message with the same id once more, now."""
    row = find(conn, act.operator_id, hook_id)
    if row is None or row["off_ms"] is not None:
        return Refused("hook_unknown")
    wanted = (hook_message.c.message_id == message_id) & (hook_message.c.hook_id == hook_id)
    again = {"next_ms": act.now_ms, "tries": 0, "arrived_ms": None}
    if conn.execute(update(hook_message).where(wanted).values(**again)).rowcount != 1:
        return Refused("message_unknown")
    audit.record(conn, act, "hook.sent_again", f"hook:{hook_id}", after={"message": message_id})
    return None


def hooks(conn: Connection, operator_id: int, merchant_id: int | None = None) -> Sequence[RowMapping]:
    """Hooks, those switched on first, the newest first."""
    query = select(web_hook).where(web_hook.c.operator_id == operator_id)
    if merchant_id is not None:
        query = query.where(web_hook.c.merchant_id == merchant_id)
    return conn.execute(query.order_by(web_hook.c.off_ms.is_not(None), web_hook.c.hook_id.desc())).mappings().all()


def messages(conn: Connection, operator_id: int, hook_id: int, search: str = "", page: int = 1) -> Page[RowMapping]:
    """Messages of a hook, the newest first; *search* is part of the fact or of what is told of it."""
    return paged(conn, _messages(operator_id, hook_id, search), page)


def every_message(conn: Connection, operator_id: int, hook_id: int, search: str, most: int) -> Sequence[RowMapping]:
    """The same up to *most*, for a file."""
    return conn.execute(_messages(operator_id, hook_id, search).limit(most)).mappings().all()


def _messages(operator_id: int, hook_id: int, search: str) -> Select[Any]:
    query = select(hook_message).where(hook_message.c.hook_id == hook_id, hook_message.c.operator_id == operator_id)
    if search:
        query = query.where(or_(*(hook_message.c[name].contains(search, autoescape=True) for name in ("fact", "body"))))
    return query.order_by(hook_message.c.message_id.desc())


def envelope(row: RowMapping, body: Json) -> Json:
    """What is sent: the same bytes at every try."""
    return {
        "id": f"msg_{row['message_id']}",
        "fact": row["fact"],
        "made_ms": row["made_ms"],
        "merchant_id": row["merchant_id"],
        "data": body,
    }
