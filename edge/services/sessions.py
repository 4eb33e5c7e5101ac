"""Sessions at this device's pages: they outlive the daemon, and end with whoever they belong to."""

from __future__ import annotations

import sqlite3

from domain.moment import Moment
from edge.db import people, signed_in
from edge.db.database import Database, transaction
from edge.db.signed_in import SignedIn

KEPT_MS = 24 * 3_600_000  # twice as long as any session lives


def keep(db: Database, row: SignedIn, _now: Moment) -> None:
    """Write one down, and forget those that are long over."""
    with transaction(db) as conn:
        signed_in.drop_older(conn, row.seen_ms - KEPT_MS)
        signed_in.put(conn, row)


def end(db: Database, key: str, _now: Moment) -> None:
    """Somebody signed out, or was away for too long."""
    with transaction(db) as conn:
        signed_in.drop(conn, key)


def end_all_of(db: Database, name: str, _now: Moment) -> None:
    """Somebody's PIN changed, or they may sign in no more."""
    with transaction(db) as conn:
        signed_in.drop_person(conn, name)


def is_still(conn: sqlite3.Connection, name: str, role: str) -> bool:
    """May they still sign in, as what they were?"""
    person = people.get(conn, name)
    return person is not None and person.role == role


def holds(conn: sqlite3.Connection, key: str, device: str) -> SignedIn | None:
    """The session behind a token's hash, if it was begun at this device by somebody who is still who they were."""
    row = signed_in.get(conn, key)
    if row is None or row.device != device or not is_still(conn, row.name, row.role):
        return None
    return row
