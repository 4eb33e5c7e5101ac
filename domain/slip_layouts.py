"""What stands on each kind of slip. Vouchers are printed once; everything else may be printed again, marked 补打."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from domain.coupon.model import CouponKind
from domain.fen import yuan
from domain.shift import ShiftTotals
from domain.slip import Align, Cut, Feed, Line, Paper, Qr, Rule, Slip, Text, pair, paragraph


class Language(StrEnum):
    ZH = "zh-CN"
    EN = "en"


_WORDS: Final = {
    "voucher": ("停车优惠券", "Parking voucher"),
    "amount": ("抵扣 {value} 元", "{value} yuan off"),
    "duration": ("减免 {value} 分钟", "{value} min free"),
    "percent": ("按 {value}% 付费", "pay {value} %"),
    "full_waiver": ("停车全免", "Free parking"),
    "free_until": ("免费至 {value}", "free until {value}"),
    "at_most": ("最多抵扣 {value} 元", "at most {value} yuan"),
    "from": ("生效", "Valid from"),
    "until": ("有效至", "Valid until"),
    "one_per_stay": ("一次停车限用一张", "One per stay"),
    "only_plate": ("限车牌", "Plate"),
    "number": ("编号", "Number"),
    "issued": ("发放时间", "Issued"),
    "issued_by": ("操作员", "By"),
    "till": ("终端", "Till"),
    "test": ("测试样张 不可使用", "TEST - NOT VALID"),
    "scan": ("离场时在出口或岗亭扫码使用", "Scan at the exit or the booth when you leave"),
    "receipt": ("停车收费凭证", "Parking receipt"),
    "ticket": ("入场凭证", "Entry ticket"),
    "copy": ("补打 第 {value} 次", "Duplicate (补打) no. {value}"),
    "plate": ("车牌", "Plate"),
    "no_plate": ("无牌车", "no plate"),
    "entered": ("入场", "Entered"),
    "left": ("缴费时间", "Paid at"),
    "stayed": ("停车时长", "Stayed"),
    "days": ("{days}天", "{days}d "),
    "hours": ("{hours}小时{minutes}分", "{hours}h {minutes}min"),
    "fee": ("停车费", "Fee"),
    "due": ("应收", "Due"),
    "cash": ("现金", "Cash"),
    "already_waived": ("已减免", "Waived"),
    "already_paid": ("已付", "Paid before"),
    "owed_before": ("历史欠费", "Owed from before"),
    "change": ("找零", "Change"),
    "lane": ("车道", "Lane"),
    "keep": ("请妥善保管，出场时出示", "Keep this ticket and show it at the exit"),
    "test_page": ("打印测试页", "Printer test page"),
    "printer": ("打印机", "Printer"),
    "paper": ("纸宽", "Paper"),
    "printed": ("打印时间", "Printed"),
    "shift": ("交接班报表", "Shift report"),
    "shift_now": ("班中报表", "Shift so far"),
    "closed_by": ("代为结班", "Closed by"),
    "cars": ("出场车辆", "Cars out"),
    "payments": ("收费笔数", "Payments"),
    "fee_fen": ("应收", "Due"),
    "coupon_fen": ("优惠券抵扣", "Coupons"),
    "waived_fen": ("减免", "Waived"),
    "owed_fen": ("欠费离场", "Left owing"),
    "debts_fen": ("收回欠费", "Debts collected"),
    "cash_fen": ("现金收入", "Cash taken"),
    "electronic_fen": ("电子支付", "Electronic"),
    "refund_fen": ("现金退款", "Cash refunded"),
    "openings": ("手动开闸", "Opened by hand"),
    "float_fen": ("备用金", "Change at start"),
    "drop_fen": ("缴存保险柜", "Into the safe"),
    "expected_cash": ("应有现金", "Cash expected"),
    "signed": ("交班签字          接班签字", "Handed over      Taken over"),
    "begins": ("上班", "Begins"),
    "ends": ("下班", "Ends"),
    "cashier": ("当班", "Cashier"),
    "takes_over": ("接班", "Takes over"),
    "counted": ("清点现金", "Cash counted"),
    "difference": ("差额", "Difference"),
    "pickup": ("提货单", "Pickup slip"),
    "code": ("提货码", "Code"),
    "picked_up": ("提货时间", "Picked up"),
}

SHIFT_SUMS: Final = ("fee_fen", "coupon_fen", "waived_fen", "owed_fen", "debts_fen", "electronic_fen")
SHIFT_DRAWER: Final = ("float_fen", "cash_fen", "refund_fen", "drop_fen")


@dataclass(frozen=True, slots=True)
class Voucher:
    """A voucher's face. Times are lot-local; *value* is fen, minutes or per cent to pay by *kind*; *qr* the paper text.

    There is no count of copies: the same counter is never printed twice (I13).
    """

    lot: str
    merchant: str
    kind: CouponKind
    value: int
    not_before: datetime
    not_after: datetime
    number: str
    qr: str
    issued_at: datetime
    issued_by: str
    till: str
    until: datetime | None = None
    max_fen: int | None = None
    plate: str = ""
    test: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """Money taken for a stay at *left*. *fee_lines* make up the fee, *lines* what came off it or on top, both as
    (what for, fen) in the reader's words; *copy* counts reprints.
    """

    lot: str
    number: str
    plate: str
    entered: datetime
    left: datetime
    minutes: int
    lines: tuple[tuple[str, int], ...]
    fee_fen: int
    due_fen: int
    paid: tuple[tuple[str, int], ...]
    change_fen: int
    cashier: str
    till: str
    copy: int = 0
    fee_lines: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Ticket:
    """Proof of an entry, above all for cars without plates. *qr* names the stay."""

    lot: str
    lane: str
    number: str
    plate: str
    entered: datetime
    qr: str
    copy: int = 0


@dataclass(frozen=True, slots=True)
class ShiftReport:
    """A shift as it stands (*counted_cash_fen* None) or its end. *closed_by* where that is not the cashier. Fen."""

    lot: str
    till: str
    number: int
    cashier: str
    takes_over: str
    begins: datetime
    ends: datetime
    sums: ShiftTotals
    counted_cash_fen: int | None = None
    closed_by: str = ""
    copy: int = 0


@dataclass(frozen=True, slots=True)
class Pickup:
    """What was handed over for a pickup code, which is shown in part only."""

    store: str
    number: str
    code_tail: str
    goods: tuple[tuple[str, int], ...]
    picked_up: datetime
    by: str
    copy: int = 0


@dataclass(frozen=True, slots=True)
class _Desk:
    """The paper and language at hand."""

    columns: int
    language: Language

    def say(self, key: str, **values: object) -> str:
        return _WORDS[key][self.language is Language.EN].format(**values)

    def pair(self, key: str, value: str, *, bold: bool = False) -> tuple[Text, ...]:
        return pair(self.say(key), value, self.columns, bold=bold)

    def money(self, key: str, fen: int, *, bold: bool = False) -> tuple[Text, ...]:
        return self.pair(key, yuan(fen), bold=bold)

    def title(self, text: str) -> tuple[Text, ...]:
        return paragraph(text, self.columns, align=Align.CENTRE, size=2, bold=True)

    def centred(self, text: str, *, bold: bool = False) -> tuple[Text, ...]:
        return paragraph(text, self.columns, align=Align.CENTRE, bold=bold)

    def head(self, place: str, title: str, copy: int = 0) -> tuple[Line, ...]:
        again = self.title(self.say("copy", value=copy)) if copy else ()
        return (*self.centred(place), *self.title(self.say(title)), *again, Rule())

    def slip(self, *lines: Line) -> Slip:
        return Slip(self.columns, (*lines, Cut()))


def voucher_slip(voucher: Voucher, paper: Paper = Paper.MM58, language: Language = Language.ZH) -> Slip:
    """A voucher: the QR comes last, so that paper that ran out before it is worth nothing."""
    desk = _Desk(paper, language)
    worth = desk.say("at_most", value=yuan(voucher.max_fen)) if voucher.max_fen is not None else ""
    return desk.slip(
        *(desk.title(desk.say("test")) if voucher.test else ()),
        *desk.head(voucher.lot, "voucher"),
        *desk.centred(voucher.merchant, bold=True),
        *desk.title(coupon_value(voucher, language)),
        *(desk.centred(worth) if worth else ()),
        *desk.centred(desk.say("one_per_stay")),
        Rule(),
        *(desk.pair("only_plate", voucher.plate, bold=True) if voucher.plate else ()),
        *desk.pair("from", _when(voucher.not_before)),
        *desk.pair("until", _when(voucher.not_after), bold=True),
        *desk.pair("number", voucher.number),
        *desk.pair("issued", _when(voucher.issued_at)),
        *desk.pair("issued_by", voucher.issued_by),
        *desk.pair("till", voucher.till),
        *desk.centred(desk.say("scan")),
        Feed(1),
        Qr(voucher.qr),
    )


def coupon_value(voucher: Voucher, language: Language = Language.ZH) -> str:
    """What a voucher is worth, in a few words."""
    match voucher.kind:
        case CouponKind.AMOUNT:
            value = yuan(voucher.value)
        case CouponKind.FREE_UNTIL if voucher.until is not None:
            value = f"{voucher.until:%H:%M}"
        case _:
            value = str(voucher.value)
    return _Desk(0, language).say(voucher.kind.lower(), value=value)


def receipt_slip(receipt: Receipt, paper: Paper = Paper.MM58, language: Language = Language.ZH) -> Slip:
    """A fee receipt; reprints say so and how often."""
    desk = _Desk(paper, language)
    return desk.slip(
        *desk.head(receipt.lot, "receipt", receipt.copy),
        *desk.pair("plate", receipt.plate or desk.say("no_plate"), bold=True),
        *desk.pair("entered", _when(receipt.entered)),
        *desk.pair("left", _when(receipt.left)),
        *desk.pair("stayed", _length(receipt.minutes, desk)),
        Rule(),
        *_amounts(receipt.fee_lines, desk),
        *desk.money("fee", receipt.fee_fen),
        *_amounts(receipt.lines, desk),
        *desk.money("due", receipt.due_fen, bold=True),
        *_amounts(receipt.paid, desk),
        *(desk.money("change", receipt.change_fen) if receipt.change_fen else ()),
        Rule(),
        *desk.pair("number", receipt.number),
        *desk.pair("issued_by", receipt.cashier),
        *desk.pair("till", receipt.till),
        Feed(1),
    )


def adjustments(
    waived_fen: int, paid_fen: int, debts_fen: int, language: Language = Language.ZH
) -> tuple[tuple[str, int], ...]:
    """What was let go, was paid before and is owed from before, as lines of a receipt."""
    desk = _Desk(0, language)
    parts = (("already_waived", -waived_fen), ("already_paid", -paid_fen), ("owed_before", debts_fen))
    return tuple((desk.say(name), fen) for name, fen in parts if fen)


def tendered(fen: int, language: Language = Language.ZH) -> tuple[tuple[str, int], ...]:
    """The cash handed over, as a line of a receipt."""
    return ((_Desk(0, language).say("cash"), fen),)


def entry_ticket(ticket: Ticket, paper: Paper = Paper.MM58, language: Language = Language.ZH) -> Slip:
    """A ticket taken at the entry."""
    desk = _Desk(paper, language)
    return desk.slip(
        *desk.head(ticket.lot, "ticket", ticket.copy),
        *desk.pair("plate", ticket.plate or desk.say("no_plate"), bold=True),
        *desk.pair("entered", _when(ticket.entered)),
        *desk.pair("lane", ticket.lane),
        *desk.pair("number", ticket.number),
        *desk.centred(desk.say("keep")),
        Feed(1),
        Qr(ticket.qr, dots=6),
    )


def shift_report(report: ShiftReport, paper: Paper = Paper.MM58, language: Language = Language.ZH) -> Slip:
    """A shift's figures; at its end with both names, the count, its difference and room for two signatures."""
    desk, counted, sums = _Desk(paper, language), report.counted_cash_fen, report.sums
    ended: tuple[Line, ...] = () if counted is None else (
        *desk.money("counted", counted), *desk.money("difference", counted - sums.expected_fen, bold=True),
        Feed(1), Text(desk.say("signed")), Feed(2),
    )  # fmt: skip
    return desk.slip(
        *desk.head(report.lot, "shift_now" if counted is None else "shift", report.copy),
        *desk.pair("till", report.till),
        *desk.pair("number", str(report.number)),
        *desk.pair("begins", _when(report.begins)),
        *desk.pair("printed" if counted is None else "ends", _when(report.ends)),
        *desk.pair("cashier", report.cashier),
        *(desk.pair("closed_by", report.closed_by) if report.closed_by else ()),
        *(desk.pair("takes_over", report.takes_over) if report.takes_over else ()),
        Rule(),
        *(line for name in ("cars", "payments", "openings") for line in desk.pair(name, str(getattr(sums, name)))),
        *(line for name in SHIFT_SUMS for line in desk.money(name, getattr(sums, name))),
        Rule(),
        *(line for name in SHIFT_DRAWER for line in desk.money(name, getattr(sums, name))),
        *desk.money("expected_cash", sums.expected_fen, bold=True),
        *ended,
        Feed(2),
    )


