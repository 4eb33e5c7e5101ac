"""Pictures decisions were taken on: a folder a day, written after the barrier has moved, by a thread of its own."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from edge.disk import DiskGuard, Level
from plumbing.onethread import OneThread

logger = logging.getLogger(__name__)

MOST_WAITING = 64  # a disk this far behind loses pictures, never decisions


class Pictures:
    """Keeps JPEGs under *folder*. What is not written yet is answered from memory; what found no room is gone."""

    def __init__(self, folder: Path, thread: OneThread, disk: DiskGuard) -> None:
        self._folder, self._thread, self._disk = folder, thread, disk
        self._waiting: dict[Path, bytes] = {}

    def keep(self, decision_id: str, kind: str, image: bytes, wall_ms: int) -> None:
        """Take *image* (JPEG) and return at once; *kind* is ``frame`` or ``crop``."""
        if len(self._waiting) >= MOST_WAITING or self._disk.level is not Level.FINE:
            return
        path = self._path(decision_id, kind, wall_ms)
        self._waiting[path] = image
        self._thread.submit(self._write, path, image)

    async def get(self, decision_id: str, kind: str, wall_ms: int) -> bytes | None:
        """A kept picture, or None."""
        path = self._path(decision_id, kind, wall_ms)
        return self._waiting.get(path) or await self._thread.run(_read, path)

    async def tidy(self, before_wall_ms: int, most_bytes: int, asked: frozenset[str]) -> int:
        """Remove pictures of days before *before_wall_ms*, then the oldest until *most_bytes* are left.

        Those of decisions somebody may ask for stay, whatever it costs. Returns how many went.
        """
        return await self._thread.run(self._tidy, _day(before_wall_ms), most_bytes, asked)

    def _path(self, decision_id: str, kind: str, wall_ms: int) -> Path:
        return self._folder / _day(wall_ms) / f"{decision_id}.{kind}.jpg"

    def _write(self, path: Path, image: bytes) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.write_bytes(image)
        except OSError as exc:
            logger.warning("a picture was not kept: %s", exc)
        finally:
            self._waiting.pop(path, None)

    def _tidy(self, day: str, most_bytes: int, asked: frozenset[str]) -> int:
        kept = [(path, path.stat().st_size) for path in sorted(self._folder.glob("????-??-??/*.jpg"))]
        total, gone = sum(size for _, size in kept), 0
        for path, size in kept:
            if path.parent.name >= day and total <= most_bytes:
                break
            if path.name.partition(".")[0] not in asked:
                path.unlink(missing_ok=True)
                total, gone = total - size, gone + 1
        for folder in self._folder.glob("????-??-??"):
            with suppress(OSError):
                folder.rmdir()  # one that is empty
        return gone


def _day(wall_ms: int) -> str:
    return datetime.fromtimestamp(wall_ms / 1000, UTC).date().isoformat()


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
