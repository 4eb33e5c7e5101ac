"""Keys of programs: made by an administrator, shown once, kept as a hash, ended at any time (E71)."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update

from cloud.access import audit
from cloud.access.scopes import OF_A_MERCHANT, Scope, scopes_of
from cloud.access.service import bearer
from cloud.access.tables import api_key
from cloud.act import Act, Refused
from cloud.db import new_id
from cloud.prepared import Questions
from domain.ids import crockford_encode

MARK: Final = "lgk_"  # how a key differs from a person's token, and what a scanner for lost secrets finds
SHOWN: Final = 12
KEY: Final = "key:"  # before its number, as what it does is recorded
NAME_LENGTH: Final = 60
USED_MS: Final = 60_000  # the last use is noted at most once a minute


@dataclass(frozen=True, slots=True)
class Caller:
    """A program that proved itself: what it may do, and the one merchant it may do it for (None: the operator)."""

    operator_id: int
    by: str  # the name its acts are recorded under
    scopes: frozenset[Scope]
    merchant_id: int | None


@dataclass(frozen=True, slots=True)
class Made:
    """A new key; *text* is told this once."""

    key_id: int
    text: str


def create(
    conn: Connection, act: Act, name: str, scopes: Collection[str], merchant_id: int | None = None
) -> Made | Refused:
    """A key with *scopes*; a merchant's has those of ``OF_A_MERCHANT`` at most. The caller knows the merchant."""
    if not name.strip() or len(name) > NAME_LENGTH:
        return Refused("key_name")
    allowed = set(Scope if merchant_id is None else OF_A_MERCHANT)
    if not scopes or not set(scopes) <= allowed:
        return Refused("key_scopes")
    text = MARK + crockford_encode(act.random(20)).lower()
    values = {
        "operator_id": act.operator_id,
        "merchant_id": merchant_id,
        "name": name.strip(),
        "start": text[:SHOWN],
        "key_hash": _hashed(text),
        "scopes": " ".join(scope for scope in Scope if scope in scopes),
        "created_ms": act.now_ms,
        "created_by": act.by,
        "revoked_by": "",
    }
    key_id = new_id(conn, insert(api_key).values(**values))
    after = {"name": values["name"], "scopes": values["scopes"], "merchant": merchant_id}
    audit.record(conn, act, "key.created", f"key:{key_id}", after=after)
    return Made(key_id, text)


def revoke(conn: Connection, act: Act, key_id: int) -> Refused | None:
    """From now on the key opens nothing."""
    wanted = (api_key.c.key_id == key_id) & (api_key.c.operator_id == act.operator_id) & api_key.c.revoked_ms.is_(None)
    done = conn.execute(update(api_key).where(wanted).values(revoked_ms=act.now_ms, revoked_by=act.by))
    if done.rowcount != 1:
        return Refused("key_unknown")
    audit.record(conn, act, "key.revoked", f"key:{key_id}")
    return None


def listed(conn: Connection, operator_id: int) -> Sequence[RowMapping]:
    """All keys, those in use first, the newest first."""
    query = select(api_key).where(api_key.c.operator_id == operator_id)
    return conn.execute(query.order_by(api_key.c.revoked_ms.is_not(None), api_key.c.key_id.desc())).mappings().all()


def person_behind(conn: Connection, operator_id: int, by: str) -> str:
    """Who answers for what was done under the name *by*: of a program, the person who made its key."""
    number = by.removeprefix(KEY)
    if number == by or not number.isdigit():
        return by
    query = select(api_key.c.created_by).where(api_key.c.key_id == int(number), api_key.c.operator_id == operator_id)
    return conn.execute(query).scalar_one_or_none() or by


_BY_HASH = Questions(
    key=select(api_key).where(api_key.c.key_hash == bindparam("of_hash"), api_key.c.revoked_ms.is_(None))
)


def caller(conn: Connection, token: str, now_ms: int) -> Caller | None:
    """Who shows *token*: a program by its key, or a person by a token of ``POST tokens``."""
    if not token.startswith(MARK):
        person = bearer(conn, token)
        if person is None:
            return None
        return Caller(person.operator_id, person.login, scopes_of(person.role), person.merchant_id)
    row = _BY_HASH(conn, {"of_hash": _hashed(token)})["key"]
    if row is None:
        return None
    if row["used_ms"] is None or row["used_ms"] < now_ms - USED_MS:
        conn.execute(update(api_key).where(api_key.c.key_id == row["key_id"]).values(used_ms=now_ms))
    scopes = frozenset(map(Scope, row["scopes"].split()))
    return Caller(row["operator_id"], f"{KEY}{row['key_id']}", scopes, row["merchant_id"])


def _hashed(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()  # 160 random bits need no slow hash
