"""Vouchers printed at a counter and past their time: their lot is told, and what they held comes back (E3).

They go the way of coupons (``expiring``): a day after its end the cloud takes a paper's value out of what is
outstanding and names the paper as void in the channel ``vstate`` of its lot. The value returns once the lot provably
knows; a lot without a line keeps it held. A use on its way before that is charged.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, select, update

from cloud.coupons.expiring import AT_ONCE, GRACE_MS
from cloud.coupons.life import MINUTE_MS, State
from cloud.coupons.tables import voucher
from cloud.coupons.voiding import CLOUD
from cloud.lots import edges as lot_edges
from cloud.lots import service as lots
from cloud.merchants import ledger
from cloud.sync import parked
from cloud.sync.channels import put_row
from domain.events import VoucherRedeemed
from domain.ledger import AVAILABLE, OUTSTANDING, VOID_PENDING, Commodity, Funds, Posting, move

CHANNEL: Final = "vstate"
OUT: Final = "OUTSTANDING"
WITHDRAWN: Final = "VOIDED"  # what the lot is told


def row_key(key_id: int, counter: int) -> str:
    """The name of a paper in its lot's list."""
    return f"{key_id}:{counter}"


def paper_name(key_id: int, counter: int) -> str:
    """The name of a paper in the books."""
    return f"voucher:{key_id}-{counter}"


def withdraw(conn: Connection, operator_id: int, now_ms: int) -> int:
    """Withdraw up to ``AT_ONCE`` unused papers that ended more than the grace ago; returns how many.

    One whose use was reported and set aside counts as used and stays (I16), and so does one of a lot without a device.
    """
    over = select(voucher).where(
        voucher.c.operator_id == operator_id,
        voucher.c.state == OUT,
        voucher.c.not_after_min < (now_ms - GRACE_MS) // MINUTE_MS,
    )
    if conn.execute(over.limit(1)).first() is None:
        return 0
    devices = dict(lot_edges.lots_with_edges(conn, operator_id))
    here = over.where(voucher.c.lot_id.in_(devices)).order_by(voucher.c.key_id, voucher.c.counter)
    aside = _used_aside(conn, operator_id)
    rows = conn.execute(here.limit(AT_ONCE + len(aside)).with_for_update()).mappings().all()
    unused = [row for row in rows if (row["key_id"], row["counter"]) not in aside][:AT_ONCE]
    for row in unused:
        _withdraw(conn, row, devices[row["lot_id"]], now_ms)
    return len(unused)


def tell(conn: Connection, row: RowMapping, edge_id: str, now_ms: int) -> int:
    """Name the paper as void in an edge's list, and wait for that edge to know; returns the list's version."""
    said = {"state": WITHDRAWN, "not_after_min": row["not_after_min"]}
    version = put_row(conn, row["operator_id"], edge_id, CHANNEL, row_key(row["key_id"], row["counter"]), said, now_ms)
    gone = {"state": State.EXPIRING.value, "void_version": version, "edge_id": edge_id}
    conn.execute(update(voucher).where(_is_it(row)).values(**gone))
    return version


def _withdraw(conn: Connection, row: RowMapping, edge_id: str, now_ms: int) -> None:
    version = tell(conn, row, edge_id, now_ms)
    its = paper_name(row["key_id"], row["counter"])
    once = f"expire:{its}:{edge_id}:{version}"  # again after a use that was taken back: another version
    _post(conn, row, once, "voucher.expired", CLOUD, now_ms, carry(row, OUTSTANDING, VOID_PENDING))


def keep(conn: Connection, edge_id: str, ref: str, stay_id: str) -> None:
    """As ``voiding.keep``; *ref* is its name in its lot's list."""
    key_id, _, counter = ref.partition(":")
    its = (voucher.c.key_id == int(key_id)) & (voucher.c.counter == int(counter)) & (voucher.c.edge_id == edge_id)
    conn.execute(update(voucher).where(its, voucher.c.state == State.EXPIRING.value).values(kept_by=stay_id))


