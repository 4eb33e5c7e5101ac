"""Monthly cars out of an Excel file: what is wrong is told by line and column, and nothing is half imported."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl  # type: ignore[import-untyped]
import pytest
from aiohttp import FormData

from cloud import sheets
from cloud.act import Refused
from cloud.members import importing, service
from cloud.members.import_pages import known_words
from cloud.members.importing import Fault, Line
from cloud.members.service import Wanted
from cloud.sync import channels
from cloud.web.shell import HERE
from cloud.web.state import Cloud
from domain.entitlement import WhenFull
from plumbing.i18n import SHELL_LOCALE, load_catalogue
from tests.cloud.test_pages import Browser, browser, cloud, hashed, sign_in, token_in  # noqa: F401
from tests.cloud.world import NOW, World

A, B = "京A12345", "粤B98765"
TZ = ZoneInfo("Asia/Shanghai")
KNOWN = known_words(load_catalogue(SHELL_LOCALE, HERE / "locale"))
HEADER = ("车牌*", "姓名或单位*", "电话", "车位数", "开始", "最后一天", "宽限天数", "车位占满时", "备注")
ZONES = ((1, ""),)


def read(*rows: tuple[object, ...], header: tuple[str, ...] = HEADER) -> tuple[list[Line], list[Fault]]:
    found = importing.read_lines([header, *rows], ZONES, KNOWN, TZ)
    assert not isinstance(found, Refused), found
    return found


def test_a_line_is_read_as_it_is_typed_or_as_excel_keeps_it() -> None:
    typed = ("京a·12345、粤B98765", "陈先生", 13800000000, 1.0, "2026/5/1", datetime(2026, 5, 31), 3, "不放行", None)  # noqa: DTZ001

    (line,), faults = read(typed, (None,) * 9)

    assert faults == []
    assert (line.row, line.terms.plates, line.terms.phone) == (2, (A, B), "13800000000")
    assert (line.terms.places, line.terms.grace_days, line.terms.when_full) == (1, 3, WhenFull.REFUSE)
    assert line.terms.ends_ms is not None
    assert line.terms.begins_ms is not None
    assert line.terms.ends_ms - line.terms.begins_ms == 31 * 86_400_000


def test_columns_may_stand_in_any_order_and_either_language() -> None:
    (line,), _ = read(("Li", A, "x"), header=("Name", "Plates", "Shoe size"))

    assert (line.terms.name, line.terms.plates) == ("Li", (A,))


def test_every_wrong_cell_is_told_by_its_row_column_and_value() -> None:
    lines, faults = read(
        (A, "Li", "", "two", "1 May", "", "", "perhaps", ""),
        (B, "Wang", "", "", "", "2026-02-30", "", "", ""),
    )

    assert lines == []
    assert [(fault.row, fault.column, fault.value, fault.refused.code) for fault in faults] == [
        (2, "places", "two", "number_malformed"),
        (2, "begins", "1 May", "date_malformed"),
        (2, "when_full", "perhaps", "choice_unknown"),
        (3, "last_day", "2026-02-30", "date_malformed"),
    ]


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([], "sheet_empty"),
        ([HEADER], "sheet_empty"),
        ([HEADER, (None,) * 9], "sheet_empty"),
        ([("Shoe size",), ("44",)], "sheet_without_columns"),
        ([HEADER] + [(A, "Li")] * (importing.MOST_LINES + 1), "sheet_too_long"),
    ],
)
def test_a_file_that_is_no_list_of_cars(rows: list[tuple[object, ...]], code: str) -> None:
    found = importing.read_lines(rows, ZONES, KNOWN, TZ)

    assert isinstance(found, Refused)
    assert found.code == code


def stored(world: World) -> list[str]:
    return [one.row["name"] for one in service.every(world.conn, world.operator_id, Wanted(), NOW, 100)]


def taken(world: World, *rows: tuple[object, ...], good_ones: bool) -> importing.Report:
    lines, faults = read(*rows)
    return importing.import_lines(world.conn, world.act(), lines, faults, good_ones=good_ones)


WRONG = (("HELLO", "No Plate"), (A, "Li"), (A, "Twice"), (B, ""), ("川C33333", "Bad day", "", "", "soon"))


def test_with_one_fault_nothing_is_imported_and_no_lot_is_told(world: World) -> None:
    report = taken(world, *WRONG, good_ones=False)

    assert report.added == 0
    assert [(fault.row, fault.column, fault.refused.code) for fault in report.faults] == [
        (2, "plates", "plate_malformed"),
        (4, "plates", "plate_has_card"),
        (5, "name", "name_missing"),
        (6, "begins", "date_malformed"),
    ]
    assert stored(world) == []
    assert channels.get_row(world.conn, world.edge_id, "people", f"entitled:1:{A}") is None


def test_the_good_lines_alone_are_imported_where_that_is_asked_for(world: World) -> None:
    report = taken(world, *WRONG, good_ones=True)

    assert (report.added, len(report.faults)) == (1, 4)
    assert stored(world) == ["Li"]
    rows = [row for part in channels.parts(world.conn, world.edge_id, "people", 0) for row in part.rows]
    assert [row.value["plate"] for row in rows if row.value] == [A]


def test_a_whole_file_is_one_version_of_the_lots_list(world: World) -> None:
    rows = [(f"京A{number:05}", f"n{number}") for number in range(300)]

    report = taken(world, *rows, good_ones=False)

    assert (report.added, report.faults) == (300, ())
    assert channels.versions(world.conn, world.edge_id)["people"] == 1


def sheet(*rows: tuple[object, ...]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


async def send(browser: Browser, body: bytes, **fields: str) -> tuple[int, str]:  # noqa: F811
    at = "/admin/people/import"
    form = FormData({"csrf_token": token_in(await (await browser.get(at)).text()), **fields})
    form.add_field("file", body, filename="cars.xlsx", content_type=sheets.XLSX)
    answer = await browser.post(at, data=form)
    return answer.status, await answer.text()


async def test_the_template_filled_in_comes_back_as_cars(browser: Browser, cloud: Cloud) -> None:  # noqa: F811
    await sign_in(browser, "admin")
    empty = await (await browser.get("/admin/people/monthly-cars.xlsx")).read()
    book = openpyxl.load_workbook(io.BytesIO(empty))
    assert [cell.value for cell in book.worksheets[0][1]] == list(HEADER)
    assert book.worksheets[1].max_row == len(HEADER)
    book.worksheets[0].append([A, "陈先生", None, None, None, "2030-01-31", 5, "整次按临时车", "三号楼"])
    file = io.BytesIO()
    book.save(file)

    status, page = await send(browser, file.getvalue(), zone="1")

    assert (status, "已导入 1 条" in page) == (200, True), page
    assert "陈先生" in await (await browser.get("/admin/people")).text()


async def test_the_page_names_row_column_value_and_what_is_allowed(browser: Browser, cloud: Cloud) -> None:  # noqa: F811
    await sign_in(browser, "admin")

    status, page = await send(browser, sheet(HEADER, (A, "Li", "", "<b>many</b>")), zone="1")

    assert status == 422
    for said in ("没有导入任何一行", "车位数", "&lt;b&gt;many", "1 到车牌数之间的整数"):
        assert said in page, said


@pytest.mark.parametrize(
    ("body", "fields", "said"),
    [
        (b"no workbook", {"zone": "1"}, "不是能读取的 Excel 文件"),
        (sheet(HEADER, (A, "Li")), {}, "请选择车场"),
        (sheet(HEADER, (A, "Li")), {"zone": "99"}, "没有这个车场或区域"),
    ],
)
async def test_what_is_sent_wrong_is_said(browser: Browser, body: bytes, fields: dict[str, Any], said: str) -> None:  # noqa: F811
    await sign_in(browser, "admin")

    status, page = await send(browser, body, **fields)

    assert (status, said in page) == (422, True), page


async def test_who_may_only_look_imports_nothing(browser: Browser) -> None:  # noqa: F811
    await sign_in(browser, "read_only")

    assert (await browser.get("/admin/people/import")).status == 403
    assert (await browser.get("/admin/people/monthly-cars.xlsx")).status == 403


def test_a_file_that_unpacks_to_more_than_it_may_is_not_opened() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/workbook.xml", b" " * (sheets.MOST_UNPACKED + 1))

    with pytest.raises(sheets.SheetError, match="too big"):
        sheets.read_xlsx(file.getvalue(), 10, 5)


def test_a_file_with_entities_of_its_own_is_not_opened() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as parts:
        parts.writestr("xl/workbook.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')

    with pytest.raises(sheets.SheetError, match="entities"):
        sheets.read_xlsx(file.getvalue(), 10, 5)
