"""An ESC/POS interpreter that is not ours (emupos): printers of both widths on loopback, and what they printed."""

from __future__ import annotations

import contextlib
import json
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from domain.slip import Paper
from plumbing.broker import free_port
from tests.services.needs import needs
from tests.services.processes import server

DOTS = {Paper.MM58: 384, Paper.MM80: 576}
PROFILE = """\
type: printer
name: {paper} columns
dpi: 203
width_dots: {dots}
font_a: {{ width: 12, height: 24 }}
font_b: {{ width: 9, height: 17 }}
code_pages: {{ 0: PC437 }}
default_code_page: 0
drawer_sensor_open_level: high
"""


@dataclass(frozen=True)
class Emupos:
    """One of its printers: where it prints and where it tells."""

    name: str
    printer_port: int
    api: str
    log: Path

    def receipts(self) -> list[str]:
        """The numbers of what came out, newest first."""
        return [one["id"] for one in json.loads(self.get("receipts"))]

    def newest(self, known: list[str]) -> tuple[list[str], bytes]:
        """Text lines and picture of the newest receipt that is none of *known*; waits until one is there."""
        deadline = time.monotonic() + 10
        while not (new := [one for one in self.receipts() if one not in known]):
            assert time.monotonic() < deadline, "no receipt came"
            time.sleep(0.01)
        text = self.get(f"receipts/{new[0]}/text").decode("utf-8")
        return [_chinese(line) for line in text.splitlines()], self.get(f"receipts/{new[0]}/image")

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"{self.api}/devices/{self.name}/{path}", timeout=5) as answer:  # noqa: S310 - loopback
            data: bytes = answer.read()
        return data

    def is_up(self) -> bool:
        try:
            return bool(self.get("receipts"))
        except OSError:  # it listens before it answers
            return False

    def fault(self, name: str, *, mended: bool = False) -> None:
        url, method = f"{self.api}/devices/{self.name}/faults/{name}", "DELETE" if mended else "PUT"
        urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=5).close()  # noqa: S310 - loopback

    def not_understood(self) -> list[str]:
        """What it said of bytes that mean nothing to it."""
        return [line for line in self.log.read_text("utf-8").splitlines() if "printer.command.unknown" in line]


@contextlib.contextmanager
def emupos_printers(folder: Path) -> Iterator[dict[Paper, Emupos]]:
    """A running interpreter with a printer of each width."""
    api, log = free_port(), folder / "emupos.log"
    printers = {paper: Emupos(f"slip{paper}", free_port(), f"http://127.0.0.1:{api}/api/v1", log) for paper in Paper}
    for paper in Paper:
        (folder / f"slip{paper}.yaml").write_text(PROFILE.format(paper=int(paper), dots=DOTS[paper]))
    devices = ",\n".join(
        f"  {{ id: {one.name}, type: printer, profile: ./{one.name}.yaml, job_idle_timeout_ms: 300,"
        f" receipts_dir: {folder / one.name}, connections: [{{ tcp: {{ port: {one.printer_port} }} }}] }}"
        for one in printers.values()
    )
    configuration = folder / "emupos.yaml"
    configuration.write_text(f"schema: 1\napi: {{ host: 127.0.0.1, port: {api} }}\ndevices: [\n{devices}\n]\n")
    with server([needs("emupos"), "run", "--config", configuration], printers[Paper.MM58].is_up, log, seconds=60):
        yield printers


def _chinese(line: str) -> str:
    """It shows each byte as code page 437; the bytes are GB18030."""
    return line.encode("cp437").decode("gb18030")
