"""``lotgate cloud``: merchants, coupons, books and the line to all lots."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cloud.app import run as run_cloud
from cloud.settings import load_settings
from plumbing.settings import SettingsError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``--config F``."""
    parser.add_argument("--config", type=Path, required=True, metavar="F", help="the cloud's settings file (TOML)")


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop; 2 when the settings cannot be used."""
    try:
        return run_cloud(load_settings(args.config))
    except SettingsError as exc:
        print(exc, file=sys.stderr)
        return 2
