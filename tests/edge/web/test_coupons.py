"""Coupons at the booth: a claim code typed for the car that waits, a coupon taken off it and put back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from domain.claim_code import BOOTH_ASK, BOOTH_PATH
from domain.wire import is_genuine
from plumbing.signing import PublicKey
from tests.edge.web.running import PLATE, Lot, running, visiting

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
