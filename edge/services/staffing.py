"""Who may sign in at this lot, and how far each role goes: attendants, supervisors and managers at the booth (a
manager is the lot's administrator), merchants' staff at the counter."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping

from domain.decision import Refuse
from domain.moment import Moment
from edge.db import channels, journal, people
from edge.db.database import Database, transaction
from edge.services.lot import Done, Result
from edge.settings import LotRules

ATTENDANT, SUPERVISOR, MANAGER = BOOTH_ROLES = ("attendant", "supervisor", "manager")  # each may what those before may
MERCHANT = "merchant:"  # followed by the merchant's number
LONGEST_NAME = 24


def employ(db: Database, name: str, role: str, pin_hash: str, by: str, now: Moment) -> Result:
    """Add somebody. Refuses ``bad_name``, ``name_taken`` and ``no_such_role``; names are never given to another."""
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable() or ":" in name:
        return Refuse("bad_name")
    with transaction(db) as conn:
        if not _is_role(conn, role):
            return Refuse("no_such_role")
        if people.get(conn, name) is not None:
            return Refuse("name_taken")
        people.put(conn, name, pin_hash, role, now)
        journal.act(conn, by, "person.add", name, role, now)
        return Done(name)


def set_pin(db: Database, name: str, pin_hash: str, by: str, now: Moment) -> Result:
    """Give somebody another PIN. Refuses ``person_from_cloud``: those PINs are set there."""
    with transaction(db) as conn:
        person = people.get(conn, name)
        if person is None:
            return Refuse("no_such_person")
        if person.from_cloud:
            return Refuse("person_from_cloud")
        people.put(conn, name, pin_hash, person.role, now)
        journal.act(conn, by, "person.pin", name, "", now)
        return Done(name)


def dismiss(db: Database, name: str, by: str, now: Moment) -> Result:
    """Let somebody sign in no more. Refuses the last manager: nobody could add another."""
    with transaction(db) as conn:
        person = people.get(conn, name)
        if person is None:
            return Refuse("no_such_person")
        if person.from_cloud:
            return Refuse("person_from_cloud")
        managers = [one for one in people.everyone(conn) if one.role == MANAGER]
        if person.role == MANAGER and len(managers) == 1:
            return Refuse("last_manager")
        people.remove(conn, name)
        journal.act(conn, by, "person.remove", name, "", now)
        return Done(name)


def close_pins(db: Database, close: Callable[[str, str], str]) -> int:
    """Close every PIN that an earlier release left as a bare hash; returns how many were."""
    with transaction(db) as conn:
        bare = [(one, close(one.name, one.pin_hash)) for one in people.own(conn)]
        changed = [(one, closed) for one, closed in bare if closed != one.pin_hash]
        for one, closed in changed:
            people.set_hash(conn, one.name, closed)
        return len(changed)


def may_waive(conn: sqlite3.Connection, rules: LotRules, by: str, amount_fen: int) -> bool:
    """May this person let go of so much of one stay's fee, or of one debt (E35)? No limit is set for a stranger."""
    return _is_within(conn, rules.waive_limits_fen, by, amount_fen)


def may_refund(conn: sqlite3.Connection, rules: LotRules, by: str, amount_fen: int) -> bool:
    """May this person give so much cash back for one stay? No limit is set for a stranger."""
    return _is_within(conn, rules.refund_limits_fen, by, amount_fen)


def may_set_fee(conn: sqlite3.Connection, rules: LotRules, by: str, apart_fen: int) -> bool:
    """May this person set a fee so far from the price lists' one (E35)? No limit is set for a stranger."""
    return _is_within(conn, rules.fee_limits_fen, by, apart_fen)


def may_charge_less(conn: sqlite3.Connection, rules: LotRules, by: str) -> bool:
    """May this person charge a car as a cheaper class than its plate's? A stranger may, as with limits."""
    person = people.get(conn, by)
    return person is None or is_at_least(person.role, rules.cheaper_class_by)


def _is_within(conn: sqlite3.Connection, limits_fen: Mapping[str, int], by: str, amount_fen: int) -> bool:
    person = people.get(conn, by)
    limit = limits_fen.get(person.role) if person else None
    return limit is None or amount_fen <= limit


def is_at_least(role: str, least: str) -> bool:
    """Does a role of the booth go as far as *least*? Nobody else's does."""
    return role in BOOTH_ROLES and BOOTH_ROLES.index(role) >= BOOTH_ROLES.index(least)


def ranks(conn: sqlite3.Connection, by: str, least: str) -> bool:
    """The same by name."""
    person = people.get(conn, by)
    return person is not None and is_at_least(person.role, least)


def _is_role(conn: sqlite3.Connection, role: str) -> bool:
    if role in BOOTH_ROLES:
        return True
    number = role.removeprefix(MERCHANT)
    known = role.startswith(MERCHANT) and number.isascii() and number.isdigit()
    return known and channels.get(conn, "rules", f"merchant:{int(number)}") is not None
