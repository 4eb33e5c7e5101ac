"""What stands on the slips as they are shipped, and that it fits the paper in both languages."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, replace
from pathlib import Path

import pytest

from domain.coupon.model import CouponKind
from domain.slip import Align, Cut, Feed, Paper, Qr, Rule, Slip, Text, aligned
from domain.slip_faces import Face, Language, Pickup, Receipt, ShiftReport, TestPage, Ticket, Voucher, coupon_value
from domain.slip_layouts import lay_out
from domain.slip_samples import LAYOUTS, SAMPLES
from plumbing.paper.encode import encode
from plumbing.paper.shipped import layout_of
from tests.domain.slip_cases import CASES, NOON, PICKUP, RECEIPT, REPORT, TICKET, VOUCHER

GOLDEN = json.loads((Path(__file__).parent / "slip_bytes.json").read_text("utf-8"))


def slip_of(face: Face, paper: Paper = Paper.MM58, language: Language = Language.ZH) -> Slip:
    """*face* as it is laid out where a lot changes nothing."""
    return lay_out(face, layout_of(face.layout), paper, language)


def shown(slip: Slip) -> list[str]:
    """The slip as one would read it."""
    lines = []
    for line in slip.lines:
        match line:
            case Text():
                lines.append(aligned(line, slip.columns))
            case Rule():
                lines.append(line.mark * slip.columns)
            case Qr():
                lines.append(f"[{line.text}]")
            case Feed():
                lines += [""] * line.lines
            case Cut():
                lines.append("8<")
    return lines


def test_a_voucher_reads_as_its_merchant_meant_it() -> None:
    assert shown(slip_of(VOUCHER)) == [
        "     西湖文化广场地下停车场",
        "   停车优惠券",
        "-" * 32,
        "            三楼书店",
        " 抵扣 10.00 元",
        "        一次停车限用一张",
        "-" * 32,
        "生效            2026-11-21 12:00",
        "有效至          2026-11-21 18:00",
        "编号                    7-000345",
        "发放时间        2026-11-21 12:00",
        "操作员                  收银一号",
        "终端                      服务台",
        "   离场时在出口或岗亭扫码使用",
        "",
        "[HTTPS://PAY.EXAMPLE/V/LG1]",
        "8<",
    ]


def test_a_limit_that_is_the_worth_itself_is_not_printed_twice() -> None:
    same, less, of_time = (
        "\n".join(shown(slip_of(replace(VOUCHER, kind=kind, value=1_000, max_fen=most))))
        for kind, most in ((CouponKind.AMOUNT, 1_000), (CouponKind.AMOUNT, 900), (CouponKind.DURATION, 1_000))
    )

    assert "最多抵扣" not in same
    assert "最多抵扣 9.00 元" in less
    assert "最多抵扣 10.00 元" in of_time


@pytest.mark.parametrize("paper", list(Paper))
@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("kind", list(CouponKind))
def test_the_qr_of_a_voucher_comes_last_before_the_cut(kind: CouponKind, language: Language, paper: Paper) -> None:
    voucher = replace(VOUCHER, kind=kind, value=60, until=NOON, plate="浙A12345", max_fen=5000, test=True)

    slip = slip_of(voucher, paper, language)

    assert slip.lines[-2:] == (Qr(voucher.qr), Cut())
    assert slip.lines[-3] == Feed(1)
    assert sum(isinstance(line, Qr) for line in slip.lines) == 1


def test_a_voucher_cannot_be_marked_as_a_copy_and_everything_else_can() -> None:
    assert "copy" not in {field.name for field in fields(Voucher)}
    for kind in (Receipt, Ticket, ShiftReport, Pickup):
        assert "copy" in {field.name for field in fields(kind)}


@pytest.mark.parametrize(
    ("kind", "value", "zh", "en"),
    [
        (CouponKind.AMOUNT, 550, "抵扣 5.50 元", "5.50 yuan off"),
        (CouponKind.DURATION, 60, "减免 60 分钟", "60 min free"),
        (CouponKind.PERCENT, 80, "按 80% 付费", "pay 80 %"),
        (CouponKind.FULL_WAIVER, 0, "停车全免", "Free parking"),
        (CouponKind.FREE_UNTIL, 0, "免费至 12:00", "free until 12:00"),
    ],
)
def test_the_value_of_a_voucher_in_words(kind: CouponKind, value: int, zh: str, en: str) -> None:
    voucher = replace(VOUCHER, kind=kind, value=value, until=NOON)

    assert coupon_value(voucher) == zh
    assert coupon_value(voucher, Language.EN) == en


def test_a_receipt_adds_up_before_the_drivers_eyes() -> None:
    text = shown(slip_of(RECEIPT))

    assert text[2:] == [
        "-" * 32,
        "车牌                    浙A12345",
        "入场            2026-11-21 08:00",
        "缴费时间        2026-11-21 12:00",
        "停车时长                4小时0分",
        "-" * 32,
        "停车费                     24.00",
        "优惠券 三楼书店           -10.00",
        "应收                       14.00",
        "现金                       20.00",
        "找零                        6.00",
        "-" * 32,
        "编号                        A-12",
        "操作员                  收银一号",
        "终端                        岗亭",
        "",
        "8<",
    ]


@pytest.mark.parametrize(
    ("slip", "mark"),
    [
        (slip_of(replace(RECEIPT, copy=2)), "补打 第 2 次"),
        (slip_of(replace(TICKET, copy=1)), "补打 第 1 次"),
        (slip_of(replace(REPORT, copy=1)), "补打 第 1 次"),
        (slip_of(replace(PICKUP, copy=3)), "补打 第 3 次"),
    ],
)
def test_a_reprint_says_so_in_large_letters(slip: Slip, mark: str) -> None:
    assert Text(mark, Align.CENTRE, size=2, bold=True) in slip.lines


@pytest.mark.parametrize("paper", list(Paper))
@pytest.mark.parametrize("language", list(Language))
def test_every_slip_is_the_bytes_it_was_when_it_was_looked_at(paper: Paper, language: Language) -> None:
    cases: dict[str, Face] = {**CASES, "test": TestPage("counter", NOON, paper)}

    printed = {
        f"{name}/{paper.name}/{language}": hashlib.sha256(encode(slip_of(face, paper, language))).hexdigest()[:16]
        for name, face in cases.items()
    }

    assert printed == {name: digest for name, digest in GOLDEN.items() if name in printed}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("paper", list(Paper))
@pytest.mark.parametrize("language", list(Language))
def test_every_layout_fits_its_paper_and_ends_with_a_cut(layout: str, paper: Paper, language: Language) -> None:
    slip = slip_of(SAMPLES[layout]("西湖文化广场地下停车场", NOON, paper, language), paper, language)

    assert slip.columns == paper
    assert isinstance(slip.lines[-1], Cut)


def test_long_stays_are_told_in_days() -> None:
    receipt = replace(RECEIPT, minutes=3 * 1440 + 61)

    assert "停车时长             3天1小时1分" in shown(slip_of(receipt))
    assert "Stayed                3d 1h 1min" in shown(slip_of(receipt, language=Language.EN))


def test_a_car_without_plates_is_named_so() -> None:
    assert "车牌                      无牌车" in shown(slip_of(TICKET))


def test_the_shift_report_shows_the_difference_in_cash() -> None:
    assert "差额                       -5.00" in shown(slip_of(REPORT))


def test_a_pickup_slip_shows_only_the_end_of_the_code() -> None:
    assert "提货码                   ***7QX4" in shown(slip_of(PICKUP))
