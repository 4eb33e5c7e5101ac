"""What edges report about their leases. An edge moves money of its own leases only (I19)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, RowMapping, bindparam, select, update

from cloud.merchants import ledger
from cloud.merchants.tables import lease, merchant
from cloud.sync.context import ApplyContext, MoneyApplier
from cloud.sync.errors import CannotApplyError
from domain.events import Envelope, LeaseApplied, LeaseReturned
from domain.lease import LeaseState
from domain.ledger import AVAILABLE, OPERATOR_LOSS, OUTSTANDING, UNFUNDED, Commodity, Funds, lease_account, move


@dataclass(frozen=True, slots=True)
class Charged:
    """How a spend was paid for: *reserved* from the lease, *unfunded* by the operator."""

    reserved: int
    unfunded: int
    commodity: Commodity
    funds: Funds
    why: str  # empty when the lease paid all of it


_OWN_LEASE = (
    select(lease)
    .where(lease.c.lease_id == bindparam("of_lease"), lease.c.edge_id == bindparam("of_edge"))
    .with_for_update()
)
_MERCHANT = (
    select(merchant.c.merchant_id)
    .where(merchant.c.merchant_id == bindparam("of_merchant"), merchant.c.operator_id == bindparam("of_operator"))
    .with_for_update()
)
_SPEND = update(lease).where(lease.c.lease_id == bindparam("of_lease")).values(spent=lease.c.spent + bindparam("more"))


def own_lease(conn: Connection, ctx: ApplyContext, lease_id: int) -> RowMapping | None:
    """The lease if it is this edge's, locked until the transaction ends."""
    return conn.execute(_OWN_LEASE, {"of_lease": lease_id, "of_edge": ctx.edge_id}).mappings().one_or_none()


def charge_lease(
    conn: Connection,
    ctx: ApplyContext,
    envelope: Envelope,
    *,
    lease_id: int,
    merchant_id: int,
    amount: int,
    subject: str,
    by: str,
    fallback: Commodity,
) -> Charged:
    """Move *amount* from the lease to outstanding; what the lease cannot pay is the operator's loss (sync §5-7).

    *fallback* is counted in when the lease is unknown. Raises CannotApplyError when the merchant is not the operator's.
    """
    if amount < 0:
        raise CannotApplyError("a negative amount", lease_id)
    if conn.execute(_MERCHANT, {"of_merchant": merchant_id, "of_operator": ctx.operator_id}).first() is None:
        raise CannotApplyError(f"no merchant {merchant_id}", lease_id)
    charged = _split(conn, ctx, lease_id, merchant_id, amount, fallback)
    entry = ledger.Entry(
        ctx.operator_id,
        merchant_id,
        ctx.event_id(envelope),
        envelope.type,
        subject,
        by,
        envelope.moment.wall_ms,
        charged.why,
    )
    legs = (
        *move(lease_account(lease_id), OUTSTANDING, charged.reserved, charged.commodity, charged.funds),
        *move(OPERATOR_LOSS, UNFUNDED, charged.unfunded, charged.commodity, charged.funds),
    )
    ledger.post(conn, entry, legs)
    if charged.reserved:
        conn.execute(_SPEND, {"of_lease": lease_id, "more": charged.reserved})
    return charged


def _split(
    conn: Connection, ctx: ApplyContext, lease_id: int, merchant_id: int, amount: int, fallback: Commodity
) -> Charged:
    row = own_lease(conn, ctx, lease_id)
    if row is None or row["merchant_id"] != merchant_id:
        return Charged(0, amount, fallback, Funds.PAID, "lease_unknown")
    commodity, funds = Commodity(row["commodity"]), Funds(row["funds"])
    held = ledger.held_by(conn, merchant_id, lease_account(lease_id), commodity, funds)
    reserved = min(amount, held)
    return Charged(reserved, amount - reserved, commodity, funds, "" if reserved == amount else "lease_overdrawn")


def lease_applied(conn: Connection, ctx: ApplyContext, envelope: Envelope, event: LeaseApplied) -> None:
    """``lease.applied``: the edge holds what we granted."""
    row = own_lease(conn, ctx, event.lease_id)
    if row is None:
        raise CannotApplyError(f"lease {event.lease_id} is not this edge's", event.lease_id)
    if row["granted"] != event.granted:
        raise CannotApplyError(f"lease of {row['granted']} taken for {event.granted}", event.lease_id)
    conn.execute(update(lease).where(lease.c.lease_id == event.lease_id).values(is_applied=True))


def lease_returned(conn: Connection, ctx: ApplyContext, envelope: Envelope, event: LeaseReturned) -> None:
    """``lease.returned``: the edge closed the lease; the rest goes back if both sides count the same (sync §6)."""
    row = own_lease(conn, ctx, event.lease_id)
    if row is None:
        raise CannotApplyError(f"lease {event.lease_id} is not this edge's", event.lease_id)
    if row["state"] == LeaseState.CLOSED.value:
        raise CannotApplyError(f"lease {event.lease_id} was returned before", event.lease_id)
    account, commodity, funds = lease_account(event.lease_id), Commodity(row["commodity"]), Funds(row["funds"])
    held = ledger.held_by(conn, row["merchant_id"], account, commodity, funds)
    if held != event.amount:
        raise CannotApplyError(f"edge returns {event.amount}, books hold {held}", event.lease_id)
    entry = ledger.Entry(
        ctx.operator_id,
        row["merchant_id"],
        ctx.event_id(envelope),
        envelope.type,
        f"lease:{event.lease_id}",
        f"edge:{ctx.edge_id}",
        envelope.moment.wall_ms,
    )
    ledger.post(conn, entry, move(account, AVAILABLE, event.amount, commodity, funds))
    conn.execute(
        update(lease)
        .where(lease.c.lease_id == event.lease_id)
        .values(state=LeaseState.CLOSED.value, returned=event.amount, closed_ms=ctx.now_ms)
    )


MONEY: Final[dict[str, MoneyApplier]] = {"lease.applied": lease_applied, "lease.returned": lease_returned}
