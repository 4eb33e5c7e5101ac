"""Entitlements: monthly cars, visitors, free and staff cars; who they are, and what happens to them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, exists, insert, or_, select, update

from cloud.access import audit
from cloud.act import Act, Refused
from cloud.db import new_id, paged
from cloud.lots import service as lots
from cloud.members import cards, telling
from cloud.members.tables import entitled_plate, entitled_zone, entitlement
from cloud.members.terms import Terms, Windows, wrong
from cloud.reach import EVERY, Lots
from domain.entitlement import Grant
from domain.plate import mask, normalise
from domain.wire import Json, canonical
from plumbing.web.paging import Page

DAY_MS: Final = 86_400_000
SOON_DAYS: Final = 7
STATES: Final = ("live", "soon", "grace", "over")


@dataclass(frozen=True, slots=True)
class Entitled:
    """One entitlement as stored, with its present plates, its zones by lot, and its hours."""

    row: RowMapping
    plates: tuple[str, ...]
    zones: tuple[tuple[int, str], ...]

    @property
    def windows(self) -> Windows:
        return tuple((begins, ends, tuple(days)) for begins, ends, days in json.loads(self.row["windows"]))

    def is_of(self, within: Lots) -> bool:
        """Is it for these lots alone, so that who has them may change it?"""
        return all(lot_id in within for lot_id, _ in self.zones)

    def state(self, now_ms: int) -> str:
        """ahead, live, soon (ends within days), grace or over."""
        row = self.row
        ends = row["ends_ms"]
        if row["ended_ms"] is not None or (ends is not None and now_ms >= ends + row["grace_days"] * DAY_MS):
            return "over"
        if row["begins_ms"] is not None and now_ms < row["begins_ms"]:
            return "ahead"
        if ends is None or now_ms < ends - SOON_DAYS * DAY_MS:
            return "live"
        return "soon" if now_ms < ends else "grace"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entitlements a list shows; empty parts ask for nothing. *state*: one of ``STATES``."""

    search: str = ""
    kind: str = ""
    lot_id: int | None = None
    state: str = ""
    within: Lots = EVERY


def add(conn: Connection, act: Act, terms: Terms) -> int | Refused:
    """A new entitlement; the lots it is for hear of it."""
    (made,) = write(conn, act, [terms])
    if isinstance(made, int):
        telling.tell(conn, act.operator_id, [made], act.now_ms)
    return made


def write(conn: Connection, act: Act, wanted: Sequence[Terms]) -> list[int | Refused]:
    """New entitlements without a word to the lots, each answered by its number or by why it was not written."""
    offered = lots.zones(conn, act.operator_id, act.within)
    held = cards.of_plates(conn, act.operator_id, {plate for terms in wanted for plate in terms.plates})
    made: list[int | Refused] = []
    written: list[tuple[int, Terms]] = []
    for terms in wanted:
        refused = wrong(terms, offered) or cards.twice(terms, held, act.now_ms)
        if refused is not None:
            made.append(refused)
            continue
        values = {"operator_id": act.operator_id, "created_ms": act.now_ms, "is_told": True, **_columns(terms)}
        entitlement_id = new_id(conn, insert(entitlement).values(**values))
        made.append(entitlement_id)
        written.append((entitlement_id, terms))
        cards.put(held, terms)
    if written:
        _write_parts(conn, act, written)
    return made


def _write_parts(conn: Connection, act: Act, written: Sequence[tuple[int, Terms]]) -> None:
    of = {"operator_id": act.operator_id}
    plates = [{**of, "entitlement_id": number, "plate": plate} for number, terms in written for plate in terms.plates]
    conn.execute(insert(entitled_plate), plates)
    conn.execute(insert(entitled_zone), [row for number, terms in written for row in _zone_rows(act, number, terms)])
    deeds = [
        audit.Deed(act.by, "entitlement.added", f"entitlement:{number}", "", act.now_ms, after=_log_text(terms))
        for number, terms in written
    ]
    audit.append(conn, act.operator_id, deeds)


def _zone_rows(act: Act, entitlement_id: int, terms: Terms) -> list[dict[str, Any]]:
    of = {"entitlement_id": entitlement_id, "operator_id": act.operator_id}
    return [{**of, "lot_id": lot_id, "zone": zone} for lot_id, zone in sorted(set(terms.zones))]


