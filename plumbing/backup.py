"""Copies of a SQLite database made while it is in use, and put back only where that does not lose what came after.

A copy is one file with a small JSON beside it: whose it is, when it was made, how far its logs went, and its SHA-256.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from plumbing.files import write_private

Standing = Mapping[str, tuple[int, int]]
"""How far each log of a database goes: name -> (epoch, seq)."""
BESIDE = ("", "-wal", "-shm")


class BackupError(Exception):
    """A copy cannot be made, trusted or put back; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Copy:
    """What the JSON beside a copy says."""

    whose: str
    made_ms: int
    standing: dict[str, tuple[int, int]]
    sha256: str

    @property
    def made(self) -> str:
        """When, for people, in UTC."""
        return f"{datetime.fromtimestamp(self.made_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


def make(conn: sqlite3.Connection, folder: Path, whose: str, standing: Standing, now_ms: int) -> Path:
    """Copy the database of *conn*, on the thread that uses it, into *folder*; returns the copy. Raises BackupError."""
    stamp = f"{datetime.fromtimestamp(now_ms / 1000, UTC):%Y%m%dT%H%M%SZ}"
    path, part = folder / f"{whose}-{stamp}.db", folder / f"{whose}-{stamp}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600))
        with closing(sqlite3.connect(part)) as target:
            conn.backup(target)
            target.execute("PRAGMA journal_mode=DELETE")  # one file, with nothing beside it
        _whole(part)
        _sync(part)
        copy = Copy(whose, now_ms, {name: (epoch, seq) for name, (epoch, seq) in standing.items()}, _digest(part))
        write_private(_beside(path), json.dumps(asdict(copy), indent=1).encode())
        part.rename(path)
    except (OSError, sqlite3.Error) as exc:
        part.unlink(missing_ok=True)
        raise BackupError(f"no copy was made in {folder}: {exc}") from exc
    return path


def read(path: Path) -> Copy:
    """What stands beside the copy at *path*, once the copy was found whole. Raises BackupError."""
    try:
        values = json.loads(_beside(path).read_text(encoding="utf-8"))
        standing = {str(name): (int(at[0]), int(at[1])) for name, at in values["standing"].items()}
        copy = Copy(str(values["whose"]), int(values["made_ms"]), standing, str(values["sha256"]))
        if _digest(path) != copy.sha256:
            raise BackupError(f"{path} is not what was copied: take another copy")
    except FileNotFoundError as exc:
        raise BackupError(f"{exc.filename} is missing: a copy is the .db and the .json beside it") from exc
    except (OSError, ValueError, KeyError, TypeError, IndexError) as exc:
        raise BackupError(f"{_beside(path)} cannot be read: {exc}") from exc
    _whole(path)
    return copy


def put_back(path: Path, database: Path, now_ms: int) -> Path | None:
    """Let the copy at *path* take the place of *database*; returns where the old one was moved, None without one."""
    kept = None
    if database.exists():
        kept = database.with_name(f"{database.name}.before-{now_ms}")
        for end in BESIDE:
            with suppress(FileNotFoundError):
                Path(f"{database}{end}").rename(f"{kept}{end}")
    database.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = database.with_name(f"{database.name}.part")
    shutil.copyfile(path, part)
    part.chmod(0o600)
    _sync(part)
    part.rename(database)
    _sync(database.parent)
    return kept


def refuse_older(copy: Copy, present: Standing) -> None:
    """Raises BackupError where the database that is there goes further than the copy: facts would be lost."""
    further = [name for name, at in present.items() if tuple(at) > copy.standing.get(name, (0, 0))]
    if further:
        name = further[0]
        (epoch, seq), (_, here) = copy.standing.get(name, (0, 0)), present[name]
        raise BackupError(
            f"the copy of {copy.made} ends at event {seq} of {name} (epoch {epoch}), the database here at {here}: "
            "it is never put back over a newer one; move that away first if it is damaged"
        )


def _beside(path: Path) -> Path:
    return path.with_suffix(".json")


def _whole(path: Path) -> None:
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as conn:
            said = conn.execute("PRAGMA integrity_check").fetchone()[0]
    except sqlite3.Error as exc:
        said = str(exc)
    if said != "ok":
        raise BackupError(f"{path} is damaged: {said}")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
