"""Vouchers on paper: the slip, the bytes, the printer, and an honest word on how it ended (I13)."""

from __future__ import annotations

import logging
from datetime import datetime

from domain.coupon import CouponKind
from domain.slip import Paper, Slip
from domain.slip_layouts import Language, Voucher, voucher_slip
from domain.voucher import number, paper_text
from domain.wire import Json
from drivers.base import DeviceError, Printer, PrinterStatus
from drivers.printer.encode import encode
from edge.services.issuing import Issued
from edge.services.lot import Lot

log = logging.getLogger(__name__)

MINUTE_MS = 60_000
GOOD = (PrinterStatus.READY, PrinterStatus.PAPER_LOW)
MAY_TRY = (*GOOD, PrinterStatus.UNKNOWN)  # many cheap units never answer


def slip_of(lot: Lot, host: str, issued: Issued, template: Json, merchant: str, by: str, now_ms: int) -> Slip:
    """The voucher as it is printed."""
    payload = issued.payload
    language = Language.ZH if lot.locale == "zh-CN" else Language.EN

    def local(minutes: int) -> datetime:
        return lot.local(minutes * MINUTE_MS)

    return voucher_slip(
        Voucher(
            lot=lot.name,
            merchant=merchant,
            kind=CouponKind(str(template["kind"])),
            value=int(template.get("value") or 0),
            not_before=lot.local(now_ms),
            not_after=local(payload.not_after_min),
            number=number(payload),
            qr=paper_text(host, issued.token),
            issued_at=lot.local(now_ms),
            issued_by=by,
            till=lot.edge,
            max_fen=payload.cap_fen or None,
        ),
        Paper.MM58,
        language,
    )


async def is_ready(printer: Printer) -> bool:
    """May a job be tried? A printer known to be out of paper gets none."""
    try:
        return await printer.status() in MAY_TRY
    except DeviceError as exc:
        log.warning("printer: %s", exc)
        return False


async def put_on_paper(printer: Printer, slip: Slip) -> str:
    """Print once. ``confirmed`` when the printer says all is well afterwards, else ``unknown``: it may be on paper."""
    try:
        await printer.print(encode(slip))
        status = await printer.status()
    except DeviceError as exc:
        log.error("printer: %s", exc)
        return "unknown"
    return "confirmed" if status in GOOD else "unknown"