def pickup_slip(pickup: Pickup, paper: Paper = Paper.MM58, language: Language = Language.ZH) -> Slip:
    """Goods handed over at a store."""
    desk = _Desk(paper, language)
    goods = [line for what, count in pickup.goods for line in pair(what, f"x{count}", paper)]
    return desk.slip(
        *desk.head(pickup.store, "pickup", pickup.copy),
        *goods,
        Rule(),
        *desk.pair("code", f"***{pickup.code_tail}"),
        *desk.pair("number", pickup.number),
        *desk.pair("picked_up", _when(pickup.picked_up)),
        *desk.pair("issued_by", pickup.by),
        Feed(1),
    )


def printer_test_page(printer: str, at: datetime, paper: Paper = Paper.MM58, language: Language = Language.ZH) -> Slip:
    """Shows what must come out right: width, hanzi, full-width marks, alignment, sizes, the QR and the knife."""
    desk = _Desk(paper, language)
    ruler = "".join(str(column % 10) for column in range(1, paper + 1))
    return desk.slip(
        *desk.head("lotgate", "test_page"),
        *desk.pair("printer", printer),
        *desk.pair("paper", f"{58 if paper is Paper.MM58 else 80} mm / {int(paper)}"),
        *desk.pair("printed", _when(at)),
        Text(ruler),
        Text("停" * (paper // 2)),
        Text("￥12.50 ，。！？（）京A·12345"),
        Text("<", Align.LEFT),
        Text("=", Align.CENTRE),
        Text(">", Align.RIGHT),
        Text("粗体 Bold", bold=True),
        Text("大字 Large", size=2),
        Rule(),
        Feed(1),
        Qr("HTTPS://LOTGATE.EXAMPLE/T/" + "0123456789" * 8),
    )


def _amounts(amounts: tuple[tuple[str, int], ...], desk: _Desk) -> tuple[Text, ...]:
    return tuple(line for label, fen in amounts for line in pair(label, yuan(fen), desk.columns))


def _length(minutes: int, desk: _Desk) -> str:
    days, rest = divmod(minutes, 1440)
    hours, left = divmod(rest, 60)
    return (desk.say("days", days=days) if days else "") + desk.say("hours", hours=hours, minutes=left)


def _when(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
