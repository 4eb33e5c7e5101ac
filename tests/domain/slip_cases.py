"""Faces of every kind of slip, in the ways that change what is printed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from domain.coupon.model import CouponKind
from domain.shift import ShiftTotals
from domain.slip_faces import Face, Pickup, Receipt, ShiftReport, Ticket, Voucher

NOON = datetime(2026, 11, 21, 12, 0)  # noqa: DTZ001  lot-local
LOT = "西湖文化广场地下停车场"
VOUCHER = Voucher(
    lot=LOT,
    merchant="三楼书店",
    kind=CouponKind.AMOUNT,
    value=1000,
    not_before=NOON,
    not_after=NOON.replace(hour=18),
    number="7-000345",
    qr="HTTPS://PAY.EXAMPLE/V/LG1",
    issued_at=NOON,
    issued_by="收银一号",
    till="服务台",
)
RECEIPT = Receipt(
    lot=LOT,
    number="A-12",
    plate="浙A12345",
    entered=NOON.replace(hour=8),
    left=NOON,
    minutes=240,
    lines=(("优惠券 三楼书店", -1000),),
    fee_fen=2400,
    due_fen=1400,
    paid=(("现金", 2000),),
    change_fen=600,
    cashier="收银一号",
    till="岗亭",
)
TICKET = Ticket(LOT, "东入口", "E-9", "", NOON, "LG-STAY-1")
REPORT = ShiftReport(
    LOT,
    "岗亭",
    3,
    "甲",
    "乙",
    NOON,
    NOON.replace(hour=18),
    ShiftTotals(cars=120, cash_fen=95000, float_fen=1000),
    95500,
)
PICKUP = Pickup("二号门店", "P-3", "7QX4", (("礼盒", 2), ("大闸蟹四公四母礼券装", 1)), NOON, "店员")
FEE_LINES = (("首小时", 1000), ("之后每半小时，夜间封顶", 1400))

CASES: dict[str, Face] = {
    **{
        f"voucher {kind.value}": replace(VOUCHER, kind=kind, value=60, until=NOON.replace(hour=20))
        for kind in CouponKind
    },
    "voucher all": replace(VOUCHER, plate="浙A12345", max_fen=5000, test=True, qr="HTTPS://PAY.EXAMPLE/V/" + "A" * 170),
    "receipt": RECEIPT,
    "receipt lines": replace(RECEIPT, fee_lines=FEE_LINES, minutes=3 * 1440 + 61, copy=2, plate=""),
    "receipt exact": replace(RECEIPT, change_fen=0, lines=(), paid=()),
    "ticket": TICKET,
    "ticket plate": replace(TICKET, plate="浙A12345", copy=1),
    "report": REPORT,
    "report copy": replace(REPORT, closed_by="丙", takes_over="", copy=1),
    "report now": replace(REPORT, counted_cash_fen=None),
    "pickup": PICKUP,
    "pickup copy": replace(PICKUP, copy=3),
}
