"""How full a zone is: cars by the books, put right by whoever counted them, against the places it has."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from domain.decision import Refuse
from domain.events import ZoneCounted
from domain.moment import Moment
from edge.db import journal, log, stays, zone_counts
from edge.db.database import Database, transaction
from edge.services import entitled
from edge.services.lot import Done, Lot, Result
from edge.services.staffing import SUPERVISOR, is_at_least
from edge.settings import Zone

ALL = ""  # every class without places of its own
MOST_CARS = 100_000


@dataclass(frozen=True, slots=True)
class Filling:
    """One pool of places. *vehicle_class* "" is every class without its own; *places* None never fills.

    *books* is what the stays say, *inside* what counts: the same and *offset*, never below 0.
    """

    zone: str
    vehicle_class: str
    places: int | None
    kept: int
    books: int
    offset: int

    @property
    def inside(self) -> int:
        return max(0, self.books + self.offset)

    @property
    def free(self) -> int | None:
        """Places left for cars without an entitlement; below 0 where more are inside."""
        return None if self.places is None else self.places - self.kept - self.inside


def of_zone(conn: sqlite3.Connection, zone: Zone) -> list[Filling]:
    """Its pools: the common one first, then each class with places of its own."""
    by_class = stays.count_classes(conn, zone.name)
    common = sum(count for vehicle_class, count in by_class.items() if vehicle_class not in zone.class_places)
    pools = [(ALL, zone.places, zone.kept_places, common)]
    pools += [(name, places, 0, by_class.get(name, 0)) for name, places in zone.class_places.items()]
    return [
        Filling(zone.name, name, places, kept, books, zone_counts.offset(conn, zone.name, name))
        for name, places, kept, books in pools
    ]


def of_lot(conn: sqlite3.Connection, lot: Lot) -> list[Filling]:
    """Every pool of the lot, zone by zone."""
    return [pool for zone in lot.zones.values() for pool in of_zone(conn, zone)]


def free_places(conn: sqlite3.Connection, lot: Lot) -> dict[str, int]:
    """Places of each zone's common pool for cars without an entitlement; zones that never fill are left out."""
    zones = [zone.name for zone in lot.zones.values() if zone.places is not None]
    return {zone: left for zone in zones if (left := places_left(conn, lot, zone)) is not None}


def places_left(conn: sqlite3.Connection, lot: Lot, zone: str, vehicle_class: str = ALL) -> int | None:
    """Places left for one more car of this class; None where they never run out."""
    known = lot.zones[zone]
    if known.places is None and not known.class_places:
        return None
    pools = {pool.vehicle_class: pool for pool in of_zone(conn, known)}
    return pools.get(vehicle_class, pools[ALL]).free


def is_covered_within(conn: sqlite3.Connection, lot: Lot, plate: str, zone: str, now: Moment) -> bool:
    """Does an entitlement let this car into a zone that is reached through *zone*?"""
    inner = [one.name for one in lot.zones.values() if one.inside == zone] if plate else []
    return any(entitled.at_entry(conn, lot, plate, name, now).by is not None for name in inner)


def count(
    db: Database, lot: Lot, zone: str, vehicle_class: str, counted: int, by: str, role: str, reason: str, now: Moment
) -> Result:
    """Somebody counted the cars of a zone: from now on that counts, and what comes and goes is added to it.

    Refuses ``supervisor_only``, ``reason_missing``, ``no_such_zone`` and ``bad_cars``.
    """
    if not is_at_least(role, SUPERVISOR):
        return Refuse("supervisor_only")
    if not reason.strip() or not by:
        return Refuse("reason_missing")
    known = lot.zones.get(zone)
    if known is None or (vehicle_class and vehicle_class not in known.class_places):
        return Refuse("no_such_zone")
    if not 0 <= counted <= MOST_CARS:
        return Refuse("bad_cars")
    with transaction(db) as conn:
        (pool,) = (one for one in of_zone(conn, known) if one.vehicle_class == vehicle_class)
        zone_counts.add(conn, zone, vehicle_class, pool.books, counted, by, reason, now)
        log.append(conn, ZoneCounted(zone, vehicle_class, pool.books, counted, by, reason), now)
        journal.act(conn, by, "zone.count", zone, f"{pool.inside} > {counted} {reason}", now)
        return Done(zone)
