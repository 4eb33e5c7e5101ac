"""Real servers for tests: started on loopback, waited for, stopped whatever happens."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path


class ServerFailedError(Exception):
    """A server a test started ended or did not come up; the message holds what it last said."""


def listens(port: int) -> bool:
    """True when a connection to the loopback *port* is taken."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.5):
        return True
    return False


@contextlib.contextmanager
def server(
    command: Sequence[str | Path],
    ready: Callable[[], bool],
    log: Path,
    *,
    seconds: float = 20.0,
    user: str | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run *command* until the block ends: up when *ready* says so, its output in *log*.

    Raises ServerFailedError when it ends early or is not up in time.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 (the tests' own commands)
            [os.fspath(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            user=user,
        )
    try:
        _await_ready(process, ready, log, seconds)
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end, and end it after ten seconds."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()


def _await_ready(process: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            said = log.read_text("utf-8", "replace")[-2000:]
            raise ServerFailedError(f"{process.args!r} exit={process.poll()}: {said}")
        time.sleep(0.02)
