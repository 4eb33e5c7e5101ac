"""Copies of a SQLite database made while it is in use, and put back only where that does not lose what came after.

A copy is one file with a small JSON beside it: whose it is, when it was made, how far its logs went, and its SHA-256.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from plumbing.files import write_private

Standing = Mapping[str, tuple[int, int]]
"""How far each log of a database goes: name -> (epoch, seq)."""
BESIDE = ("", "-wal", "-shm")
STEP_BYTES = 4 * 1024 * 1024
_STAMP = re.compile(r"-\d{8}T\d{6}Z")


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
    with _part(folder, whose, now_ms) as part:
        with closing(sqlite3.connect(part)) as target:
            conn.backup(target)
        return _finish(part, whose, lambda _: standing, now_ms)


def take(
    database: Path, folder: Path, whose: str, standing_of: Callable[[sqlite3.Connection], Standing],
    may_go_on: Callable[[], bool], now_ms: int,
) -> Path:  # fmt: skip
    """Copy a database's files while another process writes it and has promised not to checkpoint; returns the copy.

    Without a checkpoint its file stands still and its write-ahead log only grows, so both together are one moment,
    however long the reading takes. *may_go_on* is asked once they are read: was the promise kept? Raises BackupError.
    """
    with _part(folder, whose, now_ms) as part:
        for end in ("", "-wal"):
            _read_into(Path(f"{database}{end}"), Path(f"{part}{end}"))
        if not may_go_on():
            raise BackupError("whoever writes the database is gone")
        return _finish(part, whose, standing_of, now_ms)


@contextmanager
def _part(folder: Path, whose: str, now_ms: int) -> Iterator[Path]:
    """A file for a copy in the making, gone again when it does not become one."""
    stamp = f"{datetime.fromtimestamp(now_ms / 1000, UTC):%Y%m%dT%H%M%SZ}"
    part = folder / f"{whose}-{stamp}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600))
        yield part
    except (OSError, sqlite3.Error) as exc:
        raise BackupError(f"no copy was made in {folder}: {exc}") from exc
    finally:
        with suppress(OSError):
            for end in (*BESIDE, "-journal"):
                Path(f"{part}{end}").unlink(missing_ok=True)


def _finish(
    part: Path, whose: str, standing_of: Callable[[sqlite3.Connection], Standing], now_ms: int
) -> Path:  # fmt: skip
    """Make *part* one whole file that is on the medium, with what it is beside it, under its name."""
    path = part.with_suffix(".db")
    with closing(sqlite3.connect(part)) as conn:
        conn.execute("PRAGMA journal_mode=DELETE")  # what stood in the log beside it goes in
        standing = {name: (epoch, seq) for name, (epoch, seq) in standing_of(conn).items()}
    _whole(part)
    _sync(part)
    copy = Copy(whose, now_ms, standing, _digest(part))
    write_private(_beside(path), json.dumps(asdict(copy), indent=1).encode(), replace=True)
    part.rename(path)
    _sync(path.parent)
    return path


def _read_into(source: Path, target: Path) -> None:
    """Copy a file a little at a time, each on the medium before the next: a slow one must not fill the memory."""
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with source.open("rb") as file:
            while chunk := file.read(STEP_BYTES):
                view = memoryview(chunk)
                while view:
                    view = view[os.write(descriptor, view) :]
                os.fdatasync(descriptor)
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    except FileNotFoundError:
        return  # nothing was written since it was opened
    finally:
        os.close(descriptor)


def copies(folder: Path, whose: str) -> list[Path]:
    """Every copy of *whose* in *folder*, the oldest first."""
    return sorted(path for path in folder.glob(f"{whose}-*.db") if _STAMP.fullmatch(path.stem[len(whose) :]))


def remove(path: Path) -> None:
    """Take a copy away."""
    path.unlink(missing_ok=True)
    _beside(path).unlink(missing_ok=True)


def newest(folder: Path, whose: str) -> Path:
    """The newest copy in *folder* that is whole. Raises BackupError."""
    for path in reversed(copies(folder, whose)):
        with suppress(BackupError):
            read(path)
            return path
    raise BackupError(f"{folder} holds no whole copy of {whose}")


def said_of(path: Path) -> Copy:
    """What stands beside the copy at *path*, the copy itself unread. Raises BackupError."""
    try:
        values = json.loads(_beside(path).read_text(encoding="utf-8"))
        standing = {str(name): (int(at[0]), int(at[1])) for name, at in values["standing"].items()}
        return Copy(str(values["whose"]), int(values["made_ms"]), standing, str(values["sha256"]))
    except FileNotFoundError as exc:
        raise BackupError(f"{exc.filename} is missing: a copy is the .db and the .json beside it") from exc
    except (OSError, ValueError, KeyError, TypeError, IndexError) as exc:
        raise BackupError(f"{_beside(path)} cannot be read: {exc}") from exc


def read(path: Path) -> Copy:
    """What stands beside the copy at *path*, once the copy was found whole. Raises BackupError."""
    copy = said_of(path)
    try:
        if _digest(path) != copy.sha256:
            raise BackupError(f"{path} is not what was copied: take another copy")
    except OSError as exc:
        raise BackupError(f"{path} cannot be read: {exc}") from exc
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
