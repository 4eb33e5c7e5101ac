"""Shift reports of the booths: each once, by day and difference, standing on the log that came."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Connection

from cloud.booth import shifts
from cloud.booth.shifts import Asked
from cloud.sync import inbox
from cloud.web.state import Cloud
from domain.events import ShiftClosed, ShiftOpened
from tests.cloud.test_pages import Browser, _again, browser, cloud, hashed, sign_in  # noqa: F401
from tests.cloud.world import NOW, World

HEAD = "ab" * 32
ALL = Asked(NOW - 1, NOW + 1)
OPENED = ShiftOpened("s1", 1, "东岗亭", "li", 10_000)
CLOSED = ShiftClosed(
    shift_id="s1", number=1, workstation="东岗亭", opened_by="li", opened_ms=NOW, closed_by="li", takes_over="wang",
    reason="", cars=12, payments=9, fee_fen=9000, by_hand_fen=500,
    coupon_fen=1000, waived_fen=0, owed_fen=0, debts_fen=0,
    cash_fen=5000, electronic_fen=3000, refund_fen=0, float_fen=10_000, drop_fen=0, openings=1, expected_fen=15_000,
    counted_fen=14_500, log_seq=41, log_head=HEAD,
)  # fmt: skip


def report(world: World) -> None:
    world.apply(OPENED)
    world.apply(CLOSED)
    world.apply(CLOSED)
    world.apply(replace(OPENED, shift_id="s2", number=2, by="wang"))


def test_a_shift_is_one_row_from_its_beginning_to_its_end(world: World) -> None:
    report(world)
    world.apply(replace(CLOSED, counted_fen=15_000), edge_id="another")

    assert shifts.totals(world.conn, 1, ALL) == (1, 5000, 3000, -500)
    assert [row["number"] for row in shifts.listed(world.conn, 1, ALL).items] == [1, 2]
    assert [row["number"] for row in shifts.listed(world.conn, 1, replace(ALL, differs=True)).items] == [1]
    assert [row["number"] for row in shifts.listed(world.conn, 1, replace(ALL, search="wang")).items] == [1, 2]
    assert shifts.listed(world.conn, 2, ALL).total == 0
    assert shifts.one(world.conn, 2, "s1") is None


def test_a_report_stands_on_the_log_we_hold_or_is_shown_as_wrong(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    report(world)
    shift = shifts.one(world.conn, 1, "s1")
    assert shift is not None
    assert not shifts.stands_on_our_log(world.conn, shift)

    held = {(world.edge_id, 1, 41): bytes.fromhex(HEAD)}
    monkeypatch.setattr(inbox, "hash_at", lambda _conn, *place: held.get(place))
    assert shifts.stands_on_our_log(world.conn, shift)


async def test_the_list_the_report_and_the_file(browser: Browser, cloud: Cloud) -> None:  # noqa: F811
    def fill(conn: Connection) -> None:
        report(_again(conn, cloud))

    cloud.db.run_here(fill)
    await sign_in(browser, "read_only")

    page = await (await browser.get("/admin/shifts")).text()
    one = await (await browser.get("/admin/shifts/s1")).text()
    text = await (await browser.get("/admin/shifts.csv")).text()

    for said in ("东岗亭", "li → wang", "−¥5.00", "当班中"):
        assert said in page, said
    assert "不一致" in one
    assert "东岗亭,li,li,wang," in text
    assert (await browser.get("/admin/shifts/none")).status == 404
    assert (await browser.get("/admin/shifts.xlsx")).status == 200
