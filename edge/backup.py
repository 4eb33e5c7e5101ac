"""A lot's database as a copy, and a copy as a lot's database, while no daemon runs (``edge.copies`` while one does)."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from edge.copying import standing_of
from edge.db.database import Database, DatabaseDamagedError, DatabaseLock, damage_told
from edge.provisioning import with_database
from edge.settings import EdgeSettings
from plumbing import backup
from plumbing.backup import Copy


def copy_stopped(settings: EdgeSettings, folder: Path, now_ms: int) -> Path:
    """Copy the database into *folder* while no daemon runs.

    Raises BackupError, DatabaseInUseError, FileNotFoundError, DatabaseDamagedError.
    """
    if not settings.database.exists():
        raise FileNotFoundError(f"{settings.database}: no database here yet; run lotgate provision")

    def copy(db: Database) -> Path:
        return backup.make(db.conn, folder, settings.edge, standing_of(db.conn), now_ms)

    return with_database(settings, copy)


def restore(settings: EdgeSettings, path: Path, now_ms: int) -> tuple[Copy, Path | None]:
    """Put a copy, or the newest whole one of a folder, in the place of this lot's database; the old one is kept.

    Raises BackupError, and DatabaseInUseError while the daemon runs.
    """
    path = backup.newest(path, settings.edge) if path.is_dir() else path
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
                return standing_of(conn)
            finally:
                conn.close()
    except (DatabaseDamagedError, sqlite3.Error):
        return {}
