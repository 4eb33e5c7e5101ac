"""Tables of the days laid side by side."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text, UniqueConstraint

from cloud.db import big_id, metadata

lot_day = Table(
    "lot_day",
    metadata,
    Column("lot_id", ForeignKey("lot.lot_id"), primary_key=True),
    Column("day", Text, primary_key=True),  # of the lot's own calendar
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("sums", Text, nullable=False),  # JSON: comparing.Sums
    Column("made_ms", BigInteger, nullable=False),
)

day_difference = Table(  # what two books of a day do not share, until a person worked it off (E72)
    "day_difference",
    metadata,
    Column("difference_id", big_id(), primary_key=True),
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("lot_id", ForeignKey("lot.lot_id"), nullable=False),
    Column("day", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("here", BigInteger, nullable=False),
    Column("there", BigInteger, nullable=False),
    Column("closed_ms", BigInteger),
    Column("closed_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    UniqueConstraint("lot_id", "day", "kind", "subject"),
)
Index("ix_day_difference_closed_ms", day_difference.c.operator_id, day_difference.c.closed_ms)
