"""Mosquitto for tests: open on a loopback port, or with TLS and the access rules this project ships."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from tests.services.needs import ROOT, needs
from tests.services.processes import free_port, listens, server

SHIPPED = ROOT / "config" / "mosquitto"
OPEN = "listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 100000\nmax_inflight_messages 100\n"


@contextlib.contextmanager
def mosquitto_running(configuration: Path, port: int) -> Iterator[int]:
    """Mosquitto on *port* as *configuration* says; yields its process id."""
    with server(
        [needs("mosquitto"), "-c", configuration], lambda: listens(port), configuration.with_suffix(".log")
    ) as process:
        yield process.pid


@contextlib.contextmanager
def open_mosquitto(folder: Path) -> Iterator[int]:
    """A broker without accounts; yields its port."""
    port = free_port()
    configuration = folder / "mosquitto-open.conf"
    user = "user root\n" if os.geteuid() == 0 else ""
    configuration.write_text(OPEN.format(port=port) + user)
    with mosquitto_running(configuration, port):
        yield port
