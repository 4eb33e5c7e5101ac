"""The tables of the trade: stays, decisions, money, vouchers, passages. Owner: this edge, alone.

Ledger, audit and used sets are append-only by trigger; a closed stay must add up or is not written at all.
"""

from __future__ import annotations

STAYS = """
CREATE TABLE stay (stay_id TEXT PRIMARY KEY, plate TEXT NOT NULL, plate_raw TEXT NOT NULL,
    vehicle_class TEXT NOT NULL, zone TEXT NOT NULL, lane_in TEXT NOT NULL, decision_in TEXT NOT NULL,
    entered_boot TEXT NOT NULL, entered_boot_ms INTEGER NOT NULL, entered_wall_ms INTEGER NOT NULL,
    entered_quality INTEGER NOT NULL, entered_uncertainty_ms INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed')),
    paid_fen INTEGER NOT NULL DEFAULT 0 CHECK (paid_fen >= 0),
    waived_fen INTEGER NOT NULL DEFAULT 0 CHECK (waived_fen >= 0),
    continues TEXT REFERENCES stay (stay_id), base_fee_fen INTEGER NOT NULL DEFAULT 0,
    settled_boot TEXT, settled_boot_ms INTEGER, settled_wall_ms INTEGER, settled_quality INTEGER,
    settled_uncertainty_ms INTEGER, settled_fee_fen INTEGER NOT NULL DEFAULT 0,
    settled_off TEXT NOT NULL DEFAULT '[]',
    lane_out TEXT NOT NULL DEFAULT '', decision_out TEXT NOT NULL DEFAULT '', closed_wall_ms INTEGER,
    outcome TEXT NOT NULL DEFAULT '', cause TEXT NOT NULL DEFAULT '', fee_fen INTEGER NOT NULL DEFAULT 0,
    discount_fen INTEGER NOT NULL DEFAULT 0, owed_fen INTEGER NOT NULL DEFAULT 0 CHECK (owed_fen >= 0),
    tariff TEXT NOT NULL DEFAULT '', passed INTEGER NOT NULL DEFAULT 0,
    CHECK (state = 'open' OR fee_fen = discount_fen + waived_fen + paid_fen + owed_fen)) STRICT;
CREATE UNIQUE INDEX stay_open ON stay (plate) WHERE state = 'open';
CREATE INDEX stay_not_passed ON stay (plate) WHERE state = 'closed' AND passed = 0;
CREATE INDEX stay_plate ON stay (plate, entered_wall_ms);
CREATE INDEX stay_closed_at ON stay (closed_wall_ms) WHERE state = 'closed';
CREATE INDEX stay_decision_out ON stay (decision_out) WHERE decision_out <> '';
CREATE INDEX stay_decision_in ON stay (decision_in);
CREATE TABLE segment (stay_id TEXT NOT NULL REFERENCES stay (stay_id), place INTEGER NOT NULL, zone TEXT NOT NULL,
    entered_wall_ms INTEGER NOT NULL, left_wall_ms INTEGER, tariff TEXT NOT NULL,
    PRIMARY KEY (stay_id, place)) STRICT, WITHOUT ROWID;
CREATE TABLE stay_key (key TEXT NOT NULL, plate TEXT NOT NULL, PRIMARY KEY (key, plate)) STRICT, WITHOUT ROWID;
CREATE TABLE arrival (stay_id TEXT PRIMARY KEY REFERENCES stay (stay_id), lane TEXT NOT NULL, boot TEXT NOT NULL,
    boot_ms INTEGER NOT NULL, wall_ms INTEGER NOT NULL) STRICT;
CREATE TABLE laid (ref TEXT PRIMARY KEY, stay_id TEXT NOT NULL REFERENCES stay (stay_id), kind TEXT NOT NULL,
    spec TEXT NOT NULL, merchant_id INTEGER NOT NULL, by TEXT NOT NULL, wall_ms INTEGER NOT NULL) STRICT;
CREATE INDEX laid_stay ON laid (stay_id);
"""

DECISIONS = """
CREATE TABLE decision (decision_id TEXT PRIMARY KEY, kind TEXT NOT NULL, lane TEXT NOT NULL, stay_id TEXT NOT NULL,
    plate TEXT NOT NULL, verdict TEXT NOT NULL, code TEXT NOT NULL, wall_ms INTEGER NOT NULL,
    body BLOB NOT NULL) STRICT;
CREATE INDEX decision_time ON decision (wall_ms);
CREATE TABLE pulse (decision_id TEXT PRIMARY KEY, lane TEXT NOT NULL, by TEXT NOT NULL, reason TEXT NOT NULL,
    wall_ms INTEGER NOT NULL) STRICT;
CREATE TABLE acted_read (read_id TEXT PRIMARY KEY, decision_id TEXT NOT NULL, wall_ms INTEGER NOT NULL) STRICT;
CREATE TABLE source (digest TEXT PRIMARY KEY, text BLOB NOT NULL) STRICT;
CREATE TABLE passage (passage_id TEXT PRIMARY KEY, kind TEXT NOT NULL, lane TEXT NOT NULL, decision_id TEXT NOT NULL,
    stay_id TEXT NOT NULL, plate TEXT NOT NULL, wall_ms INTEGER NOT NULL) STRICT;
CREATE INDEX passage_decision ON passage (decision_id);
CREATE TABLE picture (decision_id TEXT NOT NULL, kind TEXT NOT NULL, wall_ms INTEGER NOT NULL,
    PRIMARY KEY (decision_id, kind)) STRICT;
"""

