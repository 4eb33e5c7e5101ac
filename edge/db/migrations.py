"""The schema, forward only. A released step is never edited; a new one is added below it."""

from __future__ import annotations

from sqlite_utils import Database, Migrations

from edge.db import (
    alarms,
    arrears,
    counted,
    coupons_aside,
    equal_lists,
    excused,
    fees_set,
    fewer_pages,
    given_back,
    leave_extensions,
    moves,
    phone,
    plate_locks,
    printjobs,
    printorders,
    receipts,
    refunds,
    shifts,
    signed_in,
    stocktakes,
    trade,
    tries,
    undone_uses,
)

migrations = Migrations("edge")

LOG = """
CREATE TABLE stream (one INTEGER PRIMARY KEY CHECK (one = 1), epoch INTEGER NOT NULL, next_seq INTEGER NOT NULL,
    head BLOB NOT NULL) STRICT;
INSERT INTO stream VALUES (1, 1, 1, zeroblob(32));
CREATE TABLE acked (one INTEGER PRIMARY KEY CHECK (one = 1), epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
    hash BLOB NOT NULL) STRICT;
INSERT INTO acked VALUES (1, 1, 0, zeroblob(32));
CREATE TABLE outbox (epoch INTEGER NOT NULL, seq INTEGER NOT NULL, type TEXT NOT NULL, tv INTEGER NOT NULL,
    prio INTEGER NOT NULL, wall_ms INTEGER NOT NULL, body BLOB NOT NULL, hash BLOB NOT NULL,
    PRIMARY KEY (epoch, seq)) STRICT, WITHOUT ROWID;
CREATE TABLE parked (epoch INTEGER NOT NULL, seq INTEGER NOT NULL, why TEXT NOT NULL, PRIMARY KEY (epoch, seq)) STRICT;
CREATE TABLE salvage (epoch INTEGER NOT NULL, seq INTEGER NOT NULL, hash BLOB NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (epoch, seq)) STRICT;
CREATE TABLE refused (why TEXT NOT NULL) STRICT;
CREATE TABLE anchor (boot TEXT NOT NULL, boot_ms INTEGER NOT NULL, utc_ms INTEGER NOT NULL,
    uncertainty_ms INTEGER NOT NULL, PRIMARY KEY (boot, boot_ms)) STRICT;
"""

CHANNELS = """
CREATE TABLE applied (channel TEXT PRIMARY KEY, ver INTEGER NOT NULL, digest TEXT NOT NULL) STRICT;
CREATE TABLE channel_row (channel TEXT NOT NULL, key TEXT NOT NULL, bucket INTEGER NOT NULL, ver INTEGER NOT NULL,
    value TEXT NOT NULL, plate TEXT GENERATED ALWAYS AS (json_extract(value, '$.plate')) VIRTUAL,
    PRIMARY KEY (channel, key)) STRICT, WITHOUT ROWID;
CREATE INDEX channel_row_plate ON channel_row (channel, plate, key);
CREATE TABLE stage (channel TEXT NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL, part INTEGER NOT NULL,
    parts INTEGER NOT NULL, message TEXT NOT NULL, PRIMARY KEY (channel, start, end, part)) STRICT;
CREATE TABLE cmd_log (epoch INTEGER NOT NULL, cmd_seq INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('started', 'done', 'unknown')), result TEXT NOT NULL,
    PRIMARY KEY (epoch, cmd_seq)) STRICT;
CREATE TABLE lease (lease_id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, merchant_id INTEGER NOT NULL,
    commodity TEXT NOT NULL, funds TEXT NOT NULL, granted INTEGER NOT NULL CHECK (granted >= 0),
    spent INTEGER NOT NULL DEFAULT 0 CHECK (spent BETWEEN 0 AND granted), state TEXT NOT NULL,
    boot TEXT NOT NULL, spend_until_boot_ms INTEGER NOT NULL) STRICT;
"""

BOOTS = """
CREATE TABLE boot (position INTEGER PRIMARY KEY, boot TEXT NOT NULL UNIQUE, boot_ms INTEGER NOT NULL,
    wall_ms INTEGER NOT NULL, quality INTEGER NOT NULL) STRICT;
CREATE TABLE time_correction (stay_id TEXT PRIMARY KEY, old_wall_ms INTEGER NOT NULL, wall_ms INTEGER NOT NULL,
    quality INTEGER NOT NULL, uncertainty_ms INTEGER NOT NULL, applied INTEGER NOT NULL) STRICT, WITHOUT ROWID;
ALTER TABLE arrival ADD COLUMN quality INTEGER NOT NULL DEFAULT 3;
ALTER TABLE arrival ADD COLUMN uncertainty_ms INTEGER NOT NULL DEFAULT 0;
"""


