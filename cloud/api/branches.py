"""Calls about branches of a merchant: their lots, limits and purses, and who acts for them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, RowMapping

from cloud.access.scopes import Scope
from cloud.act import Act
from cloud.api import first_passwords
from cloud.api.merchants import merchant_there
from cloud.api.operation import NO_BODY, Ask, NotThereError, Operation, done, made
from cloud.api.schema import DONE, FLAG, ID, MOMENT, MOST_ID, WHOLE, Schema, listing, one_of, record, text, whole
from cloud.merchants import branches
from cloud.merchants.branches import Plan
from domain.ledger import Commodity, branch_account


def _branch(conn: Connection, act: Act, ask: Ask) -> RowMapping:
    row = branches.get(conn, act.operator_id, ask.id("branch_id"))
    if row is None or row["merchant_id"] != ask.id("merchant_id"):
        raise NotThereError
    return row


def list_branches(conn: Connection, act: Act, ask: Ask) -> Any:
    """A merchant's branches, the oldest first; no lots are all lots."""
    merchant_id = merchant_there(conn, act, ask)["merchant_id"]
    found = branches.of_merchant(conn, act.operator_id, merchant_id)
    served = branches.lots_of(conn, [row["branch_id"] for row in found])
    purses = branches.purses(conn, merchant_id)
    return [
        {
            **row,
            "lots": served.get(row["branch_id"], []),
            "purse": {unit.value: purses.get((branch_account(row["branch_id"]), unit.value), 0) for unit in Commodity},
        }
        for row in found
    ]


def _plan(ask: Ask, name: str, own_purse: bool) -> Plan:
    body = ask.body
    return Plan(name, own_purse, body.get("month_fen", 0), body.get("month_min", 0), tuple(body.get("lots", ())))


def add(conn: Connection, act: Act, ask: Ask) -> Any:
    """One more branch."""
    plan = _plan(ask, ask.body["name"], ask.body.get("own_purse", False))
    return made(branches.add(conn, act, ask.id("merchant_id"), plan), "branch_id")


def limit(conn: Connection, act: Act, ask: Ask) -> Any:
    """Other limits and lots, or closed."""
    row = _branch(conn, act, ask)
    plan = _plan(ask, row["name"], row["own_purse"])
    return done(branches.limit(conn, act, row["branch_id"], plan, enabled=ask.body["enabled"]))


def fill(conn: Connection, act: Act, ask: Ask) -> Any:
    """Carry funds between the merchant's purse and the branch's own; below 0: back."""
    unit = Commodity(ask.body.get("commodity", "FEN"))
    return done(branches.fill(conn, act, _branch(conn, act, ask)["branch_id"], unit, ask.body["amount"]))


def new_login(conn: Connection, act: Act, ask: Ask) -> Any:
    """A login that acts for this branch alone."""
    branch_id = _branch(conn, act, ask)["branch_id"]
    login = branches.new_login(conn, act, branch_id, ask.body["name"], first_passwords.hashed(ask))
    return first_passwords.told(login, ask)


def list_members(conn: Connection, act: Act, ask: Ask) -> Any:
    """Who acts for a merchant beside its own login."""
    found = branches.members(conn, act.operator_id, merchant_there(conn, act, ask)["merchant_id"])
    return [{**row, "login": login, "of_branches": of_branches} for row, login, of_branches in found]


def admit(conn: Connection, act: Act, ask: Ask) -> Any:
    """Let another merchant's login act for this one, or for a branch of it."""
    args = ask.body["login"], ask.id("merchant_id"), ask.body.get("branch_id", 0)
    return done(branches.admit(conn, act, *args))


def dismiss(conn: Connection, act: Act, ask: Ask) -> Any:
    """Take that back; the login's sessions end."""
    args = ask.id("user_id"), ask.id("merchant_id"), ask.body.get("branch_id", 0)
    return done(branches.dismiss(conn, act, *args))


