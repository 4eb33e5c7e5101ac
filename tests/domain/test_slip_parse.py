"""A lot's own layouts: what a file may say, and that every mistake is told with its place and what is allowed."""

from __future__ import annotations

from datetime import datetime

import pytest

from domain.slip import Align, Cut, Feed, Paper, Qr, Rule, Text
from domain.slip_faces import Language
from domain.slip_layouts import lay_out
from domain.slip_parse import MUST, LayoutError, parse_layout
from domain.slip_samples import LAYOUTS, SAMPLES
from plumbing.paper.shipped import layout_of, shipped_text
from tests.domain.slip_cases import RECEIPT, TICKET, VOUCHER

AT = datetime(2026, 11, 22, 9, 30)  # noqa: DTZ001 - slips carry the lot's own time
COPY = '{ text = "补打 {copy}", if = "copy" }'
NEEDED = f'{COPY}, {{ text = "No.", value = "{{number}}" }}, {{ text = "Due", value = "{{due}}" }}'


def receipt(more: str) -> str:
    """A receipt's layout with no more than what must stand on it, and *more*."""
    return f"lines = [ {more}{', ' if more else ''}{NEEDED} ]"


def test_order_words_size_and_leave_outs_are_the_files() -> None:
    text = receipt(
        '{ text = ["欢迎 {till}", "Welcome at {till}"], align = "right" }, { rule = "=" }, { feed = 2 },'
        ' { text = "停", value = "{plate}", size = 2, bold = true }, { text = "no plate", unless = "plate" },'
        ' { each = "changes", text = "* {what}: {amount}" }'
    )
    layout = parse_layout(text, "receipt", "own.toml")

    slip = lay_out(RECEIPT, layout, Paper.MM58, Language.EN)

    assert slip.lines == (
        Text("Welcome at 岗亭", Align.RIGHT), Rule("="), Feed(2),
        Text("停      浙A12345", size=2, bold=True), Text("* 优惠券 三楼书店: -10.00"),
        Text("No.                         A-12"), Text("Due                        14.00"), Cut(),
    )  # fmt: skip


def test_braces_are_written_twice_and_what_a_field_holds_is_never_read_as_one() -> None:
    layout = parse_layout(receipt('{ text = "{{{till}}}" }'), "receipt", "own.toml")

    slip = lay_out(RECEIPT, layout.dressed(("{due}",), ()), Paper.MM58)

    assert slip.lines[:2] == (Text("{due}", Align.CENTRE), Text("{岗亭}"))


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("menu", "", r"no slip 'menu'; there are voucher, receipt"),
        ("receipt", "lines = [", r"own.toml: not valid TOML: Invalid value \(at end"),
        ("receipt", "rows = []", r"own.toml: rows: unknown key; allowed here: lines"),
        ("receipt", "lines = []", r"lines: must be a list of 1 to 80 lines"),
        ("receipt", receipt("5"), r"lines\[1\]: must be a table with one of text, rule, feed, qr"),
        ("receipt", receipt('{ txt = "a" }'), r"lines\[1\]: must be a table with one of text"),
        ("receipt", receipt('{ text = "a", colour = 1 }'), r"lines\[1\].colour: unknown key; allowed here: text"),
        ("receipt", receipt('{ text = "{pate}" }'), r"lines\[1\].text: no field {pate}; there are lot, number, plate"),
        ("receipt", receipt('{ text = "{lot.upper}" }'), r"no field {lot.upper}; there are lot"),
        ("receipt", receipt('{ text = "{lot!r}" }'), r"no field {lot}"),
        ("receipt", receipt('{ text = "{lot:>9}" }'), r"no field {lot}"),
        ("receipt", receipt('{ text = "{" }'), r"write {{ and }} for braces"),
        ("receipt", receipt('{ text = ["a", "b", "c"] }'), r'lines\[1\].text: must be a text, or two'),
        ("receipt", receipt('{ text = "" }'), r"must be a text of 1 to 200 characters"),
        ("receipt", receipt('{ text = "a", size = 5 }'), r"lines\[1\].size: 5 must be a whole number, 1 to 4"),
        ("receipt", receipt('{ text = "a", align = "middle" }'), r"align: 'middle' is not allowed; choose one of left"),
        ("receipt", receipt('{ text = "a", value = "b", align = "left" }'), r"has its text left and its value right"),
        ("receipt", receipt('{ text = "a", if = "colour" }'), r"lines\[1\].if: 'colour' is not allowed; choose one of"),
        ("receipt", receipt('{ text = "{what}", each = "goods" }'), r"each: 'goods' is not allowed; .* fee_lines"),
        ("receipt", receipt('{ text = "{what}" }'), r"no field {what}"),
        ("receipt", receipt('{ rule = "停" }'), r"lines\[1\].rule: must be one character"),
        ("receipt", receipt("{ feed = 11 }"), r"feed: 11 must be a whole number, 1 to 10"),
        ("receipt", receipt('{ qr = "A" }'), r"lines\[1\]: a QR is the last line"),
        ("receipt", 'lines = [ { text = "{number} {due}" } ]', r"lines: {copy} must stand on every receipt"),
        ("receipt", 'lines = [ { text = "{number} {due} {copy}", if = "plate" } ]', r"{copy} must stand on every"),
        ("voucher", shipped_text("voucher").replace('if = "test", ', ""), r"{test} must stand on every voucher"),
        ("voucher", shipped_text("voucher").replace('"{qr}"', '"A"'), r"{qr} must stand on every voucher"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place_and_what_is_allowed(name: str, text: str, says: str) -> None:
    with pytest.raises(LayoutError, match=says):
        parse_layout(text, name, "own.toml")


def test_a_layout_is_for_its_own_kind_of_slip() -> None:
    with pytest.raises(ValueError, match="a ticket is not laid out as a receipt"):
        lay_out(TICKET, layout_of("receipt"))


@pytest.mark.parametrize("name", LAYOUTS)
def test_what_must_stand_on_a_slip_is_among_its_fields(name: str) -> None:
    fields = SAMPLES[name]("Lot", AT, Paper.MM58, Language.ZH).fields(Language.ZH)

    assert set(MUST[name]) <= {field for field, value in fields.items() if isinstance(value, str)}
    assert all(rows for rows in fields.values() if not isinstance(rows, str))  # they show what a row's fields are


def test_own_lines_stand_above_and_below_and_the_qr_stays_last() -> None:
    foot = "如有疑问请拨打客服电话，谢谢您的光临与配合"
    layout = layout_of("voucher", "", ("欢迎光临", "客服 0571-1234"), (foot,))

    slip = lay_out(VOUCHER, layout)

    texts = [line.text for line in slip.lines if isinstance(line, Text)]
    assert texts[:2] == ["欢迎光临", "客服 0571-1234"]
    assert texts[-2:] == ["如有疑问请拨打客服电话，谢谢您的", "光临与配合"]
    assert [type(line) for line in slip.lines[-3:]] == [Feed, Qr, Cut]
    with pytest.raises(LayoutError, match="at most 8 lines"):
        layout_of("voucher", "", ("a",) * 9)
