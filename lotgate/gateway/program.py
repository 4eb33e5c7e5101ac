"""The simulated gateway put together: both providers on one port, and pages where a payer pays or does not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from enum import StrEnum
from pathlib import Path

import aiohttp
from aiohttp import web

from domain.fen import fen_from_yuan
from lotgate.gateway.alipay import AlipayGateway
from lotgate.gateway.book import Book, Manner, Status, Trade
from lotgate.gateway.keys import make_keys
from lotgate.gateway.wechat import WechatGateway
from plumbing.i18n import SHELL_LOCALE, load_catalogue
from plumbing.web import Shell, create_app, render

log = logging.getLogger(__name__)

HERE = Path(__file__).parent
TIMEOUT = aiohttp.ClientTimeout(total=5)  # as long as the real ones wait
AGAIN_S = (1, 5, 15)
CODES = {"wechat": "13000000000000000", "alipay": "28000000000000000"}


class Telling(StrEnum):
    """How the merchant hears of a payment."""

    USUAL = "usual"  # a wrong signature first, as WeChat does on purpose, then the notice, twice
    ONCE = "once"
    NEVER = "never"


class Gateway:
    """One gateway with its keys in *folder*. *url* is where payers and the merchant reach it."""

    def __init__(self, folder: Path, book: Book) -> None:
        self.book, self.url = book, ""
        keys = make_keys(folder)
        self.wechat = WechatGateway(keys, book, lambda: self.url)
        self.alipay = AlipayGateway(keys, book, lambda: self.url)
        self._http: aiohttp.ClientSession | None = None

    def app(self) -> web.Application:
        """Everything on one listener."""
        catalogue = load_catalogue(SHELL_LOCALE, HERE / "locale")
        app = create_app(Shell("gateway", catalogue, (HERE / "templates",), title_key="gateway.brand"))
        self.wechat.add_routes(app)
        self.alipay.add_routes(app)
        app.router.add_get("/", self._all)
        app.router.add_get("/waiting", self._waiting)
        app.router.add_get("/pay/{provider}/{number}", self._one)
        app.router.add_post("/pay/{provider}/{number}", self._act)
        app.cleanup_ctx.append(self._telling)
        return app

    async def _telling(self, _app: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(timeout=TIMEOUT) as self._http:
            yield

    # What a payer does

    async def pay(self, trade: Trade, telling: Telling = Telling.USUAL, amount_fen: int | None = None) -> list[int]:
        """The payer pays; what the merchant answered to each notice."""
        if not self.book.pay(trade, amount_fen) or telling is Telling.NEVER or not trade.notify_url:
            return []
        speaker = self.wechat if trade.provider == "wechat" else self.alipay
        notices = [speaker.notice(trade)]
        if telling is Telling.USUAL:
            notices = [speaker.probe(trade), *notices, speaker.notice(trade)]
        return [await self._tell(trade.notify_url, *notice) for notice in notices]

    async def _tell(self, url: str, headers: dict[str, str], body: bytes) -> int:
        """The merchant's answer to one notice; 0 when there was none, after a few tries."""
        if self._http is None:
            raise RuntimeError("the gateway does not run")
        for wait_s in (*AGAIN_S, 0):
            try:
                async with self._http.post(url, data=body, headers=headers) as answer:
                    await answer.read()
                    return answer.status
            except (aiohttp.ClientError, TimeoutError) as exc:
                log.info("notice not delivered to %s: %s", url, exc)
                await asyncio.sleep(wait_s)
        return 0

    # Pages

    async def _all(self, request: web.Request) -> web.Response:
        trades = sorted(self.book.trades.values(), key=lambda trade: trade.made_ms, reverse=True)
        codes = {kind: [(manner, f"{code}{manner.value}") for manner in Manner] for kind, code in CODES.items()}
        return render(request, "trades.html", trades=trades[:200], codes=codes, spoilt=self.book.spoilt)

    async def _waiting(self, _request: web.Request) -> web.Response:
        """How many payers are at it: a demo's clock must not run ahead meanwhile."""
        known = [self.book.get(*key) for key in list(self.book.trades)]
        open_ones = [trade for trade in known if trade and trade.status in (Status.WAITING, Status.TYPING)]
        return web.json_response({"waiting": len(open_ones)})

    def _trade(self, request: web.Request) -> Trade:
        trade = self.book.get(request.match_info["provider"], request.match_info["number"])
        if trade is None:
            raise web.HTTPNotFound
        return trade

    async def _one(self, request: web.Request) -> web.Response:
        return render(
            request, "trade.html", trade=self._trade(request), tellings=list(Telling), spoilt=self.book.spoilt,
            is_open=self._trade(request).status in (Status.WAITING, Status.TYPING),
        )  # fmt: skip

    async def _act(self, request: web.Request) -> web.Response:
        trade, form = self._trade(request), await request.post()
        act, telling = str(form.get("act", "")), Telling(str(form.get("telling", Telling.USUAL)))
        if act == "pay":
            await self.pay(trade, telling)
        elif act == "pay_other":
            try:
                await self.pay(trade, telling, fen_from_yuan(str(form.get("yuan", ""))))
            except ValueError as exc:
                raise web.HTTPUnprocessableEntity from exc
        elif act == "fail" and trade.status in (Status.WAITING, Status.TYPING):
            trade.status = Status.FAILED
        elif act == "type" and trade.status is Status.WAITING:
            trade.status, trade.payer = Status.TYPING, "o-payer-0000000000000000000a"
        elif act in ("missing", "amount"):
            self.book.spoilt[trade.number] = act
        elif act == "right":
            self.book.spoilt.pop(trade.number, None)
        raise web.HTTPSeeOther(request.path_qs)  # it may hold the way back to the merchant
