"""Tables of the booths: shifts as lots reported them, people with PINs set here, keys those are sealed for."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text

from cloud.db import big_id, metadata

SUMS = (
    "fee_fen", "by_hand_fen", "coupon_fen", "waived_fen", "owed_fen", "debts_fen", "cash_fen", "electronic_fen",
    "refund_fen", "float_fen", "drop_fen", "expected_fen", "counted_fen",
)  # fmt: skip
COUNTS = ("cars", "payments", "openings")

booth_shift = Table(
    "booth_shift",
    metadata,
    Column("shift_id", Text, primary_key=True),
    Column("operator_id", BigInteger, nullable=False),
    Column("lot_id", BigInteger, nullable=False),
    Column("edge_id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("workstation", Text, nullable=False),
    Column("opened_by", Text, nullable=False),
    Column("opened_ms", BigInteger, nullable=False),
    Column("closed_ms", BigInteger),  # none: it is open
    Column("closed_by", Text, nullable=False),
    Column("takes_over", Text, nullable=False),
    Column("reason", Text, nullable=False),
    *(Column(name, BigInteger, nullable=False) for name in (*COUNTS, *SUMS)),
    Column("epoch", Integer, nullable=False),
    Column("log_seq", BigInteger, nullable=False),  # where the lot says its log stood, and with which head
    Column("log_head", Text, nullable=False),
)
Index("ix_booth_shift_operator_id_opened_ms", booth_shift.c.operator_id, booth_shift.c.opened_ms)

booth_person = Table(
    "booth_person",
    metadata,
    Column("person_id", big_id(), primary_key=True),
    Column("operator_id", BigInteger, nullable=False),
    Column("lot_id", BigInteger),  # none: every lot
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),  # attendant, supervisor, manager
    Column("pin", LargeBinary, nullable=False),  # its Argon2id hash, sealed under the key in the config key's file
    Column("set_ms", BigInteger, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("ended_ms", BigInteger),
)
Index("ix_booth_person_operator_id_name", booth_person.c.operator_id, booth_person.c.name)

booth_key = Table(
    "booth_key",
    metadata,
    Column("edge_id", Text, primary_key=True),
    Column("operator_id", BigInteger, nullable=False),
    Column("public", LargeBinary, nullable=False),  # what an edge opens seals with, as its hello named it
)
