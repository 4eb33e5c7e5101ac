"""The booth's pages as forms and answers: who may, what is asked, what is booked."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from domain.lane import Incident
from domain.moment import Moment
from drivers.camera.simulated import Sight
from edge.db import equal_lists
from edge.db.database import Database, transaction
from edge.services import list_ages
from edge.web.booth import alarms_beside
from edge.web.watch import Strip
from tests.edge.web.running import PLATE, Lot, Visitor, running, visiting


@pytest.fixture
async def lot(tmp_path: Path) -> AsyncIterator[Lot]:
    async with running(tmp_path) as lot:
        yield lot


@pytest.fixture
async def booth(lot: Lot) -> AsyncIterator[Visitor]:
    async with visiting(lot, "booth") as visitor:
        assert await visitor.sign_in() == 200
        yield visitor


async def test_nothing_is_shown_before_sign_in_and_a_wrong_pin_does_not_help(lot: Lot) -> None:
    async with visiting(lot, "booth") as visitor:
        assert await visitor.status("/booth") == 303
        assert await visitor.sign_in(pin="111222") == 422
        assert await visitor.status("/booth/cars") == 303

        assert await visitor.sign_in() == 200
        assert "车道空闲" in await visitor.get("/booth")


async def test_guessing_pins_is_slowed_down(lot: Lot) -> None:
    async with visiting(lot, "booth") as visitor:
        answers = [await visitor.sign_in(pin=f"11122{digit}") for digit in range(4)]

    assert answers == [422, 422, 422, 429]


async def test_staff_of_a_shop_may_not_use_the_booth(lot: Lot) -> None:
    async with visiting(lot, "booth") as visitor:
        assert await visitor.sign_in("shop") == 422


async def test_cash_is_booked_once_under_the_attendants_name_and_the_barrier_opens_once(
    lot: Lot, booth: Visitor
) -> None:
    stay = await lot.enters()
    await lot.waits_to_pay()
    cash = f"/booth/stay/{stay}/cash"
    page = await booth.get(cash)
    assert "¥5.00" in page
    form = {"payment_id": "pay-1234567", "amount": "5.00"}

    first, text = await booth.send(cash, form)
    again, _ = await booth.send(cash, form)
    await lot.until(lambda: len(lot.board.pulses) == 2)

    assert (first, again) == (200, 200)
    assert f"{PLATE} 已收现金 ¥5.00" in text
    assert len(lot.board.pulses) == 2
    assert {act.by for act in await lot.edge.acts() if act.act == "payment.take"} == {"王芳"}


async def test_opening_by_hand_needs_a_reason_and_makes_what_is_owed_a_debt(lot: Lot, booth: Visitor) -> None:
    await lot.enters()
    await lot.waits_to_pay()

    status, text = await booth.send("/booth/lane/out/open", {})
    assert (status, len(lot.board.pulses)) == (409, 1)
    assert "请选择或填写原因" in text

    status, _ = await booth.send("/booth/lane/out/open", {"reason": "unpaid"})
    await lot.until(lambda: len(lot.board.pulses) == 2)

    assert status == 200
    assert [debt.owed_fen for debt in await lot.edge.debts(PLATE)] == [500]
    opened = next(act for act in await lot.edge.acts() if act.act == "barrier.open")
    assert (opened.by, opened.reason) == ("王芳", "司机无法付款，记欠费")


async def test_an_unread_car_gets_its_plate_typed_and_what_is_no_plate_is_refused(lot: Lot, booth: Visitor) -> None:
    await lot.cameras["in"].see(Sight(""))
    await lot.until(lambda: lot.view("in").verdict == "Ask")

    status, text = await booth.send("/booth/lane/in/plate", {"plate": "<b>1</b>"})
    assert status == 409
    assert "&lt;b&gt;1&lt;/b&gt;" in text
    assert "<b>1</b>" not in text

    status, _ = await booth.send("/booth/lane/in/plate", {"plate": "京A12345"})
    await lot.until(lambda: len(lot.board.pulses) == 1)
    assert status == 200


async def test_a_post_without_its_token_is_refused(lot: Lot, booth: Visitor) -> None:
    assert await booth.status("/booth/lane/out/open", "POST", data={"reason": "test"}) == 403
    assert lot.board.pulses == []


async def test_a_missing_entry_is_written_and_the_waiting_car_decided_on_again(lot: Lot, booth: Visitor) -> None:
    await lot.cameras["out"].see(Sight(PLATE))
    await lot.until(lambda: lot.view("out").verdict == "Ask")
    local = lot.edge.office.lot.local(lot.edge.office.now().wall_ms - 2 * 3_600_000)
    form = {"plate": PLATE, "entered": f"{local:%Y-%m-%dT%H:%M}", "reason": "loop", "lane": "out"}

    status, _ = await booth.send("/booth/entry", form)
    await lot.until(lambda: lot.view("out").verdict == "PayFirst")

    assert status == 200
    assert lot.view("out").due_fen in (1000, 1500)


async def test_an_entry_at_an_hour_nobody_knows_is_named_by_an_attendant(lot: Lot, booth: Visitor) -> None:
    stay = await lot.enters()
    page = f"/booth/stay/{stay}/since"
    known = await booth.get(f"/booth/stay/{stay}")
    cold = "UPDATE stay SET entered_quality = 1 WHERE stay_id = ?"
    await lot.edge.read(lambda conn: conn.execute(cold, (stay,)))
    local = lot.edge.office.lot.local(lot.edge.office.now().wall_ms - 3_600_000)

    assert page not in known
    assert page in await booth.get(f"/booth/stay/{stay}")
    status, _ = await booth.send(page, {"entered": f"{local:%Y-%m-%dT%H:%M}", "reason": "picture"})
    again, _ = await booth.send(page, {"entered": f"{local:%Y-%m-%dT%H:%M}", "reason": "picture"})

    assert (status, again) == (200, 409)
    assert "entry.time" in [act.act for act in await lot.edge.acts()]


async def test_both_languages_say_the_same_page(lot: Lot, booth: Visitor) -> None:
    english = await booth.get("/booth?lang=en")

    assert "Nobody here" in english
    assert "Open by hand" in english


async def test_the_state_of_link_printer_camera_and_clock_is_on_every_page(lot: Lot, booth: Visitor) -> None:
    stay = await lot.enters()

    for path in ("/booth", "/booth/cars", "/booth/entry", f"/booth/stay/{stay}", "/booth/lane/in/open"):
        page = await booth.get(path)
        for word in ("云端", "打印机", "相机", "时钟"):
            assert word in page, (path, word)


async def test_an_open_page_hears_nothing_more_once_its_session_is_over(lot: Lot, booth: Visitor) -> None:
    async with booth.streaming("/booth/live") as heard:
        assert "event: lane-in" in await heard(1)
        await booth.send("/logout", {}, page="/booth")
        await lot.cameras["in"].see(Sight(PLATE))

        rest = await heard(5)

    assert PLATE[2:] not in rest


async def test_a_form_without_its_mark_opens_nothing(lot: Lot, booth: Visitor) -> None:
    form = {"reason": "test", "csrf_token": await booth.page_token("/booth")}

    assert await booth.status("/booth/lane/out/open", "POST", data=form) == 400
    assert lot.board.pulses == []


async def test_a_voucher_is_named_with_who_pays_taken_off_again_and_a_spoilt_one_refused(
    lot: Lot, booth: Visitor
) -> None:
    await lot.opens_shop()
    stay = await lot.enters(minutes_ago=90)
    await lot.waits_to_pay()
    await lot.edge.counter.issue_voucher(3, 30, "test")
    token = (await lot.edge.counter.vouchers(3))[0].token
    paper = f"/booth/stay/{stay}/paper"

    refused, text = await booth.send(paper, {"scanned": token[:-1] + ("0" if token[-1] != "0" else "1")})
    assert (refused, lot.view("out").due_fen) == (409, 1000)
    assert "请留下该券并报告管理人员" in text or "请重新扫描" in text

    await booth.send(paper, {"scanned": f"HTTPS://PARK.EXAMPLE/V/{token}"})
    await lot.until(lambda: lot.view("out").due_fen == 500)
    page = await booth.get(f"/booth/stay/{stay}")
    assert "1-000001 咖啡店" in page

    await booth.send(f"{paper}/off", {"ref": "1:1"}, page=paper)
    await lot.until(lambda: lot.view("out").due_fen == 1000)


async def test_a_waiver_takes_a_reason_and_never_more_than_is_due(lot: Lot, booth: Visitor) -> None:
    stay = await lot.enters()
    await lot.waits_to_pay()
    waive = f"/booth/stay/{stay}/waive"

    assert (await booth.send(waive, {"amount": "5.00"}))[0] == 409
    assert (await booth.send(waive, {"amount": "5.01", "reason": "device"}))[0] == 409
    assert (await booth.send(waive, {"amount": "0.001", "reason": "device"}))[0] == 409
    assert (await booth.send(waive, {"amount": "5.00", "reason": "device", "other": "相机进水"}))[0] == 200
    await lot.until(lambda: len(lot.board.pulses) == 2)

    assert ("fee.waive", "500 设备故障 · 相机进水") in [(act.act, act.reason) for act in await lot.edge.acts()]


async def test_a_doubtful_plate_is_chosen_from_what_it_may_be(lot: Lot, booth: Visitor) -> None:
    await lot.cameras["in"].see(Sight(""))
    await lot.until(lambda: lot.view("in").verdict == "Ask")
    lot.edge.live.publish(replace(lot.view("in"), readings=(("京A12345", 62), ("京A12346", 31))))

    for page in ("/booth", "/booth/lane/in/plate"):
        shown = await booth.get(page)
        assert re.search(r"京A12345 <small>62 %</small>.*京A12346 <small>31 %</small>", shown, re.DOTALL)

    await booth.send("/booth/lane/in/plate", {"plate": "京A12346"})
    await lot.until(lambda: len(lot.board.pulses) == 1)
    assert [stay.plate for stay in await lot.edge.cars_inside()] == ["京A12346"]


async def test_candidates_of_every_reading_are_offered_at_the_exit(lot: Lot, booth: Visitor) -> None:
    await lot.enters("沪B77777")
    await lot.cameras["out"].see(Sight("粤C99999"))
    await lot.until(lambda: lot.view("out").verdict == "Ask")
    assert "没有相似" in await booth.get("/booth/lane/out/plate")

    lot.edge.live.publish(replace(lot.view("out"), readings=(("粤C99999", 50), ("沪B7777T", 40))))

    assert "沪B77777" in await booth.get("/booth/lane/out/plate")


async def test_a_misread_entry_is_mended_and_the_old_plate_kept(lot: Lot, booth: Visitor) -> None:
    stay = await lot.enters()
    mend = f"/booth/stay/{stay}/plate"

    assert (await booth.send(mend, {"plate": "京A1"}))[0] == 409
    status, text = await booth.send(mend, {"plate": "京a·12346"})

    assert status == 200
    assert "已从 京A12345 改为 京A12346" in text
    assert "识别为 京A12345" in text


async def test_cars_inside_are_found_by_any_part_of_the_plate(lot: Lot, booth: Visitor) -> None:
    for plate in ("京A12345", "沪B77777"):
        await lot.enters(plate)

    page = await booth.get("/booth/cars?q=b777")

    assert "沪B77777" in page
    assert "京A12345" not in page
    assert "没有含“Z9”的车牌" in await booth.get("/booth/cars?q=z9")


async def test_an_offline_lot_says_since_when_and_that_work_goes_on(lot: Lot, booth: Visitor) -> None:
    lot.edge.link_state = lambda: "online"
    page = ""
    async with asyncio.timeout(8):
        while "已连接" not in page:
            await asyncio.sleep(0.1)
            page = await booth.get("/booth")
        assert "收费、放行、验券照常" not in page
        lot.edge.link_state = lambda: "offline"
        lot.later(95)
        while "收费、放行、验券照常" not in page:
            await asyncio.sleep(0.1)
            page = await booth.get("/booth")

    assert "上次同步 1 小时 35 分前" in page


async def test_no_page_has_anything_inline_that_the_policy_would_stop(lot: Lot, booth: Visitor) -> None:
    stay = await lot.enters()
    await lot.waits_to_pay()
    task = [f"/booth/stay/{stay}{name}" for name in ("", "/cash", "/waive", "/paper", "/plate")]
    lane = ["/booth/lane/out/plate", "/booth/lane/out/open"]

    for path in ("/booth", "/booth/cars", "/booth/entry", "/booth/pin", *task, *lane):
        page = await booth.get(path)
        assert re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|javascript:", page) is None, path


async def test_a_barrier_is_held_open_with_a_reason_and_let_go_by_name(lot: Lot, booth: Visitor) -> None:
    at = "/booth/lane/in"
    page = await booth.get(f"{at}/hold")
    assert ("火警、疏散" in page, "班长授权" in page) == (True, True)  # alone only in an emergency
    assert (await booth.send(f"{at}/hold", {"reason": ""}))[0] == 409
    assert (await booth.send(f"{at}/hold", {"reason": "convoy"}))[0] == 409

    status, page = await booth.send(f"{at}/hold", {"reason": "fire", "other": "smoke"})
    assert status == 200
    await lot.until(lambda: any(lot.board.model.outputs))
    assert "道闸常开中：火警、疏散" in await booth.get("/booth")

    await booth.send(f"{at}/release", {}, page="/booth")
    await lot.until(lambda: not any(lot.board.model.outputs))
    acts = [(act.act, act.reason) for act in await lot.opened.edge.acts(2)]
    assert acts == [("barrier.release", "fire"), ("barrier.hold", "fire smoke")]


async def test_a_car_that_wants_somebody_is_heard_on_every_page_and_one_that_stood_there_is_not(
    lot: Lot, booth: Visitor
) -> None:
    await lot.enters()
    async with booth.streaming("/booth/live") as hear, asyncio.timeout(15):
        text = ""
        while "event: strip" not in text:
            text += await hear(0.1)
        assert "event: sound" not in text
        await lot.waits_to_pay()
        while "event: sound" not in text:
            text += await hear(0.1)

    assert "event: sound\ndata: arrival\n" in text


@pytest.mark.parametrize(
    "wrong",
    [
        *({"incident": one.value} for one in (Incident.TAILGATE, Incident.FORCED, Incident.REVERSED)),
        *({"wrong": {part: "gone"}} for part in ("arm out", "loop under taken", "camera out", "barrier out")),
    ],
    ids=str,
)
async def test_a_new_alarm_is_heard_once_and_one_that_is_over_or_known_is_not(
    lot: Lot, booth: Visitor, wrong: dict[str, Any]
) -> None:
    plain = lot.view("out")
    lot.edge.live.publish(replace(plain, wrong={"camera in": "known"}))
    async with booth.streaming("/booth/live") as hear, asyncio.timeout(15):
        text = ""
        while "event: strip" not in text:
            text += await hear(0.05)
        assert "event: sound" not in text
        for view in (replace(plain, **wrong), replace(plain, fee_fen=1, **wrong), plain):
            lot.edge.live.publish(view)
            text += await hear(0.15)

    assert text.count("event: sound\ndata: alarm\n") == 1


def test_a_lost_printer_or_scanner_beside_the_lanes_is_an_alarm() -> None:
    strip = Strip(parts=("scanner desk",), printers=(("counter", "paper_out"), ("booth", "ready")))
    assert alarms_beside(strip) == {"scanner desk", "counter"}


def test_a_cloud_that_goes_offline_and_a_full_disk_are_alarms_beside_the_lanes() -> None:
    assert alarms_beside(Strip(link="offline", disk="full")) == {"link", "disk"}
    assert alarms_beside(Strip(link="off", disk="tight")) == alarms_beside(Strip(link="online")) == set()


async def test_an_alarm_of_no_lane_is_heard_once(lot: Lot, booth: Visitor) -> None:
    async with booth.streaming("/booth/live") as hear, asyncio.timeout(15):
        await hear(0.5)
        await lot.edge.office.incident("pin_locked", "", "li")
        told = await hear(2.5)
    assert told.count("event: sound\ndata: alarm\n") == 1


async def test_the_strip_tells_the_age_of_the_oldest_list_and_the_page_behind_it_each_ones(tmp_path: Path) -> None:
    async with running(tmp_path) as lot, visiting(lot, "booth") as booth:
        lot.edge.link_state = lambda: "offline"
        await booth.sign_in()
        assert "未确认" in await booth.get("/booth/rules")

        def confirm(db: Database, now: Moment) -> None:
            with transaction(db) as conn:
                equal_lists.confirm(conn, list_ages.IMPORTANT, now)

        await lot.edge.office.do(confirm)
        lot.later(3 * 24 * 60)
        await asyncio.sleep(1.5)

        strip, page = await booth.get("/booth"), await booth.get("/booth/rules")
        assert re.search(r'class="warn"><a href="/booth/rules">规则 <b>3 天前', strip)
        assert page.count("3 天前") == len(list_ages.IMPORTANT) + 1, "every list, and the strip"
