"""Tickets of cars without plates: a number for the books, and the code that proves it."""

from __future__ import annotations

import secrets
import sqlite3

from domain import ticket
from domain.moment import Moment
from edge.db import stays
from edge.services.lot import Lot

MINUTE_MS = 60_000


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
