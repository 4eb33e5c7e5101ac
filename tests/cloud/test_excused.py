"""Who left without paying, as lots report it: by day, with sums, on the page and in a file."""

from __future__ import annotations

from sqlalchemy import Connection

from cloud.members import excused
from cloud.members.excused import Day
from cloud.web.state import Cloud
from domain.events import StayExcused
from tests.cloud.test_pages import Browser, _again, browser, cloud, hashed, sign_in  # noqa: F401
from tests.cloud.world import NOW, World

ALL = Day(NOW - 1, NOW + 1)


def report(world: World) -> None:
    world.apply(StayExcused("s1", "out", "京A1234警", "free_kind", "police", "", 0, "d1"))
    world.apply(StayExcused("s2", "out", "京A12345", "waived", "complaint", "li", 500, "d2"))
    world.apply(StayExcused("s2", "out", "京A12345", "waived", "complaint", "li", 500, "d2"))
    world.apply(StayExcused("s3", "out", "粤B98765", "covered", "monthly visitor", "", 0, "d3"))


def test_each_stay_counts_once_by_day_lot_and_why(world: World) -> None:
    report(world)
    world.apply(StayExcused("s1", "out", "川C33333", "waived", "", "", 9, "d9"), edge_id="another")

    assert excused.totals(world.conn, 1, ALL) == {"free_kind": (1, 0), "waived": (1, 500), "covered": (1, 0)}
    assert excused.listed(world.conn, 1, Day(NOW + 1, NOW + 2)).total == 0
    assert excused.listed(world.conn, 2, ALL).total == 0
    assert excused.listed(world.conn, 1, Day(NOW, NOW + 1, world.lot_id + 1)).total == 0
    (waived,) = excused.listed(world.conn, 1, Day(NOW, NOW + 1, why="waived")).items
    assert (waived["excused_by"], waived["detail"], waived["decision_id"]) == ("li", "complaint", "d2")
    assert [row["stay_id"] for row in excused.listed(world.conn, 1, Day(NOW, NOW + 1, search="9876")).items] == ["s3"]
    assert len(excused.every(world.conn, 1, ALL, 2)) == 2


def test_what_a_lot_says_anew_of_a_stay_counts_and_what_it_takes_back_goes(world: World) -> None:
    report(world)
    world.apply(StayExcused("s1", "out", "京A1234警", "waived", "device", "li", 300, "d5"))
    world.apply(StayExcused("s2", "", "京A12345", "", "", "", 0, ""), edge_id="another")
    world.apply(StayExcused("s3", "", "粤B98765", "", "", "", 0, ""))

    assert excused.totals(world.conn, 1, ALL) == {"waived": (2, 800)}


async def test_the_day_on_the_page_and_in_a_file(browser: Browser, cloud: Cloud) -> None:  # noqa: F811
    def fill(conn: Connection) -> None:
        report(_again(conn, cloud))

    cloud.db.run_here(fill)
    await sign_in(browser, "admin")

    page = await (await browser.get("/admin/people/excused")).text()
    text = await (await browser.get("/admin/people/excused.csv?why=waived")).text()
    other = await (await browser.get("/admin/people/excused?day=2020-01-01")).text()

    for said in ("警车", "投诉处理", "月租车 访客", "¥5.00", "d2"):
        assert said in page, said
    assert "京A12345,减免,投诉处理,li,5.00,d2" in text
    assert "粤B98765" not in text
    assert "这一天没有" in other
    assert (await browser.get("/admin/people/excused.xlsx")).status == 200

    await sign_in(browser, "read_only")
    assert "京A12345" not in await (await browser.get("/admin/people/excused.csv")).text()
