"""An attendant's shift in a real browser, with everything that goes wrong in one, and what the cloud makes of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest

from domain.fen import yuan
from domain.lane import Idle
from drivers.camera.simulated import Sight
from drivers.printer.simulated import PrinterFault
from edge.services.checking import check_books
from edge.settings import EdgeSettings, Listener
from edge.workstations import Receipts, Shifts, Workstation
from tests.edge.web.test_in_chromium import SCANS
from tests.journeys.test_lot_and_cloud import World, all_told, whole_world
from tests.journeys.test_people import Administrator, admin  # noqa: F401

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

pytestmark = pytest.mark.browser

ATTENDANT, SUPERVISOR = "李收费", "陈班长"
PINS = {ATTENDANT: "408517", SUPERVISOR: "719264"}
PLACE = "东岗亭"
PATIENCE_MS = 30_000  # a machine with other work to do
PEOPLE = "/admin/booth-people"


def with_a_booth(settings: EdgeSettings) -> EdgeSettings:
    place = Workstation(PLACE, ("in", "out"), "desk", Receipts.ALWAYS)
    rules = replace(settings.rules, shifts=Shifts.NEEDED, waive_limits_fen={"attendant": 100})
    listeners = replace(settings.listeners, counter=Listener())
    printers = {"desk": {**settings.devices.printers["desk"], "drawer": "pin_2"}}
    devices = replace(settings.devices, printers=printers)
    return replace(settings, workstations=(place,), listeners=listeners, rules=rules, devices=devices)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with whole_world(tmp_path, change=with_a_booth) as made:
        yield made


@dataclass
class Booth:
    """The attendant's hands and eyes: a touchscreen, and the cars outside."""

    world: World
    page: Page
    pulses: int = 0

    def url(self, path: str, listener: str = "booth") -> str:
        return f"http://127.0.0.1:{self.world.lot.opened.ports[listener]}{path}"

    async def sign_in(self, name: str, listener: str = "booth") -> None:
        await self.page.goto(self.url("/login", listener))
        if await self.page.locator("select[name=account]").count():
            await self.page.select_option("[name=account]", name)
        else:
            await self.page.fill("[name=account]", name)
        for digit in PINS[name]:
            await self.page.tap(f"[data-key='{digit}']")
        await self.page.tap("main button.primary")

    async def key(self, name: str) -> None:
        """Press it once there is a page where it means something."""
        await self.page.wait_for_selector(f"[data-fkey='{name}']", state="attached")
        await self.page.wait_for_load_state()
        await self.page.keyboard.press(name)

    async def confirms(self) -> str:
        """Read what is asked once more, and say yes."""
        asked = await self.page.inner_text("#confirm [data-body]")
        await self.page.tap("#confirm [data-yes]")
        return asked

    async def comes_in(self, plate: str) -> None:
        """A minute after the one before: a plate like that of a car just gone is taken for that car."""
        lot = self.world.lot
        await lot.until(lambda: isinstance(lot.opened.edge.workers["in"].state.phase, Idle))
        lot.later(1)
        self.pulses += 1
        await lot.passes("in", plate, self.pulses)

    async def comes_to_the_exit(self, read: str, state: str = "pay") -> None:
        await self.page.goto(self.url("/booth"))
        await self.world.lot.cameras["out"].see(Sight(read))
        await self.page.wait_for_selector(f".lane.{state}")

    async def opens(self) -> None:
        """The exit's barrier has moved once more, and the lane is clear."""
        self.pulses += 1
        await self.world.lot.until(lambda: len(self.world.lot.board.pulses) == self.pulses)
        await self.page.wait_for_selector(".lane.idle >> nth=1")

    async def takes_cash(self, *notes: int) -> str:
        """F1, notes, the change that is to be given, yes; the barrier opens."""
        await self.key("F1")
        for note in notes:
            await self.page.tap(f"[data-tender='{note}']")
        await self.page.tap("main form button.primary")
        asked = await self.confirms()
        await self.page.wait_for_url("**/booth")
        await self.opens()
        return asked

    async def prints(self, words: str) -> str:
        """The newest slip with these words, once it is out."""
        async with asyncio.timeout(10):
            while not (found := [slip for slip in self.slips() if words in slip]):
                await asyncio.sleep(0.05)
        return found[-1]

    def slips(self) -> list[str]:
        """Everything on paper, without the commands and the room between."""
        texts = (job.decode("gb18030", "replace") for job in self.world.printer.jobs)
        return [re.sub(r"[\x00-\x20]+", " ", text) for text in texts]


