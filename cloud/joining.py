"""How a device becomes the edge of a lot, and how it is put out again."""

from __future__ import annotations

from sqlalchemy import Connection

from cloud.act import Act, Refused
from cloud.coupons import service as coupons
from cloud.coupons import succession
from cloud.lots import edges as lot_edges
from cloud.lots.edges import Claimed
from cloud.members import telling
from cloud.merchants import leases
from cloud.merchants import service as merchants
from cloud.sync import channels
from cloud.sync.commands import lock_edge


def join(conn: Connection, edge_id: str, secret: str, public_key: bytes, now_ms: int) -> Claimed | Refused:
    """Bind a device by its claim, then fill its channels with keys, merchants, templates and people (sync §9)."""
    claimed = lot_edges.claim(conn, edge_id, secret, public_key, now_ms)
    if isinstance(claimed, Refused):
        return claimed
    before = lot_edges.replaced_by(conn, edge_id)
    if before is not None:
        channels.inherit(conn, claimed.operator_id, before, edge_id, now_ms)
        lot_edges.tell_keys(conn, claimed.operator_id, now_ms)
        succession.move_to_edge(conn, claimed.operator_id, before, edge_id, now_ms)
    for row in merchants.everyone(conn, claimed.operator_id):
        merchants.tell_merchant(conn, claimed.operator_id, row["merchant_id"], now_ms)
    coupons.tell_coupon_rules(conn, claimed.operator_id, now_ms)
    telling.tell_lot(conn, claimed.operator_id, claimed.lot_id, now_ms)
    return claimed


def put_out(conn: Connection, act: Act, edge_id: str, reason: str) -> Refused | None:
    """Revoke an edge: from here on nothing is taken from it or sent to it, and its leases keep their money frozen."""
    lock_edge(conn, edge_id)  # a batch or a refill under way ends first
    refused = lot_edges.revoke_edge(conn, act, edge_id, reason)
    if refused is None:
        leases.freeze(conn, act, edge_id)
    return refused
