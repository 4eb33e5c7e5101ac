"""The schema step by which a redemption can be taken back: a paper is used once at a time, each use stays on record.

*round* is how many redemptions of this paper were taken back before. Two in force at once would have the same round,
which the key refuses (I10). *spec* and *merchant_id* lay the paper on its stay again.
"""

from __future__ import annotations

from edge.db.trade import guards

SCHEMA = """
CREATE TABLE new_coupon_used (coupon_id TEXT NOT NULL, redemption_id TEXT NOT NULL, stay_id TEXT NOT NULL,
    off_fen INTEGER NOT NULL CHECK (off_fen >= 0), wall_ms INTEGER NOT NULL, round INTEGER NOT NULL,
    spec TEXT NOT NULL, merchant_id INTEGER NOT NULL, PRIMARY KEY (coupon_id, round)) STRICT, WITHOUT ROWID;
INSERT INTO new_coupon_used SELECT *, 0, '', 0 FROM coupon_used;
DROP TABLE coupon_used;
ALTER TABLE new_coupon_used RENAME TO coupon_used;
CREATE TABLE new_voucher_used (key_id INTEGER NOT NULL, counter INTEGER NOT NULL, redemption_id TEXT NOT NULL,
    stay_id TEXT NOT NULL, off_fen INTEGER NOT NULL CHECK (off_fen >= 0), wall_ms INTEGER NOT NULL,
    round INTEGER NOT NULL, spec TEXT NOT NULL, merchant_id INTEGER NOT NULL,
    PRIMARY KEY (key_id, counter, round)) STRICT, WITHOUT ROWID;
INSERT INTO new_voucher_used SELECT *, 0, '', 0 FROM voucher_used;
DROP TABLE voucher_used;
ALTER TABLE new_voucher_used RENAME TO voucher_used;
CREATE TABLE use_undone (redemption_id TEXT PRIMARY KEY, stay_id TEXT NOT NULL, wall_ms INTEGER NOT NULL)
    STRICT, WITHOUT ROWID;
CREATE VIEW coupon_in_use AS SELECT * FROM coupon_used AS used
    WHERE NOT EXISTS (SELECT 1 FROM use_undone WHERE use_undone.redemption_id = used.redemption_id);
CREATE VIEW voucher_in_use AS SELECT * FROM voucher_used AS used
    WHERE NOT EXISTS (SELECT 1 FROM use_undone WHERE use_undone.redemption_id = used.redemption_id);
ALTER TABLE stay ADD COLUMN let_go_fen INTEGER NOT NULL DEFAULT 0;
ALTER TABLE stay ADD COLUMN closings INTEGER NOT NULL DEFAULT 0;
CREATE INDEX stay_continues ON stay (continues) WHERE continues IS NOT NULL
"""


def statements() -> list[str]:
    """Every statement of the step, in order."""
    return [*SCHEMA.split(";"), *guards("coupon_used", "voucher_used", "use_undone")]
