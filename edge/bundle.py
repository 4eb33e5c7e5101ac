"""What whoever helps from afar needs to see: one archive without secrets, logins or whole plates."""

from __future__ import annotations

import io
import json
import platform
import re
import sqlite3
import tarfile
import time
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

from domain.plate import PROVINCES, mask
from domain.wire import Json
from edge.asking import ask_daemon
from edge.finding import Finding
from edge.settings import EdgeSettings

MOST_LOG = 512 * 1024  # the newest part of a log file
_PLATE = re.compile(f"[{PROVINCES}][A-Z][A-Z0-9]{{4,6}}[警学挂试超港澳使领]?|WJ[{PROVINCES}]?[0-9]{{4,6}}[A-Z0-9]?")
_LOGIN = re.compile(r"(\w+://)[^/\s@\"']+@")
_SECRET = re.compile(r"(?im)^(\s*[\w.-]*(?:password|secret|token|pin|key)\s*[=:]\s*)\S.*$")
_LONG = re.compile(r"\b[0-9a-fA-F]{24,}\b|\bLG1[0-9A-Z]{20,}\b")  # keys, digests and vouchers


def cleaned(text: str) -> str:
    """*text* with plates masked and logins, secrets and long keys taken out; paths of secret files stay."""
    text = _LOGIN.sub(r"\1***@", text)
    text = _SECRET.sub(r"\1***", text)
    text = _LONG.sub("***", text)
    return _PLATE.sub(lambda plate: mask(plate[0]), text)


async def standing_of(settings: EdgeSettings) -> Json | None:
    """How the running edge is, without who stands where; None when none runs."""
    standing = await ask_daemon(settings, "/standing")
    if standing is not None:
        standing.pop("lanes", None)
    return standing


def make_bundle(
    lot_file: Path, standing: Json | None, findings: Sequence[Finding], logs: Sequence[Path], to: Path
) -> None:
    """Write a ``.tar.gz``, readable by its owner only. Raises OSError."""
    texts: dict[str, str] = {
        "doctor.txt": "\n".join(f"{'ok' if one.well else 'WRONG'} {one.what} -> {one.advice}" for one in findings),
        "lot.toml": lot_file.read_text(encoding="utf-8", errors="replace"),
        "standing.json": json.dumps(standing, ensure_ascii=False, indent=1),
        "versions.txt": _versions(),
    }
    texts |= {f"logs/{path.name}": _tail(path) for path in logs}
    _write(to, {name: cleaned(text) for name, text in texts.items()})


def _versions() -> str:
    packages = sorted({f"{one.name} {one.version}" for one in metadata.distributions()})
    system = [platform.platform(), f"Python {platform.python_version()}", f"SQLite {sqlite3.sqlite_version}"]
    return "\n".join([*system, "", *packages])


def _tail(path: Path) -> str:
    data = path.read_bytes()[-MOST_LOG:]
    return data.decode("utf-8", "replace")


def _write(to: Path, texts: Mapping[str, str]) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in texts.items():
            data = text.encode()
            entry = tarfile.TarInfo(f"lotgate/{name}")
            entry.size, entry.mtime, entry.mode = len(data), int(time.time()), 0o600
            archive.addfile(entry, io.BytesIO(data))
    to.touch(mode=0o600)
    to.write_bytes(packed.getvalue())
