"""The pages of people over a real port: an administrator adds, changes and ends; files to keep; who may not."""

from __future__ import annotations

import io
import re

import openpyxl  # type: ignore[import-untyped]
import pytest
from sqlalchemy import Connection

from cloud import sheets
from cloud.members import service
from cloud.members.service import Entitled, Wanted
from cloud.members.terms import Terms
from cloud.sync import channels
from cloud.web.state import Cloud
from domain.entitlement import Grant
from domain.events import VisitorAdded
from tests.cloud.test_pages import Browser, _again, browser, cloud, hashed, post, sign_in, token_in  # noqa: F401
from tests.cloud.world import NOW

NEW = "/admin/people/new"
MONTHLY = {
    "kind": "monthly",
    "name": "陈先生",
    "phone": "13800000000",
    "plates": "京A12345 粤b·98765",
    "zone": "1",
    "begins": "2026-05-01",
    "ends": "2026-05-31",
    "grace_days": "3",
    "places": "1",
    "when_full": "whole_stay",
    "w1_from": "20:00",
    "w1_to": "08:00",
}


def stored(cloud: Cloud) -> list[Entitled]:  # noqa: F811
    def look(conn: Connection) -> list[Entitled]:
        return list(service.every(conn, cloud.operator_id, Wanted(), NOW, 100))

    return cloud.db.run_here(look)


async def test_an_administrator_adds_changes_and_ends_a_monthly_car(browser: Browser, cloud: Cloud) -> None:  # noqa: F811
    await sign_in(browser, "admin")

    status, page = await post(browser, NEW, NEW, **MONTHLY)

    assert status == 200, page
    assert "陈先生" in page
    (made,) = stored(cloud)
    assert made.plates == ("京A12345", "粤B98765")
    assert made.windows == ((1200, 480, ()),)
    assert made.row["ends_ms"] - made.row["begins_ms"] == 31 * 86_400_000  # the last day is included
    at = f"/admin/people/{made.row['entitlement_id']}"
    form = await (await browser.get(at)).text()
    for value in ('value="2026-05-01"', 'value="2026-05-31"', 'value="20:00"', 'value="3"', "京A12345\n粤B98765"):
        assert value in form, value

    status, page = await post(browser, at, at, **(MONTHLY | {"name": "李女士", "plates": "京A12345", "places": ""}))
    assert (status, "李女士" in page) == (200, True), page
    assert (await post(browser, at, f"{at}/end", reason=" "))[0] == 422
    assert (await post(browser, at, f"{at}/end", reason="搬走"))[0] == 200
    edge = cloud.db.run_here(lambda conn: conn.exec_driver_sql("SELECT edge_id FROM edge").scalar_one())
    row = cloud.db.run_here(lambda conn: channels.get_row(conn, edge, "people", "entitled:1:京A12345"))
    assert row is not None
    assert row["until_ms"] == NOW
    assert 'name="reason"' not in await (await browser.get(at)).text()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"plates": "hello"}, "不像车牌"),
        ({"ends": "2026-04-01"}, "结束不能早于开始"),
        ({"begins": "May"}, "日期不正确"),
        ({"places": "many"}, "应为整数"),
        ({"zone": "99"}, "没有这个车场或区域"),
        ({"w1_to": ""}, "时段填写不正确"),
        ({"kind": "king"}, "没有这种类型"),
    ],
)
async def test_a_form_that_makes_no_sense_comes_back_with_what_was_typed(
    browser: Browser,  # noqa: F811
    cloud: Cloud,  # noqa: F811
    change: dict[str, str],
    said: str,
) -> None:
    await sign_in(browser, "admin")

    status, page = await post(browser, NEW, NEW, **(MONTHLY | change))

    assert (status, said in page) == (422, True), page
    assert "陈先生" in page or "king" in change.values()
    assert stored(cloud) == []


