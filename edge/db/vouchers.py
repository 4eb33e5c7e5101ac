"""Vouchers this edge printed, and the used sets that make every voucher and coupon count once (I10)."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from domain.moment import Moment

WITHDRAWN = ("void", "VOIDED")
"""What the cloud's list ``vstate`` says of a voucher that counts no more."""


@dataclass(frozen=True, slots=True)
class VoucherRow:
    """A voucher by its counter; *state* is printing, confirmed, failed or unknown."""

    key_id: int
    counter: int
    lease_id: int
    merchant_id: int
    template_id: int
    amount: int
    cap_fen: int
    not_after_min: int
    token: str
    by: str
    wall_ms: int
    state: str
    voided: int


@dataclass(frozen=True, slots=True)
class Use:
    """One redemption of a coupon or voucher; *spec* is what it was worth, as it lay on the stay."""

    kind: str
    ref: str
    redemption_id: str
    stay_id: str
    off_fen: int
    spec: str
    merchant_id: int


@dataclass(frozen=True, slots=True)
class Laid:
    """A coupon or voucher laid on an open stay at this lot, not yet redeemed."""

    ref: str
    stay_id: str
    kind: str
    spec: str
    merchant_id: int
    by: str
    wall_ms: int


def reserve_counter(conn: sqlite3.Connection, key_id: int) -> int:
    """The next counter of this key: one more than the last, in the caller's transaction."""
    row = conn.execute(
        "INSERT INTO voucher_counter VALUES (?, 1) ON CONFLICT (key_id) DO UPDATE SET last = last + 1 RETURNING last",
        (key_id,),
    ).fetchone()
    return int(row[0])


def insert(conn: sqlite3.Connection, voucher: VoucherRow) -> None:
    """Keep a voucher about to be printed. Raises sqlite3.IntegrityError when its counter is taken."""
    conn.execute(
        "INSERT INTO voucher (key_id, counter, lease_id, merchant_id, template_id, amount, cap_fen, not_after_min,"
        " token, by, wall_ms, state, voided) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        tuple(getattr(voucher, name) for name in VoucherRow.__slots__),
    )


def get(conn: sqlite3.Connection, key_id: int, counter: int) -> VoucherRow | None:
    """One voucher of this edge."""
    row = conn.execute("SELECT * FROM voucher WHERE key_id = ? AND counter = ?", (key_id, counter)).fetchone()
    return VoucherRow(**dict(row)) if row else None


def recent(conn: sqlite3.Connection, merchant_id: int | None = None, most: int = 50) -> list[VoucherRow]:
    """The newest vouchers, of one merchant or all."""
    rows = conn.execute(
        "SELECT * FROM voucher WHERE (?1 IS NULL OR merchant_id = ?1) ORDER BY wall_ms DESC, counter DESC LIMIT ?2",
        (merchant_id, most),
    )
    return [VoucherRow(**dict(row)) for row in rows]


def count_between(conn: sqlite3.Connection, merchant_id: int, start_ms: int, end_ms: int) -> int:
    """How many vouchers of a merchant were issued in [start, end)."""
    row = conn.execute(
        "SELECT count(*) FROM voucher WHERE merchant_id = ? AND wall_ms >= ? AND wall_ms < ?",
        (merchant_id, start_ms, end_ms),
    )
    return int(row.fetchone()[0])


def count_of_template(conn: sqlite3.Connection, template_id: int, since_ms: int) -> int:
    """How many vouchers of a template were issued here since, without those that were voided."""
    query = "SELECT count(*) FROM voucher WHERE template_id = ? AND wall_ms >= ? AND voided = 0"
    return int(conn.execute(query, (template_id, since_ms)).fetchone()[0])


def count_of_lease(conn: sqlite3.Connection, lease_id: int, template_id: int) -> int:
    """How many vouchers of a template were issued from a lease, those that were voided too."""
    query = "SELECT count(*) FROM voucher WHERE lease_id = ? AND template_id = ?"
    return int(conn.execute(query, (lease_id, template_id)).fetchone()[0])


