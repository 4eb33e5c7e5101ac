"""The books, the vouchers and the barriers: what must hold in what both sides have stored."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from domain.ledger import merchant_imbalance, wrong_signs
from tests.simulator.violations import ViolationError

if TYPE_CHECKING:
    from tests.simulator.nodes import EdgeNode


def check_books(cloud: sqlite3.Connection) -> None:
    """Every merchant's accounts add up and none is on the wrong side of zero (I1, I2)."""
    accounts: dict[tuple[int, str, str], dict[str, int]] = defaultdict(dict)
    for merchant, commodity, funds, account, amount in cloud.execute(
        "SELECT merchant_id, commodity, funds, account, amount FROM balance"
    ):
        accounts[merchant, commodity, funds][account] = amount
    for key, balances in accounts.items():
        if merchant_imbalance(balances):
            raise ViolationError("I1", f"merchant {key} is off by {merchant_imbalance(balances)}: {balances}")
        if wrong_signs(balances):
            raise ViolationError("I2", f"merchant {key}: {wrong_signs(balances)} of {balances}")


def check_leases(cloud: sqlite3.Connection, node: EdgeNode, conn: sqlite3.Connection, *, settled: bool) -> None:
    """An edge never believes to hold more than the books hold for it; *settled*: exactly as much (I3, I4)."""
    held = {
        account: amount
        for account, amount in cloud.execute("SELECT account, amount FROM balance WHERE account LIKE 'lease:%'")
    }
    for lease_id, granted, spent in conn.execute("SELECT lease_id, granted, spent FROM lease WHERE state = 'active'"):
        left, books = granted - spent, held.get(f"lease:{lease_id}", 0)
        if left > books or (settled and left != books):
            raise ViolationError("I3", f"{node.name}: {left} left of lease {lease_id}, the books hold {books}")
    over = cloud.execute("SELECT lease_id FROM lease WHERE spent + returned > granted").fetchone()
    if over:
        raise ViolationError("I4", f"more than granted was spent of lease {over[0]}")


def check_totals(cloud: sqlite3.Connection, total: int, template_ids: Sequence[int]) -> None:
    """What was given, what lots told they printed and what leases still let them print is never more than the total."""
    for template_id in template_ids:
        given, heard, out = (
            cloud.execute(query, (template_id,)).fetchone()[0]
            for query in (
                "SELECT count(*) FROM coupon WHERE template_id = ? AND plate <> '' AND voided_ms IS NULL",
                "SELECT count(*) FROM voucher WHERE template_id = ? AND state <> 'VOIDED'",
                "SELECT coalesce(sum(papers - printed), 0) FROM lease_paper JOIN lease USING (lease_id)"
                " WHERE template_id = ? AND state <> 'closed'",
            )
        )
        if given + heard + out > total:
            raise ViolationError("total", f"{template_id}: {given} given, {heard} printed, {out} out, of {total}")


def check_papers(node: EdgeNode, conn: sqlite3.Connection) -> None:
    """A lot prints no more of a limited template from a lease than the lease says."""
    printed: dict[int, dict[str, int]] = defaultdict(dict)
    counts = "SELECT lease_id, template_id, count(*) FROM voucher GROUP BY lease_id, template_id"
    for lease_id, template_id, count in conn.execute(counts):
        printed[lease_id][str(template_id)] = count
    for lease_id, papers in conn.execute("SELECT lease_id, papers FROM lease WHERE papers IS NOT NULL"):
        for template_id, most in json.loads(papers).items():
            if printed[lease_id].get(template_id, 0) > most:
                raise ViolationError("total", f"{node.name}: more than {most} of {template_id} from lease {lease_id}")


def check_postings(cloud: sqlite3.Connection) -> None:
    """The kept balances are the sums of the postings; every voucher and coupon is charged at most once (I9).

    A use that is taken back counts no more.
    """
    kept = cloud.execute("SELECT merchant_id, account, commodity, funds, amount FROM balance WHERE amount <> 0")
    sums = cloud.execute(
        "SELECT merchant_id, account, commodity, funds, sum(amount) AS total FROM posting"
        " GROUP BY merchant_id, account, commodity, funds HAVING total <> 0"
    )
    if set(kept.fetchall()) != set(sums.fetchall()):
        raise ViolationError("I1", "balances are not the sums of their postings")
    twice = cloud.execute(
        "SELECT e.subject, count(DISTINCT CASE WHEN p.amount > 0 THEN e.entry_id END)"
        " - count(DISTINCT CASE WHEN p.amount < 0 THEN e.entry_id END) AS times"
        " FROM ledger_entry e JOIN posting p USING (entry_id)"
        " WHERE p.account = 'redeemed' GROUP BY e.subject HAVING times > 1"
    ).fetchone()
    if twice:
        raise ViolationError("I9", f"{twice[0]} was charged {twice[1]} times")
    early = cloud.execute(
        "SELECT u.subject FROM ledger_entry r JOIN ledger_entry u ON u.subject = r.subject AND u.entry_id > r.entry_id"
        " WHERE r.kind IN ('coupon.released', 'coupon.lapsed', 'voucher.lapsed')"
        " AND u.kind IN ('coupon.redeemed', 'voucher.redeemed') AND u.subject NOT IN"
        " (SELECT subject FROM ledger_entry WHERE note = 'use_taken_back')"  # crossed, undone and used again: one loss
    ).fetchone()
    if early:
        raise ViolationError("void", f"{early[0]} was used after its value had gone back")


