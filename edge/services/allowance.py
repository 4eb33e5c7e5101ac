"""How many vouchers a merchant may still print here: what its leases hold, never more (sync §6)."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from domain.decision import Refuse
from domain.lease import spendable
from domain.ledger import Commodity
from domain.moment import Moment
from domain.wire import Json
from edge.db import channels, leases
from edge.services import issuing, limiting
from edge.services.lot import Lot

MOST_AT_ONCE = 50  # in one order: more is a slip of the finger


@dataclass(frozen=True, slots=True)
class Offer:
    """A template with how many of it may be printed now; *refused* says why it is none."""

    template: Json
    count: int
    cost: int = 0
    commodity: Commodity = Commodity.FEN
    refused: str = ""

    @property
    def template_id(self) -> int:
        return int(self.template["template_id"])


@dataclass(frozen=True, slots=True)
class Left:
    """What a merchant's leases here still hold of one commodity; *now* of it may be spent before the cloud is heard."""

    commodity: Commodity
    held: int
    now: int


def left(conn: sqlite3.Connection, merchant_id: int, now: Moment) -> list[Left]:
    """Money first, then minutes; nothing of what was never granted."""
    held = leases.active(conn, merchant_id)
    by_kind = [(kind, [one for one in held if one.commodity is kind]) for kind in Commodity]
    return [
        Left(
            kind,
            sum(one.lease.left for one in found),
            sum(spendable(one.lease, fresh=one.is_fresh(now)) for one in found),
        )
        for kind, found in by_kind
        if found
    ]


def offers(conn: sqlite3.Connection, lot: Lot, merchant_id: int, now: Moment) -> list[Offer]:
    """Every template of a merchant, in the order of their ids."""
    rows = [row.value for row in channels.rows(conn, "rules") if row.key.startswith("template:") and row.value]
    own = [row for row in rows if row.get("merchant_id") == merchant_id and not row.get("deleted")]
    return [_offer(conn, lot, template, now) for template in sorted(own, key=lambda row: int(row["template_id"]))]


def _offer(conn: sqlite3.Connection, lot: Lot, template: Json, now: Moment) -> Offer:
    cost = issuing.cost_of(conn, lot, template)
    if isinstance(cost, Refuse):
        return Offer(template, 0, refused=cost.code)
    over = limiting.print_refusal(conn, lot, int(template["merchant_id"]), int(template["template_id"]), now)
    if over is not None:
        return Offer(template, 0, cost.amount, cost.commodity, over.code)
    commodity, amount = cost.commodity, cost.amount
    held = [one for one in leases.active(conn, int(template["merchant_id"])) if one.commodity is commodity]
    rooms = [spendable(one.lease, fresh=one.is_fresh(now)) // max(amount, 1) for one in held]
    papers = [limiting.papers_left(conn, one, int(template["template_id"])) for one in held]
    both = [room if left is None else min(room, left) for room, left in zip(rooms, papers, strict=True)]
    count = min(sum(both), MOST_AT_ONCE)
    refused = "" if count else "papers_used" if any(rooms) else _why_none(held, now)
    return Offer(template, count, amount, commodity, refused)


def _why_none(held: list[leases.HeldLease], now: Moment) -> str:
    if not held:
        return "no_lease"
    return "lease_short" if any(one.is_fresh(now) for one in held) else "lease_stale"