def between(
    conn: sqlite3.Connection, merchant_id: int, start_ms: int, end_ms: int, most: int, after: int
) -> list[tuple[VoucherRow, bool]]:
    """A merchant's vouchers issued in [start, end), the newest first, each with whether it was redeemed here."""
    rows = conn.execute(
        "SELECT voucher.*, used.counter IS NOT NULL AS used FROM voucher LEFT JOIN voucher_in_use AS used"
        " USING (key_id, counter) WHERE voucher.merchant_id = ? AND voucher.wall_ms >= ? AND voucher.wall_ms < ?"
        " ORDER BY voucher.wall_ms DESC, counter DESC LIMIT ? OFFSET ?",
        (merchant_id, start_ms, end_ms, most, after),
    )
    return [(VoucherRow(*(row[name] for name in VoucherRow.__slots__)), bool(row["used"])) for row in rows]


def in_doubt(conn: sqlite3.Connection, merchant_id: int) -> list[VoucherRow]:
    """A merchant's vouchers of which nobody can say whether they were printed, not voided or redeemed since."""
    rows = conn.execute(
        "SELECT * FROM voucher WHERE merchant_id = ? AND state IN ('unknown', 'failed') AND voided = 0"
        " AND NOT EXISTS (SELECT 1 FROM voucher_in_use AS used WHERE used.key_id = voucher.key_id"
        " AND used.counter = voucher.counter) ORDER BY wall_ms DESC",
        (merchant_id,),
    )
    return [VoucherRow(**dict(row)) for row in rows]


def in_state(conn: sqlite3.Connection, state: str) -> list[VoucherRow]:
    """Vouchers in one print state."""
    return [VoucherRow(**dict(row)) for row in conn.execute("SELECT * FROM voucher WHERE state = ?", (state,))]


def set_state(conn: sqlite3.Connection, key_id: int, counter: int, state: str, *, expected: tuple[str, ...]) -> bool:
    """Move a voucher on from one of the *expected* states; False when it is in none of them."""
    marks = ",".join("?" * len(expected))
    done = conn.execute(
        f"UPDATE voucher SET state = ? WHERE key_id = ? AND counter = ? AND state IN ({marks})",  # noqa: S608
        (state, key_id, counter, *expected),
    )
    return done.rowcount == 1


def set_voided(conn: sqlite3.Connection, key_id: int, counter: int) -> bool:
    """Withdraw a voucher; False when it was withdrawn before or is not ours."""
    done = conn.execute(
        "UPDATE voucher SET voided = 1 WHERE key_id = ? AND counter = ? AND voided = 0", (key_id, counter)
    )
    return done.rowcount == 1


def is_used(conn: sqlite3.Connection, key_id: int, counter: int) -> bool:
    """Was this voucher redeemed here?"""
    query = "SELECT 1 FROM voucher_in_use WHERE key_id = ? AND counter = ?"
    return conn.execute(query, (key_id, counter)).fetchone() is not None


def use(conn: sqlite3.Connection, key_id: int, counter: int, use: Use, now: Moment) -> None:
    """Count a voucher as redeemed. Raises sqlite3.IntegrityError while it is in use already (I10)."""
    before = (
        "(SELECT count(*) FROM voucher_used JOIN use_undone USING (redemption_id) WHERE key_id = ?1 AND counter = ?2)"
    )
    conn.execute(
        f"INSERT INTO voucher_used VALUES (?1, ?2, ?3, ?4, ?5, ?6, {before}, ?7, ?8)",  # noqa: S608
        (key_id, counter, use.redemption_id, use.stay_id, use.off_fen, now.wall_ms, use.spec, use.merchant_id),
    )


def is_coupon_used(conn: sqlite3.Connection, coupon_id: str) -> bool:
    """Was this coupon redeemed here, whatever the channel still says?"""
    return conn.execute("SELECT 1 FROM coupon_in_use WHERE coupon_id = ?", (coupon_id,)).fetchone() is not None


def is_ref_used(conn: sqlite3.Connection, ref: str) -> bool:
    """The same of a coupon or a voucher, as a stay names it."""
    key_id, _, counter = ref.partition(":")
    return is_used(conn, int(key_id), int(counter)) if counter else is_coupon_used(conn, ref)


