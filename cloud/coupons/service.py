"""Coupons, for the other capabilities: templates, coupons straight to a car inside, and taking them back."""

from cloud.coupons.expiring import record_expiries, withdraw_expired
from cloud.coupons.expiring_papers import release_left as release_papers_left
from cloud.coupons.expiring_papers import withdraw as withdraw_papers
from cloud.coupons.issuing import MOST_AT_ONCE, Issued, issue
from cloud.coupons.life import CUSTOM, MOVES, Kind, State, coupon_kind
from cloud.coupons.limiting import Ask, refusal
from cloud.coupons.listing import bound_to, coupons, facts, givers, held_by, vouchers
from cloud.coupons.rebinding import by_merchant as rebind
from cloud.coupons.telling import tell_coupon_rules
from cloud.coupons.template import (
    create_template,
    delete_template,
    lots_of,
    product_template,
    tell_template,
    templates,
)
from cloud.coupons.voiding import release_left, release_voids, void

__all__ = [
    "CUSTOM",
    "MOST_AT_ONCE",
    "MOVES",
    "Ask",
    "Issued",
    "Kind",
    "State",
    "bound_to",
    "coupon_kind",
    "coupons",
    "create_template",
    "delete_template",
    "facts",
    "givers",
    "held_by",
    "issue",
    "lots_of",
    "product_template",
    "rebind",
    "record_expiries",
    "refusal",
    "release_left",
    "release_papers_left",
    "release_voids",
    "tell_coupon_rules",
    "tell_template",
    "templates",
    "void",
    "vouchers",
    "withdraw_expired",
    "withdraw_papers",
]