async def test_a_shift_from_the_pin_set_in_the_cloud_to_the_report_the_cloud_checks(
    chromium: Browser,
    world: World,
    admin: Administrator,  # noqa: F811
) -> None:
    edge = world.lot.opened.edge
    for name, role in ((ATTENDANT, "attendant"), (SUPERVISOR, "supervisor")):
        await admin.send(PEOPLE, PEOPLE, name=name, role=role, lot_id="", pin=PINS[name])
    async with asyncio.timeout(20):
        while len(await edge.staff.everyone()) < 2:
            await asyncio.sleep(0.05)
    page = await chromium.new_page(locale="zh-CN", viewport={"width": 1280, "height": 800}, has_touch=True)
    page.set_default_timeout(PATIENCE_MS)
    booth = Booth(world, page)

    await begins_with_change(booth)
    await takes_cash_and_gives_change(booth)
    await mends_a_plate(booth)
    await matches_an_exit_and_waives(booth)
    await prints_scans_and_takes_off_a_voucher(booth)
    await answers_for_paper_that_ended(booth)
    await goes_on_without_the_cloud(booth)
    shift_id = await hands_over(booth)

    assert await edge.read(check_books) == []
    await the_cloud_has_the_report(booth, admin, shift_id)
    await the_pin_is_taken_back(booth, admin)


async def begins_with_change(booth: Booth) -> None:
    await booth.sign_in(ATTENDANT)
    await booth.page.wait_for_url("**/booth")
    await booth.key("F10")
    await booth.page.fill("[name=float]", "200.00")
    await booth.page.tap("main form button.primary")
    await booth.page.wait_for_url("**/booth")


async def takes_cash_and_gives_change(booth: Booth) -> None:
    await booth.comes_in("京A12345")
    booth.world.lot.later(30)
    await booth.comes_to_the_exit("京A12345")

    asked = await booth.takes_cash(1000, 1000)

    assert "请找零 ¥15.00" in asked
    receipt = await booth.prints("京A12345")
    assert re.search(r"找零 15\.00", receipt)


async def mends_a_plate(booth: Booth) -> None:
    """It was read with one character too many like another; on its page the right plate is typed by touch."""
    await booth.comes_in("沪CBT473")
    await booth.key("F8")
    await booth.page.tap("text=沪CBT473")
    await booth.key("F2")
    await booth.page.tap("[data-key=clear]")
    for key in "沪C8T473":
        await booth.page.tap(f"[data-key='{key}']")
    await booth.page.tap("main form button.primary")
    await booth.confirms()
    await booth.page.wait_for_selector(".flash-line:has-text('沪C8T473')")


async def matches_an_exit_and_waives(booth: Booth) -> None:
    """Two cars inside look alike; the right one is picked, and let go in part by a supervisor's word."""
    for plate in ("粤B5K318", "粤B5K316"):
        await booth.comes_in(plate)
    booth.world.lot.later(30)
    await booth.comes_to_the_exit("粤B5K31", "ask")
    await booth.key("F2")
    await booth.page.tap(".candidate:has-text('粤B5K316')")
    await booth.page.wait_for_selector(".lane.pay")

    await booth.page.tap(".lane.pay >> text=更多")
    await booth.page.tap("main >> text=减免")
    await booth.page.fill("[name=amount]", "3.00")
    await booth.page.tap("main .choice >> nth=0")
    await booth.page.tap("main form button.primary")
    await booth.confirms()
    await booth.page.select_option("[name=approver]", SUPERVISOR)
    await booth.page.fill("[name=approver_pin]", PINS[SUPERVISOR])
    await booth.page.tap("main form button.primary")
    await booth.confirms()
    await booth.page.wait_for_selector(".lane.pay:has-text('¥2.00')")
    await booth.takes_cash()