def use_coupon(conn: sqlite3.Connection, coupon_id: str, use: Use, now: Moment) -> None:
    """Count a coupon as redeemed. Raises sqlite3.IntegrityError while it is in use already."""
    before = "(SELECT count(*) FROM coupon_used JOIN use_undone USING (redemption_id) WHERE coupon_id = ?1)"
    conn.execute(
        f"INSERT INTO coupon_used VALUES (?1, ?2, ?3, ?4, ?5, {before}, ?6, ?7)",  # noqa: S608
        (coupon_id, use.redemption_id, use.stay_id, use.off_fen, now.wall_ms, use.spec, use.merchant_id),
    )


def used_by(conn: sqlite3.Connection, stay_id: str) -> list[Use]:
    """What a stay used and has not been given back."""
    rows = conn.execute(
        "SELECT 'coupon', coupon_id, redemption_id, stay_id, off_fen, spec, merchant_id FROM coupon_in_use"
        " WHERE stay_id = ?1 UNION ALL SELECT 'voucher', key_id || ':' || counter, redemption_id, stay_id, off_fen,"
        " spec, merchant_id FROM voucher_in_use WHERE stay_id = ?1",
        (stay_id,),
    )
    return [Use(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class UsedPaper:
    """What a car used here at some time."""

    ref: str
    stay_id: str
    spec: str
    merchant_id: int
    wall_ms: int


def used_by_plate(conn: sqlite3.Connection, plate: str) -> list[UsedPaper]:
    """Coupons and vouchers that stays of a plate used here and were not given back."""
    rows = conn.execute(
        "SELECT used.ref, used.stay_id, used.spec, used.merchant_id, used.wall_ms FROM"
        " (SELECT coupon_id AS ref, stay_id, spec, merchant_id, wall_ms FROM coupon_in_use UNION ALL"
        " SELECT key_id || ':' || counter, stay_id, spec, merchant_id, wall_ms FROM voucher_in_use) AS used"
        " JOIN stay USING (stay_id) WHERE stay.plate = ? ORDER BY used.wall_ms",
        (plate,),
    )
    return [UsedPaper(*row) for row in rows]


def undo_use(conn: sqlite3.Connection, redemption_id: str, stay_id: str, now: Moment) -> None:
    """A redemption counts no more. Raises sqlite3.IntegrityError the second time."""
    conn.execute("INSERT INTO use_undone VALUES (?, ?, ?)", (redemption_id, stay_id, now.wall_ms))


def lay(conn: sqlite3.Connection, laid: Laid) -> bool:
    """Lay a paper on a stay; False when it lies on one already."""
    done = conn.execute(
        "INSERT OR IGNORE INTO laid VALUES (?, ?, ?, ?, ?, ?, ?)",
        (laid.ref, laid.stay_id, laid.kind, laid.spec, laid.merchant_id, laid.by, laid.wall_ms),
    )
    return done.rowcount == 1


def take_off(conn: sqlite3.Connection, ref: str) -> bool:
    """Take a paper off its stay again (E36)."""
    return conn.execute("DELETE FROM laid WHERE ref = ?", (ref,)).rowcount == 1


def laid_on(conn: sqlite3.Connection, stay_id: str) -> list[Laid]:
    """Papers laid on a stay, in the order they came."""
    rows = conn.execute("SELECT * FROM laid WHERE stay_id = ? ORDER BY wall_ms, ref", (stay_id,))
    return [Laid(**dict(row)) for row in rows]


def laid_where(conn: sqlite3.Connection, ref: str) -> str | None:
    """The stay a paper lies on, or None."""
    row = conn.execute("SELECT stay_id FROM laid WHERE ref = ?", (ref,)).fetchone()
    return row[0] if row else None


def clear_laid(conn: sqlite3.Connection, stay_id: str) -> None:
    """The stay is settled: nothing lies on it any more."""
    conn.execute("DELETE FROM laid WHERE stay_id = ?", (stay_id,))