def change(conn: Connection, act: Act, entitlement_id: int, terms: Terms) -> Refused | None:
    """Give an entitlement other terms. A plate that goes is good until now, one that comes from now on."""
    held = get(conn, act.operator_id, entitlement_id, act.within)
    if held is None or held.row["ended_ms"] is not None:
        return Refused("entitlement_unknown")
    mine = cards.of_plates(conn, act.operator_id, set(terms.plates), but=entitlement_id)
    refused = wrong(terms, lots.zones(conn, act.operator_id, act.within)) or cards.twice(terms, mine, act.now_ms)
    if refused is not None:
        return refused
    before = telling.audience(conn, [entitlement_id])
    conn.execute(
        update(entitlement)
        .where(entitlement.c.entitlement_id == entitlement_id)
        .values(**_columns(terms), is_told=True)
    )
    _change_plates(conn, act, held, terms.plates)
    _set_zones(conn, act, entitlement_id, terms)
    telling.tell(conn, act.operator_id, [entitlement_id], act.now_ms, before)
    subject = f"entitlement:{entitlement_id}"
    audit.record(conn, act, "entitlement.changed", subject, before=_for_log(terms_of(held)), after=_for_log(terms))
    return None


def end(conn: Connection, act: Act, entitlement_id: int, reason: str) -> Refused | None:
    """Take an entitlement back: what was parked until now stays covered."""
    if not reason.strip():
        return Refused("reason_missing")
    held = get(conn, act.operator_id, entitlement_id, act.within)
    if held is None:
        return Refused("entitlement_unknown")
    done = conn.execute(
        update(entitlement)
        .where(
            entitlement.c.entitlement_id == entitlement_id,
            entitlement.c.operator_id == act.operator_id,
            entitlement.c.ended_ms.is_(None),
        )
        .values(ended_ms=act.now_ms)
    )
    if done.rowcount != 1:
        return Refused("entitlement_unknown")
    telling.tell(conn, act.operator_id, [entitlement_id], act.now_ms)
    before, subject = _for_log(terms_of(held)), f"entitlement:{entitlement_id}"
    audit.record(conn, act, "entitlement.ended", subject, reason=reason, before=before, after={})
    return None


def get(conn: Connection, operator_id: int, entitlement_id: int, within: Lots = EVERY) -> Entitled | None:
    """One entitlement of the operator, for lots that are all *within*; locked until the transaction ends."""
    query = select(entitlement).where(
        entitlement.c.entitlement_id == entitlement_id, entitlement.c.operator_id == operator_id
    )
    row = conn.execute(query.with_for_update()).mappings().one_or_none()
    held = None if row is None else _with_parts(conn, [row])[0]
    return held if held is not None and held.is_of(within) else None


def listed(conn: Connection, operator_id: int, wanted: Wanted, now_ms: int, page: int = 1) -> Page[Entitled]:
    """A page of entitlements, the newest first."""
    found = paged(conn, _query(operator_id, wanted, now_ms), page)
    return Page(_with_parts(conn, found.items), found.number, found.total, found.size, found.more)


def every(
    conn: Connection, operator_id: int, wanted: Wanted, now_ms: int, most: int, chunk: int = 500
) -> Iterator[Entitled]:
    """All of them up to *most*, for an export."""
    query = _query(operator_id, wanted, now_ms).limit(most)
    for rows in conn.execute(query).mappings().partitions(chunk):
        yield from _with_parts(conn, rows)


def granted_now(conn: Connection, operator_id: int, plates: Collection[str], now_ms: int) -> set[tuple[int, str]]:
    """Lots and plates, of some, that have an entitlement there now, whatever its hours and places."""
    query = (
        select(entitled_zone.c.lot_id, entitled_plate.c.plate)
        .join(entitlement, entitlement.c.entitlement_id == entitled_plate.c.entitlement_id)
        .join(entitled_zone, entitled_zone.c.entitlement_id == entitlement.c.entitlement_id)
        .where(
            entitlement.c.operator_id == operator_id,
            entitled_plate.c.plate.in_(plates),
            entitled_plate.c.removed_ms.is_(None),
            _in_state("live", now_ms),
            or_(entitlement.c.begins_ms.is_(None), entitlement.c.begins_ms <= now_ms),
        )
    )
    return {(row.lot_id, row.plate) for row in conn.execute(query)}


def terms_of(held: Entitled) -> Terms:
    """The terms as they stand."""
    row = held.row
    same = ("name", "phone", "host", "remark", "places", "begins_ms", "ends_ms", "grace_days")
    return Terms(
        kind=Grant(row["kind"]),
        plates=held.plates,
        zones=held.zones,
        windows=held.windows,
        when_full=telling.when_full(row),
        **{name: row[name] for name in same},
    )


