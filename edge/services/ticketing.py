"""Tickets of cars without plates: a number for the books, and the code that proves it."""

from __future__ import annotations

import secrets
import sqlite3

from domain import ticket
from domain.moment import Moment
from edge.db import journal, printjobs, stays
from edge.db.database import Database, transaction
from edge.services.lot import Lot

MINUTE_MS = 60_000
KIND = "ticket"


def new_number(conn: sqlite3.Connection) -> str:
    """A number that no car here has."""
    while True:
        number = ticket.number_of(secrets.randbits(30))
        if stays.find_here(conn, ticket.plate_of(number)) is None:
            return number


def token_of(lot: Lot, number: str, now: Moment) -> str:
    """The code of a ticket given now."""
    return ticket.issue(lot.lot_id, number, now.wall_ms // MINUTE_MS, lot.sign)


def number_on(lot: Lot, token: str) -> str | None:
    """The number on a ticket that this lot gave."""
    return ticket.read(token, lot.lot_id, lot.verify, lot.public_key)


def begin_printing(db: Database, lot: Lot, stay_id: str, printer: str, by: str, now: Moment) -> tuple[str, int]:
    """Put a ticket's print on record before it begins; returns the job and which copy it is (0: the ticket itself)."""
    with transaction(db) as conn:
        job_id = lot.new_id(now)
        copy = printjobs.begin(conn, job_id, KIND, stay_id, printer, now)
        journal.act(conn, by, "ticket.print", stay_id, str(copy), now)
        return job_id, copy


def printed(db: Database, lane: str, job_id: str, state: str, silent: bool, now: Moment) -> None:
    """How it ended; one that may not have come out is an incident: its number was on the board only.

    *silent*: its printer never answers, so that every ticket would be one; somebody says at the printers' page.
    """
    with transaction(db) as conn:
        printjobs.end(conn, job_id, state)
        if state != "confirmed" and not silent:
            journal.incident(conn, "ticket_in_doubt", lane, job_id, now)
