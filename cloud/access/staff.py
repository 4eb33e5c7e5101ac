"""Accounts a merchant gives its own people: they give coupons, up to a limit a day, and see what they gave (E20).

Those of a branch act for it alone; they are made with the branch (``cloud.merchants.branches``) and limited here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, bindparam, select, update

from cloud.access import audit, service
from cloud.access.roles import Role
from cloud.access.tables import user
from cloud.act import Act, Refused
from cloud.prepared import Found

MOST_STAFF = 99
_ROLES = (Role.MERCHANT_STAFF.value, Role.MERCHANT_BRANCH.value)
NAME_LENGTH = 40
MOST_COUPONS = 10_000  # of a day: more is a slip of the finger


@dataclass(frozen=True, slots=True)
class Daily:
    """The most an account may give in a day: how many coupons, and fen held for them; None: no limit."""

    coupons: int | None = None
    fen: int | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """A new account's login."""

    login: str


def create(
    conn: Connection, act: Act, merchant_id: int, account_no: str, name: str, password_hash: str, daily: Daily
) -> Account | Refused:
    """An account named after the merchant's, with a number behind it."""
    if not name.strip() or len(name) > NAME_LENGTH:
        return Refused("name_missing")
    number = service.count_role(conn, act.operator_id, merchant_id, Role.MERCHANT_STAFF) + 1
    if number > MOST_STAFF:
        return Refused("staff_many", {"most": MOST_STAFF})
    login = f"{account_no}-{number:02}"
    made = service.create_user(
        conn, act, login, name.strip(), Role.MERCHANT_STAFF, password_hash, merchant_id, short_lived=True
    )
    if isinstance(made, Refused):
        return made
    conn.execute(update(user).where(user.c.user_id == made).values(daily_coupons=daily.coupons, daily_fen=daily.fen))
    return Account(login)


def find(conn: Connection, operator_id: int, merchant_id: int, user_id: int) -> RowMapping | None:
    """One of the merchant's staff, a branch's with them."""
    query = select(user).where(
        user.c.user_id == user_id,
        user.c.operator_id == operator_id,
        user.c.merchant_id == merchant_id,
        user.c.role.in_(_ROLES),
    )
    return conn.execute(query).mappings().one_or_none()


def listed(conn: Connection, operator_id: int, merchant_id: int) -> Sequence[RowMapping]:
    """The merchant's staff and its branches', in the order they were made."""
    query = select(user).where(
        user.c.operator_id == operator_id,
        user.c.merchant_id == merchant_id,
        user.c.role.in_(_ROLES),
    )
    return conn.execute(query.order_by(user.c.user_id)).mappings().all()


def set_daily(conn: Connection, act: Act, merchant_id: int, user_id: int, daily: Daily) -> Refused | None:
    """New limits, from now on for the whole of today."""
    row = find(conn, act.operator_id, merchant_id, user_id)
    if row is None:
        return Refused("staff_unknown")
    after = {"daily_coupons": daily.coupons, "daily_fen": daily.fen}
    conn.execute(update(user).where(user.c.user_id == user_id).values(**after))
    before = {name: row[name] for name in after}
    audit.record(conn, act, "staff.limited", f"user:{row['login']}", before=before, after=after)
    return None


def set_enabled(conn: Connection, act: Act, merchant_id: int, user_id: int, *, enabled: bool) -> Refused | None:
    """Let in, or out at once: sessions of a disabled account are nobody's."""
    row = find(conn, act.operator_id, merchant_id, user_id)
    if row is None or row["enabled"] is enabled:
        return Refused("staff_unknown")
    conn.execute(update(user).where(user.c.user_id == user_id).values(enabled=enabled))
    what, before = "staff.enabled" if enabled else "staff.disabled", {"enabled": not enabled}
    audit.record(conn, act, what, f"user:{row['login']}", before=before, after={"enabled": enabled})
    return None


def reset(conn: Connection, act: Act, merchant_id: int, user_id: int, password_hash: str) -> Account | Refused:
    """A new first password."""
    row = find(conn, act.operator_id, merchant_id, user_id)
    if row is None:
        return Refused("staff_unknown")
    service.set_password(conn, act, user_id, password_hash, must_change=True)
    return Account(str(row["login"]))


DAILY = select(user.c.daily_coupons, user.c.daily_fen).where(
    user.c.login == bindparam("of_login"), user.c.operator_id == bindparam("of_operator")
)
"""The limits of an account, as a part of another question."""


def daily_of(conn: Connection, operator_id: int, login: str) -> Daily | None:
    """The limits of an account; None where it has none."""
    return daily(conn.execute(DAILY, {"of_login": login, "of_operator": operator_id}).mappings().one_or_none())


def daily(row: Found | None) -> Daily | None:
    """The answer to ``DAILY``."""
    if row is None or (row["daily_coupons"], row["daily_fen"]) == (None, None):
        return None
    return Daily(row["daily_coupons"], row["daily_fen"])
