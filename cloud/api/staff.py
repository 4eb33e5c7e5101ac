"""Calls about accounts a merchant gives its own people, with what each may give in a day."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from cloud.access import staff
from cloud.access.scopes import Scope
from cloud.access.staff import Daily
from cloud.act import Act, Refused
from cloud.api import first_passwords
from cloud.api.merchants import merchant_there
from cloud.api.operation import NO_BODY, Ask, Operation, done
from cloud.api.schema import DONE, FLAG, ID, MOST_FEN, WHOLE, Schema, listing, maybe, record, text, whole
from cloud.merchants import branches


def _daily(ask: Ask) -> Daily:
    return Daily(ask.body.get("daily_coupons"), ask.body.get("daily_fen"))


def list_staff(conn: Connection, act: Act, ask: Ask) -> Any:
    """A merchant's people, in the order of their numbers."""
    found = staff.listed(conn, act.operator_id, merchant_there(conn, act, ask)["merchant_id"])
    return [dict(row) for row in found]


def create(conn: Connection, act: Act, ask: Ask) -> Any:
    """An account named after the merchant's."""
    row = merchant_there(conn, act, ask)
    merchant_id, branch_id = row["merchant_id"], ask.body.get("branch_id", 0)
    who = ask.body["name"], first_passwords.hashed(ask), _daily(ask)
    if branch_id:
        return _told(branches.staff_login(conn, act, merchant_id, branch_id, *who), ask)
    return _told(staff.create(conn, act, merchant_id, row["account_no"], *who), ask)


def limit(conn: Connection, act: Act, ask: Ask) -> Any:
    """Other limits, for the whole of today; what is left out is not limited."""
    return done(staff.set_daily(conn, act, ask.id("merchant_id"), ask.id("user_id"), _daily(ask)))


def enable(conn: Connection, act: Act, ask: Ask) -> Any:
    """In, or out at once."""
    args = ask.id("merchant_id"), ask.id("user_id")
    return done(staff.set_enabled(conn, act, *args, enabled=ask.body["enabled"]))


def reset(conn: Connection, act: Act, ask: Ask) -> Any:
    """A new first password."""
    args = ask.id("merchant_id"), ask.id("user_id"), first_passwords.hashed(ask)
    return _told(staff.reset(conn, act, *args), ask)


def _told(account: staff.Account | Refused, ask: Ask) -> Any:
    return first_passwords.told(account if isinstance(account, Refused) else account.login, ask)


_DAILY: dict[str, Schema] = {
    "daily_coupons": maybe(whole(0, staff.MOST_COUPONS)), "daily_fen": maybe(whole(0, MOST_FEN)),
}  # fmt: skip
_PERSON = record({
    "user_id": WHOLE, "login": text(), "name": text(), "enabled": FLAG, "must_change": FLAG, **_DAILY,
})  # fmt: skip
_OWN = {"merchant_id": ID}
_ONE = {**_OWN, "user_id": ID}
_AT = "/merchants/{merchant_id}/staff"

OPERATIONS = (
    Operation(
        "GET", _AT, "list_staff", "A merchant's people and what each may give in a day", list_staff, listing(_PERSON),
        Scope.ACCOUNTS, for_merchants=True, within=_OWN,
    ),
    Operation(
        "POST", _AT, "create_staff", "An account for one of its people, and its first password", create,
        first_passwords.LOGIN, Scope.ACCOUNTS, for_merchants=True, within=_OWN, status=201,
        body=record({"name": text(staff.NAME_LENGTH, 1)}, {**_DAILY, "branch_id": ID}), prepare=first_passwords.fresh,
    ),
    Operation(
        "POST", f"{_AT}/{{user_id}}/limits", "limit_staff", "What it may give in a day; null: any", limit,
        DONE, Scope.ACCOUNTS, for_merchants=True, within=_ONE, body=record({}, _DAILY),
    ),
    Operation(
        "POST", f"{_AT}/{{user_id}}/enabled", "enable_staff", "Let in, or out at once", enable, DONE, Scope.ACCOUNTS,
        for_merchants=True, within=_ONE, body=record({"enabled": FLAG}),
    ),
    Operation(
        "POST", f"{_AT}/{{user_id}}/password", "reset_staff_password", "A new first password", reset,
        first_passwords.LOGIN, Scope.ACCOUNTS, for_merchants=True, within=_ONE, body=NO_BODY,
        prepare=first_passwords.fresh,
    ),
)  # fmt: skip
