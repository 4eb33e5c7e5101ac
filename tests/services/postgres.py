"""One PostgreSQL server a test process, with a fresh database a test."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg import sql

from plumbing.broker import free_port
from tests.services.processes import listens, server

USER = "lotgate"
_SETTINGS = ("listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=60")
_UNSAFE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")  # nothing here outlives the run
_OPTIONS = [word for setting in (*_SETTINGS, *_UNSAFE) for word in ("-c", setting)]
_numbers = itertools.count(1)


class PostgresServer:
    """A running server on loopback; ask it for databases."""

    def __init__(self, port: int) -> None:
        self.port = port

    def url(self, database: str) -> str:
        """The address SQLAlchemy takes."""
        return f"postgresql+psycopg://{USER}@127.0.0.1:{self.port}/{database}"

    def conninfo(self, database: str) -> str:
        """The address psycopg itself takes."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    @contextlib.contextmanager
    def database(self) -> Iterator[str]:
        """The name of a new empty database, dropped afterwards with whoever is still connected."""
        name = f"lotgate_{next(_numbers)}"
        self._execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield name
        finally:
            self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.conninfo("postgres"), autocommit=True) as connection:
            connection.execute(statement)


@contextlib.contextmanager
def postgres_server(programs: Path) -> Iterator[PostgresServer]:
    """A server in a folder of its own; as the user nobody when the tests run as root, whom it refuses."""
    user = "nobody" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="lotgate-postgres-", ignore_cleanup_errors=True) as folder:
        if user:
            shutil.chown(folder, user)
        data = Path(folder, "data")
        init = [str(programs / "initdb"), "--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]
        command = [*init, f"--username={USER}", "-D", str(data)]
        subprocess.run(command, check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL)  # noqa: S603
        port = free_port()
        with server(
            [programs / "postgres", "-D", data, "-p", str(port), *_OPTIONS],
            lambda: _answers(port),
            Path(folder, "postgres.log"),
            user=user,
        ):
            yield PostgresServer(port)


def _answers(port: int) -> bool:
    if not listens(port):
        return False
    with contextlib.suppress(psycopg.OperationalError):
        psycopg.connect(f"postgresql://{USER}@127.0.0.1:{port}/postgres").close()
        return True
    return False
