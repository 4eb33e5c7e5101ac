"""What a program may do: a key names its scopes, a person's token has those of the person's role (E71)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from cloud.access.roles import Right, may


class Scope(StrEnum):
    """One part of the machine interface."""

    READ = "read"  # lists and books, plates masked
    PLATES = "plates"  # plates in full, and looking for cars
    ISSUE = "issue"  # templates and coupons
    BUY = "buy"  # orders a merchant pays: coupons and top-ups, and when it is reminded
    MONEY = "money"  # top-ups, refunds, prices, statements
    MANAGE = "manage"  # lots, edges, merchants, limits
    ACCOUNTS = "accounts"  # logins of merchants, their branches and staff, and their first passwords
    PEOPLE = "people"  # monthly cars, visitors and plates that are not let in
    AUDIT = "audit"  # who did what
    HOOKS = "hooks"  # who is told of what happens


_OF_RIGHT: Final[dict[Right, tuple[Scope, ...]]] = {
    Right.VIEW: (Scope.READ,),
    Right.PLATES: (Scope.PLATES,),
    Right.ISSUE: (Scope.ISSUE,),
    Right.MONEY: (Scope.MONEY, Scope.BUY),
    Right.MANAGE: (Scope.MANAGE, Scope.ACCOUNTS, Scope.PEOPLE, Scope.HOOKS),
    Right.AUDIT: (Scope.AUDIT,),
    Right.OWN_MERCHANT: (Scope.READ, Scope.ISSUE, Scope.BUY, Scope.ACCOUNTS),
}

OF_A_MERCHANT: Final = (Scope.READ, Scope.PLATES, Scope.ISSUE, Scope.BUY, Scope.ACCOUNTS, Scope.HOOKS)
"""What a key of a merchant may have; its own things are all it reaches."""


def scopes_of(role: str) -> frozenset[Scope]:
    """What a person's token may do: nothing for who sees some lots alone, which calls do not part."""
    if not may(role, Right.VIEW) and not may(role, Right.GIVE):
        return frozenset()
    return frozenset(scope for right, scopes in _OF_RIGHT.items() if may(role, right) for scope in scopes)
