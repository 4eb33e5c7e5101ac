"""The cloud's SQLite database as a copy, and back; PostgreSQL has tools of its own."""

from __future__ import annotations

import socket
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import make_url

from cloud.settings import CloudSettings
from plumbing import backup
from plumbing.backup import BackupError, Copy

WHOSE = "cloud"
_STANDING = "SELECT edge_id, epoch, seq FROM edge_cursor UNION ALL SELECT 'books', 0, count(*) FROM ledger_entry"


def copy(settings: CloudSettings, folder: Path, now_ms: int) -> Path:
    """Copy the database into *folder*; the service may go on. Raises BackupError."""
    database = _database(settings)
    if not database.exists():
        raise BackupError(f"{database}: no database here yet; start the cloud once")
    with closing(sqlite3.connect(database)) as conn:
        conn.execute("BEGIN")  # the copy and what it says of itself are of one moment
        return backup.make(conn, folder, WHOSE, _standing(conn), now_ms)


def restore(settings: CloudSettings, path: Path, now_ms: int) -> tuple[Copy, Path | None]:
    """Put a copy in the place of the database; the old one is kept beside it. Raises BackupError."""
    found, database = backup.read(path), _database(settings)
    if found.whose != WHOSE:
        raise BackupError(f"{path} is a copy of edge {found.whose}, not of the cloud")
    _refuse_running(settings)
    if database.exists():
        backup.refuse_older(found, _present(database))
    return found, backup.put_back(path, database, now_ms)


def _database(settings: CloudSettings) -> Path:
    url = make_url(settings.database)
    if url.get_backend_name() != "sqlite" or not url.database:
        raise BackupError("database_url is PostgreSQL: use pg_dump and pg_restore, and keep data/config.key with it")
    return Path(url.database)


def _standing(conn: sqlite3.Connection) -> backup.Standing:
    return {name: (epoch, seq) for name, epoch, seq in conn.execute(_STANDING)}


def _present(database: Path) -> backup.Standing:
    try:
        with closing(sqlite3.connect(database)) as conn:
            return _standing(conn)
    except sqlite3.Error:
        return {}  # damaged: there is nothing to go back behind


def _refuse_running(settings: CloudSettings) -> None:
    try:
        socket.create_connection((settings.listen.host, settings.listen.port), timeout=1).close()
    except OSError:
        return
    raise BackupError(f"something listens on {settings.listen.host}:{settings.listen.port}: stop the cloud first")
