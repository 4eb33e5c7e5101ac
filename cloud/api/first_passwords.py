"""First passwords of logins made through a call: told this once, changed at the first login."""

from __future__ import annotations

from typing import Any, Final

from cloud.act import Refused
from cloud.api.operation import Ask
from cloud.api.schema import Schema, record, text
from cloud.web.state import Cloud
from domain.wire import Json
from plumbing.passwords import random_password

LOGIN: Final[Schema] = record({"login": text(), "password": text()})


async def fresh(cloud: Cloud, _body: Json) -> tuple[str, str]:
    """A password to read out and its hash, which takes longer than a transaction should."""
    password = random_password(2)
    return password, await cloud.passwords.hash(password)


def hashed(ask: Ask) -> str:
    """What is kept of it."""
    return str(ask.prepared[1])


def told(made: str | Refused, ask: Ask) -> Any:
    """The login and its password, or the service's no."""
    return made if isinstance(made, Refused) else {"login": made, "password": ask.prepared[0]}
