from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from plumbing.notify import Watchdog, notify, watchdog_seconds


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[tuple[socket.socket, dict[str, str]]]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.setblocking(False)
        yield sock, {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "3000000"}


def test_systemd_hears_what_is_said(systemd: tuple[socket.socket, dict[str, str]]) -> None:
    sock, environment = systemd

    assert notify("READY=1", "STATUS=两条车道", environment=environment)

    assert sock.recv(200).decode() == "READY=1\nSTATUS=两条车道"


def test_without_systemd_nothing_is_sent(tmp_path: Path) -> None:
    assert not notify("READY=1", environment={})
    assert not notify("READY=1", environment={"NOTIFY_SOCKET": str(tmp_path / "gone")})


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "x"}, None),
    ],
)
def test_the_watchdog_interval_is_the_units(environment: dict[str, str], seconds: float | None) -> None:
    assert watchdog_seconds(environment) == seconds


def test_the_watchdog_is_fed_only_when_every_part_moved(systemd: tuple[socket.socket, dict[str, str]]) -> None:
    sock, environment = systemd
    turns = {"lane": 0, "database": 0}
    busy = False
    watchdog = Watchdog(environment)
    watchdog.register("lane", lambda: turns["lane"])
    watchdog.register("database", lambda: turns["database"], needs=lambda: busy)

    turns["lane"] += 1
    assert watchdog.feed()  # an idle database may rest
    assert sock.recv(200) == b"WATCHDOG=1"

    turns["lane"] += 1
    busy = True
    assert not watchdog.feed()
    assert list(watchdog.stuck) == ["database"]
    assert sock.recv(200) == b"STATUS=no progress: database"

    turns["lane"] += 1
    turns["database"] += 1
    assert watchdog.feed()
    assert not watchdog.feed()
    assert list(watchdog.stuck) == ["lane", "database"]
