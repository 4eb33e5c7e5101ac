"""``lotgate edge --config F``: run one lot until told to stop."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import signal
import sys
from pathlib import Path

from domain.document import DocumentError
from drivers.base import BadOptionsError
from edge.daemon import ListenerError, Opened, run_edge
from edge.db.database import DatabaseDamagedError, DatabaseInUseError
from edge.settings import EdgeSettings, load_settings
from edge.sync.agent import OutdatedDatabaseError
from plumbing.logs import configure
from plumbing.settings import SettingsError

log = logging.getLogger(__name__)

BAD_FILES = (SettingsError, DocumentError, BadOptionsError)
MAY_NOT_RUN = (
    DatabaseInUseError,
    DatabaseDamagedError,
    OutdatedDatabaseError,
    ListenerError,
    OSError,
)  # OSError: a folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``--config F [--log-json] [--log-level L]``."""
    parser.add_argument("--config", type=Path, required=True, metavar="F", help="the lot file (see config/lots/)")
    parser.add_argument("--log-json", action="store_true", help="one JSON object a line instead of plain text")
    parser.add_argument("--log-level", default="INFO", choices=("DEBUG", "INFO", "WARNING", "ERROR"))


def run(args: argparse.Namespace) -> int:
    """0 after a clean stop, 1 when the lot may not run, 2 when its files cannot be used."""
    configure(json=args.log_json, level=args.log_level)
    try:
        settings = load_settings(args.config)
        if not settings.database.exists():
            print(f"{settings.database} is not there: run lotgate provision --config {args.config}", file=sys.stderr)
            return 2
        asyncio.run(_run(settings, args.config))
    except BAD_FILES as exc:
        print(exc, file=sys.stderr)
        return 2
    except MAY_NOT_RUN as exc:
        log.error("%s", exc)
        return 1
    return 0


async def _run(settings: EdgeSettings, config: Path) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run_edge(
        settings,
        stop,
        source=str(config),
        folder=config.parent,
        on_ready=ready,
    )


def ready(opened: Opened) -> None:
    """What is loaded by now stays loaded: a search for garbage that walked through it would hold every lane."""
    gc.freeze()
    log.info("READY %s", " ".join(f"{n}={p}" for n, p in opened.ports.items()))
