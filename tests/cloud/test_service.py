"""The service as a process: it comes up, meets the broker, says so, and goes down in order."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from plumbing.broker import EmbeddedBroker

READY = re.compile(r"cloud ready on (http://\S+)")


def _ready(log: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        found = READY.search(log.read_text(encoding="utf-8"))
        if found is not None:
            return found.group(1)
        time.sleep(0.1)
    pytest.fail(log.read_text(encoding="utf-8"))


def _meets_broker(url: str) -> bool:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with urllib.request.urlopen(f"{url}/healthz", timeout=5) as answer:  # noqa: S310
            if b'"broker": true' in answer.read():
                return True
        time.sleep(0.1)
    return False


async def test_it_starts_from_nothing_meets_the_broker_and_stops_on_term(tmp_path: Path) -> None:
    folder = tmp_path / "broker"
    folder.mkdir()
    config, log = tmp_path / "cloud.toml", tmp_path / "log"
    async with EmbeddedBroker(folder, {}) as broker:
        config.write_text(f"[listen]\nport = 0\n[broker]\nport = {broker.port}\n", encoding="utf-8")
        with log.open("wb") as out:
            command = [sys.executable, "-m", "lotgate", "cloud", "--config", str(config)]
            process = subprocess.Popen(command, stdout=out, stderr=out, env=dict(os.environ))  # noqa: ASYNC220, S603
        try:
            url = _ready(log, process)
            met = _meets_broker(url)
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(timeout=20)

    text = log.read_text(encoding="utf-8")
    assert met
    assert code == 0, text
    assert len(re.findall(r"First account: admin  password: \S+", text)) == 1
    assert "Traceback" not in text


def test_settings_nobody_knows_are_refused_by_name(tmp_path: Path) -> None:
    config = tmp_path / "cloud.toml"
    config.write_text('databse_url = "x"\n', encoding="utf-8")

    for command in (["cloud"], ["db", "upgrade"]):
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "lotgate", *command, "--config", str(config)], capture_output=True, check=False
        )
        assert done.returncode == 2
        assert b"databse_url" in done.stderr
        assert b"database_url" in done.stderr
