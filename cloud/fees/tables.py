"""Tables of fees paid by phone."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text

from cloud.db import metadata

phone_fee = Table(  # a lot's quote that somebody is paying or paid; one order a quote while it is open
    "phone_fee",
    metadata,
    Column("payment_id", Text, primary_key=True),  # the order's id without its dashes: so the lot knows the payment
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("lot_id", ForeignKey("lot.lot_id"), nullable=False),
    Column("order_id", Text, nullable=False, unique=True),
    Column("number", Text, nullable=False),  # the quote's
    Column("quote", Text, nullable=False),  # its signed text
    Column("plate", Text, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("state", Text, nullable=False),  # open -> paid (the lot is being told) -> booked
    Column("outcome", Text, nullable=False),  # of the lot: settled, part, debt, returned
    Column("told", Text, nullable=False),  # how the lot learned of it first: list, pass, code
    Column("used_fen", BigInteger, nullable=False),
    Column("back_fen", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("paid_ms", BigInteger),
    Column("booked_ms", BigInteger),
)
Index("ix_phone_fee_number", phone_fee.c.lot_id, phone_fee.c.number)
Index("ix_phone_fee_lot_id_paid_ms", phone_fee.c.lot_id, phone_fee.c.paid_ms)

lot_prices = Table(  # the price lists each lot charges by, as it last said
    "lot_prices",
    metadata,
    Column("lot_id", ForeignKey("lot.lot_id"), primary_key=True),
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("said", Text, nullable=False),  # the text of a PriceNotice
    Column("said_ms", BigInteger, nullable=False),
)
