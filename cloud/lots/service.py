"""Operators, lots, lanes and the edges that run them; and questions about what the edges reported."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, Table, bindparam, func, insert, select, update

from cloud.access import audit
from cloud.act import Act, Refused
from cloud.db import new_id, paged
from cloud.lots.tables import (
    barrier_opening,
    debt,
    edge,
    incident,
    lane,
    lot,
    operator,
    passage,
    payment,
    stay,
    voucher_key,
    zone,
)
from cloud.sync.channels import put_row
from cloud.sync.tables import edge_cursor
from domain.claim import Claim
from domain.ids import crockford_encode
from domain.stay import OUTSIDE, Direction
from domain.wire import GENESIS
from plumbing.web.paging import Page

CLAIM_HOURS = 24
KEY_YEARS_MS = 10 * 365 * 86_400_000
HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class LaneSpec:
    """A lane as an administrator draws it; *name* is the one in the edge's lot file."""

    name: str
    direction: Direction
    from_zone: str
    to_zone: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a new edge is told once its secret was right."""

    edge_id: str
    operator_id: int
    lot_id: int
    voucher_key_id: int
    epoch: int


def create_operator(conn: Connection, name: str, now_ms: int) -> int:
    """A new operator; nothing of it ever crosses to another."""
    return new_id(conn, insert(operator).values(name=name, created_ms=now_ms))


def first_operator(conn: Connection) -> int | None:
    """The operator of this installation, or None before the first start."""
    return conn.execute(select(operator.c.operator_id).order_by(operator.c.operator_id).limit(1)).scalar_one_or_none()


def create_lot(
    conn: Connection, act: Act, name: str, time_zone: str, places: int, lanes: Sequence[LaneSpec]
) -> int | Refused:
    """A lot with its zones (outside is one) and lanes."""
    if not name.strip():
        return Refused("name_missing")
    values = {"operator_id": act.operator_id, "name": name, "time_zone": time_zone, "places": places}
    lot_id = new_id(conn, insert(lot).values(**values, created_ms=act.now_ms))
    zones = {OUTSIDE} | {name for spec in lanes for name in (spec.from_zone, spec.to_zone)}
    conn.execute(
        insert(zone), [{"operator_id": act.operator_id, "lot_id": lot_id, "name": name} for name in sorted(zones)]
    )
    if lanes:
        conn.execute(
            insert(lane),
            [
                {
                    "operator_id": act.operator_id,
                    "lot_id": lot_id,
                    "name": spec.name,
                    "direction": spec.direction.value,
                    "from_zone": spec.from_zone,
                    "to_zone": spec.to_zone,
                }
                for spec in lanes
            ],
        )
    audit.record(conn, act, "lot.created", f"lot:{lot_id}", after={"name": name, "lanes": len(lanes)})
    return lot_id


def lots(conn: Connection, operator_id: int) -> Sequence[RowMapping]:
    """Every lot with how many cars are inside and how many edges it has."""
    inside = (
        select(func.count()).select_from(stay).where(stay.c.lot_id == lot.c.lot_id, stay.c.left_ms.is_(None))
    ).scalar_subquery()
    edges = select(func.count()).select_from(edge).where(edge.c.lot_id == lot.c.lot_id).scalar_subquery()
    query = select(lot, inside.label("inside"), edges.label("edges")).where(lot.c.operator_id == operator_id)
    return conn.execute(query.order_by(lot.c.lot_id)).mappings().all()


def lanes(conn: Connection, operator_id: int) -> Sequence[RowMapping]:
    """Every lane, by lot."""
    query = select(lane).where(lane.c.operator_id == operator_id).order_by(lane.c.lot_id, lane.c.lane_id)
    return conn.execute(query).mappings().all()


def create_edge(
    conn: Connection, act: Act, lot_id: int, name: str, url: str, config_key: bytes, ca: bytes = b""
) -> Claim | Refused:
    """A pending edge and the claim that makes one device it, within 24 hours, once."""
    if _lot_of(conn, act.operator_id, lot_id) is None:
        return Refused("lot_unknown")
    busy = conn.execute(select(edge.c.edge_id).where(edge.c.lot_id == lot_id, edge.c.state != "revoked")).first()
    if busy is not None:
        return Refused("lot_has_edge", {"edge": busy.edge_id})
    edge_id = f"e{act.random(6).hex()}"
    secret = crockford_encode(act.random(16))
    conn.execute(
        insert(edge).values(
            edge_id=edge_id,
            operator_id=act.operator_id,
            lot_id=lot_id,
            name=name,
            state="pending",
            claim_hash=_hashed(secret),
            claim_expires_ms=act.now_ms + CLAIM_HOURS * HOUR_MS,
            created_ms=act.now_ms,
        )
    )
    audit.record(conn, act, "edge.created", f"edge:{edge_id}", after={"lot_id": lot_id, "name": name})
    pinned = hashlib.sha256(config_key).hexdigest()
    return Claim(url, edge_id, pinned, secret, hashlib.sha256(ca).hexdigest() if ca else "")


def renew_claim(conn: Connection, act: Act, edge_id: str, url: str, config_key: bytes) -> Claim | Refused:
    """A fresh claim for an edge that is still pending; the old one is void."""
    secret = crockford_encode(act.random(16))
    done = conn.execute(
        update(edge)
        .where(edge.c.edge_id == edge_id, edge.c.operator_id == act.operator_id, edge.c.state == "pending")
        .values(claim_hash=_hashed(secret), claim_expires_ms=act.now_ms + CLAIM_HOURS * HOUR_MS)
    )
    if done.rowcount != 1:
        return Refused("edge_not_pending")
    audit.record(conn, act, "edge.claim_renewed", f"edge:{edge_id}")
    return Claim(url, edge_id, hashlib.sha256(config_key).hexdigest(), secret)


def _hashed(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _lot_of(conn: Connection, operator_id: int, lot_id: int) -> RowMapping | None:
    query = select(lot).where(lot.c.lot_id == lot_id, lot.c.operator_id == operator_id)
    return conn.execute(query).mappings().one_or_none()


def claim(conn: Connection, edge_id: str, secret: str, public_key: bytes, now_ms: int) -> Claimed | Refused:
    """Bind *public_key* to the edge if the secret is right, unused and in time; certify it for vouchers.

    Wrong edge, wrong secret, used and expired all give the same refusal: nothing can be learned by trying.
    """
    if len(public_key) != 32:
        return Refused("public_key_malformed")
    bound = conn.execute(
        update(edge)
        .where(
            edge.c.edge_id == edge_id,
            edge.c.state == "pending",
            edge.c.claim_hash == _hashed(secret),
            edge.c.claim_expires_ms >= now_ms,
        )
        .values(state="claimed", public_key=public_key, claim_hash=None, claimed_ms=now_ms)
    )
    if bound.rowcount != 1:
        return Refused("claim_refused")
    row = conn.execute(select(edge).where(edge.c.edge_id == edge_id)).mappings().one()
    conn.execute(
        insert(edge_cursor).values(
            edge_id=edge_id,
            operator_id=row["operator_id"],
            epoch=1,
            seq=0,
            head=GENESIS,
            told_seq=0,
            boot="",
            sid="",
            caps="",
        )
    )
    key_id = _certify(conn, row, public_key, now_ms)
    deed = audit.Deed(f"edge:{edge_id}", "edge.claimed", f"edge:{edge_id}", "", now_ms, row["lot_id"])
    audit.append(conn, row["operator_id"], [deed])
    return Claimed(edge_id, row["operator_id"], row["lot_id"], key_id, 1)


def _certify(conn: Connection, row: RowMapping, public_key: bytes, now_ms: int) -> int:
    values = {"operator_id": row["operator_id"], "lot_id": row["lot_id"], "edge_id": row["edge_id"]}
    key_id = new_id(
        conn,
        insert(voucher_key).values(**values, public_key=public_key, state="active", last_counter=0, created_ms=now_ms),
    )
    tell_keys(conn, row["operator_id"], now_ms)
    return key_id


def tell_keys(conn: Connection, operator_id: int, now_ms: int) -> None:
    """Give every edge the operator believes the list of voucher keys (channel ``keys``)."""
    keys = conn.execute(select(voucher_key).where(voucher_key.c.operator_id == operator_id)).all()
    for edge_id in operator_edges(conn, operator_id):
        for key in keys:
            value = {
                "key_id": key.key_id,
                "edge_id": key.edge_id,
                "public": bytes(key.public_key).hex(),
                "lot_id": key.lot_id,
                "not_before_ms": key.created_ms - HOUR_MS,
                "not_after_ms": key.created_ms + KEY_YEARS_MS,
                "revoked_at_counter": key.last_counter if key.state == "revoked" else None,
            }
            put_row(conn, operator_id, edge_id, "keys", str(key.key_id), value, now_ms)


_IS_OWN_KEY = (voucher_key.c.key_id == bindparam("of_key")) & (voucher_key.c.edge_id == bindparam("of_edge"))
_LAST_COUNTER = select(voucher_key.c.last_counter).where(_IS_OWN_KEY).with_for_update()
_COUNT = update(voucher_key).where(_IS_OWN_KEY).values(last_counter=bindparam("counted"))


def count_voucher(conn: Connection, edge_id: str, key_id: int, counter: int) -> bool:
    """Note the highest counter reported for a key; False when the key is not this edge's (I19)."""
    own = {"of_key": key_id, "of_edge": edge_id}
    last = conn.execute(_LAST_COUNTER, own).scalar_one_or_none()
    if last is None:
        return False
    if counter > last:
        conn.execute(_COUNT, own | {"counted": counter})
    return True


