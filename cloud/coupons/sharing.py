"""What is left of a template's total, handed out: to whoever is given one here, and to lots as papers to print.

A lease says how many papers of each limited template may be printed from it. Until the lease is closed by its lot's own
word, what it has not printed counts as given (docs/decisions/0062).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from cloud.act import Act, Refused
from cloud.coupons import means, rules
from cloud.coupons.life import CUSTOM, coupon_kind
from cloud.coupons.limiting import left_of
from cloud.coupons.tables import voucher
from cloud.coupons.template import good_at, templates, terms
from cloud.merchants import contracts, leases
from cloud.merchants import service as merchants
from cloud.merchants.leases import Papers
from cloud.prepared import Found
from domain.coupon.limits import Level
from domain.ledger import Commodity
from domain.paper_share import is_off, share

WEEK_MS = 7 * 86_400_000


def refill(conn: Connection, act: Act, edge_id: str, terms: leases.Terms | None = None) -> list[int]:
    """``leases.refill``, with what the edge may print of templates that have a total."""
    return leases.refill(conn, act, edge_id, terms, papers_of)


def papers_of(
    conn: Connection, act: Act, merchant_id: int, lot_id: int, commodity: Commodity, held: Sequence[int]
) -> Papers:
    """How many papers of which templates a lot gets with its next lease, beside those of the leases it has."""
    every = [
        (row, rules.limits(conn, Level.COUPON, row["template_id"]))
        for row in templates(conn, act.operator_id, merchant_id)
    ]
    limited = [(row, limits) for row, limits in every if limits.total or limits.day_total]
    if limited:
        merchants.get(conn, act.operator_id, merchant_id)  # locked, as whoever gives locks it
    given, off = {}, False
    for row, limits in limited:
        if not _is_printed(conn, row, lot_id, commodity):
            continue
        left = left_of(conn, act, row["template_id"], lot_id, limits)
        has = int(conn.execute(leases.papers_out(row["template_id"], held)).scalar_one())
        served = len(good_at(conn, act.operator_id, row))
        wanted = share(left, has, served, _printed_lately(conn, row["template_id"], lot_id, act.now_ms))
        given[row["template_id"]] = min(wanted, left)
        off = off or is_off(has, wanted)
    return Papers(given, off)


def _is_printed(conn: Connection, row: Found, lot_id: int, commodity: Commodity) -> bool:
    """Whether a lot may print a template out of a lease of *commodity*."""
    if row["kind"] in CUSTOM or row["product_id"] is not None or terms(row).uses > 1:
        return False
    contract = contracts.current_contract(conn, row["merchant_id"], lot_id)
    cost = means.cost(contract, row, coupon_kind(row["kind"]), row["value"])
    return not isinstance(cost, Refused) and cost.commodity is commodity


def _printed_lately(conn: Connection, template_id: int, lot_id: int, now_ms: int) -> int:
    query = select(func.count()).where(
        voucher.c.template_id == template_id, voucher.c.lot_id == lot_id, voucher.c.issued_ms >= now_ms - WEEK_MS
    )
    return int(conn.execute(query).scalar_one())