def release(conn: Connection, edge_id: str, channel_version: int, now_ms: int, cause: str) -> int:
    """Return the value of expired papers whose end is in *channel_version* of the edge's list or before.

    Call as ``voiding.release_voids``: the edge's log is applied up to the moment it came to hold that version.
    """
    known = (voucher.c.edge_id == edge_id) & (voucher.c.void_version <= channel_version) & (voucher.c.kept_by == "")
    return _release(conn, known, now_ms, cause)


def release_left(conn: Connection, operator_id: int, now_ms: int) -> int:
    """The same of those kept for a car that has left and did not use them."""
    left = (voucher.c.kept_by != "") & lots.has_left(operator_id, voucher.c.kept_by)
    return _release(conn, (voucher.c.operator_id == operator_id) & left, now_ms, CLOUD)


def _release(conn: Connection, which: ColumnElement[bool], now_ms: int, cause: str) -> int:
    waiting = select(voucher).where(which, voucher.c.state == State.EXPIRING.value)
    rows = conn.execute(waiting.order_by(voucher.c.key_id, voucher.c.counter).with_for_update()).mappings().all()
    aside = _used_aside(conn, rows[0]["operator_id"]) if rows else set()
    known = [row for row in rows if (row["key_id"], row["counter"]) not in aside]
    for row in known:
        once = f"release:{paper_name(row['key_id'], row['counter'])}"
        _post(conn, row, once, "voucher.lapsed", cause, now_ms, carry(row, VOID_PENDING, AVAILABLE))
        conn.execute(update(voucher).where(_is_it(row)).values(state=State.EXPIRED.value))
    return len(known)


def waiting(conn: Connection, operator_id: int) -> set[str]:
    """Names, in their lots' lists, of the papers whose end their lot has not confirmed."""
    its = (voucher.c.operator_id == operator_id) & (voucher.c.state == State.EXPIRING.value)
    return {row_key(*paper) for paper in conn.execute(select(voucher.c.key_id, voucher.c.counter).where(its))}


def take_back(conn: Connection, row: RowMapping, now_ms: int) -> None:
    """A use was taken back: the lot honours the paper again as far as its time allows, and it may expire once more."""
    if row["void_version"] is None:
        return
    edge_id = lot_edges.edge_of_lot(conn, row["lot_id"]) or row["edge_id"]
    put_row(conn, row["operator_id"], edge_id, CHANNEL, row_key(row["key_id"], row["counter"]), None, now_ms)
    conn.execute(update(voucher).where(_is_it(row)).values(void_version=None, kept_by=""))


def held_in(row: RowMapping) -> str:
    """The account that holds the value of an unused paper."""
    return VOID_PENDING if row["state"] == State.EXPIRING.value else OUTSTANDING


def carry(row: RowMapping, source: str, target: str, amount: int | None = None) -> tuple[Posting, ...]:
    """Postings that move a paper's reserved value, or *amount* of it."""
    held = row["reserved"] if amount is None else amount
    return move(source, target, held, Commodity(row["commodity"]), Funds(row["funds"]))


def _used_aside(conn: Connection, operator_id: int) -> set[tuple[object, object]]:
    told = parked.of_operator(conn, operator_id, VoucherRedeemed.TYPE)
    return {(used.get("key_id"), used.get("counter")) for used in told}


def _is_it(row: RowMapping) -> ColumnElement[bool]:
    return and_(voucher.c.key_id == row["key_id"], voucher.c.counter == row["counter"])


def _post(
    conn: Connection, row: RowMapping, once: str, kind: str, by: str, now_ms: int, legs: tuple[Posting, ...]
) -> None:
    its = paper_name(row["key_id"], row["counter"])
    entry = ledger.Entry(row["operator_id"], row["merchant_id"], once, kind, its, by, now_ms)
    ledger.post(conn, entry, legs)
