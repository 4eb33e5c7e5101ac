from __future__ import annotations

import asyncio
import socket
import stat
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from plumbing.broker import BrokerError, EmbeddedBroker, broker_config


async def test_the_broker_listens_on_loopback_alone_and_its_passwords_are_private(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    listening = [c.laddr for c in psutil.Process(broker.pid).net_connections() if c.status == psutil.CONN_LISTEN]

    assert [(address.ip, address.port) for address in listening] == [("127.0.0.1", broker.port)]
    assert stat.S_IMODE((tmp_path / "broker.toml").stat().st_mode) == 0o600


async def test_a_killed_broker_comes_back_on_its_port(broker: EmbeddedBroker) -> None:
    port, first = broker.port, broker.pid

    broker.kill()
    assert broker.pid is None
    await broker.start()

    assert broker.port == port
    assert broker.pid not in (None, first)


async def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        with pytest.raises(BrokerError, match=str(port)):
            await EmbeddedBroker(tmp_path, {}, port).start()


async def test_the_broker_dies_with_the_process_that_started_it(broker: EmbeddedBroker) -> None:
    child = psutil.Process(broker.pid)

    assert broker._process is not None
    assert broker._process.stdin is not None
    broker._process.stdin.close()  # what the system does to the pipe of a dead parent

    await asyncio.to_thread(child.wait, 5)


def test_quotes_in_a_password_do_not_break_the_configuration() -> None:
    assert '"a" = "b\\"c\\\\d"' in broker_config(1883, {"a": 'b"c\\d'})
