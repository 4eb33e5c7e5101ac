"""Alipay over HTTPS: each request signed, each answer proved, nothing unproved believed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

import aiohttp

from cloud.payments.alipay import answers
from cloud.payments.alipay.options import AlipayOptions
from cloud.payments.alipay.signing import WrongSignatureError, read_keys, sign, text_of, verify
from cloud.payments.provider import (
    BadNoticeError,
    BillLine,
    Charge,
    Notice,
    Outcome,
    Prepared,
    ProviderError,
    ProviderRefusedError,
    Repayment,
    Reply,
    State,
    Way,
)
from domain.fen import yuan

TIMEOUT = aiohttp.ClientTimeout(total=10)
DONE, TYPING, UNSURE = "10000", "10003", "20000"
NO_TRADE, SYSTEM = "ACQ.TRADE_NOT_EXIST", "ACQ.SYSTEM_ERROR"
NO_BILL = frozenset({"isp.bill_not_exist", "BILL_NOT_EXIST", "NO_BILL_DATA"})
MOST_SUBJECT = 128  # characters
LONGEST_MIN = 15 * 24 * 60


class Alipay:
    """One application. Keys are read once, here."""

    kind = "alipay"
    rank = 2
    wallet = "AlipayClient"
    ways = frozenset({Way.QR, Way.PHONE, Way.WALLET, Way.CODE})

    def __init__(self, options: AlipayOptions, now_ms: Callable[[], int]) -> None:
        self._options, self._now_ms = options, now_ms
        self._keys = read_keys(options.key_file, options.alipay_key_file)
        self._http: aiohttp.ClientSession | None = None

    # What goes out

    async def prepare(self, charge: Charge, way: Way) -> Prepared:
        order = self._order(charge)
        if way is Way.QR:
            made = await self._call("alipay.trade.precreate", order, notify_url=charge.notify_url)
            return Prepared(qr_text=str(made["qr_code"]))
        order |= {"product_code": "QUICK_WAP_WAY", "quit_url": charge.return_url}
        asked = self._signed("alipay.trade.wap.pay", order, charge.notify_url, charge.return_url)
        return Prepared(url=f"{self._options.gateway}?{urlencode(asked)}")

    def _order(self, charge: Charge) -> dict[str, Any]:
        minutes = max(1, min(LONGEST_MIN, (charge.expires_ms - self._now_ms()) // 60_000))
        return {
            "out_trade_no": charge.number,
            "total_amount": yuan(charge.amount_fen),
            "subject": charge.description[:MOST_SUBJECT],
            "timeout_express": f"{minutes}m",
        }

    async def pay_by_code(self, charge: Charge, code: str) -> Outcome:
        order = self._order(charge) | {"scene": "bar_code", "auth_code": code}
        made = await self._call("alipay.trade.pay", order, TYPING, notify_url=charge.notify_url)
        if made["code"] == TYPING:
            return Outcome(State.WAITING, detail=str(made.get("msg")))
        paid = made | {"trade_status": "TRADE_SUCCESS"}  # 10000 says just this, and no status
        return answers.trade(paid)

    def takes(self, code: str) -> bool:
        return 16 <= len(code) <= 24 and code.isdigit() and "25" <= code[:2] <= "30"

    async def query(self, number: str) -> Outcome:
        try:
            return answers.trade(await self._call("alipay.trade.query", {"out_trade_no": number}))
        except ProviderRefusedError as exc:
            if exc.code == NO_TRADE:  # nobody scanned the code yet
                return Outcome(State.WAITING, detail=exc.code)
            raise

    async def close(self, number: str) -> None:
        try:
            await self._call("alipay.trade.close", {"out_trade_no": number})
        except ProviderRefusedError as exc:
            if exc.code != NO_TRADE:
                raise

    async def reverse(self, number: str) -> None:
        made = await self._call("alipay.trade.cancel", {"out_trade_no": number})
        if made.get("retry_flag") == "Y":
            raise ProviderError("not undone yet")

    async def refund(self, number: str, repayment: Repayment) -> Outcome:
        asked = {
            "out_trade_no": number,
            "out_request_no": repayment.number,
            "refund_amount": yuan(repayment.amount_fen),
            "refund_reason": repayment.reason,
        }
        made = await self._call("alipay.trade.refund", asked)
        state = State.REFUNDED if made.get("fund_change") == "Y" else State.WAITING  # N: asked before, look
        return Outcome(state, repayment.amount_fen, str(made.get("trade_no", "")))

    async def query_refund(self, number: str, refund_number: str) -> Outcome:
        asked = {"out_trade_no": number, "out_request_no": refund_number}
        made = await self._call("alipay.trade.fastpay.refund.query", asked)
        is_done = made.get("refund_status") == "REFUND_SUCCESS"
        state = State.REFUNDED if is_done else State.UNKNOWN
        return Outcome(state, answers.fen(made.get("refund_amount")), str(made.get("trade_no", "")))

    async def bill(self, day: date) -> Sequence[BillLine]:
        asked = {"bill_type": "trade", "bill_date": day.isoformat()}
        try:
            made = await self._call("alipay.data.dataservice.bill.downloadurl.query", asked)
        except ProviderRefusedError as exc:
            if exc.code in NO_BILL:
                return []
            raise
        try:
            async with self._session().get(str(made["bill_download_url"])) as answer:
                answer.raise_for_status()
                return list(answers.bill(await answer.read()))
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise ProviderError(f"the bill does not come: {type(exc).__name__}") from exc

    # What comes in

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice | None:
        try:
            values = dict(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True))
            verify(self._keys, text_of(values, "sign", "sign_type"), values.get("sign", ""))
            if values.get("app_id") != self._options.app_id:
                raise BadNoticeError("another application's notice")
            if values.get("gmt_refund"):  # refunds are asked about, their notices need no act of ours
                return None
            return Notice(values["notify_id"], values["out_trade_no"], answers.trade(values))
        except (WrongSignatureError, ValueError, KeyError, ProviderError) as exc:
            raise BadNoticeError(str(exc)) from exc

    def reply(self, *, taken: bool) -> Reply:
        return Reply(200, "success" if taken else "failure")

    # The wire

    def _signed(self, method: str, order: dict[str, Any], notify_url: str = "", return_url: str = "") -> dict[str, str]:
        now = datetime.fromtimestamp(self._now_ms() / 1000, answers.CHINA)
        values = {
            "app_id": self._options.app_id,
            "method": method,
            "format": "JSON",
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": f"{now:{answers.TIME}}",
            "version": "1.0",
            "notify_url": notify_url,
            "return_url": return_url,
            "biz_content": json.dumps(order, ensure_ascii=False),
        }
        values = {name: value for name, value in values.items() if value}
        return values | {"sign": sign(self._keys, values)}

    async def _call(self, method: str, order: dict[str, Any], *also: str, notify_url: str = "") -> dict[str, Any]:
        """The answer's own part. Raises ProviderRefusedError only when Alipay itself said no, under its signature."""
        values = self._signed(method, order, notify_url)
        try:
            url = f"{self._options.gateway}?charset=utf-8"
            async with self._session().post(url, data=values) as answer:
                text = await answer.text("utf-8")
        except (aiohttp.ClientError, TimeoutError, UnicodeDecodeError) as exc:
            raise ProviderError(f"no answer: {type(exc).__name__}") from exc
        made = self._proved(text, f"{method.replace('.', '_')}_response")
        code, why = str(made.get("code")), str(made.get("sub_code", ""))
        if code == DONE or code in also:
            return made
        if code == UNSURE or why.endswith("SYSTEM_ERROR"):
            raise ProviderError(f"{code} {why}")
        raise ProviderRefusedError(why or code, str(made.get("sub_msg", "")))

    def _proved(self, text: str, node: str) -> dict[str, Any]:
        """The part named *node*, whose very text is signed. Raises ProviderError."""
        mark = f'"{node}":'
        try:
            start = text.index(mark) + len(mark)
            made, end = json.JSONDecoder().raw_decode(text, start)
            verify(self._keys, text[start:end], str(json.loads(text).get("sign", "")))
        except WrongSignatureError as exc:
            raise ProviderError("an answer not believed") from exc
        except ValueError as exc:
            raise ProviderError("an answer of another shape") from exc
        if not isinstance(made, dict):
            raise ProviderError("an answer of another shape")
        return made

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            self._http = aiohttp.ClientSession(timeout=TIMEOUT)
        return self._http

    async def aclose(self) -> None:
        if self._http is not None:
            await self._http.close()