async def test_a_visitor_has_a_host_and_a_time_to_the_minute(browser: Browser, cloud: Cloud) -> None:  # noqa: F811
    await sign_in(browser, "admin")
    visit = {"kind": "visitor", "name": "张", "host": "3 幢 302", "plates": "京A12345", "zone": "1"}
    times = {"begins": "2026-06-01T09:30", "ends": "2026-06-01T18:00"}

    status, page = await post(browser, f"{NEW}?kind=visitor", NEW, **visit, **times)

    assert (status, "访 3 幢 302" in page) == (200, True), page
    (made,) = stored(cloud)
    assert made.row["ends_ms"] - made.row["begins_ms"] == 510 * 60_000


async def test_the_list_goes_out_as_a_file_in_which_nothing_is_a_formula(browser: Browser, cloud: Cloud) -> None:  # noqa: F811
    def fill(conn: Connection) -> None:
        act = cloud.act("admin")
        for name, plate in (("=HYPERLINK(1)", "京A12345"), ("李", "粤B98765")):
            assert isinstance(service.add(conn, act, Terms(Grant.MONTHLY, name, (plate,), ((1, ""),))), int)

    cloud.db.run_here(fill)
    await sign_in(browser, "admin")

    text = await (await browser.get("/admin/people.csv?q=A123")).text()
    book = openpyxl.load_workbook(io.BytesIO(await (await browser.get("/admin/people.xlsx")).read()))

    assert "'=HYPERLINK(1)" in text
    assert "粤B98765" not in text
    names = [row[2] for row in book.active.iter_rows(values_only=True)]
    assert names[1:] == ["李", "'=HYPERLINK(1)"]
    assert all(cell.data_type != "f" for row in book.active.iter_rows() for cell in row)

    await sign_in(browser, "read_only")
    masked = await (await browser.get("/admin/people.csv")).text()
    assert "京A·1***5" in masked
    assert "京A12345" not in masked


async def test_the_block_list_on_the_pages(browser: Browser, cloud: Cloud) -> None:  # noqa: F811
    await sign_in(browser, "admin")
    at = "/admin/people/blocked"

    assert (await post(browser, at, at, plate="京A12345", reason=""))[0] == 422
    assert (await post(browser, at, at, plate="京A12345", reason="x", until="2000-01-01"))[0] == 422
    status, page = await post(browser, at, at, plate="京a12345", reason="逃费", lot_id="1", until="2030-01-01")

    assert (status, "逃费" in page) == (200, True)
    assert "2030-01-01" in page
    assert "逃费" in await (await browser.get("/admin/people/blocked.csv")).text()
    book = openpyxl.load_workbook(io.BytesIO(await (await browser.get("/admin/people/blocked.xlsx")).read()))
    assert book.active["A2"].value == "京A12345"
    assert (await post(browser, at, f"{at}/1/end", reason="已付清"))[0] == 200
    assert "逃费" not in await (await browser.get(at)).text()
    assert "逃费" in await (await browser.get(f"{at}?all=1")).text()


async def test_who_may_only_look_changes_nobody(browser: Browser, cloud: Cloud) -> None:  # noqa: F811
    cloud.db.run_here(lambda conn: _again(conn, cloud).apply(VisitorAdded("v", "京A12345", "302", NOW, NOW + 1, "li")))
    await sign_in(browser, "read_only")
    token = token_in(await (await browser.get("/admin/people/blocked")).text())

    for path in (NEW, "/admin/people/1", "/admin/people/1/end", "/admin/people/blocked", "/admin/people/blocked/1/end"):
        assert (await browser.post(path, data={"csrf_token": token, **MONTHLY})).status == 403, path
    page = await (await browser.get("/admin/people/booth-visitors")).text()
    assert "302" in page
    assert not re.search("京A.{0,60}12345", page)


@pytest.mark.parametrize("body", [b"", b"PK", b"not a workbook at all" * 9])
def test_what_is_no_workbook_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(sheets.SheetError):
        sheets.read_xlsx(body, 10, 5)
