"""Both sides' stored data laid side by side after the daemons have stopped: books, log, lists, stays.

Each check returns what is wrong in words; an empty list is a check that held.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, select

from cloud.checking import check_all
from cloud.db import Database as CloudDatabase
from cloud.db import open_engine
from cloud.lots.tables import debt, payment, stay
from cloud.sync.tables import channel_version, edge_cursor, inbox
from domain.sync.channel import digest_text
from domain.wire import chain_hash
from edge.db import channels, decisions, log, money
from edge.db.database import DatabaseLock, open_database
from edge.services.checking import check_books, replay
from lotgate.demo.folder import Folder

MOST = 1_000_000
STAY = ("plate", "outcome", "cause", "fee_fen", "discount_fen", "waived_fen", "owed_fen")

Wrong = list[str]


@dataclass(frozen=True, slots=True)
class Seen:
    """What the street saw: pulses that reached the board from *since_ms* on, and what left unpaid, by stay."""

    edge: str
    since_ms: int
    pulses: int
    owed: Mapping[str, int]


def audit(folder: Folder, seen: Seen) -> dict[str, Wrong]:
    """Every check by its name. Nothing else may have the databases open."""
    lock = DatabaseLock(folder.edge_database)
    engine = open_engine(f"sqlite:///{folder.cloud_database}")
    try:
        here = open_database(folder.edge_database)
        try:
            return CloudDatabase(engine).run_here(_audit, here.conn, seen)
        finally:
            here.conn.close()
    finally:
        engine.dispose()
        lock.release()


def _audit(there: Connection, here: sqlite3.Connection, seen: Seen) -> dict[str, Wrong]:
    return {
        "all that verify-ledger looks at in the cloud holds (I1, I2, I24)": check_all(there),
        "all that verify-ledger looks at in the lot holds": check_books(here),
        "the cloud applied what the lot logged, to the byte, and parked nothing (I3-I6)": _log(here, there, seen.edge),
        "both sides hold the same lists (I17)": _lists(here, there, seen.edge),
        "both sides know the same stays, payments and debts": _stays(here, there, seen.edge),
        "who left without paying owes the fee, and nobody else does": _owed(there, seen),
        "every decision comes out the same again": _decisions(here),
        "every pulse was committed first, and given once (I22)": _pulses(here, seen),
    }


def _owed(there: Connection, seen: Seen) -> Wrong:
    recorded = select(debt.c.stay_id, debt.c.owed_fen).where(debt.c.recorded_ms >= seen.since_ms)
    found = dict(there.execute(recorded).tuples().all())
    return [] if found == dict(seen.owed) else [f"debts in fen {found}, by the script {dict(seen.owed)}"]


def _pulses(here: sqlite3.Connection, seen: Seen) -> Wrong:
    reserved = here.execute("SELECT count(*) FROM pulse WHERE wall_ms >= ?", (seen.since_ms,)).fetchone()[0]
    return [] if seen.pulses == reserved else [f"{seen.pulses} pulses reached the board, {reserved} were committed"]


def _log(here: sqlite3.Connection, there: Connection, edge_id: str) -> Wrong:
    """The same events in the same order: each body, the chain over them, the cursor at its end."""
    newest, acked = log.newest(here), log.acked(here)
    cursor = there.execute(select(edge_cursor).where(edge_cursor.c.edge_id == edge_id)).one()
    wrong = []
    if (acked.seq, acked.head) != (newest.seq, newest.head):
        wrong.append(f"the lot logged {newest.seq} events, the cloud acked {acked.seq}")
    if (int(cursor.seq), bytes(cursor.head)) != (newest.seq, newest.head):
        wrong.append(f"the cloud stands at event {cursor.seq}, the lot at {newest.seq}")
    rows = there.execute(select(inbox).where(inbox.c.edge_id == edge_id).order_by(inbox.c.epoch, inbox.c.seq)).all()
    ours = [body for body, _ in log.bodies(here, newest.epoch, 1, MOST)]
    theirs = [bytes(row.body) for row in rows if row.epoch == newest.epoch]
    if ours != theirs:
        wrong.append(f"{len(ours)} events here and {len(theirs)} there are not the same")
    wrong += [f"event {row.seq} ({row.type}) is parked: {row.parked_why}" for row in rows if row.parked_why]
    head = bytes(32)
    for body in theirs:
        head = chain_hash(head, body)
    return wrong if head == newest.head else [*wrong, "the chain over the cloud's copies ends elsewhere"]


def _lists(here: sqlite3.Connection, there: Connection, edge_id: str) -> Wrong:
    held = channels.standing(here)
    wrong = []
    for row in there.execute(select(channel_version).where(channel_version.c.edge_id == edge_id)):
        version, buckets = held[row.channel]
        if (version, digest_text(buckets)) != (int(row.ver), row.digest):
            wrong.append(f"{row.channel}: version {version} here, {row.ver} there, or other rows")
    return wrong


def _stays(here: sqlite3.Connection, there: Connection, edge_id: str) -> Wrong:
    ours = {row["stay_id"]: row for row in here.execute("SELECT * FROM stay")}
    theirs = {row["stay_id"]: row for row in there.execute(select(stay).where(stay.c.edge_id == edge_id)).mappings()}
    wrong = [f"stay {stay_id} is known on one side only" for stay_id in ours.keys() ^ theirs.keys()]
    for stay_id in ours.keys() & theirs.keys():
        wrong += _differences(stay_id, ours[stay_id], theirs[stay_id])
    paid = dict(there.execute(select(payment.c.payment_id, payment.c.amount_fen)).tuples().all())
    taken = {row["payment_id"]: row["amount_fen"] for row in here.execute("SELECT * FROM payment")}
    wrong += ["the payments are not the same"] if paid != taken else []
    owed = dict(there.execute(select(debt.c.debt_id, debt.c.owed_fen)).tuples().all())
    return wrong + (
        ["the debts are not the same"] if owed != {one.debt_id: one.owed_fen for one in _debts(here)} else []
    )


def _differences(stay_id: str, ours: sqlite3.Row, theirs: RowMapping) -> Wrong:
    if (ours["state"] == "open") != (theirs["left_ms"] is None):
        return [f"stay {stay_id} is open on one side only"]
    names = STAY if ours["state"] != "open" else STAY[:1]
    return [
        f"stay {stay_id}: {name} is {ours[name]} here, {theirs[name]} there"
        for name in names
        if ours[name] != theirs[name]
    ]


def _debts(here: sqlite3.Connection) -> list[money.DebtRow]:
    return money.debts(here, most=MOST)


def _decisions(here: sqlite3.Connection) -> Wrong:
    return [
        f"decision {row.decision_id} comes out otherwise"
        for row in decisions.recent(here, MOST)
        if not replay(here, row.decision_id).same
    ]