def new_password(conn: Connection, act: Act, ask: Ask) -> Any:
    """A new first password for a login of this merchant's branches."""
    args = ask.id("merchant_id"), ask.id("user_id"), first_passwords.hashed(ask)
    return first_passwords.told(branches.new_password(conn, act, *args), ask)


_BRANCH = record({
    "branch_id": WHOLE, "name": text(), "own_purse": FLAG, "month_fen": WHOLE, "month_min": WHOLE, "enabled": FLAG,
    "created_ms": MOMENT, "lots": listing(WHOLE), "purse": record({"FEN": WHOLE, "MIN": WHOLE}),
})  # fmt: skip
_MEMBER = record({"user_id": WHOLE, "login": text(), "branch_id": WHOLE, "of_branches": FLAG, "created_ms": MOMENT})
_MOST = whole(0, branches.MOST)
_PLAN: dict[str, Schema] = {"month_fen": _MOST, "month_min": _MOST, "lots": listing(ID, 200)}
_OF = whole(0, MOST_ID)
_OWN = {"merchant_id": ID}
_ONE, _PERSON = {**_OWN, "branch_id": ID}, {**_OWN, "user_id": ID}
_AT = "/merchants/{merchant_id}"

OPERATIONS = (
    Operation(
        "GET", f"{_AT}/branches", "list_branches", "Branches with their limits, lots and purses", list_branches,
        listing(_BRANCH), Scope.READ, for_merchants=True, within=_OWN,
    ),
    Operation(
        "POST", f"{_AT}/branches", "add_branch", "One more branch; no lots are all lots, 0 is no limit", add,
        record({"branch_id": WHOLE}), Scope.MONEY, within=_OWN, moves_money=True, status=201,
        body=record({"name": text(60, 1)}, {"own_purse": FLAG, **_PLAN}),
    ),
    Operation(
        "POST", f"{_AT}/branches/{{branch_id}}", "limit_branch", "Other limits and lots, or closed", limit, DONE,
        Scope.MONEY, within=_ONE, moves_money=True, body=record({"enabled": FLAG}, _PLAN),
    ),
    Operation(
        "POST", f"{_AT}/branches/{{branch_id}}/fill", "fill_branch", "Carry funds to its own purse; below 0: back",
        fill, DONE, Scope.MONEY, within=_ONE, moves_money=True,
        body=record(
            {"amount": whole(-branches.MOST, branches.MOST)},
            {"commodity": one_of(*(unit.value for unit in Commodity))},
        ),
    ),
    Operation(
        "POST", f"{_AT}/branches/{{branch_id}}/logins", "create_branch_login", "A login that acts for it alone",
        new_login, first_passwords.LOGIN, Scope.ACCOUNTS, within=_ONE, status=201, body=record({"name": text(40, 1)}),
        prepare=first_passwords.fresh,
    ),
    Operation(
        "GET", f"{_AT}/members", "list_members", "Who acts for a merchant beside its own login", list_members,
        listing(_MEMBER), Scope.ACCOUNTS, within=_OWN,
    ),
    Operation(
        "POST", f"{_AT}/members", "admit_member", "Let another merchant's login act for it or for a branch of it",
        admit, DONE, Scope.ACCOUNTS, within=_OWN, body=record({"login": text(64, 1)}, {"branch_id": _OF}),
    ),
    Operation(
        "POST", f"{_AT}/members/{{user_id}}/dismiss", "dismiss_member", "Take that back; its sessions end", dismiss,
        DONE, Scope.ACCOUNTS, within=_PERSON, body=record({}, {"branch_id": _OF}),
    ),
    Operation(
        "POST", f"{_AT}/members/{{user_id}}/password", "reset_branch_password", "A new first password",
        new_password, first_passwords.LOGIN, Scope.ACCOUNTS, within=_PERSON, body=NO_BODY,
        prepare=first_passwords.fresh,
    ),
)  # fmt: skip
