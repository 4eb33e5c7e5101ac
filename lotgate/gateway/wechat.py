"""The simulated gateway as WeChat Pay, API v3: every request's signature checked, every answer signed."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.fen import yuan
from lotgate.gateway.book import CHINA, Book, Line, Manner, Repaid, Status, Trade
from lotgate.gateway.keys import APPID, MCHID, PLATFORM_SERIAL, SERIAL, GatewayKeys
from plumbing.web.csrf import csrf_exempt

PROVIDER = "wechat"
FIELD = re.compile(r'(\w+)="([^"]*)"')
STATES = {
    Status.WAITING: "NOTPAY",
    Status.TYPING: "USERPAYING",
    Status.PAID: "SUCCESS",
    Status.FAILED: "PAYERROR",
    Status.CLOSED: "CLOSED",
    Status.REVERSED: "REVOKED",
}
TITLES = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,"
    "微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注"
)
SUMS = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
Answer = tuple[int, dict[str, Any] | None]


class NoAnswer(Exception):  # noqa: N818 - not an error: a gateway that keeps silent
    """The connection ends without a word."""


@dataclass(slots=True)
class WechatGateway:
    """Answers ``/v3``."""

    keys: GatewayKeys
    book: Book
    url: Callable[[], str]
    bills: dict[str, bytes] = field(default_factory=dict)

    def add_routes(self, app: web.Application) -> None:
        """The addresses of API v3, and those that tell who pays."""
        at, add_get, add_post = "/v3/pay/transactions", app.router.add_get, app.router.add_post
        for way in ("native", "jsapi", "h5"):
            add_post(f"{at}/{way}", self._signed(self._prepare))
        add_post(f"{at}/codepay", self._signed(self._code))
        add_get(f"{at}/out-trade-no/{{number}}", self._signed(self._query))
        add_post(f"{at}/out-trade-no/{{number}}/close", self._signed(self._close))
        add_post(f"{at}/out-trade-no/{{number}}/reverse", self._signed(self._reverse))
        add_post("/v3/refund/domestic/refunds", self._signed(self._refund))
        add_get("/v3/refund/domestic/refunds/{number}", self._signed(self._query_refund))
        add_get("/v3/bill/tradebill", self._signed(self._bill))
        add_get("/v3/billdownload/file", self._file)
        add_get("/connect/oauth2/authorize", self._authorize)
        add_get("/sns/oauth2/access_token", self._who)

    # Signatures

    def _signed(
        self, work: Callable[[web.Request, dict[str, Any]], Awaitable[Answer]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        @csrf_exempt
        async def handler(request: web.Request) -> web.StreamResponse:
            body = await request.read()
            if not self._is_merchant(request, body):
                return self._answer(401, {"code": "SIGN_ERROR", "message": "错误的签名"})
            try:
                return self._answer(*await work(request, json.loads(body) if body else {}))
            except NoAnswer:
                if request.transport is not None:
                    request.transport.abort()
                return web.Response(status=500)

        return handler

    def _is_merchant(self, request: web.Request, body: bytes) -> bool:
        """Whether the one merchant signed the request, for now."""
        given = dict(FIELD.findall(request.headers.get("Authorization", "")))
        if given.get("mchid") != MCHID or given.get("serial_no") != SERIAL:
            return False
        if abs(int(given["timestamp"]) - self.book.now_ms() // 1000) > 300:
            return False
        lines = (request.method, request.raw_path, given["timestamp"], given["nonce_str"], body.decode())
        text = "".join(f"{line}\n" for line in lines).encode()
        try:
            self.keys.merchant.verify(base64.b64decode(given["signature"]), text, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True

    def _headers(self, body: bytes) -> dict[str, str]:
        now, nonce = str(self.book.now_ms() // 1000), secrets.token_hex(16)
        text = f"{now}\n{nonce}\n".encode() + body + b"\n"
        signature = self.keys.platform.sign(text, padding.PKCS1v15(), hashes.SHA256())
        return {
            "Wechatpay-Timestamp": now,
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Signature": base64.b64encode(signature).decode(),
            "Wechatpay-Serial": PLATFORM_SERIAL,
        }

    def _answer(self, status: int, values: dict[str, Any] | None) -> web.Response:
        body = b"" if values is None else json.dumps(values, ensure_ascii=False).encode()
        return web.Response(status=status, body=body, content_type="application/json", headers=self._headers(body))

    # Trades

    async def _prepare(self, request: web.Request, asked: dict[str, Any]) -> Answer:
        way = request.path.rpartition("/")[2]
        trade = self.book.add(self._trade(asked, way))
        if trade is None:
            return 400, {"code": "OUT_TRADE_NO_USED", "message": "商户订单号重复"}
        trade.payer = asked.get("payer", {}).get("openid", "")
        page = f"{self.url()}/pay/{PROVIDER}/{trade.number}"
        return 200, {"native": {"code_url": page}, "h5": {"h5_url": f"{page}?phone=1"}}.get(
            way, {"prepay_id": f"wx{trade.number}"}
        )

    def _trade(self, asked: dict[str, Any], way: str) -> Trade:
        expires = asked.get("time_expire")
        expires_ms = int(datetime.fromisoformat(expires).timestamp() * 1000) if expires else 2**53
        return Trade(
            PROVIDER, asked["out_trade_no"], asked["amount"]["total"], asked["description"],
            asked.get("notify_url", ""), way, self.book.now_ms(), expires_ms,
        )  # fmt: skip

    async def _code(self, request: web.Request, asked: dict[str, Any]) -> Answer:
        trade = self.book.add(self._trade(asked, "codepay"))
        if trade is None or trade.status is not Status.WAITING:
            return 400, {"code": "OUT_TRADE_NO_USED", "message": "商户订单号重复"}
        manner = asked["payer"]["auth_code"][-1]
        if manner == Manner.POOR:
            trade.status = Status.FAILED
            return 403, {"code": "NOT_ENOUGH", "message": "余额不足"}
        if manner == Manner.TYPES:
            trade.status = Status.TYPING
            return 400, {"code": "USERPAYING", "message": "需要用户输入支付密码"}
        if manner == Manner.SILENT:
            trade.status = Status.TYPING
            raise NoAnswer
        self.book.pay(trade)
        if manner == Manner.SILENT_PAID:
            raise NoAnswer
        return 200, self._told(trade)

    def _told(self, trade: Trade) -> dict[str, Any]:
        """A payment as answers and notices tell it."""
        told: dict[str, Any] = {
            "appid": APPID,
            "mchid": MCHID,
            "out_trade_no": trade.number,
            "trade_state": "REFUND" if trade.refunds else STATES[trade.status],
            "trade_state_desc": trade.status.value,
        }
        if trade.status is Status.PAID:
            total = trade.paid_fen
            told |= {
                "transaction_id": trade.gateway_number,
                "trade_type": trade.way.upper(),
                "bank_type": "OTHERS",
                "success_time": _rfc3339(trade.paid_ms),
                "payer": {"openid": trade.payer},
                "amount": {"total": total, "payer_total": total, "currency": "CNY", "payer_currency": "CNY"},
            }
        return told

    async def _query(self, request: web.Request, _asked: dict[str, Any]) -> Answer:
        trade = self.book.get(PROVIDER, request.match_info["number"])
        if trade is None or request.query.get("mchid") != MCHID:
            return 404, {"code": "ORDER_NOT_EXIST", "message": "订单不存在"}
        return 200, self._told(trade)

    async def _close(self, request: web.Request, _asked: dict[str, Any]) -> Answer:
        trade = self.book.get(PROVIDER, request.match_info["number"])
        if trade is None:
            return 404, {"code": "ORDER_NOT_EXIST", "message": "订单不存在"}
        if trade.status is Status.PAID:
            return 400, {"code": "ORDERPAID", "message": "订单已支付"}
        trade.status = Status.CLOSED
        return 204, None

    async def _reverse(self, request: web.Request, _asked: dict[str, Any]) -> Answer:
        trade = self.book.get(PROVIDER, request.match_info["number"])
        if trade is None:
            return 404, {"code": "ORDER_NOT_EXIST", "message": "订单不存在"}
        trade.status = Status.REVERSED
        return 200, {"appid": APPID, "mchid": MCHID, "out_trade_no": trade.number}

    # Refunds

    async def _refund(self, request: web.Request, asked: dict[str, Any]) -> Answer:
        trade = self.book.get(PROVIDER, asked["out_trade_no"])
        if trade is None:
            return 404, {"code": "RESOURCE_NOT_EXISTS", "message": "订单不存在"}
        made = self.book.repay(trade, asked["out_refund_no"], asked["amount"]["refund"], asked.get("notify_url", ""))
        if made is None or asked["amount"]["total"] != trade.paid_fen:
            return 403, {"code": "NOT_ENOUGH", "message": "退款金额大于可退金额"}
        return 200, self._repaid(trade, made)

    def _repaid(self, trade: Trade, made: Repaid) -> dict[str, Any]:
        return {
            "refund_id": f"50{trade.gateway_number[2:]}",
            "out_refund_no": made.number,
            "transaction_id": trade.gateway_number,
            "out_trade_no": trade.number,
            "channel": "ORIGINAL",
            "user_received_account": "支付用户零钱",
            "success_time": _rfc3339(made.made_ms),
            "status": "SUCCESS",
            "amount": {"total": trade.paid_fen, "refund": made.amount_fen, "currency": "CNY"},
        }

    async def _query_refund(self, request: web.Request, _asked: dict[str, Any]) -> Answer:
        for trade in self.book.trades.values():
            if request.match_info["number"] in trade.refunds:
                return 200, self._repaid(trade, trade.refunds[request.match_info["number"]])
        return 404, {"code": "RESOURCE_NOT_EXISTS", "message": "退款单不存在"}

    # Notices

    def notice(self, trade: Trade) -> tuple[dict[str, str], bytes]:
        """A signed and sealed notice of a payment: its headers and body."""
        nonce = secrets.token_hex(6)
        sealed = AESGCM(self.keys.api_key).encrypt(
            nonce.encode(), json.dumps(self._told(trade)).encode(), b"transaction"
        )
        values = {
            "id": f"EV-{trade.number[-20:]}",
            "create_time": _rfc3339(self.book.now_ms()),
            "resource_type": "encrypt-resource",
            "event_type": "TRANSACTION.SUCCESS",
            "summary": "支付成功",
            "resource": {
                "original_type": "transaction",
                "algorithm": "AEAD_AES_256_GCM",
                "ciphertext": base64.b64encode(sealed).decode(),
                "associated_data": "transaction",
                "nonce": nonce,
            },
        }
        body = json.dumps(values, ensure_ascii=False).encode()
        return self._headers(body) | {"Content-Type": "application/json"}, body

    def probe(self, trade: Trade) -> tuple[dict[str, str], bytes]:
        """What WeChat sends on purpose to see whether signatures are looked at."""
        headers, body = self.notice(trade)
        junk = base64.b64encode(secrets.token_bytes(120)).decode()
        return headers | {"Wechatpay-Signature": f"WECHATPAY/SIGNTEST/{junk}"}, body

    # Bills

    async def _bill(self, request: web.Request, _asked: dict[str, Any]) -> Answer:
        day = date.fromisoformat(request.query["bill_date"])
        lines = list(self.book.bill(PROVIDER, day))
        if not lines:
            return 400, {"code": "NO_STATEMENT_EXIST", "message": "账单文件不存在"}
        body = "\n".join((TITLES, *(_row(line) for line in lines), SUMS, f"`{len(lines)}" + ",`0.00" * 6)).encode()
        token = secrets.token_hex(16)
        self.bills[token] = body
        url = f"{self.url()}/v3/billdownload/file?token={token}"
        return 200, {"hash_type": "SHA1", "hash_value": hashlib.sha1(body).hexdigest(), "download_url": url}  # noqa: S324

    async def _file(self, request: web.Request) -> web.Response:
        if not self._is_merchant(request, b""):
            return self._answer(401, {"code": "SIGN_ERROR", "message": "错误的签名"})
        return web.Response(body=self.bills.pop(request.query["token"]))

    # Who pays

    async def _authorize(self, request: web.Request) -> web.Response:
        code = urlencode({"code": "CODE-FOR-ONE-PAYER", "state": request.query["state"]})
        back = request.query["redirect_uri"]
        raise web.HTTPFound(f"{back}{'&' if '?' in back else '?'}{code}")

    async def _who(self, request: web.Request) -> web.Response:
        return web.json_response({"openid": "o-payer-0000000000000000000a", "access_token": "x", "expires_in": 7200})


def _rfc3339(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, CHINA).isoformat()


def _row(line: Line) -> str:
    trade, is_refund = line.trade, bool(line.refund)
    at = datetime.fromtimestamp(line.at_ms // 1000, CHINA)
    paid, back = ("0.00", yuan(line.amount_fen)) if is_refund else (yuan(line.amount_fen), "0.00")
    cells = (
        f"{at:%Y-%m-%d %H:%M:%S}", APPID, MCHID, "0", "", trade.gateway_number, trade.number, trade.payer,
        trade.way.upper(), "REFUND" if is_refund else "SUCCESS", "OTHERS", "CNY", paid, "0.00",
        f"50{trade.gateway_number[2:]}" if is_refund else "0", line.refund or "0", back, "0.00",
        "ORIGINAL" if is_refund else "", "SUCCESS" if is_refund else "", trade.description.replace(",", " "), "",
        f"{yuan(line.fee_fen)}000", "0.60%", paid, back, "",
    )  # fmt: skip
    return ",".join(f"`{cell}" for cell in cells)
