"""A merchant and the account it logs in with, made together (S1.4, S1.5)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from cloud.access import service as access
from cloud.access.roles import Role
from cloud.act import Act, Refused
from cloud.merchants import service


@dataclass(frozen=True, slots=True)
class Onboarded:
    """The new merchant."""

    merchant_id: int
    account_no: str


def onboard(
    conn: Connection, act: Act, name: str, phone: str, branch: str, remark: str, password_hash: str
) -> Onboarded | Refused:
    """The merchant, and a login under its account number whose first password must be changed (E66)."""
    made = service.create_merchant(conn, act, name, phone, branch, remark)
    if isinstance(made, Refused):
        return made
    merchant_id, account_no = int(made["merchant_id"]), str(made["account_no"])
    user = access.create_user(
        conn, act, account_no, made["name"], Role.MERCHANT, password_hash, merchant_id, short_lived=True
    )
    return user if isinstance(user, Refused) else Onboarded(merchant_id, account_no)


def reset_password(conn: Connection, act: Act, merchant_id: int, password_hash: str) -> str | Refused:
    """A new first password for the merchant's login; returns its account name."""
    person = access.merchant_user(conn, act.operator_id, merchant_id)
    if person is None:
        return Refused("merchant_unknown")
    access.set_password(conn, act, person.user_id, password_hash, must_change=True)
    return person.login
