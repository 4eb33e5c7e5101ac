"""Vouchers printed by a lot's own printer for a shop that asks from afar: once, or not at all (S1.45).

The lot issues them itself, out of the shop's allowance it holds, as at its counter (docs/vouchers.md): they count at
the exit without the cloud. The command goes out once, within seconds, and is never repeated by itself; what became of
it is shown as the lot tells it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from cloud.access import audit
from cloud.act import Act, Refused
from cloud.coupons import template
from cloud.coupons.issuing import gift_of, place_of
from cloud.coupons.life import CUSTOM
from cloud.lots import edges as lot_edges
from cloud.sync import commands

PRINT = "voucher.print"
GOOD_MS = 15_000
MOST = 10  # slips in one go
SHOWN = 10


def ask(conn: Connection, act: Act, merchant_id: int, template_id: int, lot_id: int, count: int) -> Refused | None:
    """Ask the lot's edge to print *count* vouchers; after 15 seconds it is too late and nothing is printed."""
    if not 0 < count <= MOST:
        return Refused("count_malformed", {"most": MOST})
    gift = gift_of(conn, act, merchant_id, template_id, 0)
    if isinstance(gift, Refused):
        return Refused("custom_not_printed") if gift.code == "value_malformed" else gift
    if gift.template["kind"] in CUSTOM:
        return Refused("custom_not_printed")
    there = [row["lot_id"] for row in template.lots_of(conn, act.operator_id, merchant_id)]
    lot_id = there[0] if not lot_id and len(there) == 1 else lot_id
    place = place_of(conn, gift, lot_id) if lot_id in there else Refused("lot_missing")
    if isinstance(place, Refused):
        return place
    body = {"merchant_id": merchant_id, "template_id": template_id, "count": count, "by": act.by}
    commands.add_command(conn, act.operator_id, place.edge_id, PRINT, body, act.now_ms, act.now_ms + GOOD_MS)
    audit.record(conn, act, "voucher.print_asked", f"template:{template_id}", after={"lot": lot_id, "count": count})
    return None


def asked(conn: Connection, operator_id: int, merchant_id: int) -> list[Mapping[str, Any]]:
    """The last printings the merchant asked for, newest first, with what came of each."""
    found: list[Mapping[str, Any]] = []
    for lot in template.lots_of(conn, operator_id, merchant_id):
        edge_id = lot_edges.edge_of_lot(conn, lot["lot_id"])
        rows = commands.recent(conn, edge_id, PRINT, SHOWN) if edge_id else []
        found += [{**row, "lot": lot["name"]} for row in rows if row["body"].get("merchant_id") == merchant_id]
    return sorted(found, key=lambda row: -row["made_ms"])[:SHOWN]
