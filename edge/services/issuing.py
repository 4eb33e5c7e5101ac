"""A voucher at the counter: counter, lease, row and event in one transaction, and only then the printer (I13)."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from domain import lease, voucher
from domain.contract import Hold, hold, terms_of
from domain.coupon.model import CouponKind
from domain.decision import Refuse
from domain.events import VoucherIssued, VoucherPrinted, VoucherVoided
from domain.ledger import Commodity
from domain.moment import Moment
from domain.wire import Json
from edge.db import channels, counted, journal, leases, log, printorders, vouchers
from edge.db.database import Database, transaction
from edge.db.leases import HeldLease
from edge.db.vouchers import VoucherRow
from edge.services import limiting
from edge.services.lot import Done, Lot, Result
from edge.services.redeeming import own_key_id

PRINT_ENDS = ("confirmed", "failed", "unknown")


@dataclass(frozen=True, slots=True)
class Order:
    """What a counter asks for; *order_id*: as one slip of an order of several."""

    merchant_id: int
    template_id: int
    by: str
    order_id: str = ""


@dataclass(frozen=True, slots=True)
class Issued:
    """Reserved and committed as ``printing``: print it now, once, then report how that ended."""

    payload: voucher.Payload
    token: str
    template: str
    left: int


def issue(db: Database, lot: Lot, order: Order, now: Moment) -> Issued | Refuse:
    """Reserve a voucher within the merchant's lease. Refuses when no lease, template or key allows it."""
    with transaction(db) as conn:
        template = channels.get(conn, "rules", f"template:{order.template_id}")
        if template is None or template.get("deleted") or int(template.get("merchant_id", -1)) != order.merchant_id:
            return Refuse("no_such_template")
        over = limiting.print_refusal(conn, lot, order.merchant_id, order.template_id, now)
        if over is not None:
            return over
        key_id = own_key_id(conn, lot)
        if key_id is None:
            return Refuse("no_voucher_key")
        cost = cost_of(conn, lot, template)
        if isinstance(cost, Refuse):
            return cost
        amount = cost.amount
        held = _lease(conn, order, cost.commodity, amount, now)
        if isinstance(held, Refuse):
            return held
        payload = _payload(conn, lot, template, order, key_id, held, cost, now)
        if order.order_id and not printorders.begin_one(conn, order.order_id, key_id, payload.counter):
            raise LookupError(f"nothing is left of order {order.order_id}")
        token = voucher.issue(payload, lot.sign)
        _write(conn, payload, token, order, amount, now)
        return Issued(payload, token, str(template.get("name", "")), held.lease.left - amount)


def cost_of(conn: sqlite3.Connection, lot: Lot, template: Json) -> Hold | Refuse:
    """What the lease is charged: the highest the merchant's contract may come to (docs/contracts.md)."""
    merchant = channels.get(conn, "rules", f"merchant:{template['merchant_id']}")
    if merchant is None or not merchant.get("enabled", True):
        return Refuse("merchant_disabled")
    terms = (merchant.get("contracts") or {}).get(str(lot.lot_id))
    if terms is None:
        return Refuse("contract_missing")
    if (template.get("terms") or {}).get("uses", 1) != 1:
        return Refuse("kind_not_offered")  # a pass belongs to a plate, and a paper names none
    try:
        kind = CouponKind(template.get("kind", ""))
        return hold(terms_of(terms), kind, int(template.get("value") or 0), int(template.get("cap_fen") or 0))
    except ValueError:  # a kind whose value is typed at issue, or terms of a newer release
        return Refuse("kind_not_offered")


def _lease(
    conn: sqlite3.Connection, order: Order, commodity: Commodity, amount: int, now: Moment
) -> HeldLease | Refuse:
    """The first lease that may carry *amount* and has a paper of the template left, or why none does."""
    reasons = []
    for held in leases.active(conn, order.merchant_id):
        if held.commodity is not commodity:
            continue
        refusal = lease.refusal(held.lease, amount, fresh=held.is_fresh(now))
        if refusal is None and limiting.papers_left(conn, held, order.template_id) == 0:
            refusal = "papers_used"
        if refusal is None:
            return held
        reasons.append(refusal)
    return Refuse(reasons[0] if reasons else "no_lease")


