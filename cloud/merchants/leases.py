"""Allowances out of merchants' purses, for lots to spend while the cloud is away (sync §6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, Text, case, cast, func, insert, literal, or_, select, update

from cloud.access import audit
from cloud.act import Act, Refused
from cloud.db import new_id, paged
from cloud.lots import edges as lot_edges
from cloud.merchants import credit, ledger
from cloud.merchants.contracts import current_contract
from cloud.merchants.tables import balance, lease, lease_paper, ledger_entry, merchant, posting
from cloud.sync.commands import add_command, lock_edge
from domain.lease import FLOOR, LeaseState, grant_size, needs_refill
from domain.ledger import AVAILABLE, Commodity, Funds, lease_account, move
from plumbing.web.paging import Page

DAY_MS = 86_400_000
LOOK_BACK_DAYS = 30


@dataclass(frozen=True, slots=True)
class Terms:
    """Limits of one lease."""

    cap: int = 50_000
    spend_until_h: int = 72


@dataclass(frozen=True, slots=True)
class Papers:
    """How many papers of which templates may be printed from a new lease. *is_off*: those before hold too few, or so
    many that others wait for them.
    """

    given: Mapping[int, int] = field(default_factory=dict)
    is_off: bool = False


PapersOf = Callable[[Connection, Act, int, int, Commodity, Sequence[int]], Papers]
"""Of a merchant at a lot, for a lease of a commodity beside those held."""


def _none(*_: object) -> Papers:
    return Papers()


def grant(
    conn: Connection,
    act: Act,
    edge_id: str,
    merchant_id: int,
    commodity: Commodity,
    terms: Terms | None = None,
    papers: Mapping[int, int] | None = None,
) -> int | Refused:
    """Take a lease from the purse and send it to the edge; returns its id. Bonus is leased before paid (E15).

    *papers*: how many of templates that have a total may be printed from it.
    """
    terms = terms or Terms()
    row = _edge_and_merchant(conn, act, edge_id, merchant_id)
    if isinstance(row, Refused):
        return row
    purse = ledger.purse(conn, merchant_id, commodity)
    p95 = _p95_spend(conn, merchant_id, row["lot_id"], commodity, act.now_ms, terms.spend_until_h)
    wanted = grant_size(p95, purse.total, leased(conn, merchant_id, commodity), terms.cap)
    funds = Funds.BONUS if purse.bonus >= min(wanted, FLOOR) and purse.bonus else Funds.PAID
    size = min(wanted, purse.bonus if funds is Funds.BONUS else purse.paid)
    if size <= 0:
        return Refused("balance_short", {"left": purse.total})
    lease_id = new_id(
        conn,
        insert(lease).values(
            operator_id=act.operator_id,
            edge_id=edge_id,
            lot_id=row["lot_id"],
            epoch=row["epoch"],
            merchant_id=merchant_id,
            commodity=commodity.value,
            funds=funds.value,
            granted=size,
            spent=0,
            returned=0,
            state=LeaseState.ACTIVE.value,
            is_applied=False,
            spend_until_h=terms.spend_until_h,
            granted_ms=act.now_ms,
        ),
    )
    subject = f"lease:{lease_id}"
    entry = ledger.Entry(act.operator_id, merchant_id, act.uuid(), "lease.granted", subject, act.by, act.now_ms)
    ledger.post(conn, entry, move(AVAILABLE, lease_account(lease_id), size, commodity, funds))
    body = {
        "lease_id": lease_id,
        "merchant_id": merchant_id,
        "commodity": commodity.value,
        "funds": funds.value,
        "granted": size,
        "spend_h": terms.spend_until_h,
        "papers": {str(template_id): count for template_id, count in sorted((papers or {}).items())},
    }
    own = {"lease_id": lease_id, "operator_id": act.operator_id, "printed": 0}
    rows = [{**own, "template_id": template_id, "papers": count} for template_id, count in (papers or {}).items()]
    if rows:
        conn.execute(insert(lease_paper), rows)
    add_command(conn, act.operator_id, edge_id, "lease.grant", body, act.now_ms)
    return lease_id


def _edge_and_merchant(conn: Connection, act: Act, edge_id: str, merchant_id: int) -> Mapping[str, Any] | Refused:
    operator_id = act.operator_id
    known = conn.execute(
        select(merchant.c.enabled, merchant.c.payment_mode)
        .where(merchant.c.merchant_id == merchant_id, merchant.c.operator_id == operator_id)
        .with_for_update()
    ).one_or_none()
    if known is None:
        return Refused("merchant_unknown")
    if not known.enabled:
        return Refused("merchant_disabled")
    if known.payment_mode is None:
        return Refused("settlement_missing")
    if credit.is_overdue(conn, merchant_id, act.now_ms):
        return Refused("statement_overdue")
    where = {row["edge_id"]: row for row in lot_edges.edges(conn, operator_id)}.get(edge_id)
    if where is None or where["state"] != "active":
        return Refused("edge_not_active")  # leases only after its self-test (sync §9)
    if current_contract(conn, merchant_id, where["lot_id"]) is None:
        return Refused("contract_missing")
    return where


def count_paper(conn: Connection, lease_id: int, template_id: int) -> None:
    """A lot told of a paper it printed from a lease."""
    one = update(lease_paper).where(lease_paper.c.lease_id == lease_id, lease_paper.c.template_id == template_id)
    conn.execute(one.values(printed=lease_paper.c.printed + 1))


def papers_out(template_id: int, of: Sequence[int] | None = None) -> Select[Any]:
    """How many papers of a template lots may still print, as far as they told; *of*: from these leases alone.

    A lease that its lot has not closed counts, frozen or not: nobody knows what was printed from it.
    """
    left = case((lease_paper.c.papers > lease_paper.c.printed, lease_paper.c.papers - lease_paper.c.printed), else_=0)
    query = (
        select(func.coalesce(func.sum(left), 0))
        .join(lease, lease.c.lease_id == lease_paper.c.lease_id)
        .where(lease_paper.c.template_id == template_id, lease.c.state != LeaseState.CLOSED.value)
    )
    return query if of is None else query.where(lease.c.lease_id.in_(of))


def leased(conn: Connection, merchant_id: int, commodity: Commodity) -> int:
    """What all leases of the merchant still hold, frozen ones included."""
    query = select(func.coalesce(func.sum(balance.c.amount), 0)).where(
        balance.c.merchant_id == merchant_id,
        balance.c.account.like("lease:%"),
        balance.c.commodity == commodity.value,
    )
    return int(conn.execute(query).scalar_one())


def _p95_spend(
    conn: Connection, merchant_id: int, lot_id: int, commodity: Commodity, now_ms: int, horizon_h: int
) -> int:
    """What the merchant spent at the lot over the offline horizon, by the P95 of the last 30 days."""
    account = literal("lease:") + cast(lease.c.lease_id, Text)
    rows = conn.execute(
        select(ledger_entry.c.made_ms, posting.c.amount)
        .join(posting, posting.c.entry_id == ledger_entry.c.entry_id)
        .join(lease, posting.c.account == account)
        .where(
            ledger_entry.c.merchant_id == merchant_id,
            ledger_entry.c.kind == "voucher.issued",
            ledger_entry.c.made_ms >= now_ms - LOOK_BACK_DAYS * DAY_MS,
            posting.c.commodity == commodity.value,
            lease.c.lot_id == lot_id,
        )
    )
    days: dict[int, int] = defaultdict(int)
    for made_ms, amount in rows:
        days[made_ms // DAY_MS] -= amount
    spent = sorted([*days.values(), *([0] * (LOOK_BACK_DAYS - len(days)))])
    return spent[min(len(spent) - 1, len(spent) * 95 // 100)] * horizon_h // 24


def refill(
    conn: Connection, act: Act, edge_id: str, terms: Terms | None = None, papers_of: PapersOf = _none
) -> list[int]:
    """Give the edge a fresh lease wherever it has none or less than 40 % is left; returns the new leases' ids.

    The nearly spent lease is called back, so that what is left of it is not lost from sight. So is one whose papers
    are too few or too many, even where no purse has money for another.
    """
    granted: list[int] = []
    lock_edge(conn, edge_id)  # two workers must not both see the same lease run low
    where = {row["edge_id"]: row for row in lot_edges.edges(conn, act.operator_id)}.get(edge_id)
    if where is None or where["state"] != "active":
        return []
    for merchant_id, commodity in _spenders(conn, act.operator_id, where["lot_id"]):
        held = _active(conn, edge_id, where["epoch"], merchant_id, commodity)
        if any(not row.is_applied for row in held):
            continue
        ids = [row.lease_id for row in held]
        papers = papers_of(conn, act, merchant_id, where["lot_id"], commodity, ids)
        if any(not needs_refill(row.granted, row.spent) for row in held) and not papers.is_off:
            continue
        lease_id = grant(conn, act, edge_id, merchant_id, commodity, terms, papers.given)
        if not isinstance(lease_id, Refused):
            granted.append(lease_id)
        elif not papers.is_off:
            continue
        for row in held:
            call_back(conn, act, row.lease_id)
    return granted


def _spenders(conn: Connection, operator_id: int, lot_id: int) -> list[tuple[int, Commodity]]:
    """Merchants with a contract at the lot and something in a purse."""
    rows = conn.execute(
        select(merchant.c.merchant_id, balance.c.commodity)
        .join(balance, balance.c.merchant_id == merchant.c.merchant_id)
        .where(
            merchant.c.operator_id == operator_id,
            merchant.c.enabled,
            balance.c.account == AVAILABLE,
            balance.c.amount > 0,
        )
        .distinct()
        .order_by(merchant.c.merchant_id, balance.c.commodity)
    ).all()
    return [
        (merchant_id, Commodity(commodity))
        for merchant_id, commodity in rows
        if current_contract(conn, merchant_id, lot_id) is not None
    ]


def _active(conn: Connection, edge_id: str, epoch: int, merchant_id: int, commodity: Commodity) -> list[RowMapping]:
    rows = conn.execute(
        select(lease)
        .where(
            lease.c.edge_id == edge_id,
            lease.c.epoch == epoch,
            lease.c.merchant_id == merchant_id,
            lease.c.commodity == commodity.value,
            lease.c.state == LeaseState.ACTIVE.value,
        )
        .order_by(lease.c.lease_id)
    )
    return list(rows.mappings())


def call_back(conn: Connection, act: Act, lease_id: int) -> Refused | None:
    """Ask the edge to close a lease; its money returns only with the edge's own word (sync §1: timers never do)."""
    row = conn.execute(
        select(lease).where(lease.c.lease_id == lease_id, lease.c.operator_id == act.operator_id)
    ).one_or_none()
    if row is None or row.state != LeaseState.ACTIVE.value:
        return Refused("lease_not_active")
    add_command(conn, act.operator_id, row.edge_id, "lease.return", {"lease_id": lease_id}, act.now_ms)
    return None


