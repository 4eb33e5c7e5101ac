"""Questions of the command line: to the running daemon through its socket, else to the database under its lock."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any, TypeVar

import aiohttp

from edge.provisioning import with_database
from edge.settings import EdgeSettings
from plumbing.unixpath import socket_path

T = TypeVar("T")


async def ask_daemon(settings: EdgeSettings, path: str) -> dict[str, Any] | None:
    """The running daemon's answer to ``GET path``; None when none runs. Raises LookupError when there is no such."""
    if not settings.socket.exists():
        return None
    try:
        with socket_path(settings.socket) as short:
            async with (
                aiohttp.ClientSession(connector=aiohttp.UnixConnector(short)) as session,
                session.get(f"http://edge{path}") as answer,
            ):
                if answer.status == 404:
                    raise LookupError(path.rpartition("/")[2])
                answer.raise_for_status()
                told: dict[str, Any] = await answer.json()
                return told
    except aiohttp.ClientConnectorError:
        return None  # a socket left behind by a daemon that was killed


def ask_database(settings: EdgeSettings, query: Callable[[sqlite3.Connection], T]) -> T:
    """Run *query* while no daemon does. Raises DatabaseInUseError, FileNotFoundError."""
    if not settings.database.exists():
        raise FileNotFoundError(f"{settings.database}: no database here yet; run lotgate provision")
    return with_database(settings, lambda db: query(db.conn))
