"""Allowances taken from shared balances: counters that only ever go up (sync §6)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from domain.lease import Lease, LeaseState
from domain.ledger import Commodity, Funds
from domain.moment import Moment


@dataclass(frozen=True, slots=True)
class HeldLease:
    """A lease with whose it is and until when (boot clock) it may be spent in full."""

    lease: Lease
    merchant_id: int
    commodity: Commodity
    funds: Funds
    boot: str
    spend_until_boot_ms: int
    spend_h: int = 72
    papers: Mapping[int, int] | None = None  # that may be printed of templates with a total; None: it does not say

    def is_fresh(self, now: Moment) -> bool:
        """May it be spent to its full extent? Not past its time, and not after a power-off of unknown length."""
        return self.boot == now.boot and now.boot_ms <= self.spend_until_boot_ms


def insert(conn: sqlite3.Connection, held: HeldLease, epoch: int) -> bool:
    """Add a granted lease; False when it is known already (a grant applies once)."""
    done = conn.execute(
        "INSERT OR IGNORE INTO lease (lease_id, epoch, merchant_id, commodity, funds, granted, spent, state, boot,"
        " spend_until_boot_ms, spend_h, papers) VALUES (?, ?, ?, ?, ?, ?, 0, 'active', ?, ?, ?, ?)",
        (
            held.lease.lease_id,
            epoch,
            held.merchant_id,
            held.commodity,
            held.funds,
            held.lease.granted,
            held.boot,
            held.spend_until_boot_ms,
            held.spend_h,
            None if held.papers is None else json.dumps({str(key): most for key, most in held.papers.items()}),
        ),
    )
    return done.rowcount == 1


def active(conn: sqlite3.Connection, merchant_id: int | None = None) -> list[HeldLease]:
    """Leases that may be spent from, bonus funds first (E15), oldest first."""
    return [
        _held(row)
        for row in conn.execute(
            "SELECT * FROM lease WHERE state = 'active' AND (?1 IS NULL OR merchant_id = ?1) ORDER BY funds, lease_id",
            (merchant_id,),
        )
    ]


def get(conn: sqlite3.Connection, lease_id: int) -> HeldLease | None:
    """One lease, whatever its state."""
    row = conn.execute("SELECT * FROM lease WHERE lease_id = ?", (lease_id,)).fetchone()
    return _held(row) if row else None


def spend(conn: sqlite3.Connection, lease_id: int, amount: int) -> None:
    """Count *amount* as spent; the table refuses to pass the grant."""
    conn.execute("UPDATE lease SET spent = spent + ? WHERE lease_id = ? AND state = 'active'", (amount, lease_id))


def freshen(conn: sqlite3.Connection, now: Moment) -> None:
    """The cloud answered: what it still counts as ours may again be spent in full for as long as it was granted."""
    conn.execute(
        "UPDATE lease SET boot = ?, spend_until_boot_ms = ? + spend_h * 3600000 WHERE state = 'active'",
        (now.boot, now.boot_ms),
    )


def close(conn: sqlite3.Connection, lease_id: int) -> None:
    """No more spending from this lease."""
    conn.execute("UPDATE lease SET state = 'closed' WHERE lease_id = ?", (lease_id,))


def _held(row: sqlite3.Row) -> HeldLease:
    return HeldLease(
        Lease(row["lease_id"], row["granted"], row["spent"], LeaseState(row["state"])),
        row["merchant_id"],
        Commodity(row["commodity"]),
        Funds(row["funds"]),
        row["boot"],
        row["spend_until_boot_ms"],
        row["spend_h"],
        None if row["papers"] is None else {int(key): most for key, most in json.loads(row["papers"]).items()},
    )
