"""Where a demo keeps everything, which ports it takes, and the settings it writes for its daemons."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import IO, Any

from lotgate.demo.lots import CONFIG, FOUR, LOOPBACK, DemoLot, reached
from lotgate.demo.toml_text import toml_text
from lotgate.gateway.keys import account_settings, make_keys
from plumbing.broker import free_port
from plumbing.files import write_private

FIRST_PORT = 8600
LONGEST_WAIT_S = 3  # after the line was away: nobody at a demo waits minutes for it


class DemoError(Exception):
    """The demo cannot go on; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Ports:
    """One port for each listener, in the order they follow on the first."""

    cloud: int
    booth: int
    broker: int
    device: int
    counter: int
    board: int
    printer: int
    camera: int
    video: int
    slips: int
    gateway: int


def ports_from(first: int) -> Ports:
    """*first* and those after it; 0 takes free ones."""
    numbers = [free_port() if not first else first + place for place in range(len(fields(Ports)))]
    while len(set(numbers)) < len(numbers):
        numbers = [free_port() for _ in numbers]
    return Ports(*numbers)


def refuse_taken(ports: Ports) -> None:
    """Look at every port before anything is set up. Raises DemoError naming the first that another program has."""
    for name, number in asdict(ports).items():
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((LOOPBACK, number))
            except OSError as exc:
                raise DemoError(f"port {number} ({name}) is taken: end what uses it, or give another --port") from exc


@dataclass(frozen=True, slots=True)
class Folder:
    """Paths under the demo's folder."""

    root: Path
    lot: DemoLot = FOUR

    @property
    def clock(self) -> Path:
        return self.root / "clock"

    @property
    def cloud_toml(self) -> Path:
        return self.root / "cloud.toml"

    @property
    def gateway(self) -> Path:
        """Keys of the payment gateway, and of the cloud as its merchant."""
        return self.root / "gateway"

    @property
    def edge_toml(self) -> Path:
        return self.root / "edge.toml"

    @property
    def edge_socket(self) -> Path:
        return self.root / "edge" / "edge.sock"

    @property
    def edge_database(self) -> Path:
        return self.root / "edge" / "lot.db"

    @property
    def cloud_database(self) -> Path:
        return self.root / "cloud" / "cloud.sqlite"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def slips(self) -> Path:
        return self.root / "slips"

    @property
    def report(self) -> Path:
        """What a script reads: addresses, logins, acts."""
        return self.root / "demo.json"

    @property
    def known(self) -> Path:
        """What the first run set up and later ones use again."""
        return self.root / "known.json"

    @property
    def tariff(self) -> Path:
        """The demo's own copy of its price list: change it and see what a run says."""
        return self.root / "tariff.toml"

    def pictures(self, camera: str) -> Path:
        """The folder a plain camera watches."""
        return self.root / "pictures" / camera

    def secret(self, name: str) -> str:
        """The secret called *name*, made at its first use."""
        path = self.root / "secrets" / name
        if not path.exists():
            write_private(path, secrets.token_hex(16).encode())
        return path.read_text(encoding="ascii")

    def make(self) -> None:
        """Every folder and the files that the first run copies. Raises DemoError away from the source tree."""
        if not CONFIG.exists():
            raise DemoError(f"{CONFIG} is not there: the demo runs from lotgate's source tree")
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._keep_lot()
        for path in (self.logs, self.slips, self.root / "secrets", self.root / "cloud", self.root / "wires"):
            path.mkdir(exist_ok=True)
        for camera in self.lot.plain:
            shutil.rmtree(self.pictures(camera), ignore_errors=True)
            self.pictures(camera).mkdir(parents=True)
        if not self.tariff.exists():
            shutil.copy(CONFIG / "tariffs" / "g1-hongqiao-t1.toml", self.tariff)
        for name in (*self.lot.secrets, "broker-edge", "broker-cloud"):
            self.secret(name)

    def _keep_lot(self) -> None:
        """A folder belongs to the lot it was first used for: its books know no other. Raises DemoError."""
        kept = self.root / "lot"
        of = kept.read_text(encoding="ascii") if kept.exists() else FOUR.name if self.known.exists() else self.lot.name
        if of != self.lot.name:
            raise DemoError(f"{self.root} holds a demo of {of}: give --lot {of}, or another --dir")
        kept.write_text(of, encoding="ascii")

    def load_known(self) -> dict[str, Any]:
        """What is set up already; empty before the first run."""
        return json.loads(self.known.read_text(encoding="utf-8")) if self.known.exists() else {}

    def keep_known(self, known: dict[str, Any]) -> None:
        """Remember what was set up."""
        write_private(self.known, json.dumps(known, ensure_ascii=False, indent=1).encode(), replace=True)

    def write_report(self, report: dict[str, Any]) -> None:
        """Write demo.json for its owner alone."""
        write_private(self.report, json.dumps(report, ensure_ascii=False, indent=1).encode(), replace=True)


