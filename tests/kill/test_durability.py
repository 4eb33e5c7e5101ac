"""A lot's database at any moment of its writer's life: everything said to be committed is in it, and it is whole."""

from __future__ import annotations

import contextlib
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.wire import GENESIS, chain_hash
from edge.db.database import open_database

pytestmark = pytest.mark.kill

HERE = Path(__file__).parents[2]
SNAPSHOTS = 15
WRITER = """
import sys
from domain.events import ActRecorded
from domain.moment import Moment
from edge.db import log
from edge.db.database import open_database, transaction
db = open_database(sys.argv[1])
db.conn.execute("PRAGMA wal_autocheckpoint=20")  # many checkpoints: the dangerous moments
number = 0
while True:
    with transaction(db) as conn:
        for _ in range(number % 5 + 1):
            number += 1
            seq = log.append(conn, ActRecorded("a", "noted", str(number), "x" * 200), Moment("b", number, number))
    print(seq, flush=True)
"""


class Writer:
    """A process that writes and says after each commit how far it is."""

    def __init__(self, database: Path) -> None:
        command = [sys.executable, "-c", WRITER, str(database)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE)  # noqa: S603
        self.said = 0
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said = int(line)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Stopped between two machine instructions, as a power cut would find it."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL, and the last words still in the pipe."""
        self.process.kill()
        self.process.wait()
        self._listener.join(5)
        if self.process.stdout is not None:
            self.process.stdout.close()


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    writer = Writer(tmp_path / "lot.db")
    yield writer
    writer.kill()


def holds(database: Path) -> int:
    """Up to which event the database is whole: no gap, every hash right, head and counter in step."""
    db = open_database(database)
    try:
        assert db.conn.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        head, last = GENESIS, 0
        for seq, body, after in db.conn.execute("SELECT seq, body, hash FROM outbox ORDER BY seq"):
            head, last = chain_hash(head, body), last + 1
            assert (seq, after) == (last, head)
        assert tuple(db.conn.execute("SELECT next_seq, head FROM stream").fetchone()) == (last + 1, head)
        return last
    finally:
        db.conn.close()


def test_copies_of_the_files_at_random_moments_hold_all_that_was_committed(writer: Writer, tmp_path: Path) -> None:
    rng = random.Random(11)
    deadline = time.monotonic() + 20
    while writer.said < 10 and time.monotonic() < deadline:
        time.sleep(0.01)
    for number in range(SNAPSHOTS):
        time.sleep(rng.uniform(0.005, 0.08))
        copy = tmp_path / f"copy-{number}"
        copy.mkdir()
        said = writer.said
        with writer.frozen():
            for name in ("lot.db", "lot.db-wal"):
                shutil.copy(tmp_path / name, copy / name)

        assert holds(copy / "lot.db") >= said > 0


def test_a_killed_writer_loses_nothing_it_said_was_committed(writer: Writer, tmp_path: Path) -> None:
    while writer.said < 200:
        time.sleep(0.01)

    writer.kill()

    assert holds(tmp_path / "lot.db") >= writer.said
