"""One call of the machine interface: everything that serves it, checks it and describes it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from cloud.access.keys import Caller
from cloud.access.scopes import Scope
from cloud.act import Act, Refused
from cloud.api.schema import Schema, record
from cloud.web.state import Cloud
from domain.wire import Json
from plumbing.web import Page

BASE: Final = "/api/v1"


class NotThereError(Exception):
    """What the path names is not there, or is another tenant's: the caller cannot tell which."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What a call asks: the values of its path and query and its body, all as their schemas want them."""

    caller: Caller
    path: Mapping[str, Any]
    query: Mapping[str, Any]
    body: Json
    cloud: Cloud
    prepared: Any = None  # what Operation.prepare made outside the transaction

    def id(self, name: str) -> int:
        """A number in the path."""
        return int(self.path[name])

    @property
    def page(self) -> int:
        """The page of a list, from 1."""
        return int(self.query.get("page", 1))

    def may(self, scope: Scope) -> bool:
        """Whether the caller has this scope as well."""
        return scope in self.caller.scopes

    def merchant(self, wanted: int | None) -> int | None:
        """The merchant to look at: a merchant's program sees its own. Raises NotThereError for another's."""
        own = self.caller.merchant_id
        if own is not None and wanted not in (None, own):
            raise NotThereError
        return own if own is not None else wanted


Work = Callable[[Connection, Act, Ask], Any]
"""In one transaction: the answer, a Page of it, or Refused. Raises NotThereError."""

Direct = Callable[[web.Request, Json], Awaitable[web.StreamResponse]]
"""A call without a key that does its own asking: a device that joins, a login."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A way into the machine interface. *scope* None: whoever calls proves itself by what it sends."""

    method: str
    path: str  # below BASE, with {names} of *within*
    name: str
    summary: str
    serve: Work | Direct
    answer: Schema
    scope: Scope | None = None
    for_merchants: bool = False  # a merchant's program may, for its own things
    within: Mapping[str, Schema] = field(default_factory=dict)
    query: Mapping[str, Schema] = field(default_factory=dict)
    body: Schema | None = None
    status: int = 200
    moves_money: bool = False  # takes an Idempotency-Key
    prepare: Callable[[Cloud, Json], Awaitable[Any]] | None = None

    @property
    def is_paged(self) -> bool:
        return "page" in self.query


NO_BODY: Final[Schema] = record({})


def rows(found: Page[Any]) -> Page[dict[str, Any]]:
    """A page of database rows as plain values."""
    return Page([dict(row) for row in found.items], found.number, found.total, more=found.more)


def made(result: Any, name: str) -> Any:
    """The id a service made, under *name*; its refusal as it is."""
    return result if isinstance(result, Refused) else {name: result}


def done(result: Refused | None) -> Any:
    """``{"done": true}`` for a service that only says no or nothing."""
    return result if result is not None else {"done": True}
