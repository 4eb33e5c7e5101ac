"""Who may sign in at the booths by a PIN set here (E65): the hash made for the lots, closed for each lot's device.

A PIN has nothing to do with an account of this cloud; no password's hash leaves it. What a lot receives opens only with
the key in its own device key's file; what stands here opens only with the key in the config key's file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, RowMapping, delete, insert, or_, select, update

from cloud.access import audit
from cloud.act import Act, Refused
from cloud.booth.tables import booth_key, booth_person
from cloud.db import new_id
from cloud.lots import edges as lot_edges
from cloud.lots import service as lots
from cloud.reach import EVERY, Lots
from cloud.sync.channels import put_rows
from domain.wire import Json
from plumbing.sealing import PUBLIC_SIZE, SealKey, seal

CHANNEL: Final = "booth"
ROLES: Final = ("attendant", "supervisor", "manager")
LONGEST_NAME: Final = 24


def add(
    conn: Connection, act: Act, box: SealKey, name: str, role: str, lot_id: int | None, pin_hash: str
) -> int | Refused:
    """Let somebody sign in at one lot or (None) all of them."""
    if not name or len(name) > LONGEST_NAME or not name.isprintable() or ":" in name:
        return Refused("booth_name_malformed", {"most": LONGEST_NAME})
    if role not in ROLES:
        return Refused("booth_role_unknown")
    if not _may_set(act, lot_id) or (lot_id is not None and lot_id not in lots.names(conn, act.operator_id)):
        return Refused("lot_unknown")
    if _named(conn, act.operator_id, name, lot_id):
        return Refused("booth_name_taken", {"name": name})
    row = insert(booth_person).values(
        operator_id=act.operator_id,
        lot_id=lot_id,
        name=name,
        role=role,
        pin=seal(box.public, pin_hash.encode(), label(name)),
        set_ms=act.now_ms,
        set_by=act.by,
    )
    person_id = new_id(conn, row)
    audit.record(conn, act, "booth_person.added", f"booth_person:{person_id}", after={"name": name, "role": role})
    tell(conn, act.operator_id, box, act.now_ms)
    return person_id


def set_pin(conn: Connection, act: Act, box: SealKey, person_id: int, pin_hash: str) -> Refused | None:
    """Give somebody another PIN; lots take it over with their next word from here."""
    person = _get(conn, act.operator_id, person_id)
    if person is None or not _may_set(act, person["lot_id"]):
        return Refused("booth_person_unknown")
    pin = seal(box.public, pin_hash.encode(), label(person["name"]))
    mine = booth_person.c.person_id == person_id
    conn.execute(update(booth_person).where(mine).values(pin=pin, set_ms=act.now_ms, set_by=act.by))
    before = {"set_ms": person["set_ms"], "set_by": person["set_by"]}
    after = {"name": person["name"], "set_ms": act.now_ms, "set_by": act.by}
    audit.record(conn, act, "booth_person.pin_set", f"booth_person:{person_id}", before=before, after=after)
    tell(conn, act.operator_id, box, act.now_ms)
    return None


def end(conn: Connection, act: Act, box: SealKey, person_id: int) -> Refused | None:
    """Let somebody sign in no more, wherever the line reaches."""
    person = _get(conn, act.operator_id, person_id)
    if person is None or not _may_set(act, person["lot_id"]):
        return Refused("booth_person_unknown")
    conn.execute(update(booth_person).where(booth_person.c.person_id == person_id).values(ended_ms=act.now_ms))
    audit.record(conn, act, "booth_person.ended", f"booth_person:{person_id}", before={"name": person["name"]})
    tell(conn, act.operator_id, box, act.now_ms, ended=(person_id,))
    return None


def _may_set(act: Act, lot_id: int | None) -> bool:
    """Somebody of every lot (None) is set by who has them all."""
    return lot_id in act.within


def listed(conn: Connection, operator_id: int, within: Lots = EVERY) -> Sequence[RowMapping]:
    """Everybody who may sign in, by name; those of every lot too."""
    query = select(booth_person).where(
        booth_person.c.operator_id == operator_id,
        booth_person.c.ended_ms.is_(None),
        or_(booth_person.c.lot_id.is_(None), within.hold(booth_person.c.lot_id)),
    )
    return conn.execute(query.order_by(booth_person.c.name, booth_person.c.person_id)).mappings().all()


def heard_key(conn: Connection, operator_id: int, edge_id: str, public: bytes, box: SealKey, now_ms: int) -> None:
    """A hello named what its device opens seals with: a new one gets everybody's PIN closed anew."""
    held = select(booth_key.c.public).where(booth_key.c.edge_id == edge_id)
    if len(public) != PUBLIC_SIZE or conn.execute(held).scalar_one_or_none() == public:
        return
    conn.execute(delete(booth_key).where(booth_key.c.edge_id == edge_id))
    conn.execute(insert(booth_key).values(edge_id=edge_id, operator_id=operator_id, public=public))
    tell(conn, operator_id, box, now_ms, only=edge_id)


def tell(
    conn: Connection, operator_id: int, box: SealKey, now_ms: int, *, only: str = "", ended: Sequence[int] = ()
) -> None:
    """Put everybody into the lists of the lots they are for; *only*: of one edge."""
    query = select(booth_key.c.edge_id, booth_key.c.public).where(booth_key.c.operator_id == operator_id)
    keys = {edge_id: bytes(public) for edge_id, public in conn.execute(query)}
    people = listed(conn, operator_id)
    for lot_id, edge_id in lot_edges.lots_with_edges(conn, operator_id):
        if edge_id not in keys or (only and edge_id != only):
            continue
        rows: dict[str, Json | None] = {f"person:{person_id}": None for person_id in ended}
        for person in people:
            if person["lot_id"] in (None, lot_id):
                rows[f"person:{person['person_id']}"] = _row(box, keys[edge_id], person)
        put_rows(conn, operator_id, edge_id, CHANNEL, rows, now_ms)


def _row(box: SealKey, public: bytes, person: RowMapping) -> Json:
    name = person["name"]
    pin = seal(public, box.open(bytes(person["pin"]), label(name)), label(name))
    return {"name": name, "role": person["role"], "pin": pin.hex(), "set_ms": person["set_ms"]}


def label(name: str) -> bytes:
    """What a PIN's seal is bound to; the lots say the same (edge/pins.py)."""
    return f"pin:{name}".encode()


def _get(conn: Connection, operator_id: int, person_id: int) -> RowMapping | None:
    query = select(booth_person).where(
        booth_person.c.operator_id == operator_id,
        booth_person.c.person_id == person_id,
        booth_person.c.ended_ms.is_(None),
    )
    return conn.execute(query).mappings().one_or_none()


def _named(conn: Connection, operator_id: int, name: str, lot_id: int | None) -> bool:
    """Is there somebody of this name at a lot where the new one would be?"""
    query = select(booth_person.c.person_id).where(
        booth_person.c.operator_id == operator_id, booth_person.c.name == name, booth_person.c.ended_ms.is_(None)
    )
    if lot_id is not None:
        query = query.where(or_(booth_person.c.lot_id.is_(None), booth_person.c.lot_id == lot_id))
    return conn.execute(query.limit(1)).first() is not None
