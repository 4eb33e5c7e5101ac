"""The sixth schema step: a decision's rows on as few pages as can be, because a durable commit writes whole pages.

Tables named by a text lie in the order of that name, without a second tree beside them. One unique index says which
car is here and stays as it is when its stay is settled. A pulse names its stay, so a passage finds it without indexes
of its own; of earlier pulses only those of cars that are here need to. When a car came to an exit is part of its stay.
"""

from __future__ import annotations

from edge.db.trade import guards

ARRIVED = """
ALTER TABLE stay ADD COLUMN arrived_boot TEXT;
ALTER TABLE stay ADD COLUMN arrived_boot_ms INTEGER;
ALTER TABLE stay ADD COLUMN arrived_wall_ms INTEGER;
ALTER TABLE stay ADD COLUMN arrived_quality INTEGER;
ALTER TABLE stay ADD COLUMN arrived_uncertainty_ms INTEGER;
UPDATE stay SET (arrived_boot, arrived_boot_ms, arrived_wall_ms, arrived_quality, arrived_uncertainty_ms) =
    (SELECT boot, boot_ms, wall_ms, quality, uncertainty_ms FROM arrival WHERE arrival.stay_id = stay.stay_id)
    WHERE stay_id IN (SELECT stay_id FROM arrival);
DROP TABLE arrival;
DROP TABLE segment
"""

HERE = """
UPDATE stay SET passed = 1 WHERE state = 'closed' AND passed = 0 AND stay_id NOT IN (SELECT stay_id FROM (
    SELECT stay_id, row_number() OVER (PARTITION BY plate ORDER BY state = 'open' DESC, closed_wall_ms DESC) AS place
    FROM stay WHERE passed = 0) WHERE place = 1);
DROP INDEX stay_open;
DROP INDEX stay_not_passed;
CREATE UNIQUE INDEX stay_here ON stay (plate) WHERE passed = 0
"""

PULSES = """
CREATE TABLE new_pulse (decision_id TEXT PRIMARY KEY, lane TEXT NOT NULL, stay_id TEXT NOT NULL, by TEXT NOT NULL,
    reason TEXT NOT NULL, wall_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO new_pulse SELECT decision_id, lane, '', by, reason, wall_ms FROM pulse ORDER BY decision_id;
UPDATE new_pulse SET stay_id = stay.stay_id FROM stay
    WHERE stay.passed = 0 AND new_pulse.decision_id IN (stay.decision_in, stay.decision_out);
DROP TABLE pulse;
ALTER TABLE new_pulse RENAME TO pulse;
DROP INDEX stay_decision_out;
DROP INDEX stay_decision_in;
DROP INDEX decision_time;
DROP INDEX posting_stay
"""

BY_KEY = """
CREATE TABLE new_acted_read (read_id TEXT PRIMARY KEY, decision_id TEXT NOT NULL,
    wall_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO new_acted_read SELECT * FROM acted_read;
DROP TABLE acted_read;
ALTER TABLE new_acted_read RENAME TO acted_read;
CREATE TABLE new_coupon_used (coupon_id TEXT PRIMARY KEY, redemption_id TEXT NOT NULL, stay_id TEXT NOT NULL,
    off_fen INTEGER NOT NULL CHECK (off_fen >= 0), wall_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO new_coupon_used SELECT * FROM coupon_used;
DROP TABLE coupon_used;
ALTER TABLE new_coupon_used RENAME TO coupon_used;
CREATE TABLE new_voucher_used (key_id INTEGER NOT NULL, counter INTEGER NOT NULL, redemption_id TEXT NOT NULL,
    stay_id TEXT NOT NULL, off_fen INTEGER NOT NULL CHECK (off_fen >= 0), wall_ms INTEGER NOT NULL,
    PRIMARY KEY (key_id, counter)) STRICT, WITHOUT ROWID;
INSERT INTO new_voucher_used SELECT * FROM voucher_used;
DROP TABLE voucher_used;
ALTER TABLE new_voucher_used RENAME TO voucher_used
"""


def statements() -> list[str]:
    """Every statement of the step, in order."""
    return [*(ARRIVED + ";" + HERE + ";" + PULSES + ";" + BY_KEY).split(";"), *guards("coupon_used", "voucher_used")]
