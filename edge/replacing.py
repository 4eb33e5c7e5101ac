"""Bringing a blank machine into service for a lot whose appliance died (sync §5): told by the cloud, helped by a copy.

Every step may be repeated after a power cut: the claim's key is on disk before it is shown, the cloud answers again
until this machine's own log has begun, and the database is filled in one transaction.
"""

from __future__ import annotations

import re
import secrets
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import aiohttp

from domain.claim import Claim, read_claim
from domain.takeover import ANSWER, ASK, Takeover, open_takeover
from domain.wire import BadMessageError, Json, is_genuine, signed, whole
from edge.clock import Clock
from edge.db import journal, log, people
from edge.db.database import Database
from edge.provisioning import ANSWER_S, ANY_LOT, ClaimError, claim, keep_cloud, pinned_key, trust_of, with_database
from edge.services import taking_over
from edge.services.lot_files import write_missing
from edge.services.taking_over import TAKEN_OVER, Counts
from edge.settings import EdgeSettings, load_settings
from plumbing import backup
from plumbing.backup import BackupError
from plumbing.files import write_private
from plumbing.signing import PublicKey, load_or_create_key

T = TypeVar("T")
_EDGE_LINE = re.compile(r'^edge\s*=\s*(?P<quote>["\'])(?P<edge>[^"\']*)(?P=quote)', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Replaced:
    """What came of it. *copy*: the copy whose database goes on; None when the cloud knew more than any copy."""

    edge: str
    taken: Takeover
    counts: Counts
    copy: backup.Copy | None
    left: tuple[str, ...]  # what a person has to see to


async def replace_device(
    config: Path, text: str, ca: Path | None, copies: Path | None
) -> tuple[EdgeSettings, Replaced]:
    """Take the place of the lot's dead device. *copies*: a copy of its database, or the folder they are in.

    Raises ClaimError, SettingsError, BackupError, DatabaseInUseError.
    """
    try:
        wanted = read_claim(text)
    except ValueError as exc:
        raise ClaimError(str(exc)) from exc
    asked = _known_so_far(config, wanted.edge_id)
    taken = await _claim_and_ask(asked, text, wanted, ca or asked.cloud_ca)
    _settle(config, asked, taken)
    old = load_settings(config)
    _rename(config, old.edge, wanted.edge_id)
    settings = replace(old, edge=wanted.edge_id)
    copy = _copy_of(copies, taken.before.edge) if copies else None
    counts, used = _fill(settings, taken, copy)
    return settings, Replaced(
        wanted.edge_id, taken, counts, backup.said_of(used) if used else None, tuple(_left(settings, config.parent))
    )


def _known_so_far(config: Path, edge: str) -> EdgeSettings:
    """The lot's settings under the new name. Without a lot file: enough to ask with; the key waits beside it."""
    aside = EdgeSettings(ANY_LOT, "", (), (), edge=edge, data=config.parent / f".{edge}")
    settings = aside if aside.data.exists() or not config.exists() else replace(load_settings(config), edge=edge)
    _refuse_lived_in(settings)
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    return settings


def _settle(config: Path, asked: EdgeSettings, taken: Takeover) -> None:
    """Write the lot's files where there are none, and put the key where they say."""
    files = dict(taken.files)
    lot_file = next((name for name, content in files.items() if _EDGE_LINE.search(content)), None)
    if lot_file is not None:
        files[config.name] = files.pop(lot_file)
    elif not config.exists():
        raise ClaimError(f"{config} is not there, and the cloud was never told of it: write the lot file, then again")
    write_missing(files, config)
    if asked.lot_id != ANY_LOT:
        return
    settings = replace(load_settings(config), edge=asked.edge)
    _refuse_lived_in(settings)
    if settings.key_file.exists():
        raise ClaimError(f"{settings.key_file} is another device's key: move the data folder away first")
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    asked.key_file.replace(settings.key_file)
    asked.cloud_key_file.replace(settings.cloud_key_file)
    asked.cloud_url_file.replace(settings.cloud_url_file)
    asked.data.rmdir()


def _refuse_lived_in(settings: EdgeSettings) -> None:
    """A database that has a log of its own is not replaced by anything: it is somebody's only record."""
    if not settings.database.exists():
        return
    if with_database(settings, lambda db: log.newest(db.conn).seq and not journal.note(db.conn, TAKEN_OVER)):
        raise ClaimError(
            f"{settings.database} has records of its own: move the data folder away first, or use it as --copy"
        )


async def _claim_and_ask(settings: EdgeSettings, text: str, wanted: Claim, ca: Path | None) -> Takeover:
    """A claim whose answer was lost is refused the second time: then the key it was made good with still asks."""
    refused = None
    if not settings.cloud_key_file.exists():
        try:
            await claim(settings, text, ca)
        except ClaimError as exc:
            refused = exc
    try:
        return await _ask(settings, wanted, ca)
    except ClaimError as exc:
        raise refused or exc from exc


async def _ask(settings: EdgeSettings, wanted: Claim, ca: Path | None) -> Takeover:
    """What the cloud tells this device to begin with. Raises ClaimError."""
    key = load_or_create_key(settings.key_file)
    nonce = secrets.token_hex(16)
    told = await _post(wanted, signed(ASK, settings.edge, {"edge_id": settings.edge, "nonce": nonce}, key), ca)
    public = pinned_key(wanted, told.pop("config_key", ""))
    try:
        if told.get("nonce") != nonce or not is_genuine(ANSWER, settings.edge, told, PublicKey.from_raw(public)):
            raise ClaimError("the cloud's answer is not signed for this device")
        if whole(told, "lot_id") != settings.lot_id and settings.lot_id != ANY_LOT:
            raise ClaimError(
                f"the cloud has this edge at lot {told['lot_id']}; the lot file is of lot {settings.lot_id}"
            )
        taken = open_takeover(told)
    except BadMessageError as exc:
        raise ClaimError(f"the cloud's answer cannot be read: {exc}") from exc
    keep_cloud(settings, wanted, public)
    return taken


async def _post(wanted: Claim, body: Json, ca: Path | None) -> Json:
    url = f"{wanted.url.rstrip('/')}/api/v1/takeover"
    timeout, trust = aiohttp.ClientTimeout(total=ANSWER_S), trust_of(wanted, ca)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.post(url, json=body, ssl=trust) as answer:
            if answer.status != 200:
                said = await answer.text()
                raise ClaimError(f"{wanted.url} tells nothing to take over ({answer.status}): {said[:200]}")
            told: Json = await answer.json()
            return told
    except (aiohttp.ClientError, TimeoutError) as exc:
        raise ClaimError(f"{wanted.url} cannot be reached: {exc}") from exc


def _rename(config: Path, old: str, new: str) -> None:
    """Write the new device's id into the lot file, and nothing else; the file as it was stays beside it."""
    text = config.read_text(encoding="utf-8")
    if old == new:
        return
    shutil.copy2(config, config.with_name(f"{config.name}.before-{new}"))
    line = f'edge = "{new}"'
    changed, found = _EDGE_LINE.subn(line, text, count=1)
    mode = config.stat().st_mode & 0o777
    write_private(config, (changed if found else f"{line}\n{text}").encode(), replace=True)
    config.chmod(mode)


def _copy_of(copies: Path, before: str) -> Path:
    """The copy to look at, whole and of the device before."""
    path = backup.newest(copies, before) if copies.is_dir() else copies
    found = backup.read(path)
    if found.whose != before:
        raise BackupError(f"{path} is a copy of edge {found.whose}; the device replaced is {before}")
    return path


def _fill(settings: EdgeSettings, taken: Takeover, copy: Path | None) -> tuple[Counts, Path | None]:
    """Fill the database: by the copy where that knows at least what the cloud knows, else by the cloud."""
    zones = [zone.name for zone in settings.zones]
    done = with_database(settings, lambda db: journal.note(db.conn, TAKEN_OVER)) if settings.database.exists() else None
    now = Clock().now()
    if copy is not None and done is None and _ask_copy(copy, lambda conn: taking_over.knows_more(conn, taken)):
        aside = replace(settings, data=settings.data / "taking-over")  # a power cut leaves nothing half taken over
        backup.put_back(copy, aside.database, now.wall_ms)
        counts = with_database(aside, lambda db: taking_over.go_on_with(db, taken, now))
        aside.database.replace(settings.database)
        shutil.rmtree(aside.data)
        return counts, copy
    staff = _ask_copy(copy, people.everyone) if copy is not None else []

    def fill(db: Database) -> Counts:
        if done is not None:
            return taking_over.counts(db, taken)
        return taking_over.begin_with(db, taken, staff, zones, now)

    return with_database(settings, fill), None


def _ask_copy(copy: Path, query: Callable[[sqlite3.Connection], T]) -> T:
    """Run *query* on a copy, which is not changed by it."""
    with closing(sqlite3.connect(f"file:{copy}?mode=ro&immutable=1", uri=True)) as conn:
        conn.row_factory = sqlite3.Row
        return query(conn)


def _left(settings: EdgeSettings, folder: Path) -> Iterator[str]:
    """Files the lot file names that are not on this machine: passwords and certificates are in no copy."""
    broker = settings.broker
    named = [broker.ca, broker.certificate, broker.key, broker.password_file] if broker else []
    for table in settings.devices.tables():
        named += [Path(str(value)) for key, value in table.items() if key.endswith("_file")]
    named += [*settings.calendars, *(tariff for zone in settings.zones for tariff in zone.tariffs)]
    for path in dict.fromkeys(path for path in named if path is not None):
        if not (folder / path).exists():
            yield str(path)