MISREADS = """
CREATE TABLE misread (camera TEXT NOT NULL, read_id TEXT NOT NULL, read_as TEXT NOT NULL, truth TEXT NOT NULL,
    by TEXT NOT NULL, wall_ms INTEGER NOT NULL, PRIMARY KEY (camera, read_id, read_as, truth)) STRICT, WITHOUT ROWID
"""


@migrations()
def m0001_log(db: Database) -> None:
    """The durable log, the cloud's cursor, and what the cloud sends down."""
    for statement in (LOG + CHANNELS).split(";"):
        if statement.strip():
            db.conn.execute(statement)


@migrations()
def m0002_trade(db: Database) -> None:
    """Stays, decisions, money, vouchers and people."""
    for statement in trade.statements():
        db.conn.execute(statement)


@migrations()
def m0003_lease_hours(db: Database) -> None:
    """For how long a lease may be spent in full after each word from the cloud."""
    db.conn.execute("ALTER TABLE lease ADD COLUMN spend_h INTEGER NOT NULL DEFAULT 72")


@migrations()
def m0004_boots(db: Database) -> None:
    """How long each boot is known to have run, and which entry times a later clock comparison changed."""
    if db["boot"].exists():
        return  # made while this step still went by the number 3
    for statement in BOOTS.split(";"):
        if statement.strip():
            db.conn.execute(statement)


@migrations()
def m0005_hold(db: Database) -> None:
    """Barriers a person holds open."""
    db.conn.execute(
        "CREATE TABLE hold (barrier TEXT PRIMARY KEY, reason TEXT NOT NULL, by TEXT NOT NULL, owes INTEGER NOT NULL,"
        " wall_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID"
    )


@migrations()
def m0006_fewer_pages(db: Database) -> None:
    """What an exit writes lies on few pages: tables by their key, one index of cars that are here, no unread ones."""
    for statement in fewer_pages.statements():
        db.conn.execute(statement)


@migrations()
def m0007_misreads(db: Database) -> None:
    """Which characters each camera took for others; without plates, so it may stay."""
    for statement in (MISREADS, *trade.guards("misread")):
        db.conn.execute(statement)


@migrations()
def m0008_shed(db: Database) -> None:
    """Whether telemetry is left out for want of room, and how much was."""
    db.conn.execute("CREATE TABLE shed (one INTEGER PRIMARY KEY CHECK (one = 1), shedding INTEGER NOT NULL,"
                    " dropped INTEGER NOT NULL) STRICT")  # fmt: skip
    db.conn.execute("INSERT INTO shed VALUES (1, 0, 0)")


@migrations()
def m0009_charging(db: Database) -> None:
    """How long a car charged, for price lists that ask."""
    db.conn.execute("CREATE TABLE charging (stay_id TEXT PRIMARY KEY, minutes INTEGER NOT NULL) STRICT, WITHOUT ROWID")


@migrations()
def m0010_visitors(db: Database) -> None:
    """Visitors written down at the booth."""
    db.conn.execute(
        "CREATE TABLE visitor (visitor_id TEXT PRIMARY KEY, plate TEXT NOT NULL, host TEXT NOT NULL,"
        " from_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL, by TEXT NOT NULL) STRICT, WITHOUT ROWID"
    )
    db.conn.execute("CREATE INDEX visitor_plate ON visitor (plate)")


@migrations()
def m0011_attendance(db: Database) -> None:
    """What a supervisor said of who attends a lane."""
    db.conn.execute("CREATE TABLE attendance (lane TEXT PRIMARY KEY, attended INTEGER NOT NULL,"
                    " until_wall_ms INTEGER NOT NULL, by TEXT NOT NULL) STRICT, WITHOUT ROWID")  # fmt: skip


@migrations()
def m0012_arrears(db: Database) -> None:
    """What became of debts; a stay may have more than one after it was opened again."""
    for statement in arrears.statements():
        db.conn.execute(statement)


@migrations()
def m0013_moves(db: Database) -> None:
    """From zone to zone: a stay's moves, where its car is now, and counts by hand."""
    for statement in moves.statements():
        db.conn.execute(statement)


