"""PINs: closed in the database, locked after wrong ones, set from the cloud; a supervisor's word beside one's own."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.db import people
from edge.pins import label
from edge.services.locking import MOST_WRONG
from edge.settings import EdgeSettings
from plumbing.sealing import seal
from tests.edge.web.running import PIN, WALL, Lot, Visitor, running, visiting

ATTENDANT, MANAGER = WALL["attendant"][0], WALL["manager"][0]


def limited(settings: EdgeSettings) -> EdgeSettings:
    return replace(settings, rules=replace(settings.rules, waive_limits_fen={"attendant": 100}))


@pytest.fixture
async def lot(tmp_path: Path) -> AsyncIterator[Lot]:
    async with running(tmp_path, limited) as lot:
        yield lot


@pytest.fixture
async def booth(lot: Lot) -> AsyncIterator[Visitor]:
    async with visiting(lot, "booth") as visitor:
        yield visitor


def stored(conn: sqlite3.Connection) -> dict[str, str]:
    return {one.name: one.pin_hash for one in people.own(conn)}


async def test_a_pin_stands_closed_in_the_database_and_opens_the_booth(lot: Lot, booth: Visitor) -> None:
    await booth.sign_in("manager")
    await booth.send("/booth/people/pin", {"name": ATTENDANT}, "/booth/people")

    pins = await lot.edge.read(stored)

    assert pins[ATTENDANT].startswith(people.SEALED)
    person = await lot.edge.staff.get(ATTENDANT)
    assert person is not None
    assert person.pin_hash.startswith("$argon2id$")


async def test_too_many_wrong_pins_lock_somebody_out_until_a_supervisor_ends_it(lot: Lot, booth: Visitor) -> None:
    for _ in range(MOST_WRONG):
        await lot.edge.staff.tried(ATTENDANT, is_right=False)

    assert await booth.sign_in() == 429, "the right PIN does not help"
    assert "pin_locked" in [one.code for one in await lot.edge.incidents()]
    assert await booth.sign_in("manager") == 200
    await booth.send("/booth/people/unlock", {"name": ATTENDANT}, "/booth/people")

    assert await lot.edge.staff.locked_ms(ATTENDANT) == 0
    async with visiting(lot, "booth") as other:
        assert await other.sign_in() == 200


async def test_a_lock_ends_by_itself(lot: Lot) -> None:
    for _ in range(MOST_WRONG):
        await lot.edge.staff.tried(ATTENDANT, is_right=False)
    assert await lot.edge.staff.locked_ms(ATTENDANT) > 0

    lot.later(16)

    assert await lot.edge.staff.locked_ms(ATTENDANT) == 0


async def test_a_person_of_the_cloud_signs_in_by_a_pin_closed_for_this_device(lot: Lot, booth: Visitor) -> None:
    person = await lot.edge.staff.get(ATTENDANT)
    assert person is not None
    public = lot.edge.office.pins.key.public
    pin = seal(public, person.pin_hash.encode(), label("陈班长"))
    await lot.put("booth", "person:1", {"name": "陈班长", "role": "supervisor", "pin": pin.hex(), "set_ms": 1})
    await lot.put("booth", "person:2", {"name": "别人", "role": "manager", "pin": pin.hex(), "set_ms": 1})

    async def signs_in(name: str) -> int:
        return (await booth.send("/login", {"account": name, "password": PIN}))[0]

    assert await signs_in("别人") == 422, "a hash belongs to its name"
    assert await signs_in("陈班长") == 200
    page = await booth.get("/booth/people")
    assert ("云端" in page, "/booth/people/dismiss" in page) == (True, False)


async def test_what_exceeds_ones_limit_needs_a_supervisors_pin_and_both_names_are_kept(
    lot: Lot, booth: Visitor
) -> None:
    stay = await lot.enters()
    await booth.sign_in()
    waive = f"/booth/stay/{stay}/waive"
    form = {"amount": "5", "reason": "goodwill"}

    status, page = await booth.send(waive, form)
    assert (status, "班长授权" in page) == (409, True)
    status, _ = await booth.send(waive, {**form, "approver": ATTENDANT, "approver_pin": PIN})
    assert status == 409, "one's own word is no more than one's own"
    status, _ = await booth.send(waive, {**form, "approver": MANAGER, "approver_pin": PIN})

    assert status == 200
    acts = [(act.by, act.act) for act in await lot.edge.acts()]
    assert (MANAGER, "fee.approve") in acts
    assert (ATTENDANT, "fee.waive") in acts


async def test_a_locked_screen_asks_the_same_person_for_the_pin(lot: Lot, booth: Visitor) -> None:
    await booth.sign_in()
    token = await booth.page_token("/booth")

    assert await booth.status("/booth/lock", "POST", data={"csrf_token": token}) == 303

    assert await booth.status("/booth") == 303
    assert (ATTENDANT, "booth.lock") in [(act.by, act.act) for act in await lot.edge.acts()]
