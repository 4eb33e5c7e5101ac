"""A merchant's service to a lot ends: no new coupons there, and what is out is taken back or stays good (E18)."""

from __future__ import annotations

from sqlalchemy import Connection, func, select, tuple_, update

from cloud.access import audit
from cloud.act import Act, Refused
from cloud.coupons import withdrawing
from cloud.days import day_began
from cloud.lots import service as lots
from cloud.merchants import leases, service
from cloud.merchants.contracts import current_contract
from cloud.merchants.tables import contract

ENDED = "service ended"


def end(
    conn: Connection, act: Act, merchant_id: int, lot_id: int, last_day: str = "", *, take_back: bool = False
) -> Refused | None:
    """End the service after *last_day* of the lot, or now; new prices begin it again, before that day and after.

    *take_back*: on that day the merchant's unused coupons of this lot are withdrawn; else they stay good.
    """
    row = current_contract(conn, merchant_id, lot_id)
    if row is None or row["operator_id"] != act.operator_id:
        return Refused("contract_missing")
    ends_ms = act.now_ms
    if last_day:
        midnight_ms = day_began(last_day, lots.zone_of(conn, act.operator_id, lot_id), 1)
        if midnight_ms is None:
            return Refused("service_end_malformed")
        ends_ms = midnight_ms
    if ends_ms < act.now_ms:
        return Refused("service_end_malformed")
    its = contract.c.contract_id == row["contract_id"]
    conn.execute(update(contract).where(its).values(ends_ms=ends_ms, takes_back=take_back))
    after = {"lot_id": lot_id, "ends_ms": ends_ms, "take_back": take_back}
    audit.record(conn, act, "contract.ends", f"merchant:{merchant_id}", after=after)
    end_due(conn, act)
    return None


def end_due(conn: Connection, act: Act) -> int:
    """Carry out every end whose day has come, once; returns how many."""
    pair = (contract.c.merchant_id, contract.c.lot_id)
    newest = select(*pair, func.max(contract.c.version)).group_by(*pair)
    due = select(contract).where(
        contract.c.operator_id == act.operator_id,
        contract.c.ends_ms <= act.now_ms,
        ~contract.c.ended,
        tuple_(*pair, contract.c.version).in_(newest),
    )
    rows = conn.execute(due.order_by(contract.c.contract_id)).mappings().all()
    for row in rows:
        merchant_id, lot_id = row["merchant_id"], row["lot_id"]
        service.get(conn, act.operator_id, merchant_id)  # locked, as whoever gives locks it
        of_both = (contract.c.merchant_id == merchant_id, contract.c.lot_id == lot_id)
        conn.execute(update(contract).where(*of_both).values(ended=True))
        service.tell_merchant(conn, act.operator_id, merchant_id, act.now_ms)
        leases.call_back_all(conn, act, merchant_id, lot_id)
        if row["takes_back"]:
            withdrawing.withdraw_unused(conn, act, merchant_id, ENDED, lot_id)
        audit.record(conn, act, "contract.ended", f"merchant:{merchant_id}", after={"lot_id": lot_id})
    return len(rows)


def announced(conn: Connection, merchant_id: int) -> dict[int, int]:
    """When the service to each lot ends (UTC ms), where that was set and its day has not come."""
    rows = conn.execute(
        select(contract.c.lot_id, contract.c.ends_ms, contract.c.version)
        .where(contract.c.merchant_id == merchant_id, ~contract.c.ended)
        .order_by(contract.c.version)
    )
    return {lot_id: ends_ms for lot_id, ends_ms in {row.lot_id: row.ends_ms for row in rows}.items() if ends_ms}
