"""A scanner on a port in the booth: its pages tell how every scan ended, and whose it was is never guessed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from drivers.camera.simulated import Sight, SimulatedVzenith
from drivers.serial_simulated import SimulatedSerial
from edge.lanes.scans import Outcome
from edge.settings import EdgeSettings
from edge.web import words
from edge.workstations import Workstation
from tests.edge.web.running import Lot, running, visiting
from tests.edge.web.test_scan import OTHER, SECRET, two_exits
from tests.edge.web.test_words import CATALOGUE


@asynccontextmanager
async def two_waiting(folder: Path, *places: Workstation) -> AsyncIterator[tuple[Lot, SimulatedSerial, list[str]]]:
    """Two cars that owe, each at its exit, and a scanner in the booth; with the stays."""

    def furnish(settings: EdgeSettings) -> EdgeSettings:
        settings = two_exits(settings)
        scanners = {"reader": {"type": "serial", "device": str(folder / "ttyACM0")}}
        return replace(settings, devices=replace(settings.devices, scanners=scanners), workstations=places)

    async with SimulatedSerial(folder / "ttyACM0") as reader, running(folder, furnish) as lot:
        await lot.opens_shop()
        stays = [await lot.enters(), await lot.enters(OTHER, minutes_ago=90)]
        await lot.waits_to_pay()
        base = f"http://127.0.0.1:{lot.opened.ports['device']}/device/"
        async with SimulatedVzenith(base + SECRET, serial="serial-out2") as camera:
            await camera.see(Sight(OTHER))
            await lot.until(lambda: lot.view("out2").verdict == "PayFirst")
            yield lot, reader, stays


async def slip_of(lot: Lot) -> str:
    await lot.edge.counter.issue_voucher(3, 30, "test")
    return (await lot.edge.counter.vouchers(3))[0].token


async def test_the_booths_pages_tell_that_nobody_knows_whose_code_it_is_and_why_one_is_refused(tmp_path: Path) -> None:
    async with two_waiting(tmp_path) as (lot, reader, _), visiting(lot, "booth") as booth:
        await booth.sign_in()
        async with booth.streaming("/booth/live?at=") as hear:
            await hear(0.5)
            reader.say((await slip_of(lot)).encode() + b"\r\n")
            assert "有 2 辆车在等待缴费" in await hear(1.5)
            reader.say(b"6901234567892\r\n")
            told = await hear(1.5)
            assert "这不是停车券" in told
            assert "event: sound\ndata: alarm" in told
        assert lot.view("out2").coupons == lot.view("out").coupons == ()


async def test_the_car_whose_page_is_open_gets_the_code_and_a_page_that_was_left_counts_no_more(tmp_path: Path) -> None:
    async with two_waiting(tmp_path) as (lot, reader, stays), visiting(lot, "booth") as booth:
        await booth.sign_in()
        due = lot.view("out2").due_fen
        async with booth.streaming(f"/booth/live?at={stays[1]}") as hear:
            await hear(0.5)
            reader.say((await slip_of(lot)).encode() + b"\r\n")
            await lot.until(lambda: lot.view("out2").due_fen == due - 500)
            assert "out2：扫码已受理" in await hear(1.0)
            reader.say(b"LG1OTHER\r\n")
            assert "停车券" in await hear(1.5)
        await asyncio.sleep(0.2)
        async with booth.streaming("/booth/live") as hear:
            await hear(0.5)
            reader.say(b"LG1OTHER\r\n")
            assert "有 2 辆车在等待缴费" in await hear(1.5)


async def test_with_several_workstations_only_the_scanners_own_screens_say_whose_code_it_is(tmp_path: Path) -> None:
    places = Workstation("east", ("out",)), Workstation("west", ("out2",), scanner="reader")
    async with two_waiting(tmp_path, *places) as (lot, reader, stays), visiting(lot, "booth") as booth:
        await booth.sign_in()
        token = await booth.page_token("/booth/shift")
        assert await booth.status("/booth/workstation", "POST", data={"workstation": "east", "csrf_token": token}) < 400
        due = lot.view("out").due_fen
        async with booth.streaming(f"/booth/live?at={stays[0]}") as hear:
            await hear(0.5)
            reader.say((await slip_of(lot)).encode() + b"\r\n")
            assert "event: scan" not in await hear(1.0)
            assert lot.view("out").due_fen == due


@pytest.mark.parametrize("why", ["several", "unknown", "nobody", "entry_ticket", "claim_code", "pay_failed", "no_link"])
def test_every_end_of_a_scan_says_what_to_do(why: str) -> None:
    said = words.scanned(CATALOGUE.speaking("zh-CN"), Outcome(why, "out", 2))
    assert why not in said
    assert len(said) > 10
