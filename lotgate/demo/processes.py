"""The demo's child processes: started, watched until they are ready, stopped in time."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from lotgate.demo.folder import DemoError

STOP_S = 3.0
READY_S = 40.0
POLL_S = 0.05
LAST_WORDS = 2_000  # characters of a log shown when its process ended by itself


class Child:
    """One process on a leash. It leads its own session, so that Ctrl-C reaches the demo alone."""

    def __init__(self, name: str, arguments: list[str], log: Path) -> None:
        self.name, self._arguments, self._log = name, arguments, log
        self.process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self.process.pid if self.process is not None and self.process.returncode is None else None

    async def start(self, *, pipes: bool = False) -> asyncio.subprocess.Process:
        """Start it; what it says goes to its log. With *pipes* it is spoken to over standard input and output."""
        pipe = asyncio.subprocess.PIPE if pipes else None
        with self._log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "lotgate.demo.leash", *self._arguments,
                stdin=pipe or asyncio.subprocess.DEVNULL, stdout=pipe or log, stderr=log, start_new_session=True,
                limit=1 << 24,
            )  # fmt: skip
        return self.process

    async def ready(self, answers: Callable[[], Awaitable[bool]], within_s: float = READY_S) -> None:
        """Wait until *answers*. Raises DemoError when the process ends first or takes too long."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within_s
        while not await answers():
            if self.pid is None:
                raise DemoError(f"{self.name} ended while starting; its last words:\n{self.last_words()}")
            if loop.time() > deadline:
                raise DemoError(f"{self.name} was not ready within {within_s:.0f} s; see {self._log}")
            await asyncio.sleep(POLL_S)

    def last_words(self) -> str:
        """The end of its log."""
        return self._log.read_text(encoding="utf-8", errors="replace")[-LAST_WORDS:]

    async def stop(self) -> int | None:
        """SIGTERM, and SIGKILL for one that does not listen; its exit code, None when it did not run."""
        process, self.process = self.process, None
        if process is None:
            return None
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(STOP_S):  # wait_for may swallow the Ctrl-C that comes as it ends
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        return process.returncode