def revoke_edge(conn: Connection, act: Act, edge_id: str, reason: str) -> Refused | None:
    """Stop believing an edge: its key is good up to the last counter it reported, its log is closed."""
    done = conn.execute(
        update(edge)
        .where(edge.c.edge_id == edge_id, edge.c.operator_id == act.operator_id, edge.c.state != "revoked")
        .values(state="revoked", revoked_ms=act.now_ms, claim_hash=None)
    )
    if done.rowcount != 1:
        return Refused("edge_unknown")
    conn.execute(update(voucher_key).where(voucher_key.c.edge_id == edge_id).values(state="revoked"))
    tell_keys(conn, act.operator_id, act.now_ms)
    audit.record(conn, act, "edge.revoked", f"edge:{edge_id}", reason=reason)
    return None


def edges(conn: Connection, operator_id: int) -> Sequence[RowMapping]:
    """Every edge with where its log stands."""
    cursor = edge_cursor.c
    query = (
        select(edge, lot.c.name.label("lot_name"), cursor.epoch, cursor.seq, cursor.told_seq, cursor.seen_ms)
        .join(lot, lot.c.lot_id == edge.c.lot_id)
        .outerjoin(edge_cursor, cursor.edge_id == edge.c.edge_id)
        .where(edge.c.operator_id == operator_id)
        .order_by(edge.c.lot_id, edge.c.created_ms)
    )
    return conn.execute(query).mappings().all()


