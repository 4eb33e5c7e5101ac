"""The PDF of printed coupons, made into a picture as a printer would: every code reads, every word is there."""

from __future__ import annotations

import pytest
import zxingcpp

from cloud.coupons import sheet_pdf
from cloud.coupons.layout import PER_SHEET, Layout
from tests.cloud.paper import pictures, text_of

CODES = [f"HTTPS://PARK.EXAMPLE/C/LC1{number:016d}" for number in range(25)]


def face(code: str) -> sheet_pdf.Face:
    return sheet_pdf.Face(
        code, "北区停车场", "停车优惠券", "兰州拉面（南京西路店）", "¥5.00", "手机扫码", "有效期至 2026-11-30 23:59:59",
        f"1732250000000 000000123 231F{code[-4:]}",
    )  # fmt: skip


LAYOUTS = [Layout(per=per, turn=turn) for per in PER_SHEET[2:] for turn in ("portrait", "landscape")]
ROLLS = [Layout(paper="58"), Layout(paper="80"), Layout(margin="none", cut=False, head=False)]


@pytest.mark.parametrize("layout", [*LAYOUTS, *ROLLS], ids=lambda layout: layout.query)
def test_every_code_reads_from_the_paper(layout: Layout) -> None:
    codes = CODES if layout.paper == "a4" and layout.per > 1 else CODES[:2]

    pages = pictures(sheet_pdf.pdf(layout, layout.sheets([face(code) for code in codes]), "兰州拉面 · 五元券"))

    read = [[found.text for found in zxingcpp.read_barcodes(page)] for page in pages]
    assert [set(page) for page in read] == [set(sheet) for sheet in layout.sheets(codes)]
    width, height = (side / 25.4 * 150 for side in layout.size)
    assert all(abs(page.width - width) < 2 and abs(page.height - height) < 2 for page in pages)


def test_the_words_are_text_in_a_font_of_the_file() -> None:
    made = sheet_pdf.pdf(Layout(per=24), [[face(CODES[0])]], "兰州拉面 · 五元券 · 北区")

    told = text_of(made)

    assert all(words in told for words in ("停车优惠券", "¥5.00", "兰州拉面（南京西路店）", "231F0000", "1/1"))
    assert b"/FontFile2" in made
    assert made == sheet_pdf.pdf(Layout(per=24), [[face(CODES[0])]], "兰州拉面 · 五元券 · 北区")


def test_what_stands_in_one_place_stays_in_it() -> None:
    """A name that is far too long is smaller, not over the neighbour's code."""
    long = sheet_pdf.Face(CODES[0], "停" * 60, "停车优惠券", "店" * 80, "¥5.00", "扫" * 40, "", "0" * 40)

    (page,) = pictures(sheet_pdf.pdf(Layout(per=24, cut=False, head=False), [[long]], ""))

    assert (third := page.crop((page.width * 37 // 100, 0, page.width, page.height))).size
    assert third.getextrema() == (255, 255)


def test_without_a_font_the_file_names_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet_pdf, "FONTS", ())
    sheet_pdf._font.cache_clear()
    try:
        made = sheet_pdf.pdf(Layout(), [[face(CODES[0])]], "")
    finally:
        sheet_pdf._font.cache_clear()

    assert b"/STSong-Light" in made
    (page,) = pictures(made)
    assert [found.text for found in zxingcpp.read_barcodes(page)] == CODES[:1]
