"""The counter: never more than the allowance, each slip once, and an honest word on each."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from domain.decision import Refuse
from domain.ledger import Commodity
from drivers.printer.simulated import PrinterFault
from edge import printing
from edge.counterdesk import Printed
from edge.db import printorders
from edge.db.vouchers import VoucherRow
from edge.settings import EdgeSettings
from tests.edge.web.running import Lot, Visitor, running, visiting


@pytest.fixture
async def lot(tmp_path: Path) -> AsyncIterator[Lot]:
    async with running(tmp_path) as lot:
        await lot.opens_shop(3, "咖啡店", granted=2000)
        await lot.opens_shop(4, "书店", granted=0)
        yield lot


@pytest.fixture
async def shop(lot: Lot) -> AsyncIterator[Visitor]:
    async with visiting(lot, "counter") as visitor:
        assert await visitor.sign_in("shop") == 200
        yield visitor


async def printed(lot: Lot, count: int, merchant_id: int = 3) -> list[VoucherRow]:
    """The merchant's vouchers once *count* of them are no longer printing."""
    async with asyncio.timeout(5):
        while True:
            rows = await lot.edge.counter.vouchers(merchant_id)
            if len([row for row in rows if row.state != "printing"]) >= count:
                return rows
            await asyncio.sleep(0.01)


async def test_an_order_prints_each_slip_with_its_own_counter_and_lists_them(lot: Lot, shop: Visitor) -> None:
    assert "<b>4</b>" in await shop.get("/counter")  # 2000 fen hold four of 5 yuan

    status, _ = await shop.send("/counter/print/30", {"count": "3"})
    rows = await printed(lot, 3)
    page = await shop.get("/counter/vouchers")

    assert status == 200
    assert [(row.counter, row.state, row.by) for row in rows] == [
        (counter, "confirmed", "咖啡店-小李") for counter in (3, 2, 1)
    ]
    assert len(lot.printer.jobs) == 3
    assert all(f"1-00000{counter}" in page for counter in (1, 2, 3))


async def test_never_more_than_the_allowance(lot: Lot, shop: Visitor) -> None:
    status, text = await shop.send("/counter/print/30", {"count": "5"})

    assert status == 409
    assert "剩余额度不够" in text
    assert await lot.edge.counter.vouchers(3) == []
    assert "现在没有可发的额度" in await shop.get("/counter/print/31")  # no minutes were leased


async def test_slips_nobody_could_scan_are_not_printed_until_the_link_works_or_somebody_is_there(
    tmp_path: Path,
) -> None:
    def unattended(settings: EdgeSettings) -> EdgeSettings:
        return replace(settings, lanes=tuple(replace(lane, attended=False) for lane in settings.lanes))

    async with running(tmp_path, unattended) as lot, visiting(lot, "counter") as shop:
        await lot.opens_shop(3, "咖啡店", granted=2000)
        await shop.sign_in("shop")
        status, text = await shop.send("/counter/print/30", {"count": "1"})
        direct = await lot.edge.counter.issue_voucher(3, 30, "wang")
        lot.edge.link_state = lambda: "online"
        online, _ = await shop.send("/counter/print/30", {"count": "1"})
        rows = await printed(lot, 1)

    assert (status, direct) == (409, Refuse("nowhere_to_scan"))
    assert "出口没有扫码枪" in text
    assert (online, [row.state for row in rows]) == (200, ["confirmed"])


async def test_the_same_form_twice_orders_once(lot: Lot, shop: Visitor) -> None:
    form = {"count": "1", "mark": "0123456789ab"}

    await shop.send("/counter/print/30", form)
    await shop.send("/counter/print/30", form)
    await printed(lot, 1)
    await asyncio.sleep(0.1)

    assert len(await lot.edge.counter.vouchers(3)) == 1


async def until_said(shop: Visitor, words: str) -> str:
    """The counter's page once it says *words*."""
    async with asyncio.timeout(10):
        while words not in (page := await shop.get("/counter")):
            await asyncio.sleep(0.02)
    return page


