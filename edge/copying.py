"""``python -m edge.copying``: one copy of a running lot's database, made by a process of its own, beside the lanes.

It says ``copied`` once the files are read, and goes on only when the daemon answers ``held``: a daemon that ended, or
let its checkpoints go meanwhile, has no copy made. Its last line is the copy's path.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
from contextlib import suppress
from pathlib import Path

from edge.db import log
from plumbing import backup

LOG = "log"
COPIED, HELD = "copied", "held"
LEAST_PRIORITY = 19


def main(arguments: list[str]) -> int:
    """0 done, 1 not: standard error says why."""
    parser = argparse.ArgumentParser()
    parser.add_argument("database", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("whose")
    parser.add_argument("now_ms", type=int)
    args = parser.parse_args(arguments)
    with suppress(OSError):
        os.nice(LEAST_PRIORITY)
    try:
        path = backup.take(args.database, args.folder, args.whose, standing_of, _promise_kept, args.now_ms)
    except backup.BackupError as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    sys.stdout.write(f"{path}\n")
    return 0


def standing_of(conn: sqlite3.Connection) -> dict[str, tuple[int, int]]:
    """How far the log of a lot's database goes."""
    end = log.newest(conn)
    return {LOG: (end.epoch, end.seq)}


def _promise_kept() -> bool:
    sys.stdout.write(f"{COPIED}\n")
    sys.stdout.flush()
    return sys.stdin.readline().strip() == HELD


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
