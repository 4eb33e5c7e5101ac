"""``lotgate verify-ledger``: check every book, used set and chain on stored data, at a lot or in the cloud."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from plumbing.settings import SettingsError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``--config F [--cloud]``."""
    parser.add_argument("--config", type=Path, required=True, metavar="F", help="the lot file, or the cloud's settings")
    parser.add_argument("--cloud", action="store_true", help="F is the cloud's: check the merchants' books there")


def run(args: argparse.Namespace) -> int:
    """0 all holds, 1 something does not, 2 when there is nothing to look at."""
    try:
        wrong, checks = _cloud(args.config) if args.cloud else _edge(args.config)
    except (SettingsError, OSError, LookupError) as exc:
        print(exc, file=sys.stderr)
        return 2
    for line in wrong:
        print(line)
    print("wrong" if wrong else f"all {checks} checks hold")
    return 1 if wrong else 0


def _edge(config: Path) -> tuple[list[str], int]:
    """Ask the daemon while it runs, else look into its database."""
    from edge.asking import ask_daemon, ask_database  # a cloud machine has not installed what an edge needs
    from edge.db.database import DatabaseDamagedError, DatabaseInUseError
    from edge.services.checking import BOOKS, check_books
    from edge.settings import load_settings

    settings = load_settings(config)
    told = asyncio.run(ask_daemon(settings, "/verify"))
    try:
        wrong = told["wrong"] if told is not None else ask_database(settings, check_books)
    except DatabaseDamagedError as exc:
        return [str(exc)], len(BOOKS) + 1
    except DatabaseInUseError as exc:
        raise LookupError(str(exc)) from exc
    return wrong, len(BOOKS) + 1


def _cloud(config: Path) -> tuple[list[str], int]:
    """Look into the cloud's database as it stands at one moment; the service may go on."""
    from cloud.checking import CHECKS, check_all  # an edge has not installed what the cloud needs
    from cloud.db import NoSchemaError, look
    from cloud.settings import load_settings

    try:
        return look(load_settings(config).database, check_all), len(CHECKS)
    except NoSchemaError as exc:
        raise LookupError(str(exc)) from exc
