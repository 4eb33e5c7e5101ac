"""Tables of the shop: what is for sale, and what merchants bought of it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text

from cloud.db import big_id, metadata

coupon_product = Table(
    "coupon_product",
    metadata,
    Column("product_id", big_id(), primary_key=True),
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),  # AMOUNT, DURATION or FULL_WAIVER
    Column("value", BigInteger, nullable=False),  # fen or minutes
    Column("cap_fen", BigInteger, nullable=False),  # the most one coupon may take off; 0: no limit
    Column("meaning", Text, nullable=False),  # of a duration
    Column("valid_min", Integer, nullable=False),  # of a coupon after it was given to a car
    Column("lot_id", BigInteger, nullable=False),  # where it is good; 0: at every lot
    Column("unit_fen", BigInteger, nullable=False),  # price of one
    Column("max_purchasable", BigInteger, nullable=False),  # by one merchant, ever; 0: no limit
    Column("valid_months", Integer, nullable=False),  # of the stock, from the day of purchase
    Column("created_ms", BigInteger, nullable=False),
    Column("withdrawn_ms", BigInteger),  # not for sale any more; what was bought stays good
)
Index("ix_coupon_product_operator_id", coupon_product.c.operator_id)

purchase = Table(  # a lot of purchase: its stock has a validity of its own
    "purchase",
    metadata,
    Column("purchase_id", big_id(), primary_key=True),
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("merchant_id", ForeignKey("merchant.merchant_id"), nullable=False),
    Column("product_id", ForeignKey("coupon_product.product_id"), nullable=False),
    Column("order_id", Text, nullable=False),  # of its payment; "" when it was paid at the operator's office
    Column("quantity", BigInteger, nullable=False),
    Column("unit_fen", BigInteger, nullable=False),  # as it was when it was bought
    Column("state", Text, nullable=False),  # WAITING, PAID, LAPSED
    Column("given", BigInteger, nullable=False),  # coupons of it that went to cars
    Column("refunded", BigInteger, nullable=False),
    Column("asked_back", BigInteger, nullable=False, server_default="0"),  # wait for a second person's word (E21)
    Column("asked_back_by", Text, nullable=False, server_default=""),  # who asked last
    Column("agreed_back", BigInteger, nullable=False, server_default="0"),  # the office has to pay for them
    Column("valid_from_ms", BigInteger),
    Column("valid_to_ms", BigInteger),  # not included
    Column("made_ms", BigInteger, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),  # of an unpaid one (E21)
    Column("paid_ms", BigInteger),
    Column("paid_by", Text, nullable=False),
)
Index("ix_purchase_merchant_id_product_id", purchase.c.merchant_id, purchase.c.product_id)
Index("ix_purchase_operator_id_made_ms", purchase.c.operator_id, purchase.c.made_ms)
