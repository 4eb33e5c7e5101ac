"""``lotgate db upgrade``: bring the cloud's database to the newest schema without starting the service."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cloud.db import open_engine, upgrade
from cloud.settings import load_settings
from plumbing.settings import SettingsError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``upgrade --config F``."""
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    act = acts.add_parser("upgrade", help="migrate to the newest schema; nothing happens when it is there already")
    act.add_argument("--config", type=Path, required=True, metavar="F", help="the cloud's settings file")


def run(args: argparse.Namespace) -> int:
    """Migrate; 2 when the settings cannot be used."""
    try:
        settings = load_settings(args.config)
    except SettingsError as exc:
        print(exc, file=sys.stderr)
        return 2
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = open_engine(settings.database)
    upgrade(engine)
    engine.dispose()
    print("the schema is current")
    return 0