async def prints_scans_and_takes_off_a_voucher(booth: Booth) -> None:
    """A voucher from the counter pays; taken off again, cash does."""
    cloud, edge = booth.world.cloud, booth.world.lot.opened.edge
    template = {"name": "5 元券", "kind": "AMOUNT", "value": 500}
    await cloud.call(f"merchants/{booth.world.merchant_id}/templates", template)
    async with asyncio.timeout(20):
        while not any(row["left"] for row in await edge.counter.merchants()):
            await asyncio.sleep(0.05)
    await at_the_counter_prints_one(booth)
    await booth.page.wait_for_selector(".slip .badge.ok")
    (row,) = await edge.counter.vouchers()
    booth.world.lot.later(45)

    await booth.comes_to_the_exit("粤B5K318")
    await booth.page.evaluate(SCANS, [*f"HTTPS://LOTGATE.EXAMPLE/V/{row.token}", "Enter"])
    await booth.page.wait_for_selector(".flash-line:has-text('停车券')")
    stay = next(one for one in await edge.cars_inside() if one.plate == "粤B5K318")
    await booth.page.goto(booth.url(f"/booth/stay/{stay.stay_id}/paper"))
    await booth.page.tap(".papers button:has-text('取下')")
    await booth.confirms()
    await booth.page.wait_for_selector(".flash-line")

    await booth.page.goto(booth.url("/booth"))
    await booth.page.wait_for_selector(".lane.pay .due:has-text('¥10.00')")
    await booth.takes_cash()
    await gives_back_for_a_coupon_shown_late(booth, stay.stay_id)


async def gives_back_for_a_coupon_shown_late(booth: Booth, stay_id: str) -> None:
    """The drawer opens, the driver signs a receipt; the exit stands."""
    pulses = len(booth.world.printer.drawer_pulses)
    await booth.page.goto(booth.url(f"/booth/stay/{stay_id}"))
    await booth.page.tap("main >> text=退现金")
    await booth.page.fill("[name=amount]", "5.00")
    await booth.page.tap("main .choice:has-text('补出示优惠券')")
    await booth.page.tap("main form button.danger")
    await booth.confirms()
    await booth.page.wait_for_selector(".flash-line:has-text('5.00')")

    slip = await booth.prints("退款凭证")
    assert re.search(r"退现金 5\.00", slip)
    assert "补出示优惠券" in slip
    assert len(booth.world.printer.drawer_pulses) == pulses + 1


async def at_the_counter_prints_one(booth: Booth) -> None:
    await booth.page.goto(booth.url("/counter", "counter"))
    if await booth.page.locator("[data-key]").count():
        await booth.sign_in(ATTENDANT, "counter")
        await booth.page.tap("main button:has-text('Shop')")
    await booth.page.tap(".offer:has-text('5 元券')")
    await booth.page.tap("main form button.primary")
    await booth.confirms()
    await booth.page.wait_for_url("**/counter")


async def answers_for_paper_that_ended(booth: Booth) -> None:
    """In the middle of a slip: the booth says so, the counter asks, and what did not come out is withdrawn."""
    booth.world.printer.break_after(8, PrinterFault.PAPER_OUT)
    await at_the_counter_prints_one(booth)
    await booth.page.wait_for_selector(".doubt")
    await booth.page.goto(booth.url("/booth"))
    await booth.page.wait_for_selector("text=打印机缺纸")
    booth.world.printer.fault = None

    await booth.page.goto(booth.url("/counter", "counter"))
    await booth.page.tap(".doubt >> text=没打出来")
    await booth.page.uncheck("[name=again]")
    await booth.page.tap("main .choice >> nth=0")
    await booth.page.tap("main button.danger")
    await booth.confirms()
    await booth.page.wait_for_url("**/counter")

    assert await booth.page.locator(".doubt").count() == 0
    assert len(booth.world.printer.jobs) >= 2