def _columns(terms: Terms) -> dict[str, Any]:
    same = ("name", "phone", "host", "remark", "places", "begins_ms", "ends_ms", "grace_days")
    values = {name: getattr(terms, name) for name in same}
    windows = canonical([list(window) for window in terms.windows]).decode()
    return values | {"kind": terms.kind.value, "windows": windows, "when_full": terms.when_full.value}


def _set_zones(conn: Connection, act: Act, entitlement_id: int, terms: Terms) -> None:
    conn.execute(entitled_zone.delete().where(entitled_zone.c.entitlement_id == entitlement_id))
    conn.execute(insert(entitled_zone), _zone_rows(act, entitlement_id, terms))


def _change_plates(conn: Connection, act: Act, held: Entitled, plates: Sequence[str]) -> None:
    of = entitled_plate.c.entitlement_id == held.row["entitlement_id"]
    for plate in set(held.plates) - set(plates):
        conn.execute(update(entitled_plate).where(of, entitled_plate.c.plate == plate).values(removed_ms=act.now_ms))
    for plate in sorted(set(plates) - set(held.plates)):
        conn.execute(entitled_plate.delete().where(of, entitled_plate.c.plate == plate))
        values = {"entitlement_id": held.row["entitlement_id"], "operator_id": act.operator_id, "plate": plate}
        conn.execute(insert(entitled_plate).values(**values, added_ms=act.now_ms))


def _query(operator_id: int, wanted: Wanted, now_ms: int) -> Select[Any]:
    query = select(entitlement).where(entitlement.c.operator_id == operator_id)
    if wanted.kind:
        query = query.where(entitlement.c.kind == wanted.kind)
    own = entitled_zone.c.entitlement_id == entitlement.c.entitlement_id
    if wanted.lot_id is not None:
        query = query.where(exists().where(own, entitled_zone.c.lot_id == wanted.lot_id))
    if wanted.within != EVERY:
        query = query.where(exists().where(own, wanted.within.hold(entitled_zone.c.lot_id)))
    if wanted.search:
        query = query.where(_contains(wanted.search))
    if wanted.state in STATES:
        query = query.where(_in_state(wanted.state, now_ms))
    return query.order_by(entitlement.c.entitlement_id.desc())


def _contains(search: str) -> ColumnElement[bool]:
    plate = normalise(search)
    has_plate = exists().where(
        entitled_plate.c.entitlement_id == entitlement.c.entitlement_id,
        entitled_plate.c.removed_ms.is_(None),
        entitled_plate.c.plate.contains(plate, autoescape=True),
    )
    texts = [entitlement.c[name].contains(search, autoescape=True) for name in ("name", "phone", "host", "remark")]
    return or_(*texts, *([has_plate] if plate else []))


def _in_state(state: str, now_ms: int) -> ColumnElement[bool]:
    ends, graced = entitlement.c.ends_ms, entitlement.c.ends_ms + entitlement.c.grace_days * DAY_MS
    over = or_(entitlement.c.ended_ms.is_not(None), and_(ends.is_not(None), graced <= now_ms))
    match state:
        case "over":
            return over
        case "soon":
            return and_(~over, ends > now_ms, ends <= now_ms + SOON_DAYS * DAY_MS)
        case "grace":
            return and_(~over, ends <= now_ms)
        case _:
            return and_(entitlement.c.ended_ms.is_(None), or_(ends.is_(None), graced > now_ms))


def _with_parts(conn: Connection, rows: Sequence[RowMapping]) -> list[Entitled]:
    ids = [row["entitlement_id"] for row in rows]
    plates = telling.plates_of(conn, ids)
    zones = telling.zones_of(conn, ids)
    return [
        Entitled(
            row,
            tuple(plate["plate"] for plate in plates.get(row["entitlement_id"], ()) if plate["removed_ms"] is None),
            tuple((zone["lot_id"], zone["zone"]) for zone in zones.get(row["entitlement_id"], ())),
        )
        for row in rows
    ]


def _log_text(terms: Terms) -> str:
    return canonical(_for_log(terms)).decode()


def _for_log(terms: Terms) -> Json:
    """For the audit log, which is kept for ever: plates masked."""
    values = _columns(terms) | {"plates": [mask(plate) for plate in terms.plates]}
    values["zones"] = sorted(f"{lot_id}:{zone}" if zone else str(lot_id) for lot_id, zone in terms.zones)
    return {name: value for name, value in values.items() if value not in ("", None, [], "[]") and name != "phone"}
