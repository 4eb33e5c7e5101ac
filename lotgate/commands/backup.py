"""``lotgate backup``: copy the database of a lot or of the cloud while it is in use."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path
from urllib.parse import quote

from plumbing.backup import BackupError
from plumbing.settings import SettingsError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``--config F [--cloud] FOLDER``."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where the copy goes, on another disk if you can")
    parser.add_argument("--config", type=Path, required=True, metavar="F", help="the lot file, or the cloud's settings")
    parser.add_argument("--cloud", action="store_true", help="F is the cloud's")


def run(args: argparse.Namespace) -> int:
    """0 done, 1 not done, 2 when the settings cannot be used."""
    try:
        made = (_cloud if args.cloud else _edge)(args.config, args.folder.absolute())
    except SettingsError as exc:
        print(exc, file=sys.stderr)
        return 2
    except (BackupError, OSError) as exc:
        print(exc, file=sys.stderr)
        return 1
    print(f"{made} ({made.stat().st_size} bytes, whole)")
    return 0


def _edge(config: Path, folder: Path) -> Path:
    """Ask the daemon while it runs: only it may touch its database."""
    from edge.asking import ask_daemon  # a cloud machine has not installed what an edge needs
    from edge.backup import copy_stopped
    from edge.db.database import DatabaseDamagedError, DatabaseInUseError
    from edge.settings import load_settings

    settings = load_settings(config)
    told = asyncio.run(ask_daemon(settings, f"/backup?folder={quote(str(folder))}"))
    if told is None:
        try:
            return copy_stopped(settings, folder, time.time_ns() // 1_000_000)
        except (DatabaseDamagedError, DatabaseInUseError) as exc:
            raise BackupError(str(exc)) from exc
    if "error" in told:
        raise BackupError(told["error"])
    return Path(told["path"])


def _cloud(config: Path, folder: Path) -> Path:
    from cloud.backup import copy  # an edge has not installed what the cloud needs
    from cloud.settings import load_settings

    return copy(load_settings(config), folder, time.time_ns() // 1_000_000)