def edge_of_lot(conn: Connection, lot_id: int) -> str | None:
    """The one edge that runs the lot, or None while none has been claimed."""
    query = select(edge.c.edge_id).where(edge.c.lot_id == lot_id, edge.c.state.in_(("claimed", "active")))
    return conn.execute(query).scalar_one_or_none()


def operator_edges(conn: Connection, operator_id: int) -> Sequence[str]:
    """Edges that hold channels now."""
    query = select(edge.c.edge_id).where(edge.c.operator_id == operator_id, edge.c.state.in_(("claimed", "active")))
    return conn.execute(query.order_by(edge.c.edge_id)).scalars().all()


def open_stay(conn: Connection, operator_id: int, stay_id: str) -> RowMapping | None:
    """A stay whose car is still inside, locked until the transaction ends."""
    query = select(stay).where(stay.c.stay_id == stay_id, stay.c.operator_id == operator_id, stay.c.left_ms.is_(None))
    return conn.execute(query.with_for_update()).mappings().one_or_none()


def stays(conn: Connection, operator_id: int, stay_ids: Sequence[str]) -> dict[str, RowMapping]:
    """Stays by id, whatever became of them."""
    query = select(stay).where(stay.c.operator_id == operator_id, stay.c.stay_id.in_(stay_ids))
    return {row["stay_id"]: row for row in conn.execute(query).mappings()}


