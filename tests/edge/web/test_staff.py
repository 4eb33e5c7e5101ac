"""Who may sign in, and who says so."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.edge.web.running import PIN, WALL, Lot, Visitor, running, visiting


@pytest.fixture
async def lot(tmp_path: Path) -> AsyncIterator[Lot]:
    async with running(tmp_path) as lot:
        await lot.opens_shop()
        yield lot


@pytest.fixture
async def manager(lot: Lot) -> AsyncIterator[Visitor]:
    async with visiting(lot, "booth") as visitor:
        assert await visitor.sign_in("manager") == 200
        yield visitor


def shown_pin(page: str) -> str:
    found = re.search(r'class="due">(\d{6})<', page)
    assert found is not None, page
    return found.group(1)


async def test_a_manager_adds_staff_of_a_shop_who_then_signs_in_at_the_counter_only(lot: Lot, manager: Visitor) -> None:
    _, page = await manager.send("/booth/people", {"name": "小周", "role": "merchant:3"})
    form = {"account": "小周", "password": shown_pin(page)}

    async with visiting(lot, "counter") as counter, visiting(lot, "booth") as booth:
        assert (await counter.send("/login", form))[0] == 200
        assert (await booth.send("/login", form))[0] == 422
    assert ("王主管", "person.add", "小周") in [(act.by, act.act, act.subject) for act in await lot.edge.acts()]


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"name": "", "role": "attendant"}, "姓名不能为空"),
        ({"name": WALL["attendant"][0], "role": "attendant"}, "已有同名人员"),
        ({"name": "小周", "role": "merchant:99"}, "没有这种身份"),
    ],
)
async def test_what_cannot_be_added_is_refused_in_words(manager: Visitor, form: dict[str, str], words: str) -> None:
    status, page = await manager.send("/booth/people", form)

    assert (status, words in page) == (409, True)


async def test_attendants_may_not_see_or_change_people(lot: Lot) -> None:
    async with visiting(lot, "booth") as visitor:
        assert await visitor.sign_in() == 200
        token = await visitor.page_token("/booth")

        assert await visitor.status("/booth/people") == 403
        for path in ("/booth/people", "/booth/people/pin", "/booth/people/dismiss"):
            form = {"name": "王主管", "role": "manager", "csrf_token": token}
            assert await visitor.status(path, "POST", data=form) == 403
    assert await lot.edge.staff.get("王主管") is not None


async def test_a_new_pin_ends_the_old_one_and_its_sessions(lot: Lot, manager: Visitor) -> None:
    async with visiting(lot, "booth") as visitor:
        assert await visitor.sign_in() == 200

        _, page = await manager.send("/booth/people/pin", {"name": WALL["attendant"][0]}, page="/booth/people")

        assert await visitor.status("/booth") == 303
        assert await visitor.sign_in() == 422
        assert await visitor.sign_in(pin=shown_pin(page)) == 200


async def test_the_last_manager_stays(manager: Visitor, lot: Lot) -> None:
    status, page = await manager.send("/booth/people/dismiss", {"name": "王主管"}, page="/booth/people")

    assert (status, "最后一位管理员" in page) == (409, True)


@pytest.mark.parametrize(
    ("old", "new", "again", "words"),
    [
        (PIN, "123456", "123456", "太简单"),
        (PIN, "90417", "90417", "太简单"),
        (PIN, "904172", "904173", "两次输入"),
        ("000000", "904172", "904172", "现在的密码不对"),
    ],
)
async def test_a_pin_is_changed_only_by_who_knows_the_old_one(
    lot: Lot, manager: Visitor, old: str, new: str, again: str, words: str
) -> None:
    status, page = await manager.send("/booth/pin", {"old": old, "new": new, "again": again})

    assert (status, words in page) == (409, True)


async def test_the_new_pin_counts_at_the_next_sign_in(lot: Lot, manager: Visitor) -> None:
    status, _ = await manager.send("/booth/pin", {"old": PIN, "new": "904172", "again": "904172"})

    async with visiting(lot, "booth") as visitor:
        assert (status, await visitor.sign_in("manager")) == (200, 422)
        assert await visitor.sign_in("manager", "904172") == 200
