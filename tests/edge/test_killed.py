"""SIGKILL in the middle of traffic: every pulse had its committed decision, none came twice, the books still hold."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from drivers.barrier.simulated import SimulatedRelayBoard
from drivers.camera.simulated import Sight, SimulatedVzenith
from edge.provisioning import prepare, with_database
from edge.services.checking import check_books
from edge.settings import load_settings
from plumbing.broker import free_port
from plumbing.files import write_private
from tests.edge.lots import HOURLY

HERE = Path(__file__).parents[2]
CYCLES = 3
SECRET = "one-camera-0123456789"
LOT = """
lot_id = 7
name = "Example lot"
[[zones]]
name = "main"
tariffs = ["hourly.toml"]
[[lanes]]
name = "in"
direction = "entry"
source = "outside"
target = "main"
cameras = ["in"]
barrier = "in"
[devices.cameras.in]
type = "vzenith"
secret_file = "camera"
[devices.barriers.in]
type = "modbus_tcp"
host = "127.0.0.1"
port = {board}
[listeners]
booth = {{ port = 0 }}
device = {{ port = {device} }}
[rules]
assumed_passage_s = 0
closing_s = 0
"""


@asynccontextmanager
async def daemon(config: Path) -> AsyncIterator[None]:
    command = [sys.executable, "-m", "lotgate", "edge", "--config", str(config)]
    log = (config.parent / "edge.log").open("ab")
    with log, subprocess.Popen(command, stderr=log, cwd=HERE, env={**os.environ, "PYTHONPATH": str(HERE)}) as running:  # noqa: S603, ASYNC220
        try:
            yield
        finally:
            running.send_signal(signal.SIGKILL)


async def traffic(camera: SimulatedVzenith, board: SimulatedRelayBoard, first: int) -> int:
    """Different cars, one after another, until a few went in; returns the next number."""
    opened = len(board.pulses)
    async with asyncio.timeout(30):
        while len(board.pulses) < opened + 3:
            await camera.see(Sight(f"粤{chr(65 + first % 8)}{first * 7919 % 100000:05d}"))
            first += 1
            await asyncio.sleep(0.01)
    return first


@pytest.mark.kill
async def test_a_daemon_killed_in_traffic_never_pulses_twice_and_loses_nothing_it_acted_on(tmp_path: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        board = await stack.enter_async_context(SimulatedRelayBoard())
        device = free_port()
        (tmp_path / "hourly.toml").write_text(HOURLY, encoding="utf-8")
        write_private(tmp_path / "camera", SECRET.encode())
        config = tmp_path / "lot.toml"
        config.write_text(LOT.format(board=board.port, device=device), encoding="utf-8")
        await asyncio.to_thread(prepare, load_settings(config))
        url = f"http://127.0.0.1:{device}/device/{SECRET}"
        camera = await stack.enter_async_context(SimulatedVzenith(url, timeout_s=0.5))
        car = 1
        for _ in range(CYCLES):
            async with daemon(config):
                car = await traffic(camera, board, car)

    settings = load_settings(config)
    wrong = with_database(settings, lambda db: check_books(db.conn))
    with contextlib.closing(sqlite3.connect(settings.database)) as conn:
        (reserved,) = conn.execute("SELECT count(*) FROM pulse").fetchone()
        (starts,) = conn.execute("SELECT count(*) FROM outbox WHERE type = 'edge.started'").fetchone()
    assert wrong == []
    assert starts == CYCLES
    assert 0 <= reserved - len(board.pulses) <= CYCLES  # a kill may come between commit and pulse, never the other way