async def test_without_paper_nothing_is_issued_and_the_order_goes_on_by_itself_with_paper(
    lot: Lot, shop: Visitor
) -> None:
    lot.printer.fault = PrinterFault.PAPER_OUT

    await shop.send("/counter/print/30", {"count": "2"})
    await until_said(shop, "自动接着打剩下的 2 张")
    before = await lot.edge.counter.vouchers(3)
    lot.printer.fault = None

    assert before == []
    assert [row.state for row in await printed(lot, 2)] == ["confirmed"] * 2


async def test_an_order_that_waits_can_be_let_go(lot: Lot, shop: Visitor) -> None:
    lot.printer.fault = PrinterFault.COVER_OPEN
    await shop.send("/counter/print/30", {"count": "2"})
    page = await until_said(shop, "剩下的 2 张不打了")
    (order,) = re.findall(r"/counter/order/([0-9a-f]{32})", page)

    await shop.send(f"/counter/order/{order}", {"do": "stop"}, page="/counter")
    page = await shop.get("/counter")
    _, again = await shop.send(f"/counter/order/{order}", {"do": "go"}, page="/counter")

    assert "其余 2 张没有打印，也没有占用额度" in page
    assert "这一单已经不在等待了" in again
    assert await lot.edge.counter.vouchers(3) == []


async def test_a_slip_in_doubt_stops_the_order_until_somebody_says_go_on_and_is_never_printed_again(
    lot: Lot, shop: Visitor
) -> None:
    lot.printer.break_after(5, PrinterFault.PAPER_OUT)
    await shop.send("/counter/print/30", {"count": "3"})
    (row,) = await printed(lot, 1)
    page = await until_said(shop, "接着打剩下的 2 张")
    assert row.state == "unknown"
    assert "1-000001 可能没有打印出来" in page

    lot.printer.fault = None
    void = f"/counter/voucher/{row.key_id}-{row.counter}"
    refused, text = await shop.send(f"{void}/void", {}, page=void)
    done, _ = await shop.send(f"{void}/void", {"reason": "not_printed", "again": "1"}, page=void)
    await printed(lot, 2)
    (order,) = re.findall(r"/counter/order/([0-9a-f]{32})", page)
    await shop.send(f"/counter/order/{order}", {"do": "go"}, page="/counter")
    rows = await printed(lot, 4)

    assert (refused, done) == (409, 200)
    assert "请选择或填写原因" in text
    assert [(one.counter, one.state, one.voided) for one in rows] == [
        (4, "confirmed", 0), (3, "confirmed", 0), (2, "confirmed", 0), (1, "unknown", 1),
    ]  # fmt: skip


async def test_a_printer_that_never_answers_prints_on_and_somebody_says_what_came_out(tmp_path: Path) -> None:
    def silent(settings: EdgeSettings) -> EdgeSettings:
        table = {**settings.devices.printers["counter"], "confirms": "attendant", "asks": "nothing"}
        return replace(settings, devices=replace(settings.devices, printers={"counter": table}))

    async with running(tmp_path, silent) as lot, visiting(lot, "counter") as shop:
        await lot.opens_shop(3, "咖啡店", granted=2000)
        await shop.sign_in("shop")
        await shop.send("/counter/print/30", {"count": "3"})
        assert [row.state for row in await printed(lot, 3)] == ["unknown"] * 3
        assert "全部打出来了（3 张）" in await shop.get("/counter")

        await shop.send("/counter/came-out", {"slips": "1-2"}, page="/counter")
        some = {row.counter: row.state for row in await lot.edge.counter.vouchers(3)}
        await shop.send("/counter/came-out", {"slips": "1-1 1-2 1-3 9-9"}, page="/counter")
        states = {row.state for row in await lot.edge.counter.vouchers(3)}
        acts = [act.subject for act in await lot.edge.acts() if act.act == "voucher.came_out"]

    assert some == {1: "unknown", 2: "confirmed", 3: "unknown"}
    assert states == {"confirmed"}
    assert sorted(acts) == ["1-1", "1-2", "1-3"]


