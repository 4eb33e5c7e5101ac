"""``lotgate restore``: put a copy back, never over a database that goes further."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from plumbing.backup import BackupError, Copy
from plumbing.settings import SettingsError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``--config F [--cloud] COPY``."""
    parser.add_argument("copy", type=Path, metavar="COPY", help="the .db that lotgate backup made, its .json beside it")
    parser.add_argument("--config", type=Path, required=True, metavar="F", help="the lot file, or the cloud's settings")
    parser.add_argument("--cloud", action="store_true", help="F is the cloud's")


def run(args: argparse.Namespace) -> int:
    """0 done, 1 refused, 2 when the settings cannot be used."""
    try:
        copy, kept = (_cloud if args.cloud else _edge)(args.config, args.copy)
    except SettingsError as exc:
        print(exc, file=sys.stderr)
        return 2
    except (BackupError, OSError) as exc:
        print(exc, file=sys.stderr)
        return 1
    print(f"restored the copy of {copy.made}" + (f"; the old database is {kept}" if kept else ""))
    if not args.cloud:
        print(f"if the cloud holds more than event {copy.standing['log'][1]} of this lot, it will refuse this copy")
    return 0


def _edge(config: Path, path: Path) -> tuple[Copy, Path | None]:
    from edge.backup import restore  # a cloud machine has not installed what an edge needs
    from edge.db.database import DatabaseInUseError
    from edge.settings import load_settings

    try:
        return restore(load_settings(config), path, time.time_ns() // 1_000_000)
    except DatabaseInUseError as exc:
        raise BackupError(f"{exc}; stop the daemon before a copy is put back") from exc


def _cloud(config: Path, path: Path) -> tuple[Copy, Path | None]:
    from cloud.backup import restore  # an edge has not installed what the cloud needs
    from cloud.settings import load_settings

    return restore(load_settings(config), path, time.time_ns() // 1_000_000)
