"""Unused coupons taken back, and what was withdrawn returned once its lot knows (E2, E3)."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, RowMapping, select, update

from cloud.access import audit
from cloud.act import Act, Refused
from cloud.coupons import hearing, means
from cloud.coupons.life import (
    MOVES,
    State,
)
from cloud.coupons.reserving import carry, carry_home
from cloud.coupons.tables import coupon
from cloud.lots import service as lots
from cloud.merchants import ledger
from cloud.merchants import service as merchants
from cloud.sync import parked
from cloud.sync.channels import put_row
from domain.events import CouponRedeemed
from domain.ledger import OUTSTANDING, VOID_PENDING

UNCLAIMED = frozenset({State.CLAIMABLE, State.PRINTED})
"""Only the cloud knows of these: a code that waits for its driver."""
CLOUD = "cloud"
_RELEASED = {
    State.VOID_PENDING.value: (State.VOIDED, "coupon.released"),
    State.EXPIRING.value: (State.EXPIRED, "coupon.lapsed"),
}
"""What becomes of a withdrawn coupon when its lot knows, and the entry that tells of it."""


def void(conn: Connection, act: Act, coupon_id: str, reason: str, merchant_id: int | None = None) -> Refused | None:
    """Withdraw an unused coupon; its value comes back once the lot provably knows (E2, sync §7).

    One whose use was reported and set aside counts as used: applied on time, it would have been (I16).
    """
    query = select(coupon).where(coupon.c.coupon_id == coupon_id, coupon.c.operator_id == act.operator_id)
    if merchant_id is not None:
        query = query.where(coupon.c.merchant_id == merchant_id)
    row = conn.execute(query.with_for_update()).mappings().one_or_none()
    if row is None:
        return Refused("coupon_unknown")
    unclaimed = row["state"] in UNCLAIMED
    if not unclaimed and State.VOID_PENDING not in MOVES[State(row["state"])]:
        return Refused("coupon_not_voidable", {"state": row["state"]})
    if not reason.strip():
        return Refused("reason_missing")
    if unclaimed:
        give_back(conn, row, State.VOIDED, "coupon.voided", act.by, act.now_ms, reason.strip())
        _record(conn, act, row, State.VOIDED, reason)
        return None
    if any(used.get("coupon_id") == coupon_id for used in parked.payloads(conn, row["edge_id"], CouponRedeemed.TYPE)):
        return Refused("coupon_in_parked_event")
    merchants.get(conn, act.operator_id, row["merchant_id"])  # locked, as by whoever gives: or both wait crosswise
    version = put_row(conn, act.operator_id, row["edge_id"], "coupons", coupon_id, None, act.now_ms)
    conn.execute(
        update(coupon)
        .where(coupon.c.coupon_id == coupon_id)
        .values(state=State.VOID_PENDING.value, voided_ms=act.now_ms, void_reason=reason.strip(), void_version=version)
    )
    entry = ledger.Entry(
        act.operator_id, row["merchant_id"], act.uuid(), "coupon.voided", row["serial"], act.by, act.now_ms, reason
    )
    ledger.post(conn, entry, carry(row, OUTSTANDING, VOID_PENDING))
    _record(conn, act, row, State.VOID_PENDING, reason)
    hearing.tell(conn, row, act.now_ms, "coupon.voided", reason=reason.strip())
    return None


def _record(conn: Connection, act: Act, row: RowMapping, state: State, reason: str) -> None:
    before, after = {"state": row["state"]}, {"state": state.value}
    audit.record(conn, act, "coupon.voided", f"coupon:{row['serial']}", reason=reason, before=before, after=after)


def give_back(
    conn: Connection, row: RowMapping, state: State, kind: str, by: str, now_ms: int, reason: str = ""
) -> None:
    """End a coupon nobody claimed: no lot knows of it, so its value is back at once, and only once."""
    values = {"state": state.value, "voided_ms": now_ms, "void_reason": reason}
    conn.execute(update(coupon).where(coupon.c.coupon_id == row["coupon_id"]).values(**values))
    event_id = f"back:{row['coupon_id']}"
    entry = ledger.Entry(row["operator_id"], row["merchant_id"], event_id, kind, row["serial"], by, now_ms, reason)
    ledger.post(conn, entry, carry_home(conn, row, OUTSTANDING, now_ms))
    means.come_back(conn, row["purse"])
    hearing.tell(conn, row, now_ms, "coupon.expired" if state is State.RECLAIMED else "coupon.voided")


def reclaim(conn: Connection, operator_id: int, now_ms: int) -> int:
    """End every code past its time that nobody claimed (E3); returns how many."""
    waiting = coupon.c.state.in_([state.value for state in UNCLAIMED])
    query = select(coupon).where(coupon.c.operator_id == operator_id, waiting, coupon.c.claim_until_ms < now_ms)
    rows = conn.execute(query.order_by(coupon.c.coupon_id).with_for_update()).mappings().all()
    for row in rows:
        give_back(conn, row, State.RECLAIMED, "coupon.reclaimed", CLOUD, now_ms)
    return len(rows)


def used_aside(conn: Connection, operator_id: int) -> set[str]:
    """Ids of the coupons whose use some edge reported and that was set aside, as far as it can be read."""
    return {str(used.get("coupon_id")) for used in parked.of_operator(conn, operator_id, CouponRedeemed.TYPE)}


def keep(conn: Connection, edge_id: str, coupon_id: str, stay_id: str) -> None:
    """A car had paid with a coupon before its lot heard of its end: its value waits until that car has left."""
    its = (coupon.c.coupon_id == coupon_id) & (coupon.c.edge_id == edge_id)
    conn.execute(update(coupon).where(its, coupon.c.state.in_(_RELEASED)).values(kept_by=stay_id))


def release_voids(conn: Connection, edge_id: str, channel_version: int, now_ms: int, cause: str) -> int:
    """Return the value of withdrawn coupons whose end is in *channel_version* of the edge's coupons channel or before.

    Call only when the edge holds that version and its log is applied up to the moment it came to hold it: then no
    redemption from before is on its way, and what cars inside had paid with is kept. *cause* names the event that
    showed it. Returns how many.
    """
    known = (coupon.c.edge_id == edge_id) & (coupon.c.void_version <= channel_version) & (coupon.c.kept_by == "")
    return _release(conn, known, now_ms, cause)


def release_left(conn: Connection, operator_id: int, now_ms: int) -> int:
    """The same of those kept for a car that has left and did not use them."""
    left = (coupon.c.kept_by != "") & lots.has_left(operator_id, coupon.c.kept_by)
    return _release(conn, (coupon.c.operator_id == operator_id) & left, now_ms, CLOUD)


def _release(conn: Connection, which: ColumnElement[bool], now_ms: int, cause: str) -> int:
    query = select(coupon).where(which, coupon.c.state.in_(_RELEASED)).order_by(coupon.c.coupon_id)
    rows = conn.execute(query.with_for_update()).mappings().all()
    used = used_aside(conn, rows[0]["operator_id"]) if rows else set()  # perhaps by an edge that was replaced since
    unused = [row for row in rows if row["coupon_id"] not in used]
    for row in unused:
        state, kind = _RELEASED[row["state"]]
        event_id = f"release:{row['coupon_id']}"
        entry = ledger.Entry(row["operator_id"], row["merchant_id"], event_id, kind, row["serial"], cause, now_ms)
        ledger.post(conn, entry, carry_home(conn, row, VOID_PENDING, now_ms))
        means.come_back(conn, row["purse"])
        conn.execute(update(coupon).where(coupon.c.coupon_id == row["coupon_id"]).values(state=state.value))
    return len(unused)
