"""``lotgate replay ID``: work a stored decision out again and compare it to the byte."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path

from edge.asking import ask_daemon, ask_database
from edge.db.database import DatabaseDamagedError, DatabaseInUseError
from edge.services.checking import replay
from edge.settings import load_settings
from plumbing.settings import SettingsError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``ID --config F``."""
    parser.add_argument("id", metavar="ID", help="the decision's id, as the booth and the log show it")
    parser.add_argument("--config", type=Path, required=True, metavar="F", help="the lot file")


def run(args: argparse.Namespace) -> int:
    """0 the same bytes, 1 other bytes, 2 no such decision or lot file."""
    try:
        settings = load_settings(args.config)
        told = asyncio.run(ask_daemon(settings, f"/replay/{args.id}"))
        if told is None:
            told = ask_database(settings, lambda conn: replay(conn, args.id)).values()
    except (SettingsError, LookupError, FileNotFoundError, DatabaseDamagedError, DatabaseInUseError) as exc:
        print(f"no such decision: {args.id}" if isinstance(exc, LookupError) else exc, file=sys.stderr)
        return 2
    print(json.dumps(json.loads(told["stored"]), ensure_ascii=False, indent=2))
    if told["same"]:
        print("the same bytes", file=sys.stderr)
        return 0
    print(json.dumps(json.loads(told["again"]), ensure_ascii=False, indent=2))
    print("OTHER bytes: above as stored, below as worked out now", file=sys.stderr)
    return 1
