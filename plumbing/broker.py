"""The embedded MQTT 5 broker (iotcore) as a child process: loopback only, for the demo, small lots and tests.

It keeps everything in memory: whatever it acknowledged is gone when it dies, which is why both ends keep outboxes.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from plumbing.files import write_private

LOOPBACK = "127.0.0.1"
MAX_PAYLOAD = 262_144  # bytes; a batch is at most 64 KiB, a channel delta part at most 256 KiB
POLL_SECONDS = 0.02
FREE_PORTS = range(20_000, 32_000)  # below the ports of outgoing connections

_CONFIG = """id = 0

[router]
id = 0
max_connections = 1010
max_outgoing_packet_count = 200
max_segment_size = 104857600
max_segment_count = 10

[v5.1]
name = "loopback"
listen = "{host}:{port}"
next_connection_delay_ms = 1

[v5.1.connections]
connection_timeout_ms = 60000
max_payload_size = {max_payload}
max_inflight_count = 100
{auth}"""


class BrokerError(Exception):
    """The broker did not come up; the message says what to look at."""


class EmbeddedBroker:
    """One broker on 127.0.0.1. Keeps its port over restarts; dies with this process."""

    def __init__(self, folder: Path, users: Mapping[str, str], port: int = 0) -> None:
        """*users* maps user name to password; none lets everyone in. *port* 0 takes a free one."""
        self.port = port or free_port()
        self._config = folder / "broker.toml"
        self._users = dict(users)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The child's process id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    async def start(self, timeout_seconds: float = 15.0) -> None:
        """Start and wait until the port answers. Raises BrokerError if it does not, or is already taken."""
        if self.pid is not None:
            return
        if await asyncio.to_thread(_answers, self.port):
            raise BrokerError(f"port {self.port} on {LOOPBACK} is already in use: stop the other program or change it")
        text = broker_config(self.port, self._users)
        await asyncio.to_thread(write_private, self._config, text.encode(), replace=True)
        self._process = subprocess.Popen(  # noqa: ASYNC220, S603 - fork is short; our own interpreter and module
            [sys.executable, "-m", "plumbing.broker", str(self._config)], stdin=subprocess.PIPE
        )
        await self._ready(time.monotonic() + timeout_seconds)

    async def stop(self) -> None:
        """Terminate and wait. Safe to call twice."""
        process, self._process = self._process, None
        if process is not None:
            await asyncio.to_thread(_end, process)

    def kill(self) -> None:
        """SIGKILL, as a power cut would; `start` brings it back on the same port with nothing in memory."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            _end(process)

    async def __aenter__(self) -> EmbeddedBroker:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _ready(self, deadline: float) -> None:
        while time.monotonic() < deadline:
            if self.pid is None:
                self.kill()
                raise BrokerError(f"the embedded broker ended while starting; check {self._config} and its output")
            if await asyncio.to_thread(_answers, self.port):
                return
            await asyncio.sleep(POLL_SECONDS)
        self.kill()
        raise BrokerError(f"the embedded broker did not answer on {LOOPBACK}:{self.port} in time")


def broker_config(port: int, users: Mapping[str, str]) -> str:
    """The broker's own TOML: one MQTT 5 listener on loopback, user names and passwords, no topic ACL."""
    pairs = ", ".join(f"{json.dumps(name)} = {json.dumps(password)}" for name, password in users.items())
    auth = f"auth = {{ {pairs} }}\n" if users else ""
    return _CONFIG.format(host=LOOPBACK, port=port, max_payload=MAX_PAYLOAD, auth=auth)


def free_port() -> int:
    """A TCP port nobody listens on at loopback just now.

    Not one the system itself would give: until the caller listens, it could give the same to an outgoing connection.
    """
    while True:
        port = FREE_PORTS.start + secrets.randbelow(len(FREE_PORTS))
        with suppress(OSError), socket.socket() as probe:
            probe.bind((LOOPBACK, port))
            return port


def _answers(port: int) -> bool:
    try:
        with socket.create_connection((LOOPBACK, port), timeout=0.2):
            return True
    except OSError:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdin is not None:
        process.stdin.close()


def _leave_with_parent() -> None:
    sys.stdin.buffer.read()  # returns when the parent's end of the pipe closes, whatever ended it
    os._exit(0)


def _serve(config: str) -> None:
    from iotcore import IotCoreBroker  # an optional extra, loaded only in the child

    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("rumqttd").setLevel(logging.CRITICAL)  # it logs each packet it routes as an error
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    IotCoreBroker(config_path=config).run_forever()


if __name__ == "__main__":
    _serve(sys.argv[1])
