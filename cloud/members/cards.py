"""Which monthly cards plates have already: two at a time in one lot would be a slip."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, select

from cloud.act import Refused
from cloud.bulk import rows_among
from cloud.members.tables import entitled_plate, entitled_zone, entitlement
from cloud.members.terms import Terms
from domain.entitlement import Grant

EVER = 1 << 62


@dataclass(frozen=True, slots=True)
class Card:
    """A monthly card in one lot, not taken back."""

    lot_id: int
    begins_ms: int
    ends_ms: int


Cards = dict[str, list[Card]]


def of_plates(conn: Connection, operator_id: int, plates: Collection[str], but: int = 0) -> Cards:
    """The cards of *plates*, by plate, without those of the entitlement *but*."""
    found = Cards()
    query = (
        select(entitled_plate.c.plate, entitled_zone.c.lot_id, entitlement.c.begins_ms, entitlement.c.ends_ms)
        .join(entitlement, entitlement.c.entitlement_id == entitled_plate.c.entitlement_id)
        .join(entitled_zone, entitled_zone.c.entitlement_id == entitlement.c.entitlement_id)
        .where(
            entitlement.c.operator_id == operator_id,
            entitlement.c.entitlement_id != but,
            entitlement.c.kind == Grant.MONTHLY.value,
            entitlement.c.ended_ms.is_(None),
            entitled_plate.c.removed_ms.is_(None),
        )
    )
    for row in rows_among(conn, query, entitled_plate.c.plate, sorted(plates)):
        card = Card(int(row["lot_id"]), row["begins_ms"] or 0, EVER if row["ends_ms"] is None else row["ends_ms"])
        found.setdefault(row["plate"], []).append(card)
    return found


def put(held: Cards, terms: Terms) -> None:
    """Count a card that was just written."""
    if terms.kind is not Grant.MONTHLY:
        return
    for plate in terms.plates:
        ends_ms = EVER if terms.ends_ms is None else terms.ends_ms
        held.setdefault(plate, []).extend(Card(lot_id, terms.begins_ms or 0, ends_ms) for lot_id, _ in terms.zones)


def twice(terms: Terms, held: Cards, now_ms: int) -> Refused | None:
    """Why a monthly card of these *terms* would be a second one."""
    if terms.kind is not Grant.MONTHLY:
        return None
    lots = {lot_id for lot_id, _ in terms.zones}
    begins_ms, ends_ms = terms.begins_ms or now_ms, EVER if terms.ends_ms is None else terms.ends_ms
    for plate in terms.plates:
        for card in held.get(plate, ()):
            if card.lot_id in lots and card.begins_ms < ends_ms and begins_ms < card.ends_ms:
                return Refused("plate_has_card", {"plate": plate})
    return None
