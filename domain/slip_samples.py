"""One sample of every slip, for looking at a layout before anything real is printed. Nothing on them is valid."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from domain.coupon.model import CouponKind
from domain.shift import ShiftTotals
from domain.slip import Paper, Slip
from domain.slip_layouts import (
    Language,
    Pickup,
    Receipt,
    ShiftReport,
    Ticket,
    Voucher,
    entry_ticket,
    pickup_slip,
    printer_test_page,
    receipt_slip,
    shift_report,
    voucher_slip,
)

Make = Callable[[str, datetime, Paper, Language], Slip]
QR = "HTTPS://LOTGATE.EXAMPLE/V/LG1" + "0123456789ABCDEFGHJKMNPQRSTVWXYZ" * 5 + "0123456"
PLATE, NAME, TILL, NUMBER = "京A12345", "样张", "1", "7-000345"


def _voucher(lot: str, at: datetime, paper: Paper, language: Language) -> Slip:
    until = at + timedelta(hours=24)
    face = Voucher(lot, NAME, CouponKind.AMOUNT, 500, at, until, NUMBER, QR, at, NAME, TILL, max_fen=500, test=True)
    return voucher_slip(face, paper, language)


def _receipt(lot: str, at: datetime, paper: Paper, language: Language) -> Slip:
    entered = at - timedelta(hours=4)
    lines, paid = ((f"{NAME} {NUMBER}", -500),), (("￥", 2000),)
    return receipt_slip(
        Receipt(lot, "A-12", PLATE, entered, at, 240, lines, 2400, 1900, paid, 100, NAME, TILL, copy=1), paper, language
    )


def _ticket(lot: str, at: datetime, paper: Paper, language: Language) -> Slip:
    return entry_ticket(Ticket(lot, "A", "K7M2P9", "", at, QR[:90]), paper, language)


def _shift(lot: str, at: datetime, paper: Paper, language: Language) -> Slip:
    begins = at - timedelta(hours=8)
    sums = ShiftTotals(cars=87, payments=64, fee_fen=75_400, coupon_fen=6_000, cash_fen=32_600, electronic_fen=36_800,
                       float_fen=20_000, drop_fen=10_000, openings=2)  # fmt: skip
    return shift_report(ShiftReport(lot, TILL, 17, NAME, NAME, begins, at, sums, 42_500), paper, language)


def _pickup(lot: str, at: datetime, paper: Paper, language: Language) -> Slip:
    return pickup_slip(Pickup(lot, NUMBER, "8F2K", ((NAME, 2),), at, NAME), paper, language)


def _test(_lot: str, at: datetime, paper: Paper, language: Language) -> Slip:
    return printer_test_page(NAME, at, paper, language)


SAMPLES: Mapping[str, Make] = {
    "voucher": _voucher,
    "receipt": _receipt,
    "ticket": _ticket,
    "report": _shift,
    "pickup": _pickup,
    "test": _test,
}
LAYOUTS = tuple(SAMPLES)
