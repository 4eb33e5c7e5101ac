"""Coupons somebody has still to claim: a code on a screen, renewed after each claim, or printed papers (S1.34, S1.44).

A coupon's value is held from the moment its code exists, so a claim never fails for want of money; what nobody claims
goes back (docs/decisions/0028).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, func, insert, or_, select, update

from cloud.access import audit
from cloud.act import Act, Refused, or_nothing
from cloud.coupons import daily, placing, voiding
from cloud.coupons.issuing import Car, Gift, Place, gift_of, make, place_of
from cloud.coupons.life import MINUTE_MS, State
from cloud.coupons.tables import coupon, coupon_batch, coupon_template
from cloud.coupons.template import good_at
from cloud.coupons.template import terms as template_terms
from cloud.db import paged
from domain.claim_code import RANDOM_BYTES, write_code
from plumbing.web.paging import Page

MOST_ON_SCREEN = 500
MOST_PAPERS = 200
SCREEN_MINUTES = 60  # how long a code on a screen waits for somebody
_HAS_CODE = coupon.c.token.is_not(None)
Batch = Mapping[Any, Any]
ALL_GIVEN, CLOSED = "all_given", "closed"


class Way(StrEnum):
    """How codes reach drivers."""

    SCREEN = "SCREEN"
    PAPER = "PAPER"


def open_screen(
    conn: Connection,
    act: Act,
    merchant_id: int,
    template_id: int,
    value: int = 0,
    most: int = 1,
    lot_id: int = 0,
    *,
    anywhere: bool = False,
    branch_id: int = 0,
) -> str | Refused:
    """Begin to show codes, one at a time, *most* in all; returns the batch. *anywhere*: good at all lots."""
    if not 0 < most <= MOST_ON_SCREEN:
        return Refused("count_malformed", {"most": MOST_ON_SCREEN})
    batch = _begin(
        conn, act, Way.SCREEN, merchant_id, template_id, value, most, None if anywhere else lot_id, branch_id
    )
    if isinstance(batch, Refused):
        return batch
    refused = _next(conn, act, batch)
    if refused is not None:
        conn.execute(update(coupon_batch).where(_is(batch["batch_id"])).values(ended_ms=act.now_ms, why=refused.code))
        return refused
    return str(batch["batch_id"])


@or_nothing
def print_papers(
    conn: Connection,
    act: Act,
    merchant_id: int,
    template_id: int,
    value: int,
    copies: int,
    lot_id: int = 0,
    *,
    anywhere: bool = False,
    branch_id: int = 0,
) -> str | Refused:
    """Make *copies* coupons to print, each with a serial of its own: all of them, or none (S1.44)."""
    if not 0 < copies <= MOST_PAPERS:
        return Refused("count_malformed", {"most": MOST_PAPERS})
    batch = _begin(
        conn, act, Way.PAPER, merchant_id, template_id, value, copies, None if anywhere else lot_id, branch_id
    )
    return batch if isinstance(batch, Refused) else _papers(conn, act, batch)


def _papers(conn: Connection, act: Act, batch: Batch) -> str | Refused:
    offer = _offer(conn, act, batch)
    if isinstance(offer, Refused):
        return offer
    for _ in range(batch["total"]):
        refused = _make_code(
            conn, act, batch, offer, State.PRINTED, act.now_ms + offer[0].template["valid_min"] * MINUTE_MS
        )
        if refused is not None:
            return refused
    audit.record(conn, act, "coupon.papers", f"template:{batch['template_id']}", after={"copies": batch["total"]})
    return str(batch["batch_id"])


def _offer(conn: Connection, act: Act, batch: Batch) -> tuple[Gift, Place] | Refused:
    """What one coupon of the batch is and costs now."""
    gift = gift_of(conn, act, batch["merchant_id"], batch["template_id"], batch["value"], batch["branch_id"])
    if isinstance(gift, Refused):
        return gift
    place = _place(conn, act, gift, None if batch["anywhere"] else batch["lot_id"])
    return place if isinstance(place, Refused) else (gift, place)


def _place(conn: Connection, act: Act, gift: Gift, lot_id: int | None) -> Place | Refused:
    """Where a code is held for: at a lot (0: the only one there is), or at the dearest of all where it is good."""
    good = placing.of_branch(conn, good_at(conn, act.operator_id, gift.template), gift.branch_id)
    there = [row["lot_id"] for row in good]
    if lot_id is None:
        return placing.dearest(conn, gift, there)
    lot_id = there[0] if not lot_id and len(there) == 1 else lot_id
    if lot_id not in there:
        return Refused("lot_missing" if there else "contract_missing")
    return place_of(conn, gift, lot_id)


def _begin(
    conn: Connection,
    act: Act,
    way: Way,
    merchant_id: int,
    template_id: int,
    value: int,
    total: int,
    lot_id: int | None,
    branch_id: int,
) -> Batch | Refused:
    gift = gift_of(conn, act, merchant_id, template_id, value, branch_id)
    if isinstance(gift, Refused):
        return gift
    place = _place(conn, act, gift, lot_id)
    if isinstance(place, Refused):
        return place
    batch_id = act.uuid()
    values = {"merchant_id": merchant_id, "template_id": template_id, "lot_id": place.lot_id, "value": value}
    values |= {"anywhere": place.anywhere, "branch_id": branch_id}
    conn.execute(
        insert(coupon_batch).values(
            batch_id=batch_id, operator_id=act.operator_id, way=way.value, total=total, made_ms=act.now_ms,
            made_by=act.by, why="", **values,
        )
    )  # fmt: skip
    return conn.execute(select(coupon_batch).where(_is(batch_id))).mappings().one()


def _make_code(
    conn: Connection, act: Act, batch: Batch, offer: tuple[Gift, Place], state: State, until_ms: int
) -> Refused | None:
    """A coupon somebody can claim, or all uses of a pass: the first of them carries the code (E10)."""
    gift, place = offer
    uses = template_terms(gift.template).uses
    of_staff = daily.refusal(conn, act, batch["merchant_id"], batch["lot_id"], 1, place.cost, uses)
    if of_staff is not None:
        return of_staff
    more = {"batch_id": batch["batch_id"], "claim_until_ms": until_ms, **({"pass_id": act.uuid()} if uses > 1 else {})}
    for use in range(uses):
        token = {} if use else {"token": write_code(act.random(RANDOM_BYTES))}
        row = make(conn, act, gift, place, Car(), state, **more, **token)
        if isinstance(row, Refused):
            return row
    return None


@or_nothing
def _next(conn: Connection, act: Act, batch: Batch) -> Refused | None:
    """One more code on the screen; None when there is one now, or none is wanted any more."""
    if batch["ended_ms"] is not None:
        return None
    if _made(conn, batch["batch_id"]) >= batch["total"]:
        return Refused(ALL_GIVEN)
    offer = _offer(conn, act, batch)
    if isinstance(offer, Refused):
        return offer
    maker = replace(act, by=batch["made_by"])
    return _make_code(conn, maker, batch, offer, State.CLAIMABLE, act.now_ms + SCREEN_MINUTES * MINUTE_MS)


def _made(conn: Connection, batch_id: str) -> int:
    """Codes of the batch that were claimed or still can be."""
    gone = (State.RECLAIMED.value, State.VOIDED.value)
    query = select(func.count()).where(coupon.c.batch_id == batch_id, _HAS_CODE, coupon.c.state.not_in(gone))
    return int(conn.execute(query).scalar_one())


def claimed_one(conn: Connection, act: Act, batch_id: str) -> None:
    """A code of the batch was claimed: the screen shows a fresh one, or why there is none."""
    batch = conn.execute(select(coupon_batch).where(_is(batch_id)).with_for_update()).mappings().one()
    if batch["way"] != Way.SCREEN.value:
        return
    refused = _next(conn, act, batch)
    if refused is not None:
        conn.execute(update(coupon_batch).where(_is(batch_id)).values(ended_ms=act.now_ms, why=refused.code))


def show_again(
    conn: Connection, act: Act, merchant_id: int, batch_id: str, made_by: str = "", branch_id: int = 0
) -> Refused | None:
    """A fresh code in place of the one on the screen, or of one that ran out; that one is dead."""
    batch = get(conn, act.operator_id, merchant_id, batch_id, made_by, branch_id)
    if batch is None:
        return Refused("batch_unknown")
    if batch["ended_ms"] is not None:
        return Refused("batch_ended")
    _withdraw(conn, act, batch_id, "")
    return _next(conn, act, batch)


def close(
    conn: Connection, act: Act, merchant_id: int, batch_id: str, reason: str, made_by: str = "", branch_id: int = 0
) -> Refused | None:
    """Withdraw every code of the batch that nobody has claimed; its value is back at once."""
    batch = get(conn, act.operator_id, merchant_id, batch_id, made_by, branch_id)
    if batch is None:
        return Refused("batch_unknown")
    _withdraw(conn, act, batch_id, reason)
    if batch["ended_ms"] is None:
        conn.execute(update(coupon_batch).where(_is(batch_id)).values(ended_ms=act.now_ms, why=CLOSED))
    audit.record(conn, act, "coupon.codes_closed", f"template:{batch['template_id']}", reason=reason)
    return None


def _withdraw(conn: Connection, act: Act, batch_id: str, reason: str) -> None:
    waiting = coupon.c.state.in_([state.value for state in voiding.UNCLAIMED])
    rows = conn.execute(select(coupon).where(coupon.c.batch_id == batch_id, waiting).with_for_update()).mappings()
    for row in rows.all():
        voiding.give_back(conn, row, State.VOIDED, "coupon.voided", act.by, act.now_ms, reason)


def get(
    conn: Connection, operator_id: int, merchant_id: int, batch_id: str, made_by: str = "", branch_id: int = 0
) -> Batch | None:
    """One batch of the merchant, with the names of what it gives and where, locked until the transaction ends.

    *made_by*, *branch_id*: only where that login made it, that branch hands it out.
    """
    query = (
        select(
            coupon_batch, *(coupon_template.c[name] for name in ("name", "kind", "valid_min", "terms", "product_id"))
        )
        .join(coupon_template, coupon_template.c.template_id == coupon_batch.c.template_id)
        .where(_is(batch_id), coupon_batch.c.operator_id == operator_id, coupon_batch.c.merchant_id == merchant_id)
    )
    if made_by:
        query = query.where(coupon_batch.c.made_by == made_by)
    if branch_id:
        query = query.where(coupon_batch.c.branch_id == branch_id)
    row = conn.execute(query.with_for_update(of=coupon_batch)).mappings().one_or_none()
    return None if row is None else {**row, "lot": placing.label(conn, operator_id, row)}


def of_batch(conn: Connection, batch_id: str) -> Sequence[RowMapping]:
    """The coupons of a batch that carry a code, in the order they were made; of a pass its first use."""
    query = (
        select(coupon).where(coupon.c.batch_id == batch_id, _HAS_CODE).order_by(coupon.c.issued_ms, coupon.c.coupon_id)
    )
    return conn.execute(query).mappings().all()


def batches(
    conn: Connection,
    operator_id: int,
    merchant_id: int,
    way: Way,
    page: int = 1,
    made_by: str = "",
    search: str = "",
    branch_id: int = 0,
) -> Page[RowMapping]:
    """The merchant's batches, newest first, each with how many of it were claimed; or those of one login or branch."""
    claimed = (
        select(func.count())
        .where(coupon.c.batch_id == coupon_batch.c.batch_id, _HAS_CODE, coupon.c.bound_ms.is_not(None))
        .scalar_subquery()
    )
    query = (
        select(coupon_batch, coupon_template.c.name, coupon_template.c.kind, claimed.label("claimed"))
        .join(coupon_template, coupon_template.c.template_id == coupon_batch.c.template_id)
        .where(coupon_batch.c.operator_id == operator_id, coupon_batch.c.merchant_id == merchant_id)
        .where(coupon_batch.c.way == way.value)
        .order_by(coupon_batch.c.made_ms.desc(), coupon_batch.c.batch_id)
    )
    return paged(conn, _narrowed(query, made_by, search, branch_id), page)


