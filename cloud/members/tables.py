"""Tables of people: the cloud owns the upper ones, the last ones repeat what edges reported."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text

from cloud.db import big_id, metadata

entitlement = Table(
    "entitlement",
    metadata,
    Column("entitlement_id", big_id(), primary_key=True),
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("kind", Text, nullable=False),  # domain.entitlement.Grant
    Column("name", Text, nullable=False),
    Column("phone", Text, nullable=False),
    Column("host", Text, nullable=False),  # whom a visitor comes to see
    Column("remark", Text, nullable=False),
    Column("places", Integer, nullable=False),  # covered at once; 0: all
    Column("begins_ms", BigInteger),
    Column("ends_ms", BigInteger),
    Column("grace_days", Integer, nullable=False),
    Column("windows", Text, nullable=False),  # JSON: [[from minute, to minute, [weekdays]]]; [] any time
    Column("when_full", Text, nullable=False),  # domain.entitlement.WhenFull
    Column("created_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),  # taken back by a person
    Column("is_told", Boolean, nullable=False),  # lots hold rows of it
)
Index("ix_entitlement_operator_id_kind", entitlement.c.operator_id, entitlement.c.kind)

entitled_plate = Table(
    "entitled_plate",
    metadata,
    Column("entitlement_id", ForeignKey("entitlement.entitlement_id"), primary_key=True),
    Column("plate", Text, primary_key=True),
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("added_ms", BigInteger),  # NULL: there from the start
    Column("removed_ms", BigInteger),
)
Index("ix_entitled_plate_plate", entitled_plate.c.plate)

entitled_zone = Table(
    "entitled_zone",
    metadata,
    Column("entitlement_id", ForeignKey("entitlement.entitlement_id"), primary_key=True),
    Column("lot_id", ForeignKey("lot.lot_id"), primary_key=True),
    Column("zone", Text, primary_key=True),  # "": the whole lot
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
)
Index("ix_entitled_zone_lot_id", entitled_zone.c.lot_id)

blocked_plate = Table(
    "blocked_plate",
    metadata,
    Column("blocked_id", big_id(), primary_key=True),
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("plate", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("lot_id", ForeignKey("lot.lot_id")),  # NULL: every lot
    Column("ends_ms", BigInteger),
    Column("created_ms", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("ended_ms", BigInteger),
    Column("ended_by", Text),
    Column("is_told", Boolean, nullable=False),
)
Index("ix_blocked_plate_operator_id_plate", blocked_plate.c.operator_id, blocked_plate.c.plate)

booth_visitor = Table(
    "booth_visitor",
    metadata,
    Column("visitor_id", Text, primary_key=True),
    Column("operator_id", BigInteger, nullable=False),
    Column("lot_id", BigInteger, nullable=False),
    Column("edge_id", Text, nullable=False),
    Column("plate", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("begins_ms", BigInteger, nullable=False),
    Column("ends_ms", BigInteger, nullable=False),
    Column("added_by", Text, nullable=False),
    Column("ended_by", Text, nullable=False),
)
Index("ix_booth_visitor_operator_id_ends_ms", booth_visitor.c.operator_id, booth_visitor.c.ends_ms)

excused_stay = Table(
    "excused_stay",
    metadata,
    Column("stay_id", Text, primary_key=True),
    Column("operator_id", BigInteger, nullable=False),
    Column("lot_id", BigInteger, nullable=False),
    Column("edge_id", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("plate", Text, nullable=False),
    Column("why", Text, nullable=False),  # free_kind, covered, waived
    Column("detail", Text, nullable=False),
    Column("excused_by", Text, nullable=False),
    Column("waived_fen", BigInteger, nullable=False),
    Column("decision_id", Text, nullable=False),  # whose pictures the lot keeps
    Column("happened_ms", BigInteger, nullable=False),
)
Index("ix_excused_stay_operator_id_happened_ms", excused_stay.c.operator_id, excused_stay.c.happened_ms)

pass_price = Table(  # what a month of a monthly pass costs online; a lot without a row offers none
    "pass_price",
    metadata,
    Column("lot_id", ForeignKey("lot.lot_id"), primary_key=True),
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("month_fen", BigInteger, nullable=False),  # for each place of the pass
)

pass_month = Table(  # one month that somebody pays or paid online
    "pass_month",
    metadata,
    Column("order_id", Text, primary_key=True),
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("entitlement_id", ForeignKey("entitlement.entitlement_id"), nullable=False),
    Column("lot_id", ForeignKey("lot.lot_id"), nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("from_ms", BigInteger, nullable=False),  # the end the pass had when it was offered
    Column("until_ms", BigInteger, nullable=False),
    Column("state", Text, nullable=False),  # open -> done -> taken_back
    Column("created_ms", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("done_ms", BigInteger),
    Column("undone_ms", BigInteger),
)
Index("ix_pass_month_entitlement_id", pass_month.c.entitlement_id)
