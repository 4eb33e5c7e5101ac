"""What the lists say of a plate: blocked, monthly, visitor, free, staff, or free by its kind."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from datetime import timedelta

from domain.entitlement import Entitlement
from domain.moment import Moment
from domain.plate import classify
from domain.wire import Json
from edge.db import channels, visitors
from edge.services import entitled
from edge.services.lot import Lot

BLOCK, FREE_KIND = "block", "free_kind"


@dataclass(frozen=True, slots=True)
class Standing:
    """One thing the lists say of a plate. *kind*: block, a ``Grant``, or free_kind.

    *state*: good, grace (ended, its days of grace run), ended, ahead (not begun). *days_left* counts today; None
    without an end.
    """

    kind: str
    state: str = "good"
    name: str = ""
    host: str = ""
    detail: str = ""
    days_left: int | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """One plate on a list. *visitor_id* and *by*: written down at this booth."""

    plate: str
    standing: Standing
    from_ms: int | None = None
    until_ms: int | None = None
    visitor_id: str = ""
    by: str = ""


def blocked(conn: sqlite3.Connection, plate: str, now: Moment) -> str:
    """Why *plate* may not come in now; "" when it may."""
    for _, row in channels.for_plate(conn, "people", plate):
        if row.get("list") == BLOCK and _in_time(row, now.wall_ms):
            return str(row.get("reason") or "blocked")
    return ""


def standing(conn: sqlite3.Connection, lot: Lot, plate: str, now: Moment) -> Standing | None:
    """The one thing to know of a plate at the lane: that it is blocked, what it is good for now, or what has ended."""
    reason = blocked(conn, plate, now) if plate else ""
    if reason:
        return Standing(BLOCK, detail=reason)
    kind = classify(plate)
    if kind is not None and kind in lot.rules.free_kinds:
        return Standing(FREE_KIND, detail=kind.value)
    names = {str(row.get("id") or plate): row for row in entitled.rows_of(conn, plate)}
    found = [of_entitlement(lot, one, names.get(one.id, {}), now) for one in entitled.of_plate(conn, lot, plate)]
    return min(found, key=lambda one: ("good", "grace", "ahead", "ended").index(one.state), default=None)


def of_entitlement(lot: Lot, one: Entitlement, row: Json, now: Moment) -> Standing:
    """Where an entitlement stands now; *row* has the names that belong to it."""
    local = lot.local(now.wall_ms)
    until = one.good_until
    if one.begins is not None and local < one.begins:
        state = "ahead"
    elif until is not None and local >= until:
        state = "ended"
    else:
        state = "grace" if one.ends is not None and local >= one.ends else "good"
    last = until if state == "grace" else one.ends
    left = None if last is None else max(0, ((last - timedelta(minutes=1)).date() - local.date()).days + 1)
    return Standing(one.grant.value, state, str(row.get("name") or ""), str(row.get("host") or ""), days_left=left)


def visitors_now(conn: sqlite3.Connection, lot: Lot, now: Moment, text: str = "") -> list[Listed]:
    """Visitors of the booth's own list who park free now; *text*: characters of their plate."""
    found = []
    for one in visitors.good_at(conn, now.wall_ms, text):
        row = _listed(lot, entitled.visitor_row(one), now)
        if row is not None:
            found.append(replace(row, visitor_id=one.visitor_id, by=one.by))
    return found


def found(
    conn: sqlite3.Connection, lot: Lot, text: str, now: Moment, most: int, offset: int = 0
) -> tuple[list[Listed], int]:
    """Plates with *text* in them on the cloud's lists, and how many; before the first of them the booth's visitors."""
    told, total = channels.containing(conn, "people", text, most, offset)
    rows = (_listed(lot, row, now) for row in told)
    own = visitors_now(conn, lot, now, text)
    return ([] if offset else own) + [row for row in rows if row is not None], total + len(own)


def _listed(lot: Lot, row: Json, now: Moment) -> Listed | None:
    plate = str(row.get("plate", ""))
    if row.get("list") == BLOCK:
        state = "good" if _in_time(row, now.wall_ms) else "ended"
        standing = Standing(BLOCK, state, detail=str(row.get("reason") or ""))
    else:
        one = entitled.of_row(lot, plate, row)
        if one is None:
            return None
        standing = of_entitlement(lot, one, row, now)
    return Listed(plate, standing, _ms(row, "from_ms"), _ms(row, "until_ms"))


def _ms(row: Json, name: str) -> int | None:
    value = row.get(name)
    return value if isinstance(value, int) else None


def _in_time(row: Json, wall_ms: int) -> bool:
    begins, ends = row.get("from_ms"), row.get("until_ms")
    return (not isinstance(begins, int) or begins <= wall_ms) and (not isinstance(ends, int) or wall_ms < ends)
