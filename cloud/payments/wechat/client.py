"""WeChat Pay over HTTPS: each request signed, each answer proved, nothing unproved believed."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
from yarl import URL

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
from cloud.payments.wechat import answers
from cloud.payments.wechat.options import WechatOptions
from cloud.payments.wechat.signing import (
    WrongSignatureError,
    authorization,
    decrypt,
    read_keys,
    sign,
    verify,
)
from plumbing.files import read_secret

TIMEOUT = aiohttp.ClientTimeout(total=10)
TRANSACTIONS, REFUNDS = "/v3/pay/transactions", "/v3/refund/domestic/refunds"
NO_ORDER = frozenset({"ORDER_NOT_EXIST", "ORDERNOTEXIST"})
NO_REFUND = frozenset({"RESOURCE_NOT_EXISTS"})
CLOSED_ALREADY = frozenset({"ORDER_CLOSED", "ORDERCLOSED"})
TYPING = frozenset({"USERPAYING", "USER_PAYING"})
UNSURE = frozenset({"SYSTEM_ERROR", "SYSTEMERROR", "BANK_ERROR", "BANKERROR"})  # it may have happened all the same
TOO_OFTEN = 429
NO_BILL = frozenset({"NO_STATEMENT_EXIST"})
MOST_DESCRIPTION, MOST_REASON = 127, 80  # characters


class WechatPay:
    """One merchant number. Keys are read once, here."""

    kind = "wechat"
    rank = 1
    wallet = "MicroMessenger"
    script = Path(__file__).parent / "wallet.js"

    def __init__(self, options: WechatOptions, now_ms: Callable[[], int]) -> None:
        self._options, self._now_ms = options, now_ms
        self._keys = read_keys(options.key_file, options.api_key_file, options.platform_keys)
        self._app_secret = read_secret(options.app_secret_file) if options.app_secret_file else ""
        inside = {Way.WALLET} if self._app_secret else set()
        self.ways = frozenset({Way.QR, Way.PHONE, Way.CODE} | inside)
        self._http: aiohttp.ClientSession | None = None

    # What goes out

    async def prepare(self, charge: Charge, way: Way) -> Prepared:
        body = self._common(charge) | {
            "time_expire": datetime.fromtimestamp(charge.expires_ms // 1000, answers.CHINA).isoformat(),
            "notify_url": charge.notify_url,
        }
        if way is Way.QR:
            made = await self._call("POST", f"{TRANSACTIONS}/native", body)
            return Prepared(qr_text=str(made["code_url"]))
        if way is Way.PHONE:
            scene = {"payer_client_ip": charge.address, "h5_info": {"type": "Wap"}}
            made = await self._call("POST", f"{TRANSACTIONS}/h5", body | {"scene_info": scene})
            back = f"&redirect_url={quote(charge.return_url, safe='')}" if charge.return_url else ""
            return Prepared(url=f"{made['h5_url']}{back}")
        made = await self._call("POST", f"{TRANSACTIONS}/jsapi", body | {"payer": {"openid": charge.payer}})
        return Prepared(wallet=self._for_script(f"prepay_id={made['prepay_id']}"))

    def _common(self, charge: Charge) -> dict[str, Any]:
        return {
            "appid": self._options.appid,
            "mchid": self._options.mchid,
            "description": charge.description[:MOST_DESCRIPTION],
            "out_trade_no": charge.number,
            "amount": {"total": charge.amount_fen, "currency": "CNY"},
        }

    def _for_script(self, package: str) -> dict[str, str]:
        """Arguments of the wallet's getBrandWCPayRequest."""
        now, nonce = str(self._now_ms() // 1000), secrets.token_hex(16)
        return {
            "appId": self._options.appid,
            "timeStamp": now,
            "nonceStr": nonce,
            "package": package,
            "signType": "RSA",
            "paySign": sign(self._keys.private, self._options.appid, now, nonce, package),
        }

    async def pay_by_code(self, charge: Charge, code: str) -> Outcome:
        body = self._common(charge) | {"payer": {"auth_code": code}, "scene_info": {"store_info": {"id": "lotgate"}}}
        try:
            return answers.trade(self._own(await self._call("POST", f"{TRANSACTIONS}/codepay", body)))
        except ProviderRefusedError as exc:
            if exc.code in TYPING:
                return Outcome(State.WAITING, detail=str(exc))
            raise

    def takes(self, code: str) -> bool:
        return len(code) == 18 and code.isdigit() and "10" <= code[:2] <= "15"

    async def query(self, number: str) -> Outcome:
        try:
            found = await self._call("GET", f"{TRANSACTIONS}/out-trade-no/{number}?mchid={self._options.mchid}")
        except ProviderRefusedError as exc:
            if exc.code in NO_ORDER:
                return Outcome(State.WAITING, detail=exc.code)
            raise
        return answers.trade(self._own(found))

    async def close(self, number: str) -> None:
        try:
            await self._call("POST", f"{TRANSACTIONS}/out-trade-no/{number}/close", {"mchid": self._options.mchid})
        except ProviderRefusedError as exc:
            if exc.code not in NO_ORDER | CLOSED_ALREADY:
                raise

    async def reverse(self, number: str) -> None:
        body = {"appid": self._options.appid, "mchid": self._options.mchid}
        await self._call("POST", f"{TRANSACTIONS}/out-trade-no/{number}/reverse", body)

    async def refund(self, number: str, repayment: Repayment) -> Outcome:
        body = {
            "out_trade_no": number,
            "out_refund_no": repayment.number,
            "reason": repayment.reason[:MOST_REASON],
            "notify_url": repayment.notify_url,
            "amount": {"refund": repayment.amount_fen, "total": repayment.total_fen, "currency": "CNY"},
        }
        return answers.refund(await self._call("POST", REFUNDS, body))

    async def query_refund(self, number: str, refund_number: str) -> Outcome:
        try:
            return answers.refund(await self._call("GET", f"{REFUNDS}/{refund_number}"))
        except ProviderRefusedError as exc:
            if exc.code in NO_REFUND:
                return Outcome(State.UNKNOWN, detail=exc.code)
            raise

    async def bill(self, day: date) -> Sequence[BillLine]:
        try:
            told = await self._call("GET", f"/v3/bill/tradebill?bill_date={day.isoformat()}&bill_type=ALL")
        except ProviderRefusedError as exc:
            if exc.code in NO_BILL:
                return []
            raise
        url = URL(str(told["download_url"]), encoded=True)
        body = await self._send("GET", url.raw_path_qs, "", proved=False)  # the file is proved by its hash
        if hashlib.sha1(body).hexdigest() != told["hash_value"]:  # noqa: S324 - the hash the provider chose
            raise ProviderError("the bill is not the one that was named")
        return list(answers.bill(body.decode()))

    # What comes in

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice | None:
        try:
            verify(self._keys, headers, body, self._now_ms() // 1000)
        except WrongSignatureError as exc:
            raise BadNoticeError(str(exc)) from exc
        try:
            told = json.loads(body)
            sealed = told["resource"]
            opened = decrypt(self._keys, sealed["nonce"], sealed.get("associated_data") or "", sealed["ciphertext"])
            return self._notice(str(told["id"]), str(told["event_type"]), json.loads(opened))
        except (ValueError, KeyError, TypeError, AttributeError, ProviderError) as exc:
            raise BadNoticeError(f"a notice of another shape: {exc}") from exc

    def _notice(self, notice_id: str, event: str, values: dict[str, Any]) -> Notice | None:
        if event == "TRANSACTION.SUCCESS":
            return Notice(notice_id, str(values["out_trade_no"]), answers.trade(self._own(values)))
        if event.startswith("REFUND."):
            if values["mchid"] != self._options.mchid:
                raise ProviderError("another merchant's refund")
            number = str(values["out_trade_no"])
            return Notice(notice_id, number, answers.refund(values), str(values["out_refund_no"]))
        return None

    def _own(self, values: dict[str, Any]) -> dict[str, Any]:
        """Raises ProviderError for the payment of another merchant number or app."""
        if values.get("mchid") != self._options.mchid or values.get("appid") != self._options.appid:
            raise ProviderError(f"a payment of another account: {values.get('mchid')} {values.get('appid')}")
        return values

    def reply(self, *, taken: bool) -> Reply:
        if taken:
            return Reply(204)
        return Reply(401, json.dumps({"code": "FAIL", "message": "not believed"}), "application/json")

    # Who pays

    def ask_who(self, back: str, state: str) -> str:
        asked = {"appid": self._options.appid, "redirect_uri": back, "response_type": "code", "scope": "snsapi_base"}
        return f"{self._options.authorize_url}?{urlencode(asked | {'state': state})}#wechat_redirect"

    async def who(self, code: str) -> str:
        asked = {"appid": self._options.appid, "secret": self._app_secret, "code": code}
        url = f"{self._options.app_url}/sns/oauth2/access_token"
        try:
            async with self._session().get(url, params=asked | {"grant_type": "authorization_code"}) as answer:
                told = json.loads(await answer.read())
        except (aiohttp.ClientError, TimeoutError, ValueError) as exc:
            raise ProviderError(
                f"WeChat does not say who pays: {type(exc).__name__}"
            ) from None  # the URL has the secret
        if "openid" not in told:
            raise ProviderRefusedError(str(told.get("errcode")), str(told.get("errmsg")))
        return str(told["openid"])

    # The wire

    async def _call(self, method: str, target: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        text = "" if body is None else json.dumps(body, ensure_ascii=False)
        answer = await self._send(method, target, text, proved=True)
        try:
            made = json.loads(answer) if answer else {}
        except ValueError as exc:
            raise ProviderError("an answer that is no JSON") from exc
        if not isinstance(made, dict):
            raise ProviderError("an answer of another shape")
        return made

    async def _send(self, method: str, target: str, text: str, *, proved: bool) -> bytes:
        """Raises ProviderRefusedError only when WeChat itself said no, under its signature."""
        options = self._options
        headers = {
            "Authorization": authorization(
                self._keys, options.mchid, options.serial, (method, target, text), self._now_ms() // 1000
            ),
            "Accept": "application/json",
            "Content-Type": "application/json",
            "Wechatpay-Serial": next(iter(options.platform_keys), ""),
            "User-Agent": "lotgate",
        }
        url = URL(options.base_url + target, encoded=True)
        try:
            async with self._session().request(method, url, data=text.encode(), headers=headers) as answer:
                body = await answer.read()
                if proved or not answer.ok:
                    verify(self._keys, answer.headers, body, self._now_ms() // 1000)
                if not answer.ok:
                    raise _refusal(answer.status, body)
                return body
        except WrongSignatureError as exc:
            raise ProviderError(f"an answer not believed: {exc}") from exc
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise ProviderError(f"no answer: {type(exc).__name__}") from exc

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            self._http = aiohttp.ClientSession(timeout=TIMEOUT)
        return self._http

    async def aclose(self) -> None:
        if self._http is not None:
            await self._http.close()


def _refusal(status: int, body: bytes) -> ProviderError:
    try:
        told = json.loads(body)
        code, words = str(told["code"]), str(told.get("message", ""))
    except (ValueError, KeyError, TypeError):
        return ProviderError(f"status {status} without a reason")
    if status >= 500 or status == TOO_OFTEN or code in UNSURE:
        return ProviderError(f"status {status} {code}")
    return ProviderRefusedError(code, words)
