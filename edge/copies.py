"""Copies of the lot's database on a second medium, every few minutes, without a lane waiting for them.

The daemon only holds its checkpoints back while another process reads the files (``edge.copying``). A medium that is
gone or full is told once and costs the lot nothing.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from domain.moment import Moment
from domain.wire import Json
from edge import settings as lot_settings
from edge.copying import COPIED, HELD, LOG, standing_of
from edge.db.database import Database, DiskFullError, hold_checkpoints
from plumbing import backup
from plumbing.backup import BackupError
from plumbing.onethread import OneThread

logger = logging.getLogger(__name__)

SPARE_BYTES = 16 * 1024 * 1024
REST = 4  # a copy that takes long is made less often: the medium is at work a fifth of the time at most


class State(StrEnum):
    """How the copies stand; all but the first three are incidents (``copies_…``)."""

    OFF = "off"
    WAITING = "waiting"  # none was due yet
    FINE = "fine"
    MISSING = "missing"  # no medium at the folder
    FULL = "full"
    FAILED = "failed"


class MediumError(Exception):
    """The medium cannot take a copy; *state* and the message say why."""

    def __init__(self, state: State, why: str) -> None:
        super().__init__(why)
        self.state = state


@dataclass(slots=True)
class Standing:
    """What is known of the copies. *as_of_ms*: the newest one holds all there was then."""

    state: State
    why: str = ""
    as_of_ms: int | None = None

    def values(self) -> Json:
        """As JSON values."""
        return {"state": self.state.value, "why": self.why, "as_of_ms": self.as_of_ms}


class Copies:
    """Makes copies of one running lot. *incident* records what a person should look at."""

    def __init__(
        self,
        settings: lot_settings.EdgeSettings,
        thread: OneThread,
        db: Database,
        now: Callable[[], Moment],
        incident: Callable[[str, str, str], Awaitable[None]],
    ) -> None:
        self._edge, self._database, self._data = settings.edge, settings.database, settings.data
        self._settings, self._thread, self._db, self._now = settings.copies, thread, db, now
        self._incident, self._one = incident, asyncio.Lock()
        self.standing = Standing(State.WAITING if settings.copies.folder else State.OFF)

    async def run(self) -> None:
        """Keep the copies of the lot file's folder up, until cancelled."""
        folder, rest_s = self._settings.folder, self._settings.every_min * 60.0
        if folder is None:
            return
        while True:
            began = asyncio.get_running_loop().time()
            await self.keep_up(folder)
            took = asyncio.get_running_loop().time() - began
            await asyncio.sleep(max(rest_s - took, REST * took))

    async def keep_up(self, folder: Path) -> None:
        """One copy, unless nothing was written since the last; the oldest ones go."""
        now = self._now()
        try:
            await asyncio.to_thread(self._look_at_medium, folder)
            if not await self._is_there_already(folder):
                path = await self.make(folder)
                logger.info("copied to %s", path)
            await asyncio.to_thread(self._drop_oldest, folder, self._settings.keep)
        except MediumError as exc:
            await self._tell(exc.state, str(exc))
        except (BackupError, OSError) as exc:
            await self._tell(State.FAILED, str(exc))
        else:
            self.standing.as_of_ms = now.wall_ms
            await self._tell(State.FINE, "")

    async def make(self, folder: Path) -> Path:
        """Copy the database into *folder*, beside whatever else is going on. Raises BackupError."""
        async with self._one:
            command = (str(self._database), str(folder), self._edge, str(self._now().wall_ms))
            child = None
            try:
                await self._thread.run(hold_checkpoints, self._db.conn, held=True)
                try:
                    child = await _begin(command)
                    assert child.stdout is not None  # noqa: S101  (a pipe was asked for)
                    said = (await child.stdout.readline()).decode().strip()
                finally:
                    await self._thread.run(hold_checkpoints, self._db.conn, held=False)
                told, why = await child.communicate(f"{HELD}\n".encode() if said == COPIED else None)
            finally:
                if child is not None and child.returncode is None:
                    child.kill()
                    await child.wait()
            if child.returncode:
                raise BackupError(why.decode(errors="replace").strip() or f"the copy ended with {child.returncode}")
            return Path(told.decode().strip())

    async def _is_there_already(self, folder: Path) -> bool:
        """Does the newest copy end where the log ends? Everything that matters is told there."""
        made = backup.copies(folder, self._edge)
        if not made:
            return False
        ends = await self._thread.run(standing_of, self._db.conn)
        with suppress(BackupError):
            return backup.said_of(made[-1]).standing.get(LOG) == ends[LOG]
        return False

    def _look_at_medium(self, folder: Path) -> None:
        """Is there a medium, with room for one more copy? Old copies give way, the last one does not."""
        if not folder.is_dir():
            raise MediumError(State.MISSING, f"{folder} is not there")
        if not self._settings.same_disk and folder.stat().st_dev == self._data.stat().st_dev:
            raise MediumError(State.MISSING, f"{folder} lies on the lot's own disk: nothing is mounted there")
        for part in folder.glob(f"{self._edge}-*.part*"):
            part.unlink(missing_ok=True)  # of a copy that was cut short
        files = [self._database, Path(f"{self._database}-wal")]
        wanted = SPARE_BYTES + sum(file.stat().st_size for file in files if file.exists())
        while (free := shutil.disk_usage(folder).free) < wanted:
            made = backup.copies(folder, self._edge)
            if len(made) < 2:
                raise MediumError(State.FULL, f"{folder} has {free >> 20} MiB free, a copy wants {wanted >> 20}")
            backup.remove(made[0])

    def _drop_oldest(self, folder: Path, keep: int) -> None:
        for path in backup.copies(folder, self._edge)[:-keep]:
            backup.remove(path)

    async def _tell(self, state: State, why: str) -> None:
        """Say how it stands now; a change for the worse is an incident, once."""
        changed, self.standing.state, self.standing.why = state is not self.standing.state, state, why
        if not changed:
            return
        if state is State.FINE:
            logger.info("copies go to the second medium")
            return
        logger.error("no copy: %s", why)
        with suppress(DiskFullError):
            await self._incident(f"copies_{state}", "", why)


async def _begin(command: tuple[str, ...]) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "edge.copying", *command, stdin=pipe, stdout=pipe, stderr=pipe
    )
