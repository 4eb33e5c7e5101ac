"""The page where any order is paid, as a desk's screen, a phone and a wallet's own browser see it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from aiohttp import CookieJar, web
from aiohttp.test_utils import TestClient, TestServer

from cloud.app import make_app
from cloud.payments import orders
from cloud.payments.orders import PayOrder
from cloud.payments.provider import Charge, Outcome, Prepared, ProviderError, State, Way
from cloud.web.state import Cloud
from tests.cloud.paying import Till
from tests.cloud.test_pages import Browser, _again, cloud, hashed
from tests.cloud.test_payments import wanted

__all__ = ["cloud", "hashed"]

PHONE = {"User-Agent": "Mozilla/5.0 (Linux; Android 14) Mobile Safari/537.36"}
INSIDE = {"User-Agent": "Mozilla/5.0 (Linux; Android 14) Mobile MicroMessenger/8.0"}


@dataclass
class Wallet(Till):
    """A provider that must know who pays."""

    kind: str = "wechat"
    wallet: str = "MicroMessenger"
    script: Path = Path(__file__)
    payers: list[str] = field(default_factory=list)

    async def prepare(self, charge: Charge, way: Way) -> Prepared:
        if way is Way.QR:
            return await Till.prepare(self, charge, way)
        self.payers.append(charge.payer)
        return Prepared(wallet={"package": "p"}) if way is Way.WALLET else Prepared(url=f"http://pay/{charge.address}")

    def ask_who(self, back: str, state: str) -> str:
        return f"http://who/?back={back}&state={state}"

    async def who(self, code: str) -> str:
        if code != "good":
            raise ProviderError("no such code")
        return "o-1"


@pytest.fixture
def till() -> Wallet:
    return Wallet()


@pytest.fixture
async def payer(cloud: Cloud, till: Wallet) -> AsyncIterator[Browser]:
    app: web.Application = make_app(cloud, {"main": till})
    async with TestClient(TestServer(app), cookie_jar=CookieJar(unsafe=True)) as client:
        yield client


def ordered(cloud: Cloud) -> PayOrder:
    return cloud.db.run_here(lambda conn: wanted(_again(conn, cloud), return_path="/m"))


async def test_a_screen_shows_a_code_and_then_that_it_is_paid(payer: Browser, cloud: Cloud, till: Wallet) -> None:
    order = ordered(cloud)

    shown = await (await payer.get(order.cashier_path)).text()
    till.says["query"] = Outcome(State.PAID, order.amount_fen)
    paid = await (await payer.get(f"{order.cashier_path}?back=1")).text()

    assert "¥50.00" in shown
    assert 'src="data:image/svg+xml' in shown
    assert "已支付" in paid
    assert 'href="/m"' in paid


async def test_a_phone_goes_to_the_providers_page_and_a_wallet_pays_inside(
    payer: Browser, cloud: Cloud, till: Wallet
) -> None:
    order = ordered(cloud)
    here = f"{order.cashier_path}/wechat"
    state = order.order_id.replace("-", "")

    shown = await (await payer.get(order.cashier_path, headers=PHONE)).text()
    phone = await payer.get(here, headers=PHONE, allow_redirects=False)
    led = await payer.get(order.cashier_path, headers=INSIDE, allow_redirects=False)
    asked = await payer.get(here, headers=INSIDE, allow_redirects=False)
    forged = await payer.get(f"{here}?code=good&state=other", headers=INSIDE, allow_redirects=False)
    inside = await (await payer.get(f"{here}?code=good&state={state}", headers=INSIDE)).text()

    assert f'href="{here}"' in shown
    assert phone.headers["Location"] == "http://pay/127.0.0.1"
    assert led.headers["Location"] == here
    assert asked.headers["Location"] == f"http://who/?back=http://cloud.example{here}&state={state}"
    assert forged.headers["Location"] == asked.headers["Location"]
    assert "&#34;package&#34;" in inside
    assert 'src="/payments/wallet/wechat.js"' in inside
    assert till.payers == ["", "o-1"]


async def test_an_order_that_ended_or_was_never_made_cannot_be_paid(payer: Browser, cloud: Cloud) -> None:
    order = ordered(cloud)
    cloud.db.run_here(lambda conn: orders.cancel(conn, _again(conn, cloud).act(), order.order_id))

    shown = await (await payer.get(order.cashier_path)).text()
    begun = await payer.get(f"{order.cashier_path}/wechat", allow_redirects=False)
    other = await payer.get(replace(order, order_id="0").cashier_path)

    assert "已取消" in shown
    assert "data:image" not in shown
    assert begun.headers["Location"] == order.cashier_path
    assert other.status == 404


async def test_a_silent_provider_is_said_in_words(payer: Browser, cloud: Cloud, till: Wallet) -> None:
    order = ordered(cloud)

    async def silent(charge: Charge, way: Way) -> Prepared:
        raise ProviderError("no answer")

    till.prepare = silent  # type: ignore[method-assign]

    assert "没有回音" in await (await payer.get(order.cashier_path)).text()


async def test_a_wallets_page_runs_its_own_providers_script_and_no_other(payer: Browser, till: Wallet) -> None:
    own = await payer.get("/payments/wallet/wechat.js")
    other = await payer.get("/payments/wallet/alipay.js")

    assert (own.status, other.status) == (200, 404)
    assert await own.text() == till.script.read_text(encoding="utf-8")


async def test_providers_are_offered_by_their_rank(cloud: Cloud, till: Wallet) -> None:
    providers = {"one": replace(till, rank=7), "two": replace(till, kind="alipay", rank=2)}
    async with TestClient(TestServer(make_app(cloud, providers)), cookie_jar=CookieJar(unsafe=True)) as phone:
        order = ordered(cloud)
        page = await (await phone.get(order.cashier_path, headers=PHONE)).text()

    assert page.index(f"{order.cashier_path}/alipay") < page.index(f"{order.cashier_path}/wechat")
