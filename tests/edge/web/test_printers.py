"""The printers' page, and what it draws against what comes out."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from domain.scanned import recognise
from domain.slip import Text
from domain.slip_samples import LAYOUTS
from domain.voucher import Valid, VoucherKey, check
from drivers.printer.simulated import PrinterFault
from edge.layouts import OwnSlip
from edge.services import papers
from edge.settings import EdgeSettings
from plumbing.paper.encode import encode
from plumbing.paper.picture import render
from plumbing.paper.shipped import shipped_text
from tests.edge.web.running import Lot, running, visiting


def as_wide_as_80_mm(settings: EdgeSettings) -> EdgeSettings:
    table = {**settings.devices.printers["counter"], "paper": 80, "qr": "native", "text": "drawn"}
    own = (OwnSlip("test", head=("示例车场欢迎您",)),)
    return replace(settings, devices=replace(settings.devices, printers={"counter": table}), slips=own)


async def test_a_layout_is_drawn_as_it_comes_out_and_a_test_page_is_on_record(tmp_path: Path) -> None:
    async with running(tmp_path, as_wide_as_80_mm) as lot, visiting(lot, "booth") as booth:
        await booth.sign_in()
        page = await booth.get("/booth/printers?layout=report")
        assert "80 mm" in page
        assert "/booth/printers/counter/report.png" in page
        for layout in LAYOUTS:
            assert await booth.status(f"/booth/printers/counter/{layout}.png") == 200
        assert await booth.status("/booth/printers/counter/menu.png") == 404

        status, page = await booth.send("/booth/printers/counter/test", {}, page="/booth/printers")

        assert (status, "测试页已打印" in page) == (200, True)
        (job,) = lot.printer.jobs
        printer, office = lot.edge.printers["counter"], lot.edge.office
        slip = await printer.lay_out(printer.test_page("counter", office.lot, office.now().wall_ms), office.lot)
        expected = encode(slip, printer.profile)
        assert len(job) == len(expected)  # the minute may have changed
        assert Image.open(io.BytesIO(render(job, 48))).width == 48 * 12 + 32
        assert [(one.kind, one.state) for one in await lot.edge.slips.recent(5)] == [("test", "confirmed")]
        assert [act.act for act in await lot.edge.acts() if act.act == "test.print"] == ["test.print"]


async def test_what_the_cloud_says_of_a_slip_is_on_the_next_one_printed(tmp_path: Path) -> None:
    async with running(tmp_path, as_wide_as_80_mm) as lot:
        own = shipped_text("test").replace('"lotgate"', '"北门停车场"')
        await lot.put("config", "slip:test", {"head": ["欢迎"], "foot": [], "text": own})

        assert await lot.edge.slips.print_test("counter", "wang") == "confirmed"

        printer, office = lot.edge.printers["counter"], lot.edge.office
        slip = await printer.lay_out(printer.test_page("counter", office.lot, office.now().wall_ms), office.lot)
        assert [line.text for line in slip.lines[:2] if isinstance(line, Text)] == ["欢迎", "北门停车场"]
        assert len(lot.printer.jobs[-1]) == len(encode(slip, printer.profile))


async def scanned(lot: Lot, columns: int) -> str:
    """The code on the last slip, read off its picture."""
    (code,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(render(lot.printer.jobs[-1], columns))))
    return str(code.text)


@pytest.mark.parametrize(("paper", "qr"), [(58, "raster"), (80, "native")])
async def test_the_code_on_a_printed_voucher_is_read_off_its_picture_and_is_genuine(
    tmp_path: Path, paper: int, qr: str
) -> None:
    def change(settings: EdgeSettings) -> EdgeSettings:
        table = {**settings.devices.printers["counter"], "paper": paper, "qr": qr}
        return replace(settings, devices=replace(settings.devices, printers={"counter": table}))

    async with running(tmp_path, change) as lot:
        await lot.opens_shop(3, "咖啡店", granted=2000)
        await lot.edge.counter.issue_voucher(3, 30, "wang")
        own, now = lot.edge.office.lot, lot.edge.office.now()
        keys = {1: VoucherKey(1, own.public_key, 7, 0, 1 << 60)}

        checked = check(recognise(await scanned(lot, 32 if paper == 58 else 48)).token, keys, own.verify, now, 7)

    assert isinstance(checked, Valid)
    assert checked.payload.voucher_id == (1, 1)


@pytest.mark.parametrize(("came", "state"), [("1", "confirmed"), ("0", "failed")])
async def test_somebody_says_whether_a_slip_in_doubt_came_out(tmp_path: Path, came: str, state: str) -> None:
    async with running(tmp_path, as_wide_as_80_mm) as lot, visiting(lot, "booth") as booth:
        office = lot.edge.office
        begun = await office.do(papers.begin, office.lot, "receipt", "r1", "counter", "li")
        assert isinstance(begun, papers.Begun)
        await office.do(papers.end, begun, "unknown", False)
        await booth.sign_in()
        assert "没有打出" in await booth.get("/booth/printers")

        for _ in range(2):  # the second finds nothing in doubt
            await booth.send("/booth/printers/said", {"job": begun.job_id, "came": came}, page="/booth/printers")

        assert [one.state for one in await lot.edge.slips.recent(5)] == [state]
        assert len([act for act in await lot.edge.acts() if act.act in ("print.seen", "print.missed")]) == 1


@pytest.mark.parametrize(
    ("came", "state", "act"), [("1", "confirmed", "voucher.came_out"), ("0", "voided", "voucher.void")]
)
async def test_a_voucher_in_doubt_is_answered_for_at_the_booth(tmp_path: Path, came: str, state: str, act: str) -> None:
    async with running(tmp_path, as_wide_as_80_mm) as lot, visiting(lot, "booth") as booth:
        await lot.opens_shop(3, "咖啡店", granted=2000)
        lot.printer.break_after(1, PrinterFault.COVER_OPEN)
        await lot.edge.counter.issue_voucher(3, 30, "wang")
        (slip,) = await lot.edge.slips.recent(5)
        await booth.sign_in()
        assert (slip.state, "没有打出" in await booth.get("/booth/printers")) == ("unknown", True)

        for _ in range(2):  # the second finds nothing in doubt
            await booth.send("/booth/printers/said", {"job": slip.job_id, "came": came}, page="/booth/printers")

        (slip,) = await lot.edge.slips.recent(5)
        assert (slip.state, slip.job_id) == (state, "")
        assert len([one for one in await lot.edge.acts() if one.act == act]) == 1


async def test_a_voucher_that_came_out_is_not_withdrawn_by_saying_that_it_did_not(tmp_path: Path) -> None:
    async with running(tmp_path, as_wide_as_80_mm) as lot, visiting(lot, "booth") as booth:
        await lot.opens_shop(3, "咖啡店", granted=2000)
        await lot.edge.counter.issue_voucher(3, 30, "wang")
        await booth.sign_in()

        for job in ("1:1", "1:99"):
            await booth.send("/booth/printers/said", {"job": job, "came": "0"}, page="/booth/printers")

        assert [one.state for one in await lot.edge.slips.recent(5)] == ["confirmed"]