def cars_inside(
    conn: Connection, operator_id: int, search: str = "", lot_id: int | None = None, page: int = 1
) -> Page[RowMapping]:
    """Open stays, newest first; *search* is part of a plate in normal form."""
    query = (
        select(stay, lot.c.name.label("lot_name"))
        .join(lot, lot.c.lot_id == stay.c.lot_id)
        .where(stay.c.operator_id == operator_id, stay.c.left_ms.is_(None))
        .order_by(stay.c.entered_ms.desc(), stay.c.stay_id)
    )
    if search:
        query = query.where(stay.c.plate.like(f"%{search}%"))
    if lot_id is not None:
        query = query.where(stay.c.lot_id == lot_id)
    return paged(conn, query, page)


def incidents(
    conn: Connection, operator_id: int, *, only_open: bool, search: str = "", page: int = 1
) -> Page[RowMapping]:
    """Incidents newest first."""
    query = (
        select(incident)
        .where(incident.c.operator_id == operator_id)
        .order_by(incident.c.raised_ms.desc(), incident.c.incident_id)
    )
    if only_open:
        query = query.where(incident.c.closed_ms.is_(None))
    if search:
        query = query.where(incident.c.code.like(f"%{search}%") | incident.c.detail.like(f"%{search}%"))
    return paged(conn, query, page)


def close_incident(conn: Connection, act: Act, incident_id: str, reason: str) -> Refused | None:
    """A person looked at it."""
    done = conn.execute(
        update(incident)
        .where(
            incident.c.incident_id == incident_id,
            incident.c.operator_id == act.operator_id,
            incident.c.closed_ms.is_(None),
        )
        .values(closed_ms=act.now_ms, closed_by=act.by)
    )
    if done.rowcount != 1:
        return Refused("incident_not_open")
    audit.record(conn, act, "incident.closed", f"incident:{incident_id}", reason=reason)
    return None


def raise_incident(
    conn: Connection,
    operator_id: int,
    incident_id: str,
    code: str,
    detail: str,
    now_ms: int,
    *,
    lot_id: int | None = None,
    edge_id: str | None = None,
) -> None:
    """Put something before a person. The same *incident_id* twice is one incident."""
    known = conn.execute(select(incident.c.incident_id).where(incident.c.incident_id == incident_id)).first()
    if known is not None:
        return
    conn.execute(
        insert(incident).values(
            incident_id=incident_id,
            operator_id=operator_id,
            lot_id=lot_id,
            edge_id=edge_id,
            code=code,
            lane="",
            detail=detail,
            raised_ms=now_ms,
        )
    )


def settle_incident(conn: Connection, incident_id: str, by: str, now_ms: int) -> None:
    """Close an incident whose cause is gone; nothing happens when it is closed already or was never raised."""
    open_one = (incident.c.incident_id == incident_id) & incident.c.closed_ms.is_(None)
    conn.execute(update(incident).where(open_one).values(closed_ms=now_ms, closed_by=by))


def owed_by(conn: Connection, operator_id: int, plate: str) -> int:
    """Sum of what a plate left owing, in fen."""
    query = select(func.coalesce(func.sum(debt.c.owed_fen), 0))
    return int(conn.execute(query.where(debt.c.operator_id == operator_id, debt.c.plate == plate)).scalar_one())


@dataclass(frozen=True, slots=True)
class LaneNow:
    """What was last seen of a lane."""

    lane: RowMapping
    passage: RowMapping | None
    opening: RowMapping | None


def lanes_now(conn: Connection, operator_id: int) -> list[LaneNow]:
    """Every lane with its last passage and last opening, as far as reported."""
    return [
        LaneNow(row, _last(conn, passage, row), _last(conn, barrier_opening, row)) for row in lanes(conn, operator_id)
    ]


def _last(conn: Connection, table: Table, row: RowMapping) -> RowMapping | None:
    query = select(table).where(table.c.lot_id == row["lot_id"], table.c.lane == row["name"])
    return conn.execute(query.order_by(table.c.happened_ms.desc()).limit(1)).mappings().one_or_none()


def taken_since(conn: Connection, operator_id: int, since_ms: int) -> int:
    """Fen taken at the booths since *since_ms*."""
    query = select(func.coalesce(func.sum(payment.c.amount_fen), 0))
    return int(
        conn.execute(query.where(payment.c.operator_id == operator_id, payment.c.taken_ms >= since_ms)).scalar_one()
    )
