"""``lotgate provision``: make a bare machine the edge of its lot."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from edge.db.database import DatabaseDamagedError, DatabaseInUseError
from edge.provisioning import FIRST_ATTENDANT, ClaimError, claim, prepare
from edge.settings import load_settings
from plumbing.settings import SettingsError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``--config F [--attendant NAME] [--claim TEXT [--ca FILE]]``."""
    parser.add_argument("--config", type=Path, required=True, metavar="F", help="the lot file")
    parser.add_argument("--attendant", default=FIRST_ATTENDANT, metavar="NAME", help="name of the first attendant")
    parser.add_argument("--claim", metavar="TEXT", help="the claim shown once on the cloud's page for this edge")
    parser.add_argument("--ca", type=Path, metavar="FILE", help="certificate of the cloud's own authority")


def run(args: argparse.Namespace) -> int:
    """0 when done, 1 when the claim was refused or a daemon runs, 2 when the lot file cannot be used."""
    try:
        settings = load_settings(args.config)
    except SettingsError as exc:
        print(exc, file=sys.stderr)
        return 2
    try:
        made = prepare(settings, args.attendant)
        print(f"device key   {made.fingerprint}")
        print(f"data         {settings.data}")
        if made.pin:
            print(f"attendant    {made.attendant}\nPIN          {made.pin}   (shown this once; change it at the booth)")
        if args.claim:
            asyncio.run(claim(settings, args.claim, args.ca))
            print(f"claimed      edge {settings.edge} belongs to lot {settings.lot_id}")
    except (ClaimError, DatabaseDamagedError, DatabaseInUseError) as exc:
        print(exc, file=sys.stderr)
        return 1
    except OSError as exc:
        print(
            f"{exc.filename or settings.data}: {exc.strerror or exc}; the setting data names the folder",
            file=sys.stderr,
        )
        return 1
    return 0
