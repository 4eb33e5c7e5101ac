"""The appliances of lots: made known, claimed once, certified, revoked (sync §9)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update

from cloud.access import audit
from cloud.act import Act, Refused
from cloud.db import new_id
from cloud.lots.tables import edge, lot, voucher_key
from cloud.sync import cursors
from cloud.sync.channels import put_row
from domain.claim import Claim
from domain.ids import crockford_encode
from domain.voucher import VoucherKey

CLAIM_HOURS = 24
KEY_YEARS_MS = 10 * 365 * 86_400_000
HOUR_MS = 3_600_000
BELIEVED: Final = ("claimed", "active")
_NOWHERE: Final[Mapping[str, None]] = dict.fromkeys(("epoch", "seq", "told_seq", "seen_ms"))

_IS_OWN_KEY = (voucher_key.c.key_id == bindparam("of_key")) & (voucher_key.c.edge_id == bindparam("of_edge"))
_LAST_COUNTER = select(voucher_key.c.last_counter).where(_IS_OWN_KEY).with_for_update()
_COUNT = update(voucher_key).where(_IS_OWN_KEY).values(last_counter=bindparam("counted"))


_IDENTITY: Final = select(edge.c.public_key, edge.c.lot_id, edge.c.state).where(
    edge.c.edge_id == bindparam("of"), edge.c.state.in_(BELIEVED), edge.c.public_key.is_not(None)
)


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a new edge is told once its secret was right."""

    edge_id: str
    operator_id: int
    lot_id: int
    voucher_key_id: int
    epoch: int


def create_edge(
    conn: Connection, act: Act, lot_id: int, name: str, url: str, config_key: bytes, ca: bytes = b""
) -> Claim | Refused:
    """A pending edge and the claim that makes one device it, within 24 hours, once."""
    known = select(lot.c.lot_id).where(lot.c.lot_id == lot_id, lot.c.operator_id == act.operator_id)
    if conn.execute(known).first() is None:
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
            replaces=_before(conn, lot_id),
        )
    )
    audit.record(conn, act, "edge.created", f"edge:{edge_id}", after={"lot_id": lot_id, "name": name})
    pinned = hashlib.sha256(config_key).hexdigest()
    return Claim(url, edge_id, pinned, secret, hashlib.sha256(ca).hexdigest() if ca else "")


def _before(conn: Connection, lot_id: int) -> str | None:
    """The edge that ran the lot last, if one ever did: a new one takes its place."""
    query = select(edge.c.edge_id).where(
        edge.c.lot_id == lot_id, edge.c.state == "revoked", edge.c.claimed_ms.is_not(None)
    )
    return conn.execute(
        query.order_by(edge.c.revoked_ms.desc(), edge.c.claimed_ms.desc()).limit(1)
    ).scalar_one_or_none()


def replaced_by(conn: Connection, edge_id: str) -> str | None:
    """The edge whose place *edge_id* took, or None."""
    return conn.execute(select(edge.c.replaces).where(edge.c.edge_id == edge_id)).scalar_one_or_none()


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
    epoch = cursors.begin(conn, row["operator_id"], edge_id, row["replaces"])
    key_id = certify(conn, row, public_key, now_ms)
    deed = audit.Deed(f"edge:{edge_id}", "edge.claimed", f"edge:{edge_id}", "", now_ms, row["lot_id"])
    audit.append(conn, row["operator_id"], [deed])
    return Claimed(edge_id, row["operator_id"], row["lot_id"], key_id, epoch)


def certify(conn: Connection, row: RowMapping, public_key: bytes, now_ms: int) -> int:
    """Make *public_key* the voucher key of the edge in *row* and tell every edge; returns its id."""
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


def voucher_keys(conn: Connection, operator_id: int) -> dict[int, VoucherKey]:
    """The keys the operator's edges signed vouchers with, as lots hold them."""
    keys = conn.execute(select(voucher_key).where(voucher_key.c.operator_id == operator_id)).all()
    return {
        key.key_id: VoucherKey(
            key.key_id,
            bytes(key.public_key),
            key.lot_id,
            key.created_ms - HOUR_MS,
            key.created_ms + KEY_YEARS_MS,
            key.last_counter if key.state == "revoked" else None,
        )
        for key in keys
    }


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


def edges(conn: Connection, operator_id: int) -> Sequence[Mapping[str, Any]]:
    """Every edge with where its log stands; None for one that was never claimed."""
    query = (
        select(edge, lot.c.name.label("lot_name"))
        .join(lot, lot.c.lot_id == edge.c.lot_id)
        .where(edge.c.operator_id == operator_id)
        .order_by(edge.c.lot_id, edge.c.created_ms)
    )
    known = cursors.positions(conn, operator_id)
    return [{**_NOWHERE, **row, **known.get(row["edge_id"], {})} for row in conn.execute(query).mappings()]


def of_operator(conn: Connection, operator_id: int, edge_id: str) -> RowMapping | None:
    """One edge of the operator, whatever became of it."""
    query = select(edge).where(edge.c.edge_id == edge_id, edge.c.operator_id == operator_id)
    return conn.execute(query).mappings().one_or_none()


def identity(conn: Connection, edge_id: str) -> RowMapping | None:
    """Public key, lot and state of an edge that is believed; None for any other."""
    return conn.execute(_IDENTITY, {"of": edge_id}).mappings().one_or_none()


def activate(conn: Connection, edge_id: str) -> None:
    """The lot's devices were seen to work: from now on it may hold leases."""
    conn.execute(update(edge).where(edge.c.edge_id == edge_id, edge.c.state == "claimed").values(state="active"))


def believed_edges(conn: Connection) -> Sequence[str]:
    """Every edge that is spoken to."""
    return conn.execute(select(edge.c.edge_id).where(edge.c.state.in_(BELIEVED))).scalars().all()


def edge_of_lot(conn: Connection, lot_id: int) -> str | None:
    """The one edge that runs the lot, or None while none has been claimed."""
    query = select(edge.c.edge_id).where(edge.c.lot_id == lot_id, edge.c.state.in_(BELIEVED))
    return conn.execute(query).scalar_one_or_none()


def lots_with_edges(conn: Connection, operator_id: int) -> list[tuple[int, str]]:
    """(lot, edge) for every lot whose edge holds channels now."""
    query = select(edge.c.lot_id, edge.c.edge_id).where(edge.c.operator_id == operator_id, edge.c.state.in_(BELIEVED))
    return [(int(lot_id), edge_id) for lot_id, edge_id in conn.execute(query.order_by(edge.c.lot_id))]


def operator_edges(conn: Connection, operator_id: int) -> Sequence[str]:
    """Edges that hold channels now."""
    query = select(edge.c.edge_id).where(edge.c.operator_id == operator_id, edge.c.state.in_(BELIEVED))
    return conn.execute(query.order_by(edge.c.edge_id)).scalars().all()
