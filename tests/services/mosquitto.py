"""Mosquitto for tests: open on a loopback port, or with TLS and the access rules this project ships."""

from __future__ import annotations

import contextlib
import getpass
import ssl
from collections.abc import Iterator
from pathlib import Path

from lotgate.__main__ import main
from plumbing.broker import free_port
from plumbing.tls import Authority, TlsFiles, client_context, make_request
from tests.services.needs import ROOT, needs
from tests.services.processes import listens, server

SHIPPED = ROOT / "config" / "mosquitto"
OPEN = """\
listener {port} 127.0.0.1
allow_anonymous true
user {user}
max_queued_messages 100000
max_inflight_messages 100
"""


class SecureBroker:
    """A Mosquitto run from the shipped configuration, trusting the product's own authority."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.cloud_port = free_port()
        if main(["broker-ca", "init", str(folder), "--host", "127.0.0.1", "--host", "localhost"]):
            raise RuntimeError("lotgate broker-ca init failed")
        self._authority = Authority.load(folder)

    def identity(self, common_name: str) -> TlsFiles:
        """Certificate and key of a client the broker knows as *common_name*."""
        return issue_identity(self._authority, self.folder, common_name)

    def context(self, common_name: str) -> ssl.SSLContext:
        """TLS for such a client."""
        return client_context(self.identity(common_name))

    def write_configuration(self) -> Path:
        """The shipped files with this machine's paths, ports and user, and nothing else changed."""
        here = {
            "/etc/lotgate/broker": self.folder,
            "/etc/mosquitto/lotgate.acl": SHIPPED / "lotgate.acl",
            "listener 8883 0.0.0.0": f"listener {self.port} 127.0.0.1",
            "listener 8884 127.0.0.1": f"listener {self.cloud_port} 127.0.0.1",
            "user mosquitto": f"user {getpass.getuser()}",
        }
        text = (SHIPPED / "mosquitto.conf").read_text("utf-8")
        for shipped, replaced in here.items():
            if shipped not in text:
                raise LookupError(f"mosquitto.conf no longer says {shipped!r}")
            text = text.replace(shipped, str(replaced))
        path = self.folder / "mosquitto.conf"
        path.write_text(text, "utf-8")
        return path


def issue_identity(authority: Authority, folder: Path, common_name: str) -> TlsFiles:
    """What provisioning leaves on a client: the authority's certificate in *folder*, its own, and its key."""
    key, certificate = folder / f"{common_name}.key", folder / f"{common_name}.crt"
    certificate.write_bytes(authority.issue_client(make_request(key, common_name), common_name))
    return TlsFiles(folder / "ca.pem", certificate, key)


@contextlib.contextmanager
def mosquitto_running(configuration: Path, *ports: int) -> Iterator[int]:
    """Mosquitto on *ports* as *configuration* says, all of them open; yields its process id."""
    with server(
        [needs("mosquitto"), "-c", configuration],
        lambda: all(listens(port) for port in ports),
        configuration.with_suffix(".log"),
    ) as process:
        yield process.pid


@contextlib.contextmanager
def open_mosquitto(folder: Path) -> Iterator[int]:
    """A broker without accounts; yields its port."""
    port = free_port()
    configuration = folder / "mosquitto-open.conf"
    configuration.write_text(OPEN.format(port=port, user=getpass.getuser()))
    with mosquitto_running(configuration, port):
        yield port


@contextlib.contextmanager
def secure_mosquitto(folder: Path) -> Iterator[SecureBroker]:
    """A broker as ``config/mosquitto`` has it: TLS, client certificates, one lot's topics to each lot."""
    broker = SecureBroker(folder)
    with mosquitto_running(broker.write_configuration(), broker.port, broker.cloud_port):
        yield broker