def check_losses(cloud: sqlite3.Connection) -> None:
    """The operator loses only by what was used while its void or end was on its way (sync section 7)."""
    lost = cloud.execute("SELECT coalesce(sum(amount), 0) FROM balance WHERE account = 'operator_loss'").fetchone()[0]
    crossed = cloud.execute(
        "SELECT coalesce(sum(off_fen), 0) FROM redemption WHERE NOT charged AND restored_ms IS NULL"
    ).fetchone()[0]
    if -lost != crossed:
        raise ViolationError("I4", f"the operator lost {-lost}, crossing voids explain {crossed}")


def check_parked(cloud: sqlite3.Connection) -> None:
    """After everything was run again, only what no release of ours can read is still set aside (I16)."""
    left = cloud.execute(
        "SELECT edge_id, seq, type, parked_why FROM inbox WHERE parked_why IS NOT NULL AND type <> 'door.sung'"
    ).fetchone()
    if left:
        raise ViolationError("I16", f"{left[0]}: event {left[1]} {left[2]} is parked: {left[3]}")


def check_trade(node: EdgeNode) -> None:
    """In the lot's own log: each voucher used once, counters without gaps, no spending from a returned lease."""
    used: set[tuple[int, int]] = set()
    returned: set[int] = set()
    last: dict[int, int] = {}
    for kind, payload in node.trade:
        if kind == "lease.returned":
            returned.add(payload["lease_id"])
            continue
        voucher = (payload["key_id"], payload["counter"])
        if kind == "voucher.redeemed":
            if voucher in used:
                raise ViolationError("I10", f"{node.name}: voucher {voucher} opened two exits")
            used.add(voucher)
        if kind == "voucher.restored":
            used.remove(voucher)
        if kind == "voucher.issued":
            if payload["lease_id"] in returned:
                raise ViolationError("I14", f"{node.name}: spent from lease {payload['lease_id']} after its return")
            if voucher[1] != last.get(voucher[0], 0) + 1:
                raise ViolationError("I13", f"{node.name}: counter {voucher[1]} after {last.get(voucher[0], 0)}")
            last[voucher[0]] = voucher[1]


def check_lot(node: EdgeNode, conn: sqlite3.Connection) -> None:
    """Leases, vouchers and log of the lot tell one story; its own book balances."""
    spent = dict(conn.execute("SELECT lease_id, spent FROM lease").fetchall())
    issued: dict[int, int] = defaultdict(int)
    for kind, payload in node.trade:
        if kind == "voucher.issued":
            issued[payload["lease_id"]] += payload["amount"]
    if {lease: amount for lease, amount in spent.items() if amount} != {k: v for k, v in issued.items() if v}:
        raise ViolationError("I4", f"{node.name}: spent {spent}, the log says {dict(issued)}")
    rows = conn.execute("SELECT count(*) FROM voucher").fetchone()[0]
    if rows != sum(kind == "voucher.issued" for kind, _ in node.trade):
        raise ViolationError("I13", f"{node.name}: {rows} vouchers, another number in the log")
    used = conn.execute("SELECT count(*) FROM voucher_used").fetchone()[0]
    if used != sum(kind == "voucher.redeemed" for kind, _ in node.trade):
        raise ViolationError("I10", f"{node.name}: {used} vouchers used, another number in the log")
    off = conn.execute("SELECT entry FROM posting GROUP BY entry HAVING sum(amount) <> 0").fetchone()
    if off:
        raise ViolationError("I1", f"{node.name}: entry {off[0]} does not balance")


def check_cloud_agrees(cloud: sqlite3.Connection, node: EdgeNode, conn: sqlite3.Connection, lot_id: int) -> None:
    """Stays, payments and debts are the same on both sides."""
    figures = "SELECT stay_id, fee_fen, discount_fen, waived_fen, paid_fen, owed_fen FROM stay WHERE "
    ours = conn.execute(figures + "state = 'closed'").fetchall()
    theirs = cloud.execute(figures + "edge_id = ? AND left_ms IS NOT NULL", (node.name,)).fetchall()
    if {tuple(row) for row in ours} != set(theirs):
        raise ViolationError("I5", f"{node.name}: closed stays differ")
    paid = {tuple(row) for row in conn.execute("SELECT payment_id, amount_fen FROM payment")}
    known = cloud.execute("SELECT payment_id, amount_fen FROM payment WHERE lot_id = ?", (lot_id,))
    if paid != set(known.fetchall()):
        raise ViolationError("I5", f"{node.name}: payments differ")
