"""Calls about booths: their shifts, and who may sign in there."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, RowMapping

from cloud.access.scopes import Scope
from cloud.act import Act, Refused
from cloud.api.operation import NO_BODY, Ask, NotThereError, Operation, done, rows
from cloud.api.schema import (
    AT_MS,
    DONE,
    END_MS,
    FLAG,
    ID,
    MOMENT,
    NAMED,
    PAGE,
    WHOLE,
    Schema,
    listing,
    maybe,
    one_of,
    record,
    text,
)
from cloud.booth import people, shifts
from cloud.booth.shifts import FIGURES, Asked
from cloud.web.state import Cloud
from domain.wire import Json
from plumbing.passwords import random_pin
from plumbing.sealing import SealKey


def list_shifts(conn: Connection, act: Act, ask: Ask) -> Any:
    """Shifts of the booths, newest first."""
    query = ask.query
    asked = Asked(
        query.get("from_ms", 0), query.get("until_ms", END_MS), query.get("lot_id"), query.get("q", ""),
        query.get("differs", False),
    )  # fmt: skip
    return rows(shifts.listed(conn, act.operator_id, asked, ask.page))


def get_shift(conn: Connection, act: Act, ask: Ask) -> Any:
    """One shift, and whether it stands on the log we hold."""
    row: RowMapping | None = shifts.one(conn, act.operator_id, ask.path["shift_id"])
    if row is None:
        raise NotThereError
    return {**row, "stands": shifts.stands_on_our_log(conn, row)}


def list_booth_people(conn: Connection, act: Act, ask: Ask) -> Any:
    """Who may sign in at booths by a PIN set here."""
    return [dict(row) for row in people.listed(conn, act.operator_id)]


async def _fresh_pin(cloud: Cloud, _body: Json) -> tuple[str, str]:
    pin = random_pin()
    return pin, await cloud.passwords.hash(pin)


def add_booth_person(conn: Connection, act: Act, ask: Ask) -> Any:
    """Let somebody sign in at one lot or all of them; the PIN is told this once."""
    pin, hashed = ask.prepared
    args = _box(ask), ask.body["name"], ask.body["role"], ask.body.get("lot_id"), hashed
    made = people.add(conn, act, *args)
    return made if isinstance(made, Refused) else {"booth_person_id": made, "pin": pin}


def new_pin(conn: Connection, act: Act, ask: Ask) -> Any:
    """Another PIN."""
    pin, hashed = ask.prepared
    return people.set_pin(conn, act, _box(ask), ask.id("booth_person_id"), hashed) or {"pin": pin}


def end_booth_person(conn: Connection, act: Act, ask: Ask) -> Any:
    """Let somebody sign in no more."""
    return done(people.end(conn, act, _box(ask), ask.id("booth_person_id")))


def _box(ask: Ask) -> SealKey:
    return SealKey.of(ask.cloud.config_key)


_SHIFT: dict[str, Schema] = {
    "shift_id": text(), "lot_id": WHOLE, "number": WHOLE, "workstation": text(), "opened_by": text(),
    "opened_ms": MOMENT, "closed_ms": maybe(MOMENT), "closed_by": text(), "takes_over": text(), "reason": text(1000),
    **dict.fromkeys(FIGURES, WHOLE),
}  # fmt: skip
_TIMES = {"from_ms": AT_MS, "until_ms": AT_MS}
_PIN = text(12)
_BOOTH_PERSON = record({
    "person_id": WHOLE, "lot_id": maybe(WHOLE), "name": text(), "role": text(), "set_ms": MOMENT, "set_by": text(),
})  # fmt: skip
_ONE = {"booth_person_id": ID}

OPERATIONS = (
    Operation(
        "GET", "/shifts", "list_shifts", "Shifts of the booths with their sums, newest first", list_shifts,
        listing(record(_SHIFT)), Scope.READ,
        query={**_TIMES, "lot_id": ID, "q": text(60), "differs": FLAG, "page": PAGE},
    ),
    Operation(
        "GET", "/shifts/{shift_id}", "get_shift", "One shift, and whether it stands on the log we hold", get_shift,
        record({**_SHIFT, "stands": FLAG}), Scope.READ, within={"shift_id": NAMED},
    ),
    Operation(
        "GET", "/booth-people", "list_booth_people", "Who may sign in at booths by a PIN set here", list_booth_people,
        listing(_BOOTH_PERSON), Scope.ACCOUNTS,
    ),
    Operation(
        "POST", "/booth-people", "add_booth_person", "Let somebody sign in at one lot, or at all; its PIN, this once",
        add_booth_person, record({"booth_person_id": WHOLE, "pin": _PIN}), Scope.ACCOUNTS, status=201,
        body=record(
            {"name": text(people.LONGEST_NAME, 1), "role": one_of(*people.ROLES)}, {"lot_id": maybe(ID)}
        ),
        prepare=_fresh_pin,
    ),
    Operation(
        "POST", "/booth-people/{booth_person_id}/pin", "reset_pin", "Another PIN, this once", new_pin,
        record({"pin": _PIN}), Scope.ACCOUNTS, within=_ONE, body=NO_BODY, prepare=_fresh_pin,
    ),
    Operation(
        "POST", "/booth-people/{booth_person_id}/end", "end_booth_person", "Let somebody sign in no more",
        end_booth_person, DONE, Scope.ACCOUNTS, within=_ONE, body=NO_BODY,
    ),
)  # fmt: skip