def _payload(
    conn: sqlite3.Connection,
    lot: Lot,
    template: Json,
    order: Order,
    key_id: int,
    held: HeldLease,
    cost: Hold,
    now: Moment,
) -> voucher.Payload:
    valid_min = int(template.get("valid_min") or 1440)
    leases.spend(conn, held.lease.lease_id, cost.amount)
    return voucher.Payload(
        key_id=key_id,
        counter=vouchers.reserve_counter(conn, key_id),
        template_id=order.template_id,
        merchant_id=order.merchant_id,
        cap_fen=cost.ceiling_fen,
        lease_id=held.lease.lease_id,
        not_after_min=now.wall_ms // 60_000 + valid_min,
        span_h=-(-valid_min // 60) + 1,
        home_lot=lot.lot_id,
    )


def _write(
    conn: sqlite3.Connection, payload: voucher.Payload, token: str, order: Order, amount: int, now: Moment
) -> None:
    row = VoucherRow(
        payload.key_id, payload.counter, payload.lease_id, payload.merchant_id, payload.template_id, amount,
        payload.cap_fen, payload.not_after_min, token, order.by, now.wall_ms, "printing", 0,
    )  # fmt: skip
    vouchers.insert(conn, row)
    event = VoucherIssued(
        payload.key_id, payload.counter, payload.lease_id, payload.merchant_id, payload.template_id, amount,
        payload.cap_fen, payload.not_after_min, order.by,
    )  # fmt: skip
    log.append(conn, event, now)
    journal.act(conn, order.by, "voucher.issue", voucher.number(payload), "", now)


def printed(db: Database, key_id: int, counter: int, state: str, now: Moment) -> bool:
    """How printing ended: confirmed, failed or unknown. False when this voucher is not being printed."""
    if state not in PRINT_ENDS:
        raise ValueError(f"printing ends {', '.join(PRINT_ENDS)}; not {state!r}")
    with transaction(db) as conn:
        moved = vouchers.set_state(conn, key_id, counter, state, expected=("printing",))
        if moved:
            log.append(conn, VoucherPrinted(key_id, counter, state), now)
        return moved


def came_out(db: Database, slips: Sequence[tuple[int, int]], by: str, now: Moment) -> int:
    """Somebody saw these vouchers (key, counter) on paper: those in doubt are confirmed. Returns how many were."""
    with transaction(db) as conn:
        proven = [one for one in slips if vouchers.set_state(conn, *one, "confirmed", expected=("unknown",))]
        for key_id, counter in proven:
            log.append(conn, VoucherPrinted(key_id, counter, "confirmed"), now)
            journal.act(conn, by, "voucher.came_out", f"{key_id}-{counter}", "", now)
        return len(proven)


def void(db: Database, key_id: int, counter: int, by: str, reason: str, now: Moment) -> Result:
    """Withdraw a voucher that was not redeemed, lies on no stay and is not what a car inside has paid with."""
    if not reason.strip():
        return Refuse("reason_missing")
    with transaction(db) as conn:
        if vouchers.get(conn, key_id, counter) is None:
            return Refuse("no_such_voucher")
        if vouchers.is_used(conn, key_id, counter):
            return Refuse("voucher_used")
        ref = f"{key_id}:{counter}"
        if vouchers.laid_where(conn, ref) is not None or ref in counted.holders(conn):
            return Refuse("voucher_on_other_stay")
        if not vouchers.set_voided(conn, key_id, counter):
            return Refuse("voucher_voided")
        log.append(conn, VoucherVoided(key_id, counter, reason, by), now)
        journal.act(conn, by, "voucher.void", f"{key_id}-{counter}", reason, now)
        return Done(f"{key_id}:{counter}")
