"""A monthly pass gets a month more by paying for it online: offered, paid once, told to its lot, refunded.

An order is for the month after one certain end. Whoever pays second, or after somebody changed the pass, gets the
money back by itself (docs/entitlements.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping, Select, delete, insert, or_, select, update

from cloud.access import audit
from cloud.act import Act, Refused
from cloud.db import paged
from cloud.lots import service as lots
from cloud.members import cards, service
from cloud.members.service import Entitled, terms_of
from cloud.members.tables import entitled_plate, entitlement, pass_month, pass_price
from cloud.payments import orders
from cloud.payments.orders import PayOrder, UnfulfillableError, Wanted
from cloud.reach import EVERY, Lots
from domain.entitlement import Grant
from domain.fen import Fen
from domain.monthly import month_after, month_price
from domain.plate import mask
from plumbing.web.paging import Page

PURPOSE = "monthly"
PAY_WITHIN_MS = 15 * 60_000
MOST_FEN = 10_000_000  # of a month


@dataclass(frozen=True, slots=True)
class Offer:
    """A month more, from the present end until another, neither included (UTC ms), for all places of the pass."""

    entitlement_id: int
    lot_id: int
    lot: str
    time_zone: str
    plate: str
    from_ms: int
    until_ms: int
    amount_fen: int

    @property
    def last_day(self) -> str:
        """The last day it would be good, lot-local."""
        return f"{datetime.fromtimestamp(self.until_ms / 1000 - 1, ZoneInfo(self.time_zone)):%Y-%m-%d}"


def prices(conn: Connection, operator_id: int) -> dict[int, int]:
    """Fen a month and place by lot; a lot that is not in it offers nothing."""
    query = select(pass_price.c.lot_id, pass_price.c.month_fen).where(pass_price.c.operator_id == operator_id)
    return {lot_id: month_fen for lot_id, month_fen in conn.execute(query)}


def set_price(conn: Connection, act: Act, lot_id: int, month_fen: int) -> Refused | None:
    """Offer months at a lot for *month_fen* a place; 0 ends the offer. Orders being paid keep their amount."""
    if lots.get_lot(conn, act.operator_id, lot_id) is None:
        return Refused("lot_missing")
    if not 0 <= month_fen <= MOST_FEN:
        return Refused("amount_malformed")
    before = prices(conn, act.operator_id).get(lot_id, 0)
    conn.execute(delete(pass_price).where(pass_price.c.lot_id == lot_id))
    if month_fen:
        conn.execute(insert(pass_price).values(lot_id=lot_id, operator_id=act.operator_id, month_fen=month_fen))
    after = {"month_fen": month_fen}
    audit.record(conn, act, "pass_price.set", f"lot:{lot_id}", before={"month_fen": before}, after=after)
    return None


def offer(conn: Connection, operator_id: int, entitlement_id: int, now_ms: int) -> Offer | Refused:
    """A month more of one pass, for the operator's desk. Refuses what no month can be added to."""
    held = service.get(conn, operator_id, entitlement_id)
    if held is None or held.row["kind"] != Grant.MONTHLY or held.state(now_ms) == "over":
        return Refused("entitlement_unknown")
    lot_ids = {lot_id for lot_id, _ in held.zones}
    if held.row["ends_ms"] is None or len(lot_ids) != 1:
        return Refused("pass_by_hand")
    (lot_id,) = lot_ids
    lot, place_fen = lots.get_lot(conn, operator_id, lot_id), prices(conn, operator_id).get(lot_id)
    if lot is None or place_fen is None:
        return Refused("pass_not_offered")
    made = _next(held, lot, place_fen)
    terms = replace(terms_of(held), ends_ms=made.until_ms)
    others = cards.of_plates(conn, operator_id, set(terms.plates), but=entitlement_id)
    return cards.twice(terms, others, now_ms) or made


def _next(held: Entitled, lot: RowMapping, place_fen: int) -> Offer:
    zone, row = ZoneInfo(lot["time_zone"]), held.row

    def local(ms: int) -> datetime:
        return datetime.fromtimestamp(ms / 1000, zone).replace(tzinfo=None)

    begins = None if row["begins_ms"] is None else local(row["begins_ms"])
    until = month_after(local(row["ends_ms"]), begins).replace(tzinfo=zone)
    amount = month_price(Fen(place_fen), len(held.plates), row["places"])
    until_ms = round(until.timestamp() * 1000)
    return Offer(
        row["entitlement_id"], lot["lot_id"], lot["name"], lot["time_zone"], held.plates[0], row["ends_ms"], until_ms,
        amount,
    )  # fmt: skip


def offer_for(conn: Connection, operator_id: int, lot_id: int, plate: str, now_ms: int) -> Offer | None:
    """What the driver of a *plate* (normal form) is offered: a pass of this lot that ends soon or is in grace."""
    if lot_id not in prices(conn, operator_id):
        return None
    query = (
        select(entitlement.c.entitlement_id)
        .join(entitled_plate, entitled_plate.c.entitlement_id == entitlement.c.entitlement_id)
        .where(
            entitlement.c.operator_id == operator_id, entitlement.c.kind == Grant.MONTHLY.value,
            entitlement.c.ended_ms.is_(None), entitled_plate.c.plate == plate, entitled_plate.c.removed_ms.is_(None),
        )
        .order_by(entitlement.c.ends_ms, entitlement.c.entitlement_id)
    )  # fmt: skip
    for entitlement_id in conn.execute(query).scalars().all():
        held = service.get(conn, operator_id, entitlement_id)
        made = offer(conn, operator_id, entitlement_id, now_ms)
        if held and held.state(now_ms) in ("soon", "grace") and isinstance(made, Offer) and made.lot_id == lot_id:
            return replace(made, plate=plate)
    return None


