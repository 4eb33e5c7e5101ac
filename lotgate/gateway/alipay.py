"""The simulated gateway as Alipay: one address, signed parameters, signed answers."""

from __future__ import annotations

import base64
import io
import json
import secrets
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from domain.fen import fen_from_yuan, yuan
from lotgate.gateway.book import CHINA, Book, Line, Manner, Status, Trade
from lotgate.gateway.keys import ALIPAY_APP, GatewayKeys
from lotgate.gateway.wechat import NoAnswer
from plumbing.web.csrf import csrf_exempt

PROVIDER = "alipay"
STATES = {Status.WAITING: "WAIT_BUYER_PAY", Status.TYPING: "WAIT_BUYER_PAY", Status.PAID: "TRADE_SUCCESS"}
NOT_THERE = {"code": "40004", "msg": "Business Failed", "sub_code": "ACQ.TRADE_NOT_EXIST", "sub_msg": "交易不存在"}
TITLES = (
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,"
    "集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注"
)


@dataclass(slots=True)
class AlipayGateway:
    """Answers ``/gateway.do``."""

    keys: GatewayKeys
    book: Book
    url: Callable[[], str]
    bills: dict[str, bytes] = field(default_factory=dict)

    def add_routes(self, app: web.Application) -> None:
        """The one address, and the bills."""
        app.router.add_post("/gateway.do", self._called)
        app.router.add_get("/gateway.do", self._opened)
        app.router.add_get("/alipay-bill/{token}", self._file)

    # Signatures

    def _is_app(self, values: Mapping[str, str]) -> bool:
        signed = {name: value for name, value in values.items() if name != "sign" and value}
        text = "&".join(f"{name}={signed[name]}" for name in sorted(signed))
        try:
            given = base64.b64decode(values.get("sign", ""))
            self.keys.alipay_app.verify(given, text.encode(), padding.PKCS1v15(), hashes.SHA256())
        except (InvalidSignature, ValueError):
            return False
        return values.get("app_id") == ALIPAY_APP

    def _sign(self, text: str) -> str:
        return base64.b64encode(self.keys.alipay.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()

    @csrf_exempt
    async def _called(self, request: web.Request) -> web.StreamResponse:
        given = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        method = given.get("method", "")
        if not self._is_app(given):
            made: dict[str, Any] = {"code": "40002", "msg": "Invalid Arguments", "sub_code": "isv.invalid-signature"}
        else:
            try:
                made = self._work(method, json.loads(given["biz_content"]), given)
            except NoAnswer:
                if request.transport is not None:
                    request.transport.abort()
                return web.Response(status=500)
        told = json.dumps(made, ensure_ascii=False)
        node = f"{method.replace('.', '_')}_response"
        text = f'{{"{node}":{told},"sign":{json.dumps(self._sign(told))}}}'
        return web.Response(text=text, content_type="text/html", charset="utf-8")  # as the real one says it is

    async def _opened(self, request: web.Request) -> web.StreamResponse:
        """A phone's browser brings a signed order."""
        given = dict(request.query)
        if not self._is_app(given):
            raise web.HTTPForbidden
        asked = json.loads(given["biz_content"])
        trade = self.book.add(self._trade(asked, given, "wap"))
        if trade is None:
            raise web.HTTPConflict
        raise web.HTTPFound(f"/pay/{PROVIDER}/{trade.number}?phone=1")

    # Work

    def _work(self, method: str, asked: dict[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
        done = {"code": "10000", "msg": "Success"}
        if method == "alipay.trade.precreate":
            trade = self.book.add(self._trade(asked, given, "precreate"))
            page = f"{self.url()}/pay/{PROVIDER}/{asked['out_trade_no']}"
            return (
                done | {"out_trade_no": asked["out_trade_no"], "qr_code": page} if trade else _no("INVALID_PARAMETER")
            )
        if method == "alipay.data.dataservice.bill.downloadurl.query":
            return self._bill(date.fromisoformat(asked["bill_date"]), done)
        if method == "alipay.trade.pay":
            return self._code(self._trade(asked, given, "code"), asked["auth_code"][-1], done)
        trade = self.book.get(PROVIDER, asked["out_trade_no"])
        if trade is None or (trade.way == "precreate" and trade.status is Status.WAITING and not trade.payer):
            return done | {"action": "close", "retry_flag": "N"} if method == "alipay.trade.cancel" else NOT_THERE
        work = {
            "alipay.trade.query": self._query,
            "alipay.trade.close": self._close,
            "alipay.trade.cancel": self._cancel,
            "alipay.trade.refund": self._refund,
            "alipay.trade.fastpay.refund.query": self._query_refund,
        }[method]
        return done | work(trade, asked)

    def _trade(self, asked: dict[str, Any], given: Mapping[str, str], way: str) -> Trade:
        minutes = int(asked["timeout_express"].removesuffix("m"))
        now = self.book.now_ms()
        return Trade(
            PROVIDER, asked["out_trade_no"], fen_from_yuan(asked["total_amount"]), asked["subject"],
            given.get("notify_url", ""), way, now, now + minutes * 60_000, given.get("return_url", ""),
        )  # fmt: skip

    def _code(self, asked: Trade, manner: str, done: dict[str, Any]) -> dict[str, Any]:
        trade = self.book.add(asked)
        if trade is None or trade.status is not Status.WAITING:
            return _no("ACQ.CONTEXT_INCONSISTENT")
        if manner == Manner.POOR:
            trade.status = Status.CLOSED
            return _no("ACQ.BUYER_BALANCE_NOT_ENOUGH")
        if manner in (Manner.TYPES, Manner.SILENT):
            trade.status = Status.TYPING
            if manner == Manner.SILENT:
                raise NoAnswer
            return {"code": "10003", "msg": "order success pay inprocess", "out_trade_no": trade.number}
        self.book.pay(trade)
        if manner == Manner.SILENT_PAID:
            raise NoAnswer
        told = self._told(trade)
        return done | {name: value for name, value in told.items() if name != "trade_status"}

    def _told(self, trade: Trade) -> dict[str, Any]:
        told: dict[str, Any] = {"out_trade_no": trade.number, "trade_no": trade.gateway_number}
        told["trade_status"] = STATES.get(trade.status, "TRADE_CLOSED")
        told["total_amount"] = yuan(trade.paid_fen if trade.status is Status.PAID else trade.amount_fen)
        if trade.status is Status.PAID:
            told |= {"buyer_user_id": "2088000000000001", "send_pay_date": _time(trade.paid_ms)}
            if trade.refunded_fen == trade.paid_fen:
                told["trade_status"] = "TRADE_CLOSED"
        return told

    def _query(self, trade: Trade, _asked: dict[str, Any]) -> dict[str, Any]:
        return self._told(trade)

    def _close(self, trade: Trade, _asked: dict[str, Any]) -> dict[str, Any]:
        if trade.status is Status.PAID:
            return _no("ACQ.TRADE_STATUS_ERROR")
        trade.status = Status.CLOSED
        return {"out_trade_no": trade.number}

    def _cancel(self, trade: Trade, _asked: dict[str, Any]) -> dict[str, Any]:
        action = "refund" if trade.status is Status.PAID else "close"
        trade.status = Status.REVERSED
        return {"out_trade_no": trade.number, "retry_flag": "N", "action": action}

    def _refund(self, trade: Trade, asked: dict[str, Any]) -> dict[str, Any]:
        known = asked["out_request_no"] in trade.refunds
        made = self.book.repay(trade, asked["out_request_no"], fen_from_yuan(asked["refund_amount"]), "")
        if made is None:
            return _no("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL")
        told = {"trade_no": trade.gateway_number, "refund_fee": yuan(trade.refunded_fen)}
        return told | {"out_trade_no": trade.number, "fund_change": "N" if known else "Y"}

    def _query_refund(self, trade: Trade, asked: dict[str, Any]) -> dict[str, Any]:
        made = trade.refunds.get(asked["out_request_no"])
        told: dict[str, Any] = {"trade_no": trade.gateway_number, "out_trade_no": trade.number}
        return (
            told if made is None else told | {"refund_amount": yuan(made.amount_fen), "refund_status": "REFUND_SUCCESS"}
        )

    # Notices

    def notice(self, trade: Trade) -> tuple[dict[str, str], bytes]:
        """A signed notice of a payment: its headers and body."""
        values = {
            "notify_time": _time(self.book.now_ms()),
            "notify_type": "trade_status_sync",
            "notify_id": f"ac{trade.number}",
            "app_id": ALIPAY_APP,
            "charset": "utf-8",
            "version": "1.0",
            "out_trade_no": trade.number,
            "trade_no": trade.gateway_number,
            "trade_status": "TRADE_SUCCESS",
            "total_amount": yuan(trade.paid_fen),
            "buyer_id": "2088000000000001",
            "gmt_payment": _time(trade.paid_ms),
            "subject": trade.description,
        }
        text = "&".join(f"{name}={values[name]}" for name in sorted(values))
        body = urlencode(values | {"sign_type": "RSA2", "sign": self._sign(text)}).encode()
        return {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}, body

    def probe(self, trade: Trade) -> tuple[dict[str, str], bytes]:
        """A notice somebody changed on its way."""
        headers, body = self.notice(trade)
        return headers, body.replace(b"total_amount=", b"total_amount=9")

    # Bills

    def _bill(self, day: date, done: dict[str, Any]) -> dict[str, Any]:
        lines = list(self.book.bill(PROVIDER, day))
        if not lines:
            return _no("isp.bill_not_exist")
        token = secrets.token_hex(16)
        self.bills[token] = _packed(day, lines)
        return done | {"bill_download_url": f"{self.url()}/alipay-bill/{token}"}

    async def _file(self, request: web.Request) -> web.Response:
        return web.Response(body=self.bills.pop(request.match_info["token"]), content_type="application/zip")


def _no(code: str) -> dict[str, Any]:
    return {"code": "40004", "msg": "Business Failed", "sub_code": code, "sub_msg": code}


def _time(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms // 1000, CHINA):%Y-%m-%d %H:%M:%S}"


def _packed(day: date, lines: list[Line]) -> bytes:
    """A zip of two GBK tables, as the real one is."""
    name = f"20880000000000010156_{day:%Y%m%d}"
    body = "\r\n".join(
        (
            "#支付宝业务明细查询", f"#账号：[{ALIPAY_APP}]", f"#起始日期：[{day}] 终止日期：[{day}]",
            "#-----------------业务明细列表----------------", TITLES, *(_row(line) for line in lines),
            "#-----------------业务明细列表结束------------",
        )
    )  # fmt: skip
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr(f"{name}_业务明细.csv", body.encode("gb18030"))
        parts.writestr(f"{name}_业务明细(汇总).csv", "#支付宝业务汇总查询".encode("gb18030"))
    return file.getvalue()


def _row(line: Line) -> str:
    trade, is_refund = line.trade, bool(line.refund)
    amount = yuan(-line.amount_fen if is_refund else line.amount_fen)
    cells = (
        f"{trade.gateway_number}\t", f"{trade.number}\t", "退款" if is_refund else "交易",
        trade.description.replace(",", " "), _time(trade.made_ms), _time(line.at_ms), "", "", "", "", "188******88",
        amount, amount, "0.00", "0.00", "0.00", "0.00", "0.00", "", "0.00", "0.00", f"{line.refund}\t",
        yuan(-line.fee_fen), "0.00", "",
    )  # fmt: skip
    return ",".join(cells)
