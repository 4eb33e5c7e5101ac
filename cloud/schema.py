"""All tables in one place: importing this fills ``cloud.db.metadata``."""

from __future__ import annotations

from cloud.access import tables as access
from cloud.api import tables as api
from cloud.booth import tables as booth
from cloud.coupons import tables as coupons
from cloud.db import metadata
from cloud.fees import tables as fees
from cloud.hooks import tables as hooks
from cloud.lots import tables as lots
from cloud.members import tables as members
from cloud.merchants import tables as merchants
from cloud.payments import tables as payments
from cloud.reconciling import tables as reconciling
from cloud.shop import tables as shop
from cloud.sync import tables as sync

__all__ = [
    "APPEND_ONLY",
    "access",
    "api",
    "booth",
    "coupons",
    "fees",
    "hooks",
    "lots",
    "members",
    "merchants",
    "metadata",
    "payments",
    "reconciling",
    "shop",
    "sync",
]

APPEND_ONLY = ("ledger_entry", "posting", "audit_log")
"""Tables whose rows no statement may change or remove; triggers see to it (I24)."""