async def test_a_merchant_sees_and_withdraws_only_its_own(lot: Lot, shop: Visitor) -> None:
    await shop.send("/counter/print/30", {"count": "1"})
    (row,) = await printed(lot, 1)

    async with visiting(lot, "counter") as other:
        assert await other.sign_in("other") == 200
        assert "咖啡店" not in await other.get("/counter")
        assert await other.status("/counter/print/30") == 404
        assert await other.status(f"/counter/voucher/{row.key_id}-{row.counter}") == 404
        assert "1-000001" not in await other.get("/counter/vouchers")
        status, _ = await other.send("/counter/merchant", {"merchant": "3"}, page="/counter/print/40")
        assert status == 403


async def test_the_lots_own_people_choose_whose_counter_it_is(lot: Lot) -> None:
    async with visiting(lot, "counter") as visitor:
        assert await visitor.sign_in() == 200
        assert "为哪个商户打印" in await visitor.get("/counter")

        status, text = await visitor.send("/counter/merchant", {"merchant": "3"}, page="/counter")

        assert (status, "5.00 元" in text) == (200, True)


async def test_a_bug_while_a_slip_is_printed_leaves_it_in_doubt_at_once(
    lot: Lot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*args: object) -> None:
        raise KeyError("kind")

    monkeypatch.setattr(printing, "face_of", breaks)

    with pytest.raises(KeyError):
        await lot.edge.counter.issue_voucher(3, 30, "wang")

    assert [row.state for row in await lot.edge.counter.vouchers(3)] == ["unknown"]


async def test_the_cloud_has_vouchers_printed_each_once_and_hears_how_it_ended(lot: Lot) -> None:
    body = {"merchant_id": 3, "template_id": 30, "count": 3, "by": "shop-1"}

    three = await lot.edge.counter.print_from_afar(body)
    one = await lot.edge.counter.print_from_afar(body)  # 2000 fen hold four of 5 yuan
    lot.printer.fault = PrinterFault.PAPER_OUT
    none = await lot.edge.counter.print_from_afar(body)

    assert (three, one, none) == ("confirmed 3", "lease_short 1", "printer_not_ready 0")
    assert [(row.counter, row.by) for row in await lot.edge.counter.vouchers(3)] == [
        (n, "cloud:shop-1") for n in (4, 3, 2, 1)
    ]
    assert len(lot.printer.jobs) == 4


async def test_within_an_order_a_printer_that_has_just_been_well_is_not_asked_again(lot: Lot) -> None:
    first = await lot.edge.counter.issue_voucher(3, 30, "wang")
    lot.printer.fault = PrinterFault.COVER_OPEN

    alone = await lot.edge.counter.issue_voucher(3, 30, "wang")
    second = await lot.edge.counter.issue_voucher(3, 30, "wang", in_a_row=True)
    third = await lot.edge.counter.issue_voucher(3, 30, "wang", in_a_row=True)

    assert isinstance(first, Printed)
    assert isinstance(second, Printed)
    assert (first.state, alone, second.state) == ("confirmed", Refuse("printer_not_ready"), "unknown")
    assert third == Refuse("printer_not_ready"), "it was asked, for it was not well"


async def test_a_slip_of_yesterday_is_found_by_its_day_and_can_be_withdrawn(lot: Lot) -> None:
    await lot.opens_shop()
    await lot.edge.counter.issue_voucher(3, 30, "test")
    day = lot.edge.office.lot.local(lot.edge.office.now().wall_ms).date()
    async with visiting(lot, "counter") as shop:
        await shop.sign_in("shop")
        assert "1-000001" in await shop.get("/counter/vouchers")
        lot.later(24 * 60)

        assert "1-000001" not in await shop.get("/counter/vouchers")
        page = await shop.get(f"/counter/vouchers?day={day}")
        assert "/counter/voucher/1-1" in page
        assert f"{day} 的券" in page
        assert "今天还没有打印过券" in await shop.get("/counter/vouchers?day=nonsense")
        status, _ = await shop.send("/counter/voucher/1-1/void", {"reason": "damaged"}, page="/counter/voucher/1-1")
        assert status == 200
        assert "已作废" in await shop.get(f"/counter/vouchers?day={day}")


