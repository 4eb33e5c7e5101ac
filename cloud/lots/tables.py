"""Tables of lots: the cloud owns the upper half, the lower half repeats what edges reported."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from cloud.db import big_id, metadata

operator = Table(
    "operator",
    metadata,
    Column("operator_id", big_id(), primary_key=True),
    Column("name", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)

lot = Table(
    "lot",
    metadata,
    Column("lot_id", big_id(), primary_key=True),
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("places", Integer, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)

zone = Table(
    "zone",
    metadata,
    Column("zone_id", big_id(), primary_key=True),
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("lot_id", ForeignKey("lot.lot_id"), nullable=False),
    Column("name", Text, nullable=False),
    UniqueConstraint("lot_id", "name"),
)

lane = Table(
    "lane",
    metadata,
    Column("lane_id", big_id(), primary_key=True),
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("lot_id", ForeignKey("lot.lot_id"), nullable=False),
    Column("name", Text, nullable=False),  # the name the edge's lot file and its events use
    Column("direction", Text, nullable=False),
    Column("from_zone", Text, nullable=False),
    Column("to_zone", Text, nullable=False),
    UniqueConstraint("lot_id", "name"),
)

edge = Table(
    "edge",
    metadata,
    Column("edge_id", Text, primary_key=True),
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("lot_id", ForeignKey("lot.lot_id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),  # pending -> claimed -> active -> revoked
    Column("public_key", LargeBinary),  # Ed25519, 32 bytes, from the claim on
    Column("claim_hash", LargeBinary),  # SHA-256 of the single-use secret; NULL once used
    Column("claim_expires_ms", BigInteger),
    Column("created_ms", BigInteger, nullable=False),
    Column("claimed_ms", BigInteger),
    Column("revoked_ms", BigInteger),
    Column("replaces", Text),  # the revoked edge of the lot whose place it takes
)
Index("ix_edge_lot_id", edge.c.lot_id)

voucher_key = Table(
    "voucher_key",
    metadata,
    Column("key_id", big_id(), primary_key=True),
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("lot_id", ForeignKey("lot.lot_id"), nullable=False),
    Column("edge_id", ForeignKey("edge.edge_id"), nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),  # active, revoked
    Column("last_counter", BigInteger, nullable=False),  # highest counter reported; a revoked key is good up to here
    Column("created_ms", BigInteger, nullable=False),
)

stay = Table(
    "stay",
    metadata,
    Column("stay_id", Text, primary_key=True),
    Column("operator_id", BigInteger, nullable=False),
    Column("lot_id", BigInteger, nullable=False),
    Column("edge_id", Text, nullable=False),
    Column("plate", Text, nullable=False),
    Column("plate_raw", Text, nullable=False),
    Column("vehicle_class", Text, nullable=False),
    Column("zone", Text, nullable=False),  # where it entered
    Column("entry_lane", Text, nullable=False),
    Column("entered_ms", BigInteger),  # NULL: the closing arrived and no opening is known
    Column("exit_lane", Text, nullable=False),
    Column("left_ms", BigInteger),  # NULL: still inside
    Column("outcome", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("fee_fen", BigInteger, nullable=False),
    Column("discount_fen", BigInteger, nullable=False),
    Column("waived_fen", BigInteger, nullable=False),
    Column("paid_fen", BigInteger, nullable=False),
    Column("owed_fen", BigInteger, nullable=False),
    Column("zone_now", Text, nullable=False, server_default=""),  # where it is after it moved, "" before
    Column("closed_at", BigInteger, nullable=False, server_default="0"),  # place in its edge's log of its last closing
)
Index("ix_stay_lot_id_left_ms", stay.c.lot_id, stay.c.left_ms)
Index("ix_stay_plate", stay.c.plate)
_INSIDE: dict[str, Any] = dict.fromkeys(("sqlite_where", "postgresql_where"), stay.c.left_ms.is_(None))
Index("ix_stay_inside", stay.c.operator_id, stay.c.left_ms, stay.c.entered_ms, stay.c.stay_id, stay.c.plate, **_INSIDE)

payment = Table(
    "payment",
    metadata,
    Column("payment_id", Text, primary_key=True),
    Column("operator_id", BigInteger, nullable=False),
    Column("lot_id", BigInteger, nullable=False),
    Column("stay_id", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),  # below 0: given back
    Column("taken_ms", BigInteger, nullable=False),
    Column("taken_by", Text, nullable=False),
)
Index("ix_payment_stay_id", payment.c.stay_id)

debt = Table(
    "debt",
    metadata,
    Column("debt_id", Text, primary_key=True),
    Column("operator_id", BigInteger, nullable=False),
    Column("lot_id", BigInteger, nullable=False),
    Column("stay_id", Text, nullable=False),
    Column("plate", Text, nullable=False),
    Column("owed_fen", BigInteger, nullable=False),
    Column("recorded_ms", BigInteger, nullable=False),
)
Index("ix_debt_plate", debt.c.plate)
Index("ix_debt_stay_id", debt.c.stay_id)

debt_move = Table(
    "debt_move",
    metadata,
    Column("move_id", Text, primary_key=True),
    Column("operator_id", BigInteger, nullable=False),
    Column("lot_id", BigInteger, nullable=False),
    Column("debt_id", Text, nullable=False),
    Column("kind", Text, nullable=False),  # paid, waived, reversed; disputed, upheld: these without an amount
    Column("amount_fen", BigInteger, nullable=False),
    Column("payment_id", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
)
Index("ix_debt_move_debt_id", debt_move.c.debt_id)
Index("ix_debt_move_payment_id", debt_move.c.payment_id)

zone_count = Table(
    "zone_count",
    metadata,
    Column("event_id", Text, primary_key=True),
    Column("operator_id", BigInteger, nullable=False),
    Column("lot_id", BigInteger, nullable=False),
    Column("zone", Text, nullable=False),
    Column("vehicle_class", Text, nullable=False),  # "": every class without places of its own
    Column("books", BigInteger, nullable=False),
    Column("counted", BigInteger, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("counted_ms", BigInteger, nullable=False),
)
Index("ix_zone_count_lot_id", zone_count.c.lot_id, zone_count.c.zone, zone_count.c.vehicle_class)

passage = Table(
    "passage",
    metadata,
    Column("event_id", Text, primary_key=True),
    Column("operator_id", BigInteger, nullable=False),
    Column("lot_id", BigInteger, nullable=False),
    Column("lane", Text, nullable=False),
    Column("decision_id", Text, nullable=False),
    Column("plate", Text, nullable=False),
    Column("happened_ms", BigInteger, nullable=False),
    Column("is_reversed", Boolean, nullable=False),
)
Index("ix_passage_lot_id_happened_ms", passage.c.lot_id, passage.c.happened_ms)

barrier_opening = Table(
    "barrier_opening",
    metadata,
    Column("event_id", Text, primary_key=True),
    Column("operator_id", BigInteger, nullable=False),
    Column("lot_id", BigInteger, nullable=False),
    Column("lane", Text, nullable=False),
    Column("decision_id", Text, nullable=False),
    Column("opened_by", Text, nullable=False),  # empty: by a decision, not by a person
    Column("reason", Text, nullable=False),
    Column("stay_id", Text, nullable=False, server_default=""),  # of the car it was for; empty: nobody said
    Column("happened_ms", BigInteger, nullable=False),
)
Index("ix_barrier_opening_lot_id_happened_ms", barrier_opening.c.lot_id, barrier_opening.c.happened_ms)

incident = Table(
    "incident",
    metadata,
    Column("incident_id", Text, primary_key=True),  # the event's id, or a UUIDv7 for those the cloud finds
    Column("operator_id", BigInteger, nullable=False),
    Column("lot_id", BigInteger),
    Column("edge_id", Text),
    Column("code", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("raised_ms", BigInteger, nullable=False),
    Column("closed_ms", BigInteger),
    Column("closed_by", Text),
)
Index("ix_incident_closed_ms_raised_ms", incident.c.closed_ms, incident.c.raised_ms)
Index("ix_payment_lot_id_taken_ms", payment.c.lot_id, payment.c.taken_ms)