async def goes_on_without_the_cloud(booth: Booth) -> None:
    await asyncio.to_thread(booth.world.broker.kill)
    await booth.page.goto(booth.url("/booth"))
    await booth.page.wait_for_selector(".offline:visible:has-text('云端')")

    await booth.comes_to_the_exit("沪C8T473")
    await booth.takes_cash()

    await booth.world.broker.start()
    await booth.page.wait_for_selector(".offline:visible:has-text('云端')", state="detached")


async def hands_over(booth: Booth) -> str:
    """Cash into the safe, the drawer counted, the supervisor takes over; what the paper says is what was taken."""
    tills = booth.world.lot.opened.edge.tills
    await booth.key("F10")
    await booth.page.tap("summary:has-text('现金缴存')")
    await booth.page.fill("[name=amount]", "100.00")
    await booth.page.tap("form[action$='/drop'] button.primary")
    await booth.confirms()
    await booth.page.wait_for_selector(".flash-line")
    shift = await tills.at(PLACE)
    assert shift is not None
    expected = shift.sums.expected_fen
    sums = shift.sums
    assert (sums.drop_fen, sums.waived_fen, sums.refund_fen) == (10_000, 300, 500)
    assert expected == 20_000 - 10_000 + sums.cash_fen - 500

    await booth.page.tap("a:has-text('清点')")
    await booth.page.fill("[name=counted]", yuan(expected))
    await booth.page.select_option("[name=takes_over]", SUPERVISOR)
    await booth.page.fill("[name=pin]", PINS[SUPERVISOR])
    await booth.page.fill("[name=kept]", "50.00")
    await booth.page.tap("main form button.primary")
    await booth.confirms()
    await booth.page.wait_for_url(f"**/booth/shift/{shift.row.shift_id}")

    report = await booth.prints("交接班报表")
    figures = (f"应有现金 {yuan(expected)}", f"现金收入 {yuan(sums.cash_fen)}", "现金退款 5.00", "差额 0.00")
    for words in (ATTENDANT, SUPERVISOR, *figures):
        assert words in report, (words, report)
    return shift.row.shift_id


async def the_cloud_has_the_report(booth: Booth, admin: Administrator, shift_id: str) -> None:  # noqa: F811
    """The sums of the paper, standing on the head of the log that the cloud itself has."""
    await all_told(booth.world)
    sums = (await booth.world.lot.opened.edge.tills.get(shift_id)).sums  # type: ignore[union-attr]

    page = await admin.get(f"/admin/shifts/{shift_id}?lang=zh-CN")

    for words in (ATTENDANT, SUPERVISOR, yuan(sums.cash_fen), yuan(sums.fee_fen), yuan(sums.expected_fen)):
        assert words in page, words
    assert 'class="alert ok"' in page


async def the_pin_is_taken_back(booth: Booth, admin: Administrator) -> None:  # noqa: F811
    found = re.search(rf"<td>{ATTENDANT}</td>.*?{PEOPLE}/(\d+)/end", await admin.get(PEOPLE), re.DOTALL)
    assert found is not None
    await admin.send(PEOPLE, f"{PEOPLE}/{found[1]}/end")
    async with asyncio.timeout(20):
        while await booth.world.lot.opened.edge.staff.get(ATTENDANT) is not None:
            await asyncio.sleep(0.05)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        async with session.get(booth.url("/login")) as answer:
            token = re.search(r'name="csrf_token" value="([^"]+)"', await answer.text())
        assert token is not None
        form = {"csrf_token": token[1], "account": ATTENDANT, "password": PINS[ATTENDANT]}
        async with session.post(booth.url("/login"), data=form) as answer:
            assert answer.status == 422