MONEY = """
CREATE TABLE payment (payment_id TEXT PRIMARY KEY, stay_id TEXT NOT NULL, method TEXT NOT NULL,
    amount_fen INTEGER NOT NULL CHECK (amount_fen > 0), by TEXT NOT NULL, wall_ms INTEGER NOT NULL) STRICT;
CREATE INDEX payment_stay ON payment (stay_id);
CREATE TABLE debt (debt_id TEXT PRIMARY KEY, stay_id TEXT NOT NULL UNIQUE, plate TEXT NOT NULL, cause TEXT NOT NULL,
    owed_fen INTEGER NOT NULL CHECK (owed_fen > 0), wall_ms INTEGER NOT NULL) STRICT;
CREATE INDEX debt_plate ON debt (plate);
CREATE TABLE posting (entry TEXT NOT NULL, leg INTEGER NOT NULL, account TEXT NOT NULL, commodity TEXT NOT NULL,
    funds TEXT NOT NULL, amount INTEGER NOT NULL, stay_id TEXT NOT NULL, wall_ms INTEGER NOT NULL,
    PRIMARY KEY (entry, leg)) STRICT, WITHOUT ROWID;
CREATE INDEX posting_stay ON posting (stay_id);
"""

VOUCHERS = """
CREATE TABLE coupon_used (coupon_id TEXT PRIMARY KEY, redemption_id TEXT NOT NULL UNIQUE, stay_id TEXT NOT NULL,
    off_fen INTEGER NOT NULL CHECK (off_fen >= 0), wall_ms INTEGER NOT NULL) STRICT;
CREATE TABLE voucher_used (key_id INTEGER NOT NULL, counter INTEGER NOT NULL, redemption_id TEXT NOT NULL UNIQUE,
    stay_id TEXT NOT NULL, off_fen INTEGER NOT NULL CHECK (off_fen >= 0), wall_ms INTEGER NOT NULL,
    PRIMARY KEY (key_id, counter)) STRICT, WITHOUT ROWID;
CREATE TABLE voucher_counter (key_id INTEGER PRIMARY KEY, last INTEGER NOT NULL) STRICT;
CREATE TABLE voucher (key_id INTEGER NOT NULL, counter INTEGER NOT NULL, lease_id INTEGER NOT NULL,
    merchant_id INTEGER NOT NULL, template_id INTEGER NOT NULL, amount INTEGER NOT NULL, cap_fen INTEGER NOT NULL,
    not_after_min INTEGER NOT NULL, token TEXT NOT NULL, by TEXT NOT NULL, wall_ms INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'printing' CHECK (state IN ('printing', 'confirmed', 'failed', 'unknown')),
    voided INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (key_id, counter)) STRICT, WITHOUT ROWID;
CREATE TABLE print_job (job_id TEXT PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, printer TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'printing', 'confirmed', 'failed', 'unknown')),
    copies INTEGER NOT NULL DEFAULT 1, wall_ms INTEGER NOT NULL) STRICT;
"""

PEOPLE = """
CREATE TABLE attendant (name TEXT PRIMARY KEY, pin_hash TEXT NOT NULL, role TEXT NOT NULL,
    wall_ms INTEGER NOT NULL) STRICT;
CREATE TABLE act (act_id INTEGER PRIMARY KEY, by TEXT NOT NULL, act TEXT NOT NULL, subject TEXT NOT NULL,
    reason TEXT NOT NULL, wall_ms INTEGER NOT NULL) STRICT;
CREATE TABLE incident (incident_id INTEGER PRIMARY KEY, code TEXT NOT NULL, lane TEXT NOT NULL, detail TEXT NOT NULL,
    wall_ms INTEGER NOT NULL) STRICT;
CREATE TABLE note (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
"""

KEPT_FOR_EVER = ("posting", "act", "coupon_used", "voucher_used")


def statements() -> list[str]:
    """Every statement of the first trade schema, in order."""
    tables = [part for part in (STAYS + DECISIONS + MONEY + VOUCHERS + PEOPLE).split(";") if part.strip()]
    return tables + guards(*KEPT_FOR_EVER)


def guards(*tables: str) -> list[str]:
    """Triggers that let rows be added to these tables, and nothing else."""
    return [
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}"
        f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        for table in tables
        for verb in ("UPDATE", "DELETE")
    ]
