"""Tables of merchants: accounts, contracts, append-only books, leases."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, false

from cloud.db import big_id, metadata

merchant = Table(
    "merchant",
    metadata,
    Column("merchant_id", big_id(), primary_key=True),
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("account_no", Text, nullable=False, unique=True),  # nine digits (S1.6)
    Column("name", Text, nullable=False),
    Column("phone", Text, nullable=False),
    Column("branch", Text, nullable=False),
    Column("remark", Text, nullable=False),
    Column("asked_back_by", Text, nullable=False, server_default=""),  # who last asked for money of the purse back
    Column("payment_mode", Text),  # PREPAID or POSTPAID; NULL until set, then immutable (S1.13)
    Column("settlement_mode", Text),  # ON_ISSUE or ON_REDEEM
    Column("credit_limit_fen", BigInteger, nullable=False),
    Column("credit_limit_min", BigInteger, nullable=False),
    Column("pay_within_days", BigInteger, nullable=False),  # of a statement; 0: no term
    Column("billing", Text, nullable=False, server_default="month:1"),  # its periods (domain/billing.py)
    Column("low_fen", BigInteger),  # warned below so much; NULL: the usual
    Column("low_min", BigInteger),
    Column("suggest_fen", BigInteger, nullable=False, server_default="0"),  # top-up ordered then; 0: none
    Column("enabled", Boolean, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("disabled_ms", BigInteger),
)
Index("ix_merchant_operator_id", merchant.c.operator_id)

contract = Table(
    "contract",
    metadata,
    Column("contract_id", big_id(), primary_key=True),
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("merchant_id", ForeignKey("merchant.merchant_id"), nullable=False),
    Column("lot_id", ForeignKey("lot.lot_id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("amount_basis", Text, nullable=False),  # the columns from here on: domain/contract.py
    Column("amount_percent", Integer, nullable=False),
    Column("duration_basis", Text, nullable=False),
    Column("duration_percent", Integer, nullable=False),
    Column("fen_per_hour", BigInteger, nullable=False),
    Column("waiver_basis", Text, nullable=False),
    Column("waiver_percent", BigInteger, nullable=False),
    Column("waiver_cap_fen", BigInteger, nullable=False),
    Column("free_fen", BigInteger, nullable=False),
    Column("free_min", BigInteger, nullable=False),
    Column("starts_ms", BigInteger, nullable=False),
    Column("ends_ms", BigInteger),  # of the newest version: nothing new from here on
    Column("takes_back", Boolean, nullable=False, server_default=false()),  # what is out then and not used
    Column("ended", Boolean, nullable=False, server_default=false()),  # that was carried out
    UniqueConstraint("merchant_id", "lot_id", "version"),
)

ledger_entry = Table(
    "ledger_entry",
    metadata,
    Column("entry_id", big_id(), primary_key=True),
    Column("operator_id", BigInteger, nullable=False),
    Column("merchant_id", ForeignKey("merchant.merchant_id"), nullable=False),
    Column("event_id", Text, nullable=False),  # edge.epoch.seq, or a UUIDv7 for an act in the cloud
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),  # what it is about: a coupon serial, a voucher, a lease
    Column("note", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
)
Index("ix_ledger_entry_merchant_id_entry_id", ledger_entry.c.merchant_id, ledger_entry.c.entry_id)

posting = Table(
    "posting",
    metadata,
    Column("posting_id", big_id(), primary_key=True),
    Column("entry_id", ForeignKey("ledger_entry.entry_id"), nullable=False),
    Column("operator_id", BigInteger, nullable=False),
    Column("merchant_id", ForeignKey("merchant.merchant_id"), nullable=False),
    Column("event_id", Text, nullable=False),
    Column("leg", Integer, nullable=False),
    Column("account", Text, nullable=False),
    Column("commodity", Text, nullable=False),
    Column("funds", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    UniqueConstraint("event_id", "leg"),
)
Index("ix_posting_entry_id", posting.c.entry_id)
Index("ix_posting_merchant_id_account", posting.c.merchant_id, posting.c.account)

balance = Table(  # sums of postings, kept in the same transaction and checked against them
    "balance",
    metadata,
    Column("merchant_id", ForeignKey("merchant.merchant_id"), primary_key=True),
    Column("account", Text, primary_key=True),
    Column("commodity", Text, primary_key=True),
    Column("funds", Text, primary_key=True),
    Column("operator_id", BigInteger, nullable=False),
    Column("amount", BigInteger, nullable=False),
)

lease = Table(
    "lease",
    metadata,
    Column("lease_id", big_id(), primary_key=True),
    Column("operator_id", BigInteger, nullable=False),
    Column("edge_id", ForeignKey("edge.edge_id"), nullable=False),
    Column("lot_id", BigInteger, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("merchant_id", ForeignKey("merchant.merchant_id"), nullable=False),
    Column("commodity", Text, nullable=False),
    Column("funds", Text, nullable=False),
    Column("granted", BigInteger, nullable=False),
    Column("spent", BigInteger, nullable=False),  # what applied events spent of it
    Column("returned", BigInteger, nullable=False),
    Column("state", Text, nullable=False),  # active, closed, frozen
    Column("is_applied", Boolean, nullable=False),  # the edge said it holds it
    Column("spend_until_h", Integer, nullable=False),
    Column("granted_ms", BigInteger, nullable=False),
    Column("closed_ms", BigInteger),
)
Index("ix_lease_edge_id_state", lease.c.edge_id, lease.c.state)
Index("ix_lease_merchant_id_state", lease.c.merchant_id, lease.c.state)

lease_paper = Table(  # of templates that have a total: what a lot may print from a lease
    "lease_paper",
    metadata,
    Column("lease_id", BigInteger, primary_key=True, autoincrement=False),
    Column("template_id", BigInteger, primary_key=True, autoincrement=False),
    Column("operator_id", BigInteger, nullable=False),
    Column("papers", Integer, nullable=False),
    Column("printed", Integer, nullable=False),  # as far as the lot told
)
Index("ix_lease_paper_template_id", lease_paper.c.template_id)

statement = Table(  # what a merchant owes for a time, closed once
    "statement",
    metadata,
    Column("statement_id", big_id(), primary_key=True),
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("merchant_id", ForeignKey("merchant.merchant_id"), nullable=False),
    Column("from_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),  # not included
    Column("owed_fen", BigInteger, nullable=False),
    Column("owed_min", BigInteger, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("due_ms", BigInteger),
    Column("paid_ms", BigInteger),
    Column("paid_by", Text, nullable=False),
    UniqueConstraint("merchant_id", "from_ms"),
)

statement_line = Table(
    "statement_line",
    metadata,
    Column("statement_id", ForeignKey("statement.statement_id"), primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("entry_id", ForeignKey("ledger_entry.entry_id"), nullable=False),
    Column("operator_id", BigInteger, nullable=False),
    Column("lot_id", BigInteger, nullable=False),  # 0: of no lot
    Column("subject", Text, nullable=False),
    Column("kind", Text, nullable=False),  # of the ledger entry
    Column("face", BigInteger, nullable=False),
    Column("reduced_fen", BigInteger, nullable=False),
    Column("owed", BigInteger, nullable=False),
    Column("commodity", Text, nullable=False),
    Column("happened_ms", BigInteger, nullable=False),
    Column("branch_id", BigInteger, nullable=False, server_default="0"),  # 0: of no branch
    Column("operator_word", Text, nullable=False),  # "", confirmed or disputed
    Column("merchant_word", Text, nullable=False),
    Column("note", Text, nullable=False),
    UniqueConstraint("entry_id", "commodity"),  # told of once
)

branch = Table(  # a shop of a merchant with several
    "branch",
    metadata,
    Column("branch_id", big_id(), primary_key=True),
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("merchant_id", ForeignKey("merchant.merchant_id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("own_purse", Boolean, nullable=False),  # else it spends the merchant's
    Column("month_fen", BigInteger, nullable=False),  # the most it may give in a month; 0: no limit
    Column("month_min", BigInteger, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    UniqueConstraint("merchant_id", "name"),
)

branch_lot = Table(  # lots a branch serves; without any: all lots of its merchant
    "branch_lot",
    metadata,
    Column("branch_id", ForeignKey("branch.branch_id"), primary_key=True),
    Column("lot_id", ForeignKey("lot.lot_id"), primary_key=True),
    Column("operator_id", BigInteger, nullable=False),
)

membership = Table(  # what a login may act for beside its own merchant
    "membership",
    metadata,
    Column("user_id", ForeignKey("app_user.user_id"), primary_key=True),
    Column("merchant_id", ForeignKey("merchant.merchant_id"), primary_key=True),
    Column("branch_id", BigInteger, primary_key=True, autoincrement=False),  # 0: the whole merchant
    Column("operator_id", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)
Index("ix_membership_merchant_id", membership.c.merchant_id)
