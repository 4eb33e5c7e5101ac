"""Slip lines: widths as a GB18030 printer has them, wrapping, alignment."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.slip import Align, Cut, Feed, Paper, Qr, Rule, Slip, Text, aligned, pair, paragraph, shorten, width, wrap

PRINTABLE = st.text(alphabet="abc XYZ019 ,.停车场优惠券，。！？（）￥·", max_size=120)


@pytest.mark.parametrize(("text", "columns"), [("", 0), ("abc", 3), ("停车", 4), ("￥12.50", 7), ("京A·1***5", 10)])
def test_hanzi_take_two_columns_and_ascii_one(text: str, columns: int) -> None:
    assert width(text) == columns


@pytest.mark.parametrize(
    ("text", "columns", "lines"),
    [
        ("停车场优惠券", 8, ("停车场优", "惠券")),
        ("one per stay", 8, ("one per", "stay")),
        ("一次停车限用一张。", 16, ("一次停车限用一", "张。")),  # a full stop does not start a line
        ("ABCDEFGHIJ", 4, ("ABCD", "EFGH", "IJ")),
        ("第一\n第二", 8, ("第一", "第二")),
        ("", 8, ("",)),
        ("a  b", 3, ("a", "b")),
    ],
)
def test_text_breaks_where_a_reader_would_break_it(text: str, columns: int, lines: tuple[str, ...]) -> None:
    assert wrap(text, columns) == lines


@given(PRINTABLE, st.sampled_from([Paper.MM58, Paper.MM80, 10]))
def test_wrapped_lines_fit_and_lose_nothing_but_space(text: str, columns: int) -> None:
    lines = wrap(text, columns)

    assert all(width(line) <= columns for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (Text("停车", Align.CENTRE), "   停车"),
        (Text("停车", Align.RIGHT), "      停车"),
        (Text("停车", Align.CENTRE, size=2), "停车"),
        (Text("停车"), "停车"),
    ],
)
def test_spaces_put_a_line_in_its_place(line: Text, shown: str) -> None:
    assert aligned(line, 10) == shown


def test_label_and_value_share_a_line_when_they_fit() -> None:
    assert pair("应收", "12.50", 12) == (Text("应收   12.50"),)
    assert pair("应收金额", "12.50元", 12) == (Text("应收金额"), Text("12.50元", Align.RIGHT))


def test_a_paragraph_knows_that_large_letters_need_more_room() -> None:
    assert [line.text for line in paragraph("停车优惠券", 12, size=2)] == ["停车优", "惠券"]


def test_long_names_are_cut_with_a_mark() -> None:
    assert shorten("上海市某某停车场", 12) == "上海市某某.."
    assert shorten("停车", 12) == "停车"


def test_a_slip_refuses_text_wider_than_its_paper() -> None:
    with pytest.raises(ValueError, match="wider than 32"):
        Slip(Paper.MM58, (Text("停" * 17),))

    Slip(Paper.MM58, (Text("停" * 16), Rule(), Feed(2), Qr("x"), Cut()))
