"""The lot's database file: one process, one connection, one thread, power-loss durable commits.

SQLite before 3.51.3 can lose commits when two connections share a WAL file, so a lock file keeps everyone else
out; a copy is made of the files, while this connection holds its checkpoints back.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlite_utils import Database

from edge.db.migrations import migrations

__all__ = [
    "Database",
    "DatabaseDamagedError",
    "DatabaseInUseError",
    "DatabaseLock",
    "DiskFullError",
    "damage_told",
    "hold_checkpoints",
    "open_database",
    "transaction",
]

CHECKPOINT_PAGES = 2000


class DatabaseInUseError(Exception):
    """Another process holds the lot's database."""


class DatabaseDamagedError(Exception):
    """The file is no database, or its pages are torn; the message names it and says what to do."""


class DiskFullError(Exception):
    """There was no room for the commit: nothing of it was done, and whoever asked must be told (I23)."""


class DatabaseLock:
    """Holds ``<database>.lock`` for this process. Raises DatabaseInUseError when somebody else has it."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path.with_suffix(path.suffix + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            os.close(self._file)
            raise DatabaseInUseError(f"{path} is in use: stop the daemon, or ask it instead") from exc

    def release(self) -> None:
        """Let another process open the database."""
        os.close(self._file)


def open_database(path: Path | str) -> Database:
    """Open (or create) the database at *path* and bring it to the newest schema. Call on the thread that uses it.

    Raises DatabaseDamagedError when there is a file that cannot be read as one.
    """
    if str(path) != ":memory:":
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # what SQLite puts beside it takes over its mode
    conn = sqlite3.connect(path, isolation_level=None, cached_statements=256)
    conn.row_factory = sqlite3.Row
    try:
        with damage_told(path):
            return _prepared(conn)
    except BaseException:
        conn.close()
        raise


@contextmanager
def damage_told(path: Path | str) -> Iterator[None]:
    """What SQLite says of torn pages becomes DatabaseDamagedError, with the file's name and what to do."""
    try:
        yield
    except sqlite3.DatabaseError as exc:
        if getattr(exc, "sqlite_errorcode", 0) & 0xFF not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise
        raise DatabaseDamagedError(
            f"{path} is damaged ({exc}): keep a copy of it and of the files beside it, and have it mended; "
            "a new database would forget what the cloud has seen"
        ) from exc


def _prepared(conn: sqlite3.Connection) -> Database:
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=2000",
        f"wal_autocheckpoint={CHECKPOINT_PAGES}",
        "cache_size=-16000",
        "temp_store=MEMORY",
    ):
        conn.execute(f"PRAGMA {pragma}")
    db = Database(conn)
    migrations.apply(db)
    return db


def hold_checkpoints(conn: sqlite3.Connection, *, held: bool) -> None:
    """While *held* the database's file stands still and its write-ahead log only grows, so both may be copied."""
    conn.execute(f"PRAGMA wal_autocheckpoint={0 if held else CHECKPOINT_PAGES}")


@contextmanager
def transaction(db: Database, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
    """One ``BEGIN IMMEDIATE`` transaction: the write lock comes before the first read, all is kept or nothing.

    One that is not *durable* may be undone by a power cut (never by a crash): only for what the cloud would tell us
    again. Raises DiskFullError when there is no room to keep it.
    """
    conn = db.conn
    if not durable:
        conn.execute("PRAGMA synchronous=NORMAL")
    try:
        yield from _transaction(conn)
    finally:
        if not durable:
            conn.execute("PRAGMA synchronous=FULL")


def _transaction(conn: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    _begin(conn)
    try:
        yield conn
        conn.execute("COMMIT")
    except BaseException as exc:
        if conn.in_transaction:
            conn.execute("ROLLBACK")
        if isinstance(exc, sqlite3.OperationalError) and exc.sqlite_errorcode == sqlite3.SQLITE_FULL:
            raise DiskFullError(str(exc)) from exc
        raise


def _begin(conn: sqlite3.Connection) -> None:
    try:
        conn.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as exc:
        if exc.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise
        path = conn.execute("PRAGMA database_list").fetchone()["file"]
        raise DatabaseInUseError(f"{path} is locked by another program: close what has it open") from exc
