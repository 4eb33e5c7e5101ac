"""Coupons at the booth: a claim code typed for the car that waits, a coupon taken off it and put back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from domain.claim_code import BOOTH_ASK, BOOTH_PATH
from domain.decision import Refuse
from domain.wire import is_genuine
from edge.finding import LOCALE
from edge.lanes.board import default_templates
from edge.lanes.scans import Outcome
from edge.services.limiting import Limited
from edge.web import words
from plumbing.i18n import SHELL_LOCALE, load_catalogue
from plumbing.signing import PublicKey
from tests.edge.web.running import PLATE, Lot, running, visiting
from tests.edge.web.test_words import CATALOGUE

CODE = "LC1" + "A" * 16
COUPON = {"kind": "AMOUNT", "value": 300, "plate": PLATE, "merchant_id": 3, "not_after_ms": 1 << 60}


@dataclass
class Town:
    """A cloud that answers claims as it is told."""

    answer: dict[str, Any] = field(default_factory=lambda: {"why": "", "facts": {}})
    asked: list[dict[str, Any]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.asked.append(await request.json())
        return web.json_response(self.answer)


@pytest.fixture
async def lot(tmp_path: Path) -> AsyncIterator[Lot]:
    async with running(tmp_path) as lot:
        yield lot


@pytest.fixture
async def town(lot: Lot) -> AsyncIterator[Town]:
    town, app = Town(), web.Application()
    app.router.add_post(BOOTH_PATH, town.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url_file = lot.edge.settings.cloud_url_file
    url_file.parent.mkdir(parents=True, exist_ok=True)
    url_file.write_text(f"http://127.0.0.1:{runner.addresses[0][1]}\n")
    lot.edge.link_state = lambda: "online"
    yield town
    await runner.cleanup()


async def test_a_claim_code_typed_at_the_booth_is_claimed_for_the_car_and_signed_by_the_lot(
    lot: Lot, town: Town
) -> None:
    stay = await lot.enters()
    await lot.waits_to_pay()
    async with visiting(lot, "booth") as booth:
        await booth.sign_in()
        at = f"/booth/stay/{stay}/paper"

        status, page = await booth.send(at, {"scanned": CODE.lower()}, at)

        assert (status, "领取成功" in page) == (200, True)
        (asked,) = town.asked
        assert (asked["code"], asked["plate"], len(asked["mark"]) >= 16) == (CODE, PLATE, True)
        public = PublicKey.from_raw(lot.edge.office.lot.public_key)
        assert is_genuine(BOOTH_ASK, asked["edge_id"], asked, public)
        await lot.put("coupons", "c1", COUPON)
        await lot.until(lambda: lot.view("out").due_fen == 200)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"why": "claim_taken", "facts": {}}, "已被领取"),
        ({"why": "other_merchant", "facts": {"merchant": "书店"}}, "已在 书店 商家领取"),
        ([], "云端没有回答"),
    ],
)
async def test_what_the_cloud_refuses_is_said_with_what_to_do(lot: Lot, town: Town, answer: Any, said: str) -> None:
    stay = await lot.enters()
    town.answer = answer
    async with visiting(lot, "booth") as booth:
        await booth.sign_in()
        at = f"/booth/stay/{stay}/paper"

        status, page = await booth.send(at, {"scanned": CODE}, at)

        assert (status, said in page) == (409, True)


async def test_without_a_line_a_claim_code_says_so_and_asks_nobody(lot: Lot, town: Town) -> None:
    stay = await lot.enters()
    lot.edge.link_state = lambda: "offline"
    async with visiting(lot, "booth") as booth:
        await booth.sign_in()
        at = f"/booth/stay/{stay}/paper"

        status, page = await booth.send(at, {"scanned": CODE}, at)

        assert (status, "车场断网，领取码现在不能用" in page, town.asked) == (409, True, [])


async def test_a_coupon_of_the_cloud_is_taken_off_and_put_back(lot: Lot) -> None:
    stay = await lot.enters()
    await lot.put("coupons", "c1", COUPON)
    await lot.waits_to_pay()
    assert lot.view("out").due_fen == 200
    async with visiting(lot, "booth") as booth:
        await booth.sign_in()
        at = f"/booth/stay/{stay}/paper"
        assert f'action="{at}/aside"' in await booth.get(at)

        _, page = await booth.send(f"{at}/aside", {"ref": "c1"}, at)

        assert ("留给司机" in page, f'action="{at}/back"' in page) == (True, True)
        await lot.until(lambda: lot.view("out").due_fen == 500)
        await booth.send(f"{at}/back", {"ref": "c1"}, at)
        await lot.until(lambda: lot.view("out").due_fen == 200)


async def test_a_claim_code_before_the_lanes_scanner_is_claimed_for_the_car_that_waits_there(
    lot: Lot, town: Town
) -> None:
    codes = lot.edge.workers["out"].codes
    assert await codes.take(CODE, "scanner out") == Refuse("claim_code"), "nobody waits there"
    stay = await lot.enters()
    await lot.waits_to_pay()

    taken = [await codes.take(one, "scanner out") for one in (CODE, CODE)]
    town.answer = {"why": "claim_taken", "facts": {}}
    again = await codes.take(CODE, "scanner out")
    town.answer = {"why": "other_merchant", "facts": {"merchant": "书店"}}
    other = await codes.take(CODE, "scanner out")

    assert (taken, again) == ([None, None], Refuse("claim_taken"))
    assert other == Limited("other_merchant", (("merchant", "书店"),))
    assert {asked["plate"] for asked in town.asked} == {PLATE}
    marks = {asked["mark"] for asked in town.asked}
    assert (len(marks), len(marks.pop()) >= 16) == (1, True), "scanned again it is the same claim"
    assert [act.subject for act in await lot.edge.acts() if act.act == "coupon.claim"] == [stay, stay]
    await lot.put("coupons", "c1", COUPON)
    await lot.until(lambda: lot.view("out").due_fen == 200)


async def test_what_a_lane_does_not_claim_is_told_on_its_board_and_with_the_shops_name_at_the_booth(lot: Lot) -> None:
    texts = load_catalogue(SHELL_LOCALE, LOCALE).speaking("zh-CN")
    said = {one.event: one.lines[0] for one in default_templates(texts)}
    codes = ("unknown", "taken", "withdrawn", "expired", "not_inside", "other_lot", "no_link", "no_answer")

    assert {f"code.claim_{one}" for one in codes} <= set(said)
    booth = CATALOGUE.speaking("zh-CN")
    outcome = Outcome("other_merchant", "out", 1, "", (("merchant", "书店"),))
    assert "已在 书店 商家领取" in words.scanned(booth, outcome)
