"""Tables of the machine interface: what was answered to calls that carried an idempotency key."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from cloud.db import metadata

api_answer = Table(
    "api_answer",
    metadata,
    Column("operator_id", ForeignKey("operator.operator_id"), primary_key=True),
    Column("caller", Text, primary_key=True),  # whose key it is: nobody is answered with another's
    Column("key", Text, primary_key=True),
    Column("body_hash", LargeBinary, nullable=False),  # of method, path and body
    Column("status", Integer, nullable=False),
    Column("body", Text, nullable=False),  # JSON; empty while the call is being carried out
    Column("made_ms", BigInteger, nullable=False),
)
Index("ix_api_answer_made_ms", api_answer.c.made_ms)