def every(
    conn: Connection, operator_id: int, merchant_id: int, way: Way, made_by: str, search: str, most: int, branch_id: int
) -> Sequence[RowMapping]:
    """Every code of such batches up to *most*, the newest batch first, for an export."""
    query = (
        select(coupon, coupon_batch.c.made_ms, coupon_batch.c.made_by, coupon_template.c.name)
        .join(coupon_batch, coupon_batch.c.batch_id == coupon.c.batch_id)
        .join(coupon_template, coupon_template.c.template_id == coupon_batch.c.template_id)
        .where(coupon_batch.c.operator_id == operator_id, coupon_batch.c.merchant_id == merchant_id, _HAS_CODE)
        .where(coupon_batch.c.way == way.value)
        .order_by(coupon_batch.c.made_ms.desc(), coupon_batch.c.batch_id, coupon.c.issued_ms, coupon.c.coupon_id)
    )
    return conn.execute(_narrowed(query, made_by, search, branch_id).limit(most)).mappings().all()


def _narrowed(query: Select[Any], made_by: str, search: str, branch_id: int) -> Select[Any]:
    """Batches of one login or branch, or whose coupon or maker is named like *search*."""
    if made_by:
        query = query.where(coupon_batch.c.made_by == made_by)
    if branch_id:
        query = query.where(coupon_batch.c.branch_id == branch_id)
    if search:
        names = (coupon_template.c.name, coupon_batch.c.made_by)
        query = query.where(or_(*(name.contains(search, autoescape=True) for name in names)))
    return query


def _is(batch_id: str) -> ColumnElement[bool]:
    return coupon_batch.c.batch_id == batch_id
