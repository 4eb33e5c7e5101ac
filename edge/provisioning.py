"""Making a bare machine an edge: data folder, device key, database, first attendant, and its place at the cloud."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from domain.claim import Claim, read_claim
from edge.clock import Clock
from edge.db import people
from edge.db.database import Database, DatabaseLock, damage_told, open_database, transaction
from edge.pins import PinBox
from edge.settings import EdgeSettings
from edge.trust import trust_of_cloud
from plumbing.files import write_private
from plumbing.passwords import Passwords, random_pin
from plumbing.sealing import SealKey
from plumbing.signing import PrivateKey, load_or_create_key

T = TypeVar("T")
FIRST_ATTENDANT = "booth"
ANSWER_S = 20
ANY_LOT = 0  # of a machine that has no lot file yet


class ClaimError(Exception):
    """The claim could not be made good; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was made. *pin* is that of the first attendant, "" when there was one; it is nowhere else in clear."""

    fingerprint: str
    attendant: str
    pin: str


def with_database(settings: EdgeSettings, work: Callable[[Database], T]) -> T:
    """Run *work* on the lot's database while no daemon does. Raises DatabaseInUseError, DatabaseDamagedError."""
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = DatabaseLock(settings.database)
    try:
        db = open_database(settings.database)
        try:
            with damage_told(settings.database):
                return work(db)
        finally:
            db.conn.close()
    finally:
        lock.release()


def prepare(settings: EdgeSettings, attendant: str = FIRST_ATTENDANT) -> Prepared:
    """Make whatever is missing; safe to call again. Raises DatabaseInUseError while a daemon runs."""

    def first_attendant(db: Database) -> str:
        box = PinBox(SealKey.of(load_or_create_key(settings.key_file)))
        if any(box.open(one.name, one.pin_hash) for one in people.everyone(db.conn)):
            return ""  # of a database that came from another device, nobody's PIN opens here
        pin = random_pin()
        passwords = Passwords()
        try:
            hashed = passwords.hash_blocking(pin)
        finally:
            passwords.close()
        with transaction(db) as conn:
            people.put(conn, attendant, hashed, "manager", Clock().now())
        return pin

    pin = with_database(settings, first_attendant)
    return Prepared(load_or_create_key(settings.key_file).public.fingerprint, attendant, pin)


async def claim(settings: EdgeSettings, text: str, ca: Path | None = None) -> dict[str, Any]:
    """Show the claim's secret to the cloud it names, once, and pin that cloud's key. Raises ClaimError."""
    try:
        wanted = read_claim(text)
    except ValueError as exc:
        raise ClaimError(str(exc)) from exc
    if wanted.edge_id != settings.edge:
        raise ClaimError(f'the claim is for edge "{wanted.edge_id}"; the lot file says edge = "{settings.edge}"')
    key = load_or_create_key(settings.key_file)
    told = await _post(wanted, key, trust_of(wanted, ca or settings.cloud_ca))
    public = pinned_key(wanted, told.get("config_key"))
    if told.get("lot_id") != settings.lot_id and settings.lot_id != ANY_LOT:
        raise ClaimError(f"the cloud has this edge at lot {told.get('lot_id')}; set lot_id to that in the lot file")
    keep_cloud(settings, wanted, public)
    return told


def pinned_key(wanted: Claim, told: object) -> bytes:
    """The cloud's config key as it *told*, if it is the one the claim names. Raises ClaimError."""
    try:
        public = bytes.fromhex(str(told))
    except ValueError:
        public = b""
    if hashlib.sha256(public).hexdigest() != wanted.config_key_sha256:
        raise ClaimError("what answered is not the cloud the claim names: its key is another one")
    return public


def keep_cloud(settings: EdgeSettings, wanted: Claim, public: bytes) -> None:
    """Pin the cloud's key: from now on only what it signs is believed. Its address is kept for asking the time."""
    url = f"{wanted.url}\n".encode()
    write_private(settings.cloud_url_file, url, replace=settings.cloud_url_file.exists())
    write_private(settings.cloud_key_file, f"{public.hex()}\n".encode(), replace=settings.cloud_key_file.exists())


def trust_of(wanted: Claim, ca: Path | None) -> ssl.SSLContext | bool:
    """Whom to believe on the way there: the authority of *ca*, which must be the one the claim pins, if it pins one."""
    if wanted.ca_sha256:
        if ca is None:
            raise ClaimError("the claim names an authority of its own: give its certificate with --ca FILE or cloud_ca")
        if hashlib.sha256(ca.read_bytes()).hexdigest() != wanted.ca_sha256:
            raise ClaimError(f"{ca} is not the authority the claim names")
    return trust_of_cloud(ca)


async def _post(wanted: Claim, key: PrivateKey, trust: ssl.SSLContext | bool) -> dict[str, Any]:
    body = {"edge_id": wanted.edge_id, "secret": wanted.secret, "public_key": key.public.raw.hex()}
    url = f"{wanted.url.rstrip('/')}/api/v1/claim"
    timeout = aiohttp.ClientTimeout(total=ANSWER_S)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.post(url, json=body, ssl=trust) as answer:
            if answer.status != 200:
                raise ClaimError(f"{wanted.url} refused ({answer.status}): used, expired or mistyped; renew the claim")
            told: dict[str, Any] = await answer.json()
            return told
    except (aiohttp.ClientError, TimeoutError) as exc:
        raise ClaimError(f"{wanted.url} cannot be reached: {exc}") from exc
