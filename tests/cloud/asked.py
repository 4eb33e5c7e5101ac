"""Every statement a database is asked, heard at its driver: nothing gets past it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

_AROUND = re.compile("BEGIN|COMMIT|SAVEPOINT|RELEASE|SELECT pg_advisory_xact_lock")


@contextmanager
def heard(engine: Engine) -> Iterator[list[str]]:
    """The statements of this while; what begins and ends transactions and locks a plate is left out."""
    seen: list[str] = []

    def one(text: str) -> None:
        if not _AROUND.match(text):
            seen.append(text)

    def listen(connection: Any, *_: object) -> None:
        if engine.dialect.name == "sqlite":
            connection.set_trace_callback(one)
        else:
            connection.cursor_factory = _listening(connection.cursor_factory, one)

    event.listen(engine, "checkout", listen)
    yield seen
    event.remove(engine, "checkout", listen)
    engine.dispose()


def _listening(cursor: Any, one: Any) -> Any:
    class Listening(cursor):  # type: ignore[misc]
        def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
            one(str(query))
            return super().execute(query, *args, **kwargs)

        def executemany(self, query: Any, *args: Any, **kwargs: Any) -> Any:
            one(str(query))
            return super().executemany(query, *args, **kwargs)

    return Listening
