"""What each kind of slip says, as values, and as the fields its layout may print (docs/slips.md).

A face gives the same field names whatever it holds; what it does not have is an empty text, and a line may be left out
for it. Vouchers are printed once; everything else may be printed again and then counts its *copy*.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final, TypeAlias

from domain.coupon.model import CouponKind
from domain.fen import yuan
from domain.shift import ShiftTotals
from domain.slip import Paper

Row: TypeAlias = Mapping[str, str]
Fields: TypeAlias = Mapping[str, str | tuple[Row, ...]]


class Language(StrEnum):
    ZH = "zh-CN"
    EN = "en"


_WORDS: Final = {
    "amount": ("抵扣 {value} 元", "{value} yuan off"),
    "duration": ("减免 {value} 分钟", "{value} min free"),
    "percent": ("按 {value}% 付费", "pay {value} %"),
    "full_waiver": ("停车全免", "Free parking"),
    "free_until": ("免费至 {value}", "free until {value}"),
    "days": ("{days}天", "{days}d "),
    "hours": ("{hours}小时{minutes}分", "{hours}h {minutes}min"),
    "cash": ("现金", "Cash"),
    "already_waived": ("已减免", "Waived"),
    "already_paid": ("已付", "Paid before"),
    "owed_before": ("历史欠费", "Owed from before"),
}

SHIFT_SUMS: Final = ("fee_fen", "by_hand_fen", "coupon_fen", "waived_fen", "owed_fen", "debts_fen", "electronic_fen")
SHIFT_DRAWER: Final = ("float_fen", "cash_fen", "refund_fen", "drop_fen")


@dataclass(frozen=True, slots=True)
class Voucher:
    """A voucher's face. Times are lot-local; *value* is fen, minutes or per cent to pay by *kind*; *qr* the paper text.

    There is no count of copies: the same counter is never printed twice (I13).
    """

    layout: ClassVar = "voucher"
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

    def fields(self, language: Language) -> Fields:
        """*worth* is what it takes off, in words; *test* is empty on a real one."""
        return {
            "lot": self.lot, "merchant": self.merchant, "worth": coupon_value(self, language),
            "max": self._most(), "plate": self.plate,
            "from": _when(self.not_before), "until": _when(self.not_after), "number": self.number,
            "issued": _when(self.issued_at), "by": self.issued_by, "till": self.till,
            "test": "x" if self.test else "", "qr": self.qr,
        }  # fmt: skip

    def _most(self) -> str:
        """What it takes off at most; "" where *worth* says that already."""
        is_said = self.kind is CouponKind.AMOUNT and self.max_fen == self.value
        return "" if self.max_fen is None or is_said else yuan(self.max_fen)


@dataclass(frozen=True, slots=True)
class Receipt:
    """Money taken for a stay at *left*. *fee_lines* make up the fee, *lines* what came off it or on top, both as
    (what for, fen) in the reader's words; *copy* counts reprints.
    """

    layout: ClassVar = "receipt"
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

    def fields(self, language: Language) -> Fields:
        """*fee_lines*, *changes* and *payments* are repeated; *change* is empty where none was given."""
        return {
            "lot": self.lot, "number": self.number, "plate": self.plate, "entered": _when(self.entered),
            "paid_at": _when(self.left), "stayed": _length(self.minutes, language), "fee": yuan(self.fee_fen),
            "due": yuan(self.due_fen), "change": yuan(self.change_fen) if self.change_fen else "",
            "by": self.cashier, "till": self.till, "copy": _count(self.copy), "fee_lines": _amounts(self.fee_lines),
            "changes": _amounts(self.lines), "payments": _amounts(self.paid),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class RefundReceipt:
    """Cash given back; *of* is the receipt it is for, *approved_by* who allowed what the cashier may not alone."""

    layout: ClassVar = "refund"
    lot: str
    number: str
    plate: str
    at: datetime
    of: str
    reason: str
    amount_fen: int
    cashier: str
    approved_by: str
    till: str
    copy: int = 0

    def fields(self, _language: Language) -> Fields:
        """*of* and *approved_by* are empty where there is none."""
        return {
            "lot": self.lot, "number": self.number, "plate": self.plate, "paid_at": _when(self.at), "of": self.of,
            "reason": self.reason, "amount": yuan(self.amount_fen), "by": self.cashier,
            "approved_by": self.approved_by, "till": self.till, "copy": _count(self.copy),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class DebtReceipt:
    """Money taken without a visit for *debts*: when each car left owing, and how much it then owed still, in fen."""

    layout: ClassVar = "debts"
    lot: str
    number: str
    plate: str
    at: datetime
    debts: tuple[tuple[datetime, int], ...]
    paid_fen: int
    left_fen: int
    paid: tuple[tuple[str, int], ...]
    change_fen: int
    cashier: str
    till: str
    copy: int = 0

    def fields(self, _language: Language) -> Fields:
        """*debts* and *payments* are repeated; *still* is empty where nothing is owed any more."""
        return {
            "lot": self.lot, "number": self.number, "plate": self.plate, "paid_at": _when(self.at),
            "paid": yuan(self.paid_fen), "still": yuan(self.left_fen) if self.left_fen else "",
            "change": yuan(self.change_fen) if self.change_fen else "", "by": self.cashier, "till": self.till,
            "copy": _count(self.copy),
            "debts": tuple({"left": _when(left), "amount": yuan(fen)} for left, fen in self.debts),
            "payments": _amounts(self.paid),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ticket:
    """Proof of an entry, above all for cars without plates. *qr* names the stay."""

    layout: ClassVar = "ticket"
    lot: str
    lane: str
    number: str
    plate: str
    entered: datetime
    qr: str
    copy: int = 0

    def fields(self, _language: Language) -> Fields:
        """*plate* is empty for a car without one."""
        return {
            "lot": self.lot, "lane": self.lane, "number": self.number, "plate": self.plate,
            "entered": _when(self.entered), "copy": _count(self.copy), "qr": self.qr,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class ShiftReport:
    """A shift as it stands (*counted_cash_fen* None) or its end. *closed_by* where that is not the cashier. Fen."""

    layout: ClassVar = "report"
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
    log: str = ""  # where the lot's log stood: its number and the beginning of its head

    def fields(self, _language: Language) -> Fields:
        """*counted* and *difference* are empty until the shift has ended, *by_hand* where no fee was set by hand."""
        counted, sums = self.counted_cash_fen, self.sums
        return {
            "lot": self.lot, "till": self.till, "number": str(self.number), "cashier": self.cashier,
            "closed_by": self.closed_by, "takes_over": self.takes_over, "begins": _when(self.begins),
            "ends": _when(self.ends), "copy": _count(self.copy), "cars": str(sums.cars),
            "paid_count": str(sums.payments), "openings": str(sums.openings),
            **{name.removesuffix("_fen"): yuan(getattr(sums, name)) for name in (*SHIFT_SUMS, *SHIFT_DRAWER)},
            "by_hand": yuan(sums.by_hand_fen) if sums.by_hand_fen else "",
            "expected": yuan(sums.expected_fen), "counted": "" if counted is None else yuan(counted),
            "difference": "" if counted is None else yuan(counted - sums.expected_fen), "log": self.log,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pickup:
    """What was handed over for a pickup code, which is shown in part only."""

    layout: ClassVar = "pickup"
    store: str
    number: str
    code_tail: str
    goods: tuple[tuple[str, int], ...]
    picked_up: datetime
    by: str
    copy: int = 0

    def fields(self, _language: Language) -> Fields:
        """*goods* is repeated."""
        return {
            "store": self.store, "number": self.number, "code_tail": self.code_tail,
            "goods": tuple({"what": what, "count": str(count)} for what, count in self.goods),
            "picked_up": _when(self.picked_up), "by": self.by, "copy": _count(self.copy),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class TestPage:
    """What shows whether a printer is set up right; *paper* is what its profile says."""

    __test__: ClassVar = False  # not one of pytest's
    layout: ClassVar = "test"
    printer: str
    at: datetime
    paper: Paper

    def fields(self, _language: Language) -> Fields:
        """*ruler* and *hanzi* fill a line from edge to edge."""
        return {
            "printer": self.printer, "printed": _when(self.at), "mm": "58" if self.paper is Paper.MM58 else "80",
            "columns": str(int(self.paper)), "ruler": "".join(str(one % 10) for one in range(1, self.paper + 1)),
            "hanzi": "停" * (self.paper // 2),
        }  # fmt: skip


Face: TypeAlias = Voucher | Receipt | RefundReceipt | DebtReceipt | Ticket | ShiftReport | Pickup | TestPage


def coupon_value(voucher: Voucher, language: Language = Language.ZH) -> str:
    """What a voucher is worth, in a few words."""
    match voucher.kind:
        case CouponKind.AMOUNT:
            value = yuan(voucher.value)
        case CouponKind.FREE_UNTIL if voucher.until is not None:
            value = f"{voucher.until:%H:%M}"
        case _:
            value = str(voucher.value)
    return _say(voucher.kind.lower(), language, value=value)


def adjustments(
    waived_fen: int, paid_fen: int, debts_fen: int, language: Language = Language.ZH
) -> tuple[tuple[str, int], ...]:
    """What was let go, was paid before and is owed from before, as lines of a receipt."""
    parts = (("already_waived", -waived_fen), ("already_paid", -paid_fen), ("owed_before", debts_fen))
    return tuple((_say(name, language), fen) for name, fen in parts if fen)


def tendered(fen: int, language: Language = Language.ZH) -> tuple[tuple[str, int], ...]:
    """The cash handed over, as a line of a receipt."""
    return ((_say("cash", language), fen),)


def _say(key: str, language: Language, **values: object) -> str:
    return _WORDS[key][language is Language.EN].format(**values)


def _amounts(amounts: Iterable[tuple[str, int]]) -> tuple[Row, ...]:
    return tuple({"what": what, "amount": yuan(fen)} for what, fen in amounts)


def _count(copy: int) -> str:
    return str(copy) if copy else ""


def _length(minutes: int, language: Language) -> str:
    days, rest = divmod(minutes, 1440)
    hours, left = divmod(rest, 60)
    return (_say("days", language, days=days) if days else "") + _say("hours", language, hours=hours, minutes=left)


def _when(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