@migrations()
def m0014_camera_list(db: Database) -> None:
    """What was written into the lists that cameras keep, and how that went."""
    db.conn.execute(
        "CREATE TABLE camera_list (camera TEXT NOT NULL, plate TEXT NOT NULL, begins TEXT NOT NULL, ends TEXT NOT NULL,"
        " PRIMARY KEY (camera, plate)) STRICT, WITHOUT ROWID"
    )
    db.conn.execute(
        "CREATE TABLE camera_list_run (camera TEXT PRIMARY KEY, full_wall_ms INTEGER, left_out INTEGER NOT NULL,"
        " why TEXT NOT NULL) STRICT, WITHOUT ROWID"
    )


@migrations()
def m0015_undone_uses(db: Database) -> None:
    """A closed stay may be opened again, and what it used may be used again."""
    for statement in undone_uses.statements():
        db.conn.execute(statement)


@migrations()
def m0016_stock_takes(db: Database) -> None:
    """Walks through the lot, what they saw and what they did."""
    for statement in stocktakes.statements():
        db.conn.execute(statement)


@migrations()
def m0017_no_entry(db: Database) -> None:
    """Stays of cars first seen at the exit."""
    db.conn.execute("CREATE TABLE no_entry (stay_id TEXT PRIMARY KEY, rule TEXT NOT NULL) STRICT, WITHOUT ROWID")


@migrations()
def m0018_excused(db: Database) -> None:
    """Stays that ended without their fee being paid."""
    for statement in excused.statements():
        db.conn.execute(statement)


@migrations()
def m0019_phone(db: Database) -> None:
    """Quotes given to phones and what was paid for them."""
    for statement in phone.statements():
        db.conn.execute(statement)


@migrations()
def m0020_shifts(db: Database) -> None:
    """Shifts at the booths and what belongs to them."""
    for statement in shifts.statements():
        db.conn.execute(statement)


@migrations()
def m0021_leave_extensions(db: Database) -> None:
    """Times during which nobody who has paid is charged again for leaving late."""
    for statement in leave_extensions.statements():
        db.conn.execute(statement)


@migrations()
def m0022_pin_tries(db: Database) -> None:
    """Wrong PINs in a row."""
    db.conn.execute(tries.TABLE)


@migrations()
def m0023_receipts(db: Database) -> None:
    """What receipts say."""
    for statement in receipts.statements():
        db.conn.execute(statement)


@migrations()
def m0024_given_back(db: Database) -> None:
    """What went back of payments by phone for coupons that came after them."""
    for statement in given_back.statements():
        db.conn.execute(statement)


@migrations()
def m0025_signed_in(db: Database) -> None:
    """Who is signed in at the pages."""
    db.conn.execute(signed_in.TABLE)


@migrations()
def m0026_refunds(db: Database) -> None:
    """Cash given back."""
    for statement in refunds.statements():
        db.conn.execute(statement)


@migrations()
def m0027_fees_set(db: Database) -> None:
    """Fees set by hand."""
    for statement in fees_set.statements():
        db.conn.execute(statement)


@migrations()
def m0028_shift_log(db: Database) -> None:
    """Where the log stood at a shift's end, for its report."""
    for statement in shifts.LOG_COLUMNS:
        db.conn.execute(statement)


@migrations()
def m0029_coupons_aside(db: Database) -> None:
    """Coupons that are not to count for a stay."""
    db.conn.execute(coupons_aside.SCHEMA)


@migrations()
def m0030_plate_locks(db: Database) -> None:
    """Plates that are not to leave."""
    db.conn.execute(plate_locks.TABLE)


@migrations()
def m0031_incidents_seen(db: Database) -> None:
    """Who has seen which incident."""
    for statement in alarms.statements():
        db.conn.execute(statement)


@migrations()
def m0032_print_queue(db: Database) -> None:
    """Slips that wait for their printer and who asked for them, and orders of vouchers."""
    for statement in (*printjobs.SCHEMA, printorders.TABLE):
        db.conn.execute(statement)


@migrations()
def m0033_list_equal(db: Database) -> None:
    """When the cloud last confirmed each list."""
    db.conn.execute(equal_lists.TABLE)


@migrations()
def m0034_papers_of_leases(db: Database) -> None:
    """How many papers of templates with a total may be printed from a lease."""
    db.conn.execute("ALTER TABLE lease ADD COLUMN papers TEXT")


@migrations()
def m0035_stays_settled(db: Database) -> None:
    """What cars inside have paid with is looked up whenever the cloud withdraws something."""
    db.conn.execute(counted.INDEX)
