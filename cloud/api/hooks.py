"""Calls about web hooks: who is told of what, and what became of each message."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, RowMapping

from cloud.access.scopes import Scope
from cloud.act import Act, Refused
from cloud.api.operation import NO_BODY, Ask, NotThereError, Operation, done, rows
from cloud.api.schema import DONE, FLAG, ID, MOMENT, PAGE, WHOLE, listing, maybe, one_of, record, text
from cloud.hooks import service
from cloud.hooks.guard import LONGEST
from cloud.merchants import service as merchants


def list_hooks(conn: Connection, act: Act, ask: Ask) -> Any:
    """Hooks; a merchant's program sees its own."""
    return [_told(row) for row in service.hooks(conn, act.operator_id, ask.caller.merchant_id)]


def _told(row: RowMapping) -> dict[str, Any]:
    return dict(row) | {"facts": row["facts"].split(), "on": row["off_ms"] is None}


def create_hook(conn: Connection, act: Act, ask: Ask) -> Any:
    """A hook and its signing secret, this once."""
    merchant_id = ask.merchant(ask.body.get("merchant_id"))
    if merchant_id is not None and merchants.get(conn, act.operator_id, merchant_id) is None:
        return Refused("merchant_unknown")
    loopback = ask.cloud.settings.hooks.allow_loopback
    made = service.create(conn, act, ask.body["url"], ask.body["facts"], merchant_id, loopback=loopback)
    return made if isinstance(made, Refused) else asdict(made)


def _own(conn: Connection, act: Act, ask: Ask) -> RowMapping:
    row = service.find(conn, act.operator_id, ask.id("hook_id"), ask.caller.merchant_id)
    if row is None:
        raise NotThereError
    return row


def switch_hook(conn: Connection, act: Act, ask: Ask) -> Any:
    """On: what waits is sent. Off: nothing is."""
    return done(service.switch(conn, act, _own(conn, act, ask)["hook_id"], on=ask.body["on"]))


def ping(conn: Connection, act: Act, ask: Ask) -> Any:
    """A message that says nothing, to see whether it arrives."""
    return done(service.ping(conn, act, _own(conn, act, ask)["hook_id"]))


def list_messages(conn: Connection, act: Act, ask: Ask) -> Any:
    """Messages and what became of them, the newest first."""
    return rows(service.messages(conn, act.operator_id, _own(conn, act, ask)["hook_id"], page=ask.page))


def send_again(conn: Connection, act: Act, ask: Ask) -> Any:
    """The same message with the same id once more."""
    return done(service.send_again(conn, act, _own(conn, act, ask)["hook_id"], ask.id("message_id")))


_FACT = one_of(*service.FACTS)
_HOOK = record({
    "hook_id": WHOLE, "merchant_id": maybe(WHOLE), "url": text(LONGEST), "facts": listing(_FACT), "on": FLAG,
    "created_ms": MOMENT, "failing_ms": maybe(MOMENT), "off_ms": maybe(MOMENT), "off_why": text(),
})  # fmt: skip
_MESSAGE = record({
    "message_id": WHOLE, "fact": text(), "made_ms": MOMENT, "tries": WHOLE, "next_ms": maybe(MOMENT),
    "arrived_ms": maybe(MOMENT), "last_status": maybe(WHOLE), "last_error": text(),
})  # fmt: skip
_ONE = {"hook_id": ID}

OPERATIONS = (
    Operation(
        "GET", "/hooks", "list_hooks", "Who is told of what", list_hooks, listing(_HOOK), Scope.HOOKS,
        for_merchants=True,
    ),
    Operation(
        "POST", "/hooks", "create_hook", "Tell an address of facts; its signing secret, this once", create_hook,
        record({"hook_id": WHOLE, "secret": text()}), Scope.HOOKS, for_merchants=True, status=201,
        body=record({"url": text(LONGEST, 1), "facts": listing(_FACT, 20)}, {"merchant_id": ID}),
    ),
    Operation(
        "POST", "/hooks/{hook_id}/switch", "switch_hook", "On or off; what waits is sent once it is on", switch_hook,
        DONE, Scope.HOOKS, for_merchants=True, within=_ONE, body=record({"on": FLAG}),
    ),
    Operation(
        "POST", "/hooks/{hook_id}/ping", "ping_hook", "Send a message that says nothing, to see whether it arrives",
        ping, DONE, Scope.HOOKS, for_merchants=True, within=_ONE, body=NO_BODY,
    ),
    Operation(
        "GET", "/hooks/{hook_id}/messages", "list_messages", "Messages and what became of them", list_messages,
        listing(_MESSAGE), Scope.HOOKS, for_merchants=True, within=_ONE, query={"page": PAGE},
    ),
    Operation(
        "POST", "/hooks/{hook_id}/messages/{message_id}/again", "send_again", "The same message once more", send_again,
        DONE, Scope.HOOKS, for_merchants=True, within={**_ONE, "message_id": ID}, body=NO_BODY,
    ),
)  # fmt: skip