def call_back_all(conn: Connection, act: Act, merchant_id: int, lot_id: int) -> None:
    """Ask a lot to close every lease of a merchant."""
    active = select(lease.c.lease_id).where(
        lease.c.merchant_id == merchant_id, lease.c.lot_id == lot_id, lease.c.state == LeaseState.ACTIVE.value
    )
    for lease_id in conn.execute(active.order_by(lease.c.lease_id)).scalars().all():
        call_back(conn, act, lease_id)


def freeze(conn: Connection, act: Act, edge_id: str) -> int:
    """Freeze every active lease of an edge that is no longer believed; returns how many.

    Their money stays where it is: the edge may have spent it on vouchers nobody has heard of yet (sync §5).
    """
    done = conn.execute(
        update(lease)
        .where(
            lease.c.edge_id == edge_id,
            lease.c.operator_id == act.operator_id,
            lease.c.state == LeaseState.ACTIVE.value,
        )
        .values(state=LeaseState.FROZEN.value)
    )
    if done.rowcount:
        audit.record(conn, act, "leases.frozen", f"edge:{edge_id}", after={"leases": done.rowcount})
    return done.rowcount


def held(conn: Connection, operator_id: int) -> dict[tuple[str, str], int]:
    """What leases hold at the lots, by state and commodity; frozen money is told apart."""
    query = (
        select(lease.c.state, lease.c.commodity, func.sum(balance.c.amount).label("amount"))
        .join(balance, balance.c.account == literal("lease:") + cast(lease.c.lease_id, Text))
        .where(lease.c.operator_id == operator_id, balance.c.merchant_id == lease.c.merchant_id)
        .group_by(lease.c.state, lease.c.commodity)
    )
    return {(row.state, row.commodity): int(row.amount) for row in conn.execute(query) if row.amount}


def listed(conn: Connection, operator_id: int, search: str = "", state: str = "", page: int = 1) -> Page[RowMapping]:
    """Leases newest first, with what each still holds; *search* is part of a merchant's or an edge's name."""
    return paged(conn, _query(operator_id, search, state), page)


def every(conn: Connection, operator_id: int, search: str, state: str, most: int) -> Sequence[RowMapping]:
    """The same up to *most*, for a file."""
    return conn.execute(_query(operator_id, search, state).limit(most)).mappings().all()


def _query(operator_id: int, search: str, state: str) -> Select[Any]:
    query = (
        select(lease, merchant.c.name.label("merchant_name"), (lease.c.granted - lease.c.spent).label("left"))
        .join(merchant, merchant.c.merchant_id == lease.c.merchant_id)
        .where(lease.c.operator_id == operator_id)
        .order_by(lease.c.lease_id.desc())
    )
    if search:
        named = (merchant.c.name, lease.c.edge_id)
        query = query.where(or_(*(column.contains(search, autoescape=True) for column in named)))
    return query.where(lease.c.state == state) if state else query
