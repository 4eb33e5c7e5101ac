"""The lot file, price lists and device key turned into the one value services are handed."""

from __future__ import annotations

import os

from domain.ids import uuid7
from domain.moment import Moment
from edge.pricelists import LoadedPrices
from edge.services.lot import Lot, NewId
from edge.settings import EdgeSettings
from plumbing.signing import BadKeyError, PrivateKey, PublicKey


def new_id(now: Moment) -> str:
    """A UUIDv7."""
    return uuid7(now.wall_ms, os.urandom(10))


def verify(public: bytes, purpose: bytes, message: bytes, signature: bytes) -> bool:
    """Check a signature by a raw public key; a broken key verifies nothing."""
    try:
        return PublicKey.from_raw(public)(purpose, message, signature)
    except BadKeyError:
        return False


def build_lot(
    settings: EdgeSettings, prices: LoadedPrices, key: PrivateKey, started: Moment, make_id: NewId = new_id
) -> Lot:
    """What services know of this lot."""
    return Lot(
        lot_id=settings.lot_id,
        edge=settings.edge,
        name=settings.name,
        tz=settings.tz,
        locale=settings.locale,
        rules=settings.rules,
        lanes={lane.name: lane for lane in settings.lanes},
        zones={zone.name: zone for zone in settings.zones},
        tariffs=prices.by_zone,
        calendars=prices.calendars,
        price=prices.lists,
        new_id=make_id,
        started=started,
        public_key=key.public.raw,
        sign=key,
        verify=verify,
        cloud_key=_cloud_key(settings),
        workstations={place.name: place for place in settings.workstations},
    )


def _cloud_key(settings: EdgeSettings) -> bytes:
    """The cloud's key as it was pinned at the claim."""
    pinned = settings.cloud_key_file
    return bytes.fromhex(pinned.read_text(encoding="ascii").strip()) if pinned.exists() else b""