def begin(conn: Connection, act: Act, made: Offer, return_path: str) -> PayOrder:
    """The order that pays an offered month: the open one if somebody is at it, else a new one."""
    same = (
        (pass_month.c.operator_id == act.operator_id)
        & (pass_month.c.entitlement_id == made.entitlement_id)
        & (pass_month.c.from_ms == made.from_ms)
        & (pass_month.c.amount_fen == made.amount_fen)
        & (pass_month.c.state == "open")
    )
    for order_id in conn.execute(select(pass_month.c.order_id).where(same)).scalars().all():
        known = orders.get(conn, act.operator_id, order_id)
        if known is not None and known.state == "open" and known.expires_ms > act.now_ms:
            return known
    order = orders.open_order(
        conn,
        act,
        Wanted(
            PURPOSE, f"pass:{made.entitlement_id}", made.amount_fen, f"{made.lot} {mask(made.plate)} → {made.last_day}",
            act.now_ms + PAY_WITHIN_MS, lot_id=made.lot_id, return_path=return_path,
        ),
    )  # fmt: skip
    conn.execute(
        insert(pass_month).values(
            order_id=order.order_id, operator_id=act.operator_id, entitlement_id=made.entitlement_id,
            lot_id=made.lot_id, amount_fen=made.amount_fen, from_ms=made.from_ms, until_ms=made.until_ms, state="open",
            created_ms=act.now_ms, created_by=act.by,
        )
    )  # fmt: skip
    return order


def begin_here(conn: Connection, act: Act, entitlement_id: int) -> PayOrder | Refused:
    """The order for a month more, begun by the operator's people."""
    made = offer(conn, act.operator_id, entitlement_id, act.now_ms)
    return made if isinstance(made, Refused) else begin(conn, act, made, f"/admin/people/{entitlement_id}")


def fulfil(conn: Connection, act: Act, order: PayOrder) -> None:
    """The money is here: the pass is good a month longer and its lot hears of it. Raises UnfulfillableError."""
    row = get(conn, act.operator_id, order.order_id)
    held = None if row is None else service.get(conn, act.operator_id, row["entitlement_id"])
    if row is None or held is None or held.row["ended_ms"] is not None or held.row["ends_ms"] != row["from_ms"]:
        raise UnfulfillableError("pass_changed")
    longer = replace(terms_of(held), ends_ms=row["until_ms"])
    if service.change(conn, act, row["entitlement_id"], longer) is not None:
        raise UnfulfillableError("pass_changed")
    _mark(conn, order.order_id, state="done", done_ms=act.now_ms)


def take_back(conn: Connection, act: Act, order: PayOrder, amount_fen: int) -> Refused | None:
    """A refunded month ends where it began, but not before now: what was parked stays covered.

    Refuses ``pass_month_whole`` and, once the pass was changed since, ``pass_changed``.
    """
    row = get(conn, act.operator_id, order.order_id)
    held = None if row is None else service.get(conn, act.operator_id, row["entitlement_id"])
    if amount_fen != order.amount_fen:
        return Refused("pass_month_whole")
    if row is None or held is None or row["state"] != "done" or held.row["ends_ms"] != row["until_ms"]:
        return Refused("pass_changed")
    if held.row["ended_ms"] is None and act.now_ms < row["until_ms"]:
        shorter = replace(terms_of(held), ends_ms=max(row["from_ms"], act.now_ms))
        refused = service.change(conn, act, row["entitlement_id"], shorter)
        if refused is not None:
            return refused
    _mark(conn, order.order_id, state="taken_back", undone_ms=act.now_ms)
    return None


def get(conn: Connection, operator_id: int, order_id: str) -> RowMapping | None:
    """The month an order is for."""
    query = select(pass_month).where(pass_month.c.order_id == order_id, pass_month.c.operator_id == operator_id)
    return conn.execute(query).mappings().one_or_none()


def of_pass(conn: Connection, operator_id: int, entitlement_id: int) -> Sequence[RowMapping]:
    """Months paid for one pass, the newest first."""
    query = select(pass_month).where(
        pass_month.c.operator_id == operator_id, pass_month.c.entitlement_id == entitlement_id,
        pass_month.c.state != "open",
    )  # fmt: skip
    return conn.execute(query.order_by(pass_month.c.done_ms.desc(), pass_month.c.order_id)).mappings().all()


def listed(
    conn: Connection, operator_id: int, search: str = "", page: int = 1, within: Lots = EVERY
) -> Page[RowMapping]:
    """Every month that was paid, the newest first; *search* is part of the name on the pass or of the order."""
    return paged(conn, _query(operator_id, search, within), page)


def every(conn: Connection, operator_id: int, search: str, most: int, within: Lots = EVERY) -> Sequence[RowMapping]:
    """The same up to *most*, for a file."""
    return conn.execute(_query(operator_id, search, within).limit(most)).mappings().all()


def _query(operator_id: int, search: str, within: Lots) -> Select[Any]:
    query = (
        select(pass_month, entitlement.c.name)
        .join(entitlement, entitlement.c.entitlement_id == pass_month.c.entitlement_id)
        .where(pass_month.c.operator_id == operator_id, pass_month.c.state != "open")
        .where(within.hold(pass_month.c.lot_id))
        .order_by(pass_month.c.done_ms.desc(), pass_month.c.order_id)
    )
    if search:
        held = (entitlement.c.name, pass_month.c.order_id)
        query = query.where(or_(*(column.contains(search, autoescape=True) for column in held)))
    return query


def _mark(conn: Connection, order_id: str, **values: int | str) -> None:
    conn.execute(update(pass_month).where(pass_month.c.order_id == order_id).values(**values))
