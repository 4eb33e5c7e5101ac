"""The booth's lists: looked up by part of a plate, visitors for today, and the day's report of who paid nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from drivers.camera.simulated import Sight
from edge.services.listed import Standing
from edge.settings import DecidedBy, EdgeSettings
from edge.web import words
from tests.edge.web.running import PLATE, Lot, Visitor, running, visiting
from tests.edge.web.test_words import CATALOGUE
from tests.fakes.one_day import begin_a_day_with_room

DAY_MS = 86_400_000
ADD = "/booth/lists/visitors/new"


@pytest.fixture
async def lot(tmp_path: Path) -> AsyncIterator[Lot]:
    async with running(tmp_path) as lot:
        begin_a_day_with_room(lot.edge.office.now().wall_ms, lot.later)  # a visitor is one for the day
        yield lot


@pytest.fixture
async def booth(lot: Lot) -> AsyncIterator[Visitor]:
    async with visiting(lot, "booth") as visitor:
        assert await visitor.sign_in("manager") == 200
        yield visitor


async def entitle(lot: Lot, plate: str = PLATE, **terms: object) -> None:
    row = {"list": "entitled", "plate": plate, "id": plate, "grant": "monthly", "name": "陈先生"}
    await lot.put("people", f"entitled:{plate}", row | terms)


async def leaves_free(lot: Lot) -> None:
    pulses = len(lot.board.pulses)
    await lot.cameras["out"].see(Sight(PLATE, image=b"\xff\xd8 a picture \xff\xd9"))
    await lot.until(lambda: len(lot.board.pulses) == pulses + 1)


async def test_the_lists_are_searched_by_three_characters_or_more(lot: Lot, booth: Visitor) -> None:
    await entitle(lot)
    await lot.put("people", "block:1", {"list": "block", "plate": "粤B12399", "reason": "逃费"})

    found, short, nobody = [await booth.get(f"/booth/lists?q={text}") for text in ("123", "12", "777")]

    assert "名单中找到 2 条" in found
    for said in ("陈先生", "月租车", "黑名单：逃费"):
        assert said in found, said
    assert "至少输入车牌中的 3 位" in short
    assert "陈先生" not in short
    assert "没有含“777”的车牌" in nobody


async def test_the_lane_says_what_kind_of_car_stands_there(lot: Lot, booth: Visitor) -> None:
    await entitle(lot, until_ms=lot.edge.office.now().wall_ms - DAY_MS)
    await lot.enters()
    await lot.waits_to_pay()

    assert "月租车 已到期" in await booth.get("/booth")


@pytest.mark.parametrize(
    ("standing", "said"),
    [
        (Standing("monthly", days_left=3), "月租车 剩3天"),
        (Standing("monthly", days_left=1), "月租车 今天到期"),
        (Standing("monthly", "grace", days_left=2), "月租车 已到期，宽限剩2天"),
        (Standing("monthly"), "月租车"),
        (Standing("visitor", "ahead", host="302 室"), "访客 访302 室 未开始"),
        (Standing("block", detail="逃费"), "黑名单：逃费"),
        (Standing("free_kind", detail="police"), "警车 免费"),
    ],
)
def test_what_the_lists_say_is_one_line(standing: Standing, said: str) -> None:
    assert words.standing(CATALOGUE.speaking("zh-CN"), standing) == said


async def test_a_blocked_car_is_named_with_its_reason_at_the_lane(lot: Lot, booth: Visitor) -> None:
    await lot.put("people", "block:1", {"list": "block", "plate": PLATE, "reason": "逃费"})
    await lot.cameras["in"].see(Sight(PLATE))
    await lot.until(lambda: lot.view("in").code == "blocked")

    assert "黑名单：逃费" in await booth.get("/booth")


async def test_a_manager_adds_a_visitor_who_leaves_free_and_ends_another(lot: Lot, booth: Visitor) -> None:
    status, page = await booth.send("/booth/lists/visitors", {"plate": PLATE, "host": "302 室"}, ADD)
    assert (status, "访客 访302 室" in page) == (200, True), page
    await lot.enters()
    await leaves_free(lot)

    status, page = await booth.send("/booth/lists/visitors", {"plate": PLATE, "host": "302"}, ADD)
    assert (status, "已经登记为访客" in page) == (409, True)
    visitor = (await lot.edge.acts())[0].subject
    status, page = await booth.send(f"/booth/lists/visitors/{visitor}/end", {}, "/booth/lists")

    assert (status, "302 室" in page) == (200, False), page
    assert [act.act for act in await lot.edge.acts()][:1] == ["visitor.end"]


async def test_an_attendant_looks_but_adds_nobody_unless_the_lot_says_so(lot: Lot) -> None:
    async with visiting(lot, "booth") as visitor:
        await visitor.sign_in("attendant")
        assert "登记今天的访客" not in await visitor.get("/booth/lists")
        assert await visitor.status(ADD) == 403
        token = await visitor.page_token("/booth/lists")
        form = {"plate": PLATE, "host": "302", "mark": "m1", "csrf_token": token}

        assert await visitor.status("/booth/lists/visitors", "POST", data=form) == 409


async def test_a_visitor_added_while_its_car_waits_to_pay_does_not_make_the_past_free(lot: Lot, booth: Visitor) -> None:
    await lot.enters()
    await lot.waits_to_pay()

    await booth.send("/booth/lists/visitors", {"plate": PLATE, "host": "302"}, ADD)

    assert lot.view("out").verdict == "PayFirst"
    assert lot.view("out").due_fen == 500


async def test_the_days_report_shows_who_left_without_paying_why_and_the_picture(lot: Lot, booth: Visitor) -> None:
    await entitle(lot)
    await lot.enters()
    await leaves_free(lot)

    today = await booth.get("/booth/excused")
    waived = await booth.get("/booth/excused?why=waived")
    before = await booth.get("/booth/excused?day=2020-01-01")

    for said in (PLATE, "名单内免费", "月租车", "/booth/picture/"):
        assert said in today, said
    assert PLATE not in waived
    assert "这一天没有免费或减免的车辆" in before


async def test_where_searching_is_a_supervisors_an_attendant_finds_nobody(tmp_path: Path) -> None:
    def closed(settings: EdgeSettings) -> EdgeSettings:
        return replace(settings, rules=replace(settings.rules, lists_by=DecidedBy.SUPERVISOR))

    async with running(tmp_path, closed) as lot, visiting(lot, "booth") as one, visiting(lot, "booth") as other:
        await entitle(lot)
        await one.sign_in("attendant")
        await other.sign_in("manager")
        looked, found = [await who.get("/booth/lists?q=123") for who in (one, other)]

    assert ("查名单请班长登录" in looked, 'type="search"' in looked, "陈先生" in looked) == (True, False, False)
    assert ("查名单请班长登录" in found, 'type="search"' in found, "陈先生" in found) == (False, True, True)
