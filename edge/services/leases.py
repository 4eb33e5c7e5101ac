"""Allowances from the cloud: applied once, given back closed (sync §6)."""

from __future__ import annotations

import sqlite3

from domain.events import LeaseApplied, LeaseReturned
from domain.lease import Lease, LeaseState
from domain.ledger import Commodity, Funds
from domain.moment import Moment
from domain.wire import BadMessageError, Json, text, whole
from edge.db import leases, log

HOUR_MS = 3_600_000


def apply_grant(conn: sqlite3.Connection, now: Moment, body: Json) -> str:
    """Make a granted lease spendable, once per lease id. A command handler: runs in the command's transaction."""
    try:
        commodity, funds = Commodity(text(body, "commodity")), Funds(text(body, "funds"))
    except ValueError as exc:
        raise BadMessageError(f"lease: {exc}") from exc
    lease = Lease(whole(body, "lease_id"), whole(body, "granted"), 0, LeaseState.ACTIVE)
    hours = whole(body, "spend_h")
    until = now.boot_ms + hours * HOUR_MS
    who, papers = whole(body, "merchant_id"), _papers(body)
    held = leases.HeldLease(lease, who, commodity, funds, now.boot, until, hours, papers)
    if not leases.insert(conn, held, log.newest(conn).epoch):
        return "known"
    log.append(conn, LeaseApplied(lease.lease_id, lease.granted), now)
    return "applied"


def _papers(body: Json) -> dict[int, int] | None:
    """How many papers of which templates may be printed from it; None from a cloud that does not say."""
    said = body.get("papers")
    if said is None:
        return None
    if not isinstance(said, dict) or not all(key.isdigit() and type(most) is int for key, most in said.items()):
        raise BadMessageError("lease: papers")
    return {int(key): most for key, most in said.items()}


def give_back(conn: sqlite3.Connection, now: Moment, body: Json) -> str:
    """Close a lease and report what was left in it. A command handler; closing comes first, here (I14)."""
    held = leases.get(conn, whole(body, "lease_id"))
    if held is None or held.lease.state is not LeaseState.ACTIVE:
        return "not_active"
    leases.close(conn, held.lease.lease_id)
    log.append(conn, LeaseReturned(held.lease.lease_id, held.lease.left), now)
    return "returned"


HANDLERS = {"lease.grant": apply_grant, "lease.return": give_back}
