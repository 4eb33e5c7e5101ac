"""The files a lot runs by, told to the cloud when they change, so that a blank machine can get them back (E49)."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Mapping
from pathlib import Path

from domain.events import SettingsKept
from domain.moment import Moment
from edge.db import journal, log
from edge.db.database import Database, transaction
from edge.settings import EdgeSettings

logger = logging.getLogger(__name__)

MOST_BYTES = 48 * 1024  # one event; a lot file has a few kilobytes
_LOGIN = re.compile(r"\w+://[^/\s@\"']+:[^/\s@\"']+@")


def lot_files(settings: EdgeSettings, config: Path) -> dict[str, str]:
    """The lot file, its price lists, calendars and slips: path from the lot file's folder -> text.

    Files of secrets are never among them. One that has a login written into it, or is too large, is left out.
    """
    if not config.is_file():
        return {}  # settings made by a program
    folder = config.parent.resolve()
    prices = (tariff for zone in settings.zones for tariff in zone.tariffs)
    named = [config, *settings.calendars, *prices, *(one.layout for one in settings.slips if one.layout)]
    found = {}
    for path in dict.fromkeys((folder / each).resolve() for each in named):
        if not path.is_relative_to(folder.parent) or not path.is_file():
            continue
        text = path.read_text(encoding="utf-8")
        if len(text.encode()) > MOST_BYTES or _LOGIN.search(text):
            logger.warning("%s is not kept at the cloud: too large, or a password stands in it", path)
            continue
        found[_name(path, folder)] = text
    return found


def _name(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else f"../{path.relative_to(folder.parent)}"


def keep_files(db: Database, files: Mapping[str, str], now: Moment) -> int:
    """Tell of every file that is not as it was told last; returns how many."""
    changed = {name: text for name, text in files.items() if journal.note(db.conn, f"file:{name}") != _digest(text)}
    with transaction(db) as conn:
        for name, text in changed.items():
            log.append(conn, SettingsKept(name, text), now)
            journal.set_note(conn, f"file:{name}", _digest(text))
    return len(changed)


def write_missing(files: Mapping[str, str], config: Path) -> list[Path]:
    """Write those of *files* that are not there, around *config*, and nothing over one that is; returns which."""
    folder = config.parent.resolve()
    written = []
    for name, text in files.items():
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.parent) or path.exists():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
