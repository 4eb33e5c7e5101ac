"""What each role may do (E65)."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """Who someone is to this cloud."""

    ADMIN = "admin"
    FINANCE = "finance"
    READ_ONLY = "read_only"
    LOT_MANAGER = "lot_manager"  # runs the lots named with the account and sees no others
    VERIFIER = "verifier"  # looks coupons up by their number and sees nothing else
    MERCHANT = "merchant"
    MERCHANT_BRANCH = "merchant_branch"  # acts for branches alone, never for a whole merchant
    MERCHANT_STAFF = "merchant_staff"  # whom a merchant lets give coupons (E20)


OFFICE = (Role.ADMIN, Role.FINANCE, Role.READ_ONLY, Role.LOT_MANAGER, Role.VERIFIER)  # the operator's own people


class Right(StrEnum):
    """One thing a role may or may not do."""

    VIEW = "view"  # the operator's pages
    VIEW_LOTS = "view_lots"  # those about lots, each seen by who has it
    RUN_LOTS = "run_lots"  # lanes, lists, booths and incidents of the lots one has
    CHECK = "check"  # what became of a coupon whose number one has
    PLATES = "plates"  # plates unmasked
    MONEY = "money"  # top-ups, refunds, settlement, prices
    ISSUE = "issue"  # coupons in a merchant's name
    MANAGE = "manage"  # lots, edges, merchants
    AUDIT = "audit"
    ACCOUNTS = "accounts"  # who of the operator's people may sign in, and as what
    KEYS = "keys"  # what other programs may do, and what they are told
    OWN_MERCHANT = "own_merchant"  # the merchant's own pages
    OWN_BRANCH = "own_branch"  # pages of a merchant or of one branch of it
    GIVE = "give"  # coupons in one's own merchant's name, and their records
    HAND_OUT = "hand_out"  # codes, papers and posters of one's own merchant, for whoever comes


RIGHTS: dict[Role, frozenset[Right]] = {
    Role.ADMIN: frozenset(Right) - {Right.OWN_MERCHANT, Right.OWN_BRANCH, Right.GIVE, Right.HAND_OUT},
    Role.FINANCE: frozenset({Right.VIEW, Right.VIEW_LOTS, Right.CHECK, Right.PLATES, Right.MONEY}),
    Role.READ_ONLY: frozenset({Right.VIEW, Right.VIEW_LOTS, Right.CHECK}),
    Role.LOT_MANAGER: frozenset({Right.VIEW_LOTS, Right.RUN_LOTS, Right.CHECK, Right.PLATES}),
    Role.VERIFIER: frozenset({Right.CHECK}),
    Role.MERCHANT: frozenset({Right.OWN_MERCHANT, Right.OWN_BRANCH, Right.GIVE, Right.HAND_OUT, Right.PLATES}),
    Role.MERCHANT_BRANCH: frozenset({Right.OWN_BRANCH, Right.GIVE, Right.HAND_OUT, Right.PLATES}),
    Role.MERCHANT_STAFF: frozenset({Right.GIVE, Right.HAND_OUT, Right.PLATES}),
}


def may(role: str, right: Right) -> bool:
    """Whether *role* has *right*; an unknown role has none."""
    return role in set(Role) and right in RIGHTS[Role(role)]
