"""The cloud is told which price lists the lot charges by, once for every change (sync §7)."""

from __future__ import annotations

import sqlite3

from domain.events import PricesLoaded, decode, open_envelope
from domain.moment import Moment
from domain.price_notice import PriceNotice
from edge.db import log
from edge.db.database import Database, transaction
from edge.pricelists import LoadedPrices
from edge.settings import LotRules


def tell(db: Database, prices: LoadedPrices, rules: LotRules, now: Moment) -> None:
    """Write it to the log, unless the log's last word is the same."""
    notice = PriceNotice(
        prices.by_zone,
        prices.calendars,
        {digest: source.decode() for digest, source in prices.sources.items()},
        rules.leave_within_min,
        rules.for_decisions().free_kinds,
    )
    fact = PricesLoaded(notice.text())
    if _told(db.conn) != fact:
        with transaction(db) as conn:
            log.append(conn, fact, now)


def _told(conn: sqlite3.Connection) -> object:
    epoch = log.newest(conn).epoch
    seq = log.last_of_type(conn, epoch, PricesLoaded.TYPE)
    rows = log.bodies(conn, epoch, seq, 1) if seq else []
    return decode(open_envelope(rows[0][0])) if rows else None
