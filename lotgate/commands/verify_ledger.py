"""``lotgate verify-ledger``: check every book, used set and the chain of the log on stored data."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from edge.asking import ask_daemon, ask_database
from edge.db.database import DatabaseInUseError
from edge.services.checking import BOOKS, check_books
from edge.settings import load_settings
from plumbing.settings import SettingsError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``--config F``."""
    parser.add_argument("--config", type=Path, required=True, metavar="F", help="the lot file")


def run(args: argparse.Namespace) -> int:
    """0 all holds, 1 something does not, 2 when there is nothing to look at."""
    try:
        settings = load_settings(args.config)
        told = asyncio.run(ask_daemon(settings, "/verify"))
        wrong = told["wrong"] if told is not None else ask_database(settings, check_books)
    except (SettingsError, FileNotFoundError, DatabaseInUseError) as exc:
        print(exc, file=sys.stderr)
        return 2
    for line in wrong:
        print(line)
    print("wrong" if wrong else f"all {len(BOOKS) + 1} checks hold")
    return 1 if wrong else 0
