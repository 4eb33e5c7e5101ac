"""A lot's database as a copy, and a copy as a lot's database: on the one connection there is, or with none."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from edge.db import log
from edge.db.database import DatabaseDamagedError, DatabaseLock, damage_told
from edge.provisioning import with_database
from edge.settings import EdgeSettings
from plumbing import backup
from plumbing.backup import Copy

LOG = "log"


def copy(conn: sqlite3.Connection, edge: str, folder: Path, now_ms: int) -> Path:
    """Copy the database of *conn* into *folder*. Raises plumbing.backup.BackupError."""
    end = log.newest(conn)
    return backup.make(conn, folder, edge, {LOG: (end.epoch, end.seq)}, now_ms)


def copy_stopped(settings: EdgeSettings, folder: Path, now_ms: int) -> Path:
    """The same while no daemon runs. Raises DatabaseInUseError, FileNotFoundError, DatabaseDamagedError."""
    if not settings.database.exists():
        raise FileNotFoundError(f"{settings.database}: no database here yet; run lotgate provision")
    return with_database(settings, lambda db: copy(db.conn, settings.edge, folder, now_ms))


def restore(settings: EdgeSettings, path: Path, now_ms: int) -> tuple[Copy, Path | None]:
    """Put a copy in the place of this lot's database; the old one is kept beside it.

    Raises BackupError, and DatabaseInUseError while the daemon runs.
    """
    found = backup.read(path)
    if found.whose != settings.edge:
        raise backup.BackupError(f"{path} is a copy of edge {found.whose}, this lot file is of {settings.edge}")
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = DatabaseLock(settings.database)
    try:
        backup.refuse_older(found, _standing(settings.database))
        return found, backup.put_back(path, settings.database, now_ms)
    finally:
        lock.release()


def _standing(database: Path) -> backup.Standing:
    """How far the log of the database that is there goes; nothing when there is none, or none that can be read."""
    if not database.exists():
        return {}
    try:
        with damage_told(database):
            conn = sqlite3.connect(database)
            try:
                end = log.newest(conn)
            finally:
                conn.close()
    except (DatabaseDamagedError, sqlite3.Error):
        return {}
    return {LOG: (end.epoch, end.seq)}
