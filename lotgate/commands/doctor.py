"""``lotgate doctor``: what is wrong with this edge, and what to do."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from edge.bundle import make_bundle, standing_of
from edge.doctor import examine
from edge.settings import load_settings
from plumbing.i18n import LANGUAGES
from plumbing.logs import configure
from plumbing.settings import SettingsError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``--config F``, ``--language L``, ``--bundle F`` and ``--log F``."""
    parser.add_argument("--config", type=Path, required=True, metavar="F", help="the lot file")
    parser.add_argument("--language", choices=LANGUAGES, default="", help="of what it says (that of the lot file)")
    parser.add_argument("--bundle", type=Path, metavar="F", help="write F, a .tar.gz for whoever helps from afar")
    parser.add_argument(
        "--log", type=Path, action="append", default=[], metavar="F", help="a log file for the bundle; may be repeated"
    )


def run(args: argparse.Namespace) -> int:
    """0 all well, 1 something is not, 2 when the lot file cannot be used."""
    configure(level="ERROR")  # the findings say it; a driver need not say it too
    try:
        settings = load_settings(args.config)
    except SettingsError as exc:
        print(exc, file=sys.stderr)
        return 2
    found = asyncio.run(examine(settings, str(args.config), args.config.parent, args.language))
    for finding in found:
        print(f"{'ok   ' if finding.well else 'WRONG'} {finding.what}")
        if not finding.well and finding.advice:
            print(f"      -> {finding.advice}")
    if args.bundle is not None:
        try:
            make_bundle(args.config, asyncio.run(standing_of(settings)), found, args.log, args.bundle)
        except OSError as exc:
            print(exc, file=sys.stderr)
            return 2
        print(f"{args.bundle}: no secrets and no whole plates, but read it before you send it")
    return 0 if all(finding.well for finding in found) else 1
