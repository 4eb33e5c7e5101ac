"""A shift at the booth: no cash without one, two names under a hand-over, a report on paper."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from drivers.printer.simulated import PrinterFault
from edge.db import printjobs
from edge.services.checking import check_books
from edge.settings import EdgeSettings
from edge.workstations import Receipts, Shifts, Workstation
from tests.edge.web.running import PIN, WALL, Lot, Visitor, running, visiting


def with_shifts(settings: EdgeSettings) -> EdgeSettings:
    rules = replace(settings.rules, shifts=Shifts.NEEDED)
    return replace(
        settings, rules=rules, workstations=(Workstation("东岗亭", ("in", "out"), "counter", Receipts.ALWAYS),)
    )


@pytest.fixture
async def lot(tmp_path: Path) -> AsyncIterator[Lot]:
    async with running(tmp_path, with_shifts) as lot:
        yield lot


@pytest.fixture
async def booth(lot: Lot) -> AsyncIterator[Visitor]:
    async with visiting(lot, "booth") as visitor:
        await visitor.sign_in()
        yield visitor


async def test_a_shift_is_begun_takes_cash_and_is_handed_over_on_paper(lot: Lot, booth: Visitor) -> None:
    stay = await lot.enters()
    cash = f"/booth/stay/{stay}/cash"
    status, page = await booth.send(cash, {})
    assert (status, "还没有开班" in page) == (409, True)

    await booth.send("/booth/shift", {"float": "100.00"})
    status, _ = await booth.send(cash, {})
    assert status == 200
    shift = await lot.edge.tills.at("东岗亭")
    assert shift is not None
    assert shift.sums.expected_fen == 10_000 + shift.sums.cash_fen > 10_000

    at = f"/booth/shift/{shift.row.shift_id}"
    wrong = {"counted": "105", "takes_over": WALL["manager"][0], "pin": "000000", "kept": "50"}
    status, page = await booth.send(f"{at}/close", wrong)
    assert (status, "密码不对" in page) == (409, True)
    status, page = await booth.send(f"{at}/close", {**wrong, "pin": PIN})

    assert status == 200
    assert f"{WALL['attendant'][0]} → {WALL['manager'][0]}" in page
    following = await lot.edge.tills.at("东岗亭")
    assert following is not None
    assert (following.row.opened_by, following.sums.expected_fen) == (WALL["manager"][0], 5000)
    assert "/booth/people" in await booth.get("/booth"), "who took over is signed in"
    await booth.send(f"{at}/print", {}, at)
    assert len(await lot.edge.read(printjobs.states, "report", shift.row.shift_id)) == 2
    assert await lot.edge.read(check_books) == []


async def test_a_receipt_says_how_the_fee_came_about_and_a_second_print_that_it_is_one(
    lot: Lot, booth: Visitor
) -> None:
    stay = await lot.enters()
    await booth.send("/booth/shift", {"float": "0"})
    await booth.send(f"/booth/stay/{stay}/cash", {"received": "20.00"})
    (row,) = await lot.edge.tills.receipts_of(stay)
    assert (row.number, row.amount_fen, row.body["tendered_fen"]) == (1, row.body["due_fen"], 2000)
    assert sum(line["fen"] for line in row.body["lines"]) == row.body["fee_fen"]

    page = await booth.get("/booth/shift")
    assert f"/booth/stay/{stay}" in page, "the last payments lead back to their cars"
    await booth.send(f"/booth/stay/{stay}/receipt", {}, f"/booth/stay/{stay}")

    await lot.until(lambda: len(slips(lot)) == 2)
    first, second = slips(lot)
    assert ("补打" in first, "补打" in second) == (False, True)
    assert "找零" in first
    assert first.replace(" ", "").count("5.00") >= 3, "a line of the fee, the fee, what was due"


def slips(lot: Lot) -> list[str]:
    """Every receipt that came out of the printer."""
    printed = [job.decode("gb18030", "replace") for job in lot.printer.jobs]
    return [text for text in printed if "停车收费凭证" in text]


async def test_a_receipt_that_found_no_paper_comes_out_by_itself_once_there_is_some(lot: Lot, booth: Visitor) -> None:
    await booth.send("/booth/shift", {"float": "100.00"})
    stay = await lot.enters()
    lot.printer.fault = PrinterFault.PAPER_OUT

    _, page = await booth.send(f"/booth/stay/{stay}/cash", {"received": "5.00"})

    assert "好了会自动打出来" in page
    assert "1 张单据在等这台打印机" in await booth.get("/booth/printers")
    jobs = len(lot.printer.jobs)
    lot.printer.fault = None
    await lot.until(lambda: len(lot.printer.jobs) == jobs + 1, 10)
    assert await lot.edge.slips.at("counter") == []
    assert "停车收费凭证" in " ".join(lot.printer.jobs[-1].decode("gb18030", "replace").split())


async def test_a_printer_that_never_answers_is_not_said_to_have_printed_and_is_asked_about_there(
    tmp_path: Path,
) -> None:
    def mute(settings: EdgeSettings) -> EdgeSettings:
        table = {**settings.devices.printers["counter"], "confirms": "attendant"}
        return with_shifts(replace(settings, devices=replace(settings.devices, printers={"counter": table})))

    async with running(tmp_path, mute) as lot, visiting(lot, "booth") as booth:
        lot.printer.fault = PrinterFault.MUTE
        await booth.sign_in()
        stay = await lot.enters()
        await booth.send("/booth/shift", {"float": "0"})
        await booth.send(f"/booth/stay/{stay}/cash", {"received": "5.00"})
        shift = await lot.edge.tills.at("东岗亭")
        assert shift is not None

        for act, back in (
            (f"/booth/stay/{stay}/receipt", f"/booth/stay/{stay}"),
            (f"/booth/shift/{shift.row.shift_id}/print", "/booth/shift"),
        ):
            _, page = await booth.send(act, {}, back)
            assert ("请看出纸口" in page, "报表已打印" in page or "据已打印" in page) == (True, False)
            newest = (await lot.edge.slips.recent(1))[0]
            assert (newest.state, newest.job_id in page) == ("unknown", True)
            said = {"job": newest.job_id, "came": "1", "back": back}
            _, page = await booth.send("/booth/printers/said", said, back)

            assert f'action="{back}' in page, "it leads back to where it was asked"
            assert (await lot.edge.slips.recent(1))[0].state == "confirmed"
            assert "请看出纸口" not in await booth.get(back)
