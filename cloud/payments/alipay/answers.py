"""What Alipay's JSON, notices and bills mean in our words. Pure."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from cloud.payments.provider import BillLine, Outcome, ProviderError, State
from domain.fen import fen_from_yuan

CHINA = timezone(timedelta(hours=8))
TIME = "%Y-%m-%d %H:%M:%S"
MOST_UNPACKED = 64 * 1024 * 1024  # bytes of one bill


def when_ms(text: object) -> int | None:
    """A time as Alipay writes it: China time without a zone."""
    return int(datetime.strptime(str(text)[:19], TIME).replace(tzinfo=CHINA).timestamp() * 1000) if text else None


def fen(text: object) -> int:
    """An amount in yuan. Raises ProviderError."""
    try:
        return fen_from_yuan(str(text or "0"))
    except ValueError as exc:
        raise ProviderError(str(exc)) from exc


def trade(values: Mapping[str, Any]) -> Outcome:
    """A payment, from an answer or a notice. A closed trade with a day of payment was paid and given back."""
    paid_at = values.get("send_pay_date") or values.get("gmt_payment")
    states = {
        "WAIT_BUYER_PAY": State.WAITING,
        "TRADE_SUCCESS": State.PAID,
        "TRADE_FINISHED": State.PAID,
        "TRADE_CLOSED": State.REFUNDED if paid_at else State.CLOSED,
    }
    told = str(values.get("trade_status"))
    payer = str(values.get("buyer_user_id") or values.get("buyer_id") or values.get("buyer_open_id") or "")
    state = states.get(told, State.UNKNOWN)
    number = str(values.get("trade_no", ""))
    return Outcome(state, fen(values.get("total_amount")), number, payer, when_ms(paid_at), told)


def bill(packed: bytes) -> Iterator[BillLine]:
    """The lines of a day's trade bill: a zip with the details and the sums. Raises ProviderError when it is none."""
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as parts:
            details = [part for part in parts.infolist() if "汇总" not in _name(part)]
            if len(details) != 1 or details[0].file_size > MOST_UNPACKED:
                raise ProviderError("a bill of another shape")
            text = parts.read(details[0]).decode("gb18030")
    except (zipfile.BadZipFile, UnicodeDecodeError) as exc:
        raise ProviderError("the bill cannot be opened") from exc
    yield from _lines(text)


def _name(part: zipfile.ZipInfo) -> str:
    """Names in the zip are GBK without the mark that would say so."""
    if part.flag_bits & 0x800:
        return part.filename
    return part.filename.encode("cp437", "replace").decode("gb18030", "replace")


def _lines(text: str) -> Iterator[BillLine]:
    names: list[str] = []
    for row in csv.reader(text.splitlines()):
        cells = [cell.strip() for cell in row]
        if "商户订单号" in cells:
            names = cells
        elif names and cells and not cells[0].startswith("#"):
            yield _line(dict(zip(names, cells, strict=False)))
        elif names and cells:
            return


def _line(row: Mapping[str, str]) -> BillLine:
    """Fees are written as what they do to our balance; here as what Alipay charges us, negative when given back."""
    is_refund = row["业务类型"] == "退款"
    happened = when_ms(row.get("完成时间") or row["创建时间"]) or 0
    amount, fee = abs(fen(row["订单金额（元）"])), abs(fen(row.get("服务费（元）")))
    refund_number = row.get("退款批次号/请求号", "") if is_refund else ""
    return BillLine(row["商户订单号"], amount, -fee if is_refund else fee, row["支付宝交易号"], happened, refund_number)
