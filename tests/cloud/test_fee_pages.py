"""The page of a quote in a phone's browser: due, over, unknown, paid."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import CookieJar, web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import Connection, update

from cloud.app import make_app
from cloud.coupons import service as coupons
from cloud.coupons.tables import coupon
from cloud.db import Database
from cloud.fees import pages
from cloud.paid import DUTIES
from cloud.settings import CloudSettings
from cloud.web.state import Cloud
from tests.cloud.paying import pay
from tests.cloud.test_fees import CLOUD, opened, quoted
from tests.cloud.world import NOW, World, build

Browser = TestClient[web.Request, web.Application]


@dataclass
class Stage:
    """A cloud with one lot, and a quote of that lot."""

    cloud: Cloud
    lot_id: int
    path: str
    world: World
    database: Database
    ahead_ms: int = 0


@pytest.fixture
def stage(database: Database, tmp_path: Path, request: pytest.FixtureRequest) -> Stage:

    def fill(conn: Connection) -> tuple[World, str]:
        world = build(conn)
        token = quoted(world)
        if getattr(request, "param", "") == "paid":
            pay(conn, world.act(), DUTIES, opened(world, token))
        return world, token

    world, token = database.run_here(fill)
    cloud = Cloud(CloudSettings(data=tmp_path), database, CLOUD, world.operator_id, "http://park.example")
    made = Stage(cloud, world.lot_id, f"/Q/{token}", world, database)
    cloud.now_ms = lambda: NOW + made.ahead_ms
    return made


@pytest.fixture
async def phone(stage: Stage) -> AsyncIterator[Browser]:
    async with TestClient(TestServer(make_app(stage.cloud)), cookie_jar=CookieJar(unsafe=True)) as client:
        client.session.cookie_jar.update_cookies({"lg_lang": "zh-CN"})
        yield client


async def page(phone: Browser, path: str) -> tuple[int, str]:
    async with phone.get(path) as answer:
        return answer.status, await answer.text()


async def test_a_quote_shows_what_is_due_and_how_it_adds_up_and_no_plate(phone: Browser, stage: Stage) -> None:
    status, text = await page(phone, stage.path)

    assert (status, "立即支付 ¥10.00" in text, "−¥5.00" in text) == (200, True, True)
    assert ("京A·1***5" in text, "京A12345" in text) == (True, False)


async def test_a_quote_that_is_over_leads_to_typing_the_plate_and_a_stranger_to_nothing(
    phone: Browser, stage: Stage
) -> None:
    stage.ahead_ms = 601_000

    over, text = await page(phone, stage.path)
    unknown, _ = await page(phone, f"{stage.path[:-1]}0")
    form, _ = await page(phone, f"/pay/{stage.lot_id}")
    nowhere, _ = await page(phone, "/pay/999")

    assert (over, f'href="/pay/{stage.lot_id}"' in text, unknown, form, nowhere) == (410, True, 404, 200, 404)


@pytest.mark.parametrize("stage", ["paid"], indirect=True)
async def test_once_paid_it_is_the_pass_and_says_so_when_the_lot_has_no_line(phone: Browser, stage: Stage) -> None:
    _, soon = await page(phone, stage.path)
    stage.ahead_ms = 601_000  # the quote is over by now; what was paid stays paid
    status, late = await page(phone, stage.path)

    assert ('data-outcome="waits"' in soon, "data-digits" in soon, "立即支付" in soon) == (True, True, False)
    assert (status, "车场暂时断网" in late, "data-digits" in late) == (200, True, True)


async def test_a_lot_that_was_not_heard_of_is_not_asked(phone: Browser, stage: Stage) -> None:
    _, form = await page(phone, f"/pay/{stage.lot_id}")
    token = form.partition('name="csrf_token" value="')[2].partition('"')[0]

    async with phone.post(f"/pay/{stage.lot_id}", data={"text": "京A12345", "csrf_token": token}) as answer:
        text = await answer.text()

    assert (answer.status, 'data-code="silent"' in text) == (503, True)


def says(monkeypatch: pytest.MonkeyPatch, said: Mapping[str, object] | None) -> None:
    """The lot's answer, None for a lot without a line."""

    async def ask_lot(*_: object) -> str | None:
        return None if said is None else json.dumps({"code": "", **said})

    monkeypatch.setattr(pages, "ask_lot", ask_lot)


def given(stage: Stage, coupon_id: str = "c1") -> None:
    """The noodle shop gave the car a coupon."""

    def give(conn: Connection) -> None:
        stage.world.conn = conn
        stage.world.car("s1")
        made = coupons.issue(conn, stage.world.act(), stage.world.merchant_id, stage.world.template(), "s1")
        assert isinstance(made, coupons.Issued)
        conn.execute(update(coupon).values(coupon_id=coupon_id))

    stage.database.run_here(give)


LINES = [{"zh-CN": "首小时", "en": "first hour", "fen": 1000}, {"zh-CN": "之后", "en": "later", "fen": 500}]


async def test_a_scanned_code_says_how_its_sum_comes_about_and_who_gave_what(
    phone: Browser, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(stage)
    says(monkeypatch, {"quote": stage.path[3:], "lines": LINES, "off": [["c1", 500]]})

    status, text = await page(phone, stage.path)

    assert (status, "首小时" in text, "优惠 面馆</dt><dd>−¥5.00" in text) == (200, True, True)
    assert "这里只有合计" not in text


@pytest.mark.parametrize("said", [None, {"quote": "", "lines": LINES, "off": [["c1", 500]]}])
async def test_without_the_lots_word_it_keeps_the_sum_and_says_whose_coupons_are_known(
    phone: Browser, stage: Stage, monkeypatch: pytest.MonkeyPatch, said: Mapping[str, object] | None
) -> None:
    given(stage)
    says(monkeypatch, said)

    status, text = await page(phone, stage.path)

    assert (status, "首小时" in text, "优惠</dt><dd>−¥5.00" in text) == (200, False, True)
    assert ("这里只有合计" if said is None else "费用已有变化") in text
    assert "已绑定的优惠券来自：面馆。" in text


async def test_coupons_that_do_not_add_up_to_what_the_code_says_are_not_told_one_by_one(
    phone: Browser, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    says(monkeypatch, {"quote": stage.path[3:], "lines": LINES, "off": [["c1", 300], ["7:1", 100]]})

    _, text = await page(phone, stage.path)

    assert ("优惠</dt><dd>−¥5.00" in text, "¥3.00" in text) == (True, False)
