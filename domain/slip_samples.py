"""One sample of every slip, for looking at a layout before anything real is printed. Nothing on them is valid."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from domain.coupon.model import CouponKind
from domain.shift import ShiftTotals
from domain.slip import Paper
from domain.slip_faces import (
    DebtReceipt,
    Face,
    Language,
    Pickup,
    Receipt,
    RefundReceipt,
    ShiftReport,
    TestPage,
    Ticket,
    Voucher,
    tendered,
)

Make = Callable[[str, datetime, Paper, Language], Face]
QR = "HTTPS://LOTGATE.EXAMPLE/V/LG1" + "0123456789ABCDEFGHJKMNPQRSTVWXYZ" * 5 + "0123456"
PLATE, TILL, NUMBER = "京A12345", "1", "7-000345"
NAMES = {Language.ZH: "样张", Language.EN: "Sample"}


def _voucher(lot: str, at: datetime, _paper: Paper, language: Language) -> Voucher:
    name, until = NAMES[language], at + timedelta(hours=24)
    return Voucher(lot, name, CouponKind.AMOUNT, 500, at, until, NUMBER, QR, at, name, TILL, max_fen=500, test=True)


def _receipt(lot: str, at: datetime, _paper: Paper, language: Language) -> Receipt:
    name, entered = NAMES[language], at - timedelta(hours=4)
    first, after = ("First hour", "Each hour after") if language is Language.EN else ("首小时", "之后每小时")
    return Receipt(
        lot, "A-12", PLATE, entered, at, 240, ((f"{name} {NUMBER}", -500),), 2400, 1900, tendered(2000, language), 100,
        name, TILL, copy=1, fee_lines=((first, 600), (after, 1800)),
    )  # fmt: skip


def _refund(lot: str, at: datetime, _paper: Paper, language: Language) -> RefundReceipt:
    name = NAMES[language]
    return RefundReceipt(lot, "A-13", PLATE, at, "A-12", name, 500, name, name, TILL, copy=1)


def _debts(lot: str, at: datetime, _paper: Paper, language: Language) -> DebtReceipt:
    before = ((at - timedelta(days=9), 1200), (at - timedelta(days=2), 700))
    cash = tendered(2000, language)
    return DebtReceipt(lot, "A-14", PLATE, at, before, 1500, 400, cash, 500, NAMES[language], TILL, copy=1)


def _ticket(lot: str, at: datetime, _paper: Paper, _language: Language) -> Ticket:
    return Ticket(lot, "A", "K7M2P9", "", at, QR[:90])


def _shift(lot: str, at: datetime, _paper: Paper, language: Language) -> ShiftReport:
    name, begins = NAMES[language], at - timedelta(hours=8)
    sums = ShiftTotals(cars=87, payments=64, fee_fen=75_400, by_hand_fen=3_000, coupon_fen=6_000, cash_fen=32_600,
                       electronic_fen=36_800, float_fen=20_000, drop_fen=10_000, openings=2)  # fmt: skip
    return ShiftReport(lot, TILL, 17, name, name, begins, at, sums, 42_500, log="20481 9f3c2a7be05d1846")


def _pickup(lot: str, at: datetime, _paper: Paper, language: Language) -> Pickup:
    return Pickup(lot, NUMBER, "8F2K", ((NAMES[language], 2),), at, NAMES[language])


def _test(_lot: str, at: datetime, paper: Paper, language: Language) -> TestPage:
    return TestPage(NAMES[language], at, paper)


SAMPLES: Mapping[str, Make] = {
    "voucher": _voucher,
    "receipt": _receipt,
    "refund": _refund,
    "debts": _debts,
    "ticket": _ticket,
    "report": _shift,
    "pickup": _pickup,
    "test": _test,
}
LAYOUTS = tuple(SAMPLES)