async def test_a_restart_prints_what_is_left_of_an_order_and_nothing_twice(tmp_path: Path) -> None:
    async with running(tmp_path) as lot, visiting(lot, "counter") as shop:
        await lot.opens_shop()
        await shop.sign_in("shop")
        lot.printer.fault = PrinterFault.PAPER_OUT
        await shop.send("/counter/print/30", {"count": "2"})
        await until_said(shop, "自动接着打剩下的 2 张")

    async with running(tmp_path, shift_ms=1) as lot:
        rows = await printed(lot, 2)
        await lot.until(lambda: len(lot.printer.jobs) == 2)
        left = await lot.edge.read(printorders.standing)

    async with running(tmp_path, shift_ms=2) as lot:
        await asyncio.sleep(1.5)
        again = lot.printer.jobs

    assert [(row.counter, row.state) for row in rows] == [(2, "confirmed"), (1, "confirmed")]
    assert (left, again) == ([], [])


async def test_an_order_cut_off_in_the_middle_of_a_slip_asks_before_it_goes_on(tmp_path: Path) -> None:
    async with running(tmp_path) as lot, visiting(lot, "counter") as shop:
        await lot.opens_shop()
        await shop.sign_in("shop")
        lot.printer.break_after(5, PrinterFault.PAPER_OUT)
        await shop.send("/counter/print/30", {"count": "3"})
        await printed(lot, 1)

    async with running(tmp_path, shift_ms=1) as lot, visiting(lot, "counter") as shop:
        await shop.sign_in("shop")
        page = await until_said(shop, "接着打剩下的 2 张")
        await asyncio.sleep(1.5)
        waits = lot.printer.jobs == []
        (order,) = re.findall(r"/counter/order/([0-9a-f]{32})", page)
        await shop.send(f"/counter/order/{order}", {"do": "go"}, page="/counter")
        rows = await printed(lot, 3)

    assert waits
    assert [(row.counter, row.state) for row in rows] == [(3, "confirmed"), (2, "confirmed"), (1, "unknown")]


async def test_an_order_of_long_ago_is_not_printed_by_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path) as lot, visiting(lot, "counter") as shop:
        await lot.opens_shop()
        await shop.sign_in("shop")
        lot.printer.fault = PrinterFault.PAPER_OUT
        await shop.send("/counter/print/30", {"count": "2"})
        await until_said(shop, "自动接着打剩下的 2 张")

    async with running(tmp_path, shift_ms=31 * 60_000) as lot:
        await asyncio.sleep(1.5)
        assert await lot.edge.counter.vouchers(3) == []
        assert await lot.edge.read(printorders.standing) == []


async def test_the_counter_tells_the_money_and_the_minutes_left_and_what_of_it_may_be_spent_now(
    lot: Lot, shop: Visitor
) -> None:
    left = re.compile(r'data-left="(\w+)">[^<]*<b>([^<]*)</b>([^<]*)')
    await lot.grant(3, 600, Commodity.MIN)
    assert left.findall(await shop.get("/counter")) == [("FEN", "¥20.00", ""), ("MIN", "600 分钟", "")]

    await shop.send("/counter/print/30", {"count": "1"})
    await printed(lot, 1)
    assert left.findall(await shop.get("/counter"))[0] == ("FEN", "¥15.00", "")

    lot.later(11 * 60)  # past the time to spend it in full
    await shop.sign_in("shop")
    money, _ = left.findall(await shop.get("/counter"))
    assert (money[1], "最多用 ¥0.00" in money[2]) == ("¥15.00", True)  # a fifth of 20.00, and 5.00 is spent
    assert [one[0] for one in left.findall(await shop.get("/counter"))] == ["FEN", "MIN"]
