"""``lotgate boards``: what the drivers' boards will show, drawn, with the lot's own texts and example values."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from pathlib import Path

from domain.board import EVENTS
from drivers.display.olm import BoardShape
from drivers.display.picture import draw
from edge.finding import LOCALE
from edge.lanes.board import Board
from edge.settings import EdgeSettings, Lane, load_settings
from plumbing.i18n import SHELL_LOCALE, load_catalogue
from plumbing.settings import SettingsError

EXAMPLE = {
    "plate": "京A12345", "yuan": "15", "fee": "20", "off": "5", "stayed": "2小时5分", "minutes": "15", "free": "36",
}  # fmt: skip
NOON = datetime(2026, 1, 1, 12)  # noqa: DTZ001 - lot-local
SHAPE = ("lines", "columns", "colours")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``--config F`` and the folder for the pictures."""
    parser.add_argument("--config", type=Path, required=True, metavar="F", help="the lot file")
    parser.add_argument("folder", type=Path, metavar="DIR", help="where the pictures go")


def run(args: argparse.Namespace) -> int:
    """0 when all were drawn, 2 when the lot file cannot be used or nothing can be written."""
    try:
        settings = load_settings(args.config)
        args.folder.mkdir(parents=True, exist_ok=True)
        for path, picture in _pictures(settings, args.folder):
            path.write_bytes(picture)
            print(path)
    except (SettingsError, ValueError, OSError) as exc:
        print(exc, file=sys.stderr)
        return 2
    return 0


def _pictures(settings: EdgeSettings, folder: Path) -> list[tuple[Path, bytes]]:
    board = Board(load_catalogue(SHELL_LOCALE, LOCALE).speaking(settings.locale), settings.boards, settings.name)
    drawn = []
    for lane in settings.lanes:
        shape = _shape(settings, lane)
        for event in EVENTS:
            shown = board.page(event, lane, "small", EXAMPLE, NOON)
            if shown.lines:
                drawn.append((folder / f"{lane.name} {event}.png", draw(shown.lines, shape)))
    return drawn


def _shape(settings: EdgeSettings, lane: Lane) -> BoardShape:
    """The lane's own board, or the usual one where it has none."""
    table = settings.devices.displays.get(lane.display, {})
    chosen = {key: table[key] for key in SHAPE if key in table}
    return BoardShape(**chosen | ({"colours": tuple(chosen["colours"])} if "colours" in chosen else {}))