def secret_variable(camera: str) -> str:
    """The environment variable that tells the devices a camera's secret: command lines can be read by others."""
    return f"LOTGATE_DEMO_{camera.upper().replace('-', '_')}"


@contextmanager
def held(folder: Folder) -> Iterator[IO[str]]:
    """Let one demo at a time use *folder*. Raises DemoError when another one does."""
    with (folder.root / "lock").open("w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            raise DemoError(f"a demo already runs in {folder.root}: stop it, or give another --dir") from exc
        lock.write(str(os.getpid()))
        lock.flush()
        yield lock


def write_cloud_settings(folder: Folder, ports: Ports) -> None:
    """cloud.toml."""
    settings = {
        "data": "cloud",
        "operator": "演示停车运营",
        "public_url": f"http://{LOOPBACK}:{ports.cloud}",
        "first_password_file": "secrets/first-admin",
        "demo_clock": "clock",
        "listen": {"host": LOOPBACK, "port": ports.cloud},
        "broker": {
            "host": LOOPBACK, "port": ports.broker, "username": "cloud", "password_file": "secrets/broker-cloud",
            "longest_wait_s": LONGEST_WAIT_S,
        },
        "leases": {"cap": 20_000},
        "payments": account_settings(folder.gateway, f"http://{LOOPBACK}:{ports.gateway}"),
    }  # fmt: skip
    make_keys(folder.gateway)
    folder.cloud_toml.write_text(toml_text(settings), encoding="utf-8")


def write_edge_settings(folder: Folder, ports: Ports, lot_id: int, edge: str) -> None:
    """edge.toml: the lot's own file with this demo's number, edge, folder and ports."""
    lot = folder.lot.table()
    lot |= {"lot_id": lot_id, "edge": edge, "data": "edge", "demo_clock": "clock"}
    lot["calendars"] = [str(CONFIG / "calendar" / "cn-2026.toml")]
    if folder.lot.tells_all:
        lot["devices"] = reached(lot["devices"], asdict(ports), "secrets", "wires")
    else:
        _put_in(folder, ports, lot)
    listeners = ("booth", "device", "counter")
    lot["listeners"] = {name: {"host": LOOPBACK, "port": getattr(ports, name)} for name in listeners}
    lot["broker"] = {
        "host": LOOPBACK, "port": ports.broker, "username": "edge", "password_file": "secrets/broker-edge",
        "longest_wait_s": LONGEST_WAIT_S,
    }  # fmt: skip
    folder.edge_toml.write_text(toml_text(lot), encoding="utf-8")


def _put_in(folder: Folder, ports: Ports, lot: dict[str, Any]) -> None:
    """The small lot: everything on one board, its own copy of the price list."""
    lot["zones"][0]["tariffs"] = [folder.tariff.name]
    for name in folder.lot.smart:
        lot["devices"]["cameras"][name]["secret_file"] = f"secrets/{name}"
    for name in folder.lot.plain:
        lot["devices"]["cameras"][name]["folder"] = f"pictures/{name}"
    lot["devices"]["cameras"]["east-out"]["reach"] = f"{LOOPBACK}:{ports.camera}"
    for table in (*lot["devices"]["barriers"].values(), *lot["devices"]["loops"].values()):
        table["port"] = ports.board
    lot["devices"]["printers"]["booth"]["port"] = ports.printer
