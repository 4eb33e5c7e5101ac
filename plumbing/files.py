"""Files that only their owner may read, written whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

PRIVATE = 0o600


class ExposedFileError(Exception):
    """A secret's file can be read by others; the message names it and the command that mends it."""


def write_private(path: Path, data: bytes, *, replace: bool = False) -> None:
    """Write *data* durably under mode 0600. Raises FileExistsError unless *replace*."""
    if not replace:
        _write_new(path, data)
    else:
        fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
        fresh.unlink(missing_ok=True)
        _write_new(fresh, data)
        fresh.replace(path)
    _sync_folder(path.parent)


def read_private(path: Path) -> bytes:
    """The bytes of a secret's file. Raises ExposedFileError if group or others may read it, OSError if absent."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise ExposedFileError(f"{path} has mode {mode:04o} and holds a secret: run chmod 600 {path}")
    return path.read_bytes()


def read_secret(path: Path) -> str:
    """The text of a secret's file without its line end. Raises as `read_private`, ValueError if it is empty."""
    secret = read_private(path).decode("utf-8").strip("\r\n")
    if not secret:
        raise ValueError(f"{path} is empty; it must hold the secret on one line")
    return secret


def _write_new(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), PRIVATE)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
