"""The cloud's database: one transaction a piece of work, the same on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import importlib
import os
import sqlite3
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from alembic import command
from alembic.config import Config
from sqlalchemy import (
    BigInteger,
    Connection,
    Engine,
    Integer,
    MetaData,
    RowMapping,
    Select,
    create_engine,
    event,
    func,
    literal,
    make_url,
    select,
)
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.types import TypeEngine

from cloud.together import Together
from plumbing.web.paging import PAGE_SIZE, Page

P = ParamSpec("P")
T = TypeVar("T")

POSTGRES_THREADS: Final = 4
BUSY_MS: Final = 10_000
DEADLOCKS: Final = frozenset({"40P01", "40001"})  # deadlock_detected, serialization_failure
DEADLOCK_TRIES: Final = 5
COUNTED: Final = 10_000

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""Every table of the cloud; each capability adds its own in its ``tables``."""


def big_id() -> TypeEngine[int]:
    """The type of ids the database counts up: 64 bits, and a rowid on SQLite."""
    return BigInteger().with_variant(Integer, "sqlite")


def open_engine(url: str) -> Engine:
    """An engine whose transactions take the write lock at once and survive a power cut (SQLite, PostgreSQL)."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database and parsed.database != ":memory:":
            os.close(os.open(parsed.database, os.O_RDWR | os.O_CREAT, 0o600))  # password hashes and plates are in it
        engine = create_engine(parsed, pool_size=1, max_overflow=0)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_immediate)
        return engine
    engine = create_engine(parsed, pool_size=POSTGRES_THREADS, max_overflow=2, pool_pre_ping=True)
    event.listen(engine, "connect", _sum_to_integers)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # Python's own BEGIN comes too late: a balance would be read without the lock
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_MS}"):
        connection.execute(f"PRAGMA {pragma}")


def _sum_to_integers(connection: Any, _record: object) -> None:
    """PostgreSQL sums 64-bit integers to a numeric; whoever asks wants the integer. A fraction raises ValueError."""
    numeric = importlib.import_module("psycopg.types.numeric")  # an extra: not there where the database is SQLite
    connection.adapters.register_loader("numeric", numeric.IntLoader)


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def alembic_config(connection: Connection) -> Config:
    """Alembic's view of our migrations over *connection*."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def upgrade(engine: Engine) -> None:
    """Bring the schema to the newest revision, in one transaction; nothing happens when it is there already."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":  # two workers starting at once migrate one after the other
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7201946)")
        command.upgrade(alembic_config(connection), "head")


class NoSchemaError(Exception):
    """There is no database of this cloud at the address."""


def look(url: str, work: Callable[[Connection], T]) -> T:
    """``work(connection)`` over one unmoving view of the database, whoever writes meanwhile. Raises NoSchemaError."""
    parsed = make_url(url)
    is_file = parsed.get_backend_name() == "sqlite"
    if is_file and not Path(parsed.database or "").is_file():
        raise NoSchemaError(f"no database at {parsed.database}")
    engine = open_engine(url)
    steady = engine if is_file else engine.execution_options(isolation_level="REPEATABLE READ")
    try:
        with steady.begin() as connection:
            return work(connection)
    except (OperationalError, ProgrammingError) as exc:
        raise NoSchemaError(f"the database cannot be read ({exc.orig}); lotgate db upgrade makes its tables") from exc
    finally:
        engine.dispose()


class Database:
    """Runs pieces of work, each in one transaction, on threads of its own: one for SQLite, a few for PostgreSQL."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        is_sqlite = engine.dialect.name == "sqlite"
        threads = 1 if is_sqlite else POSTGRES_THREADS
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="cloud-db")
        self._together = Together(engine, self._threads, self.run_here) if is_sqlite else None
        self._asked = self._done = 0

    @property
    def progress(self) -> int:
        """Pieces of work finished so far; a watchdog sees by it that the database answers."""
        return self._done

    @property
    def waiting(self) -> int:
        """Pieces of work asked for and not finished."""
        return self._asked - self._done

    async def run(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """``work(connection, *args)`` committed as a whole, or nothing of it when it raises.

        It may be run again from the start: PostgreSQL ends one of two transactions that wait for each other.
        """
        call = partial(self.run_here, work, *args, **kwargs)
        self._asked += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, call)
        finally:
            self._done += 1

    async def share(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The same for short work that many ask for at once: on SQLite those that wait are committed together (0043).

        Each is answered after the commit, and one that raises takes back nothing but its own.
        """
        if self._together is None:
            return await self.run(work, *args, **kwargs)
        self._asked += 1
        try:
            return await self._together.run(lambda connection: work(connection, *args, **kwargs))
        finally:
            self._done += 1

    def run_here(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The same on the calling thread, for the command line and for tests."""
        for _ in range(DEADLOCK_TRIES - 1):
            try:
                with self.engine.begin() as connection:
                    return work(connection, *args, **kwargs)
            except Exception as exc:
                if getattr(getattr(exc, "orig", exc), "sqlstate", None) not in DEADLOCKS:
                    raise
        with self.engine.begin() as connection:
            return work(connection, *args, **kwargs)

    def close(self) -> None:
        """Wait for work under way, then let go of every connection."""
        self._threads.shutdown(wait=True)
        self.engine.dispose()


def new_id(connection: Connection, statement: Any, values: Mapping[str, Any] | None = None) -> int:
    """Run an INSERT and return the id the database gave the row."""
    key = connection.execute(statement, values).inserted_primary_key
    if key is None:
        raise LookupError("the insert gave no primary key")
    return int(key[0])


def paged(connection: Connection, query: Select[Any], number: int) -> Page[RowMapping]:
    """Page *number* (from 1) of the rows of *query*, which groups nothing, and how many there are in all.

    They are counted up to ``COUNTED`` after where the page begins: nobody reads a million rows to learn their number.
    """
    start = (number - 1) * PAGE_SIZE
    rows = connection.execute(query.limit(PAGE_SIZE).offset(start)).mappings().all()
    if len(rows) < PAGE_SIZE and (rows or number == 1):
        return Page(rows, number, start + len(rows))
    most = start + COUNTED
    some = query.order_by(None).with_only_columns(literal(1), maintain_column_froms=True).limit(most + 1)
    total = connection.execute(select(func.count()).select_from(some.subquery())).scalar_one()
    return Page(rows, number, min(total, most), more=total > most)
