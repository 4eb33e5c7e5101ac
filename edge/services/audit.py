"""Every act at this edge has a name: logins, settings, things no other service records."""

from __future__ import annotations

from typing import Final

from domain.moment import Moment
from edge.db import journal
from edge.db.database import Database, transaction

AFAR: Final = "cloud:"  # before the name of somebody who acts from there


def record_act(db: Database, by: str, act: str, subject: str, reason: str, now: Moment) -> None:
    """Write an act here and into the log."""
    with transaction(db) as conn:
        journal.act(conn, by, act, subject, reason, now)


def record_approval(db: Database, approver: str, act: str, subject: str, by: str, now: Moment) -> None:
    """Write here and into the log that *approver* stood beside *by* who acted."""
    with transaction(db) as conn:
        journal.approved(conn, approver, act, subject, by, now)


def raise_incident(db: Database, code: str, lane: str, detail: str, now: Moment) -> None:
    """Put something on record that a person should look at; *detail* carries no full plate."""
    with transaction(db) as conn:
        journal.incident(conn, code, lane, detail, now)
