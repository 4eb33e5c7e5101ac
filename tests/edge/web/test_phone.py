"""Paying by phone at the lot: the code at the booth and behind the lane's code, and what opens with the line down."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from domain import exit_pass, fee_quote
from domain.driver_page import lane_code
from domain.exit_pass import ExitPass
from domain.fee_quote import FeeQuote
from domain.scanned import ScannedKind, link_of
from edge.lanes.phone import Shown
from edge.services.checking import check_books
from edge.settings import EdgeSettings, Listener
from plumbing.signing import PrivateKey
from tests.edge.web.running import PLATE, Lot, running, visiting

CLOUD = PrivateKey.from_raw(bytes(range(32)))
SECRET = exit_pass.code_key(b"secret", 7)


@pytest.fixture
async def lot(tmp_path: Path) -> AsyncIterator[Lot]:
    def claimed(settings: EdgeSettings) -> EdgeSettings:
        settings.data.mkdir(parents=True, exist_ok=True)
        settings.cloud_key_file.write_text(CLOUD.public.raw.hex(), encoding="ascii")
        return replace(settings, listeners=replace(settings.listeners, driver=Listener()))

    async with running(tmp_path, claimed) as lot:
        yield lot


async def quoted(lot: Lot) -> FeeQuote:
    (stay,) = await lot.edge.cars_inside()
    shown = await lot.edge.phone.quote(stay.stay_id)
    assert isinstance(shown, Shown)
    return shown.quote


async def leaves(lot: Lot) -> None:
    await lot.until(lambda: len(lot.board.pulses) == 2)
    assert await lot.edge.cars_inside() == []
    assert await lot.edge.read(check_books) == []


async def test_the_booth_shows_a_code_and_the_car_goes_when_the_cloud_tells_of_the_money(lot: Lot) -> None:
    stay_id = await lot.enters()
    await lot.waits_to_pay()
    async with visiting(lot, "booth") as booth:
        await booth.sign_in()
        page = await booth.get(f"/booth/stay/{stay_id}/phone")
        quote = await quoted(lot)
        row = {"quote": quote.number, "stay_id": stay_id, "plate": PLATE, "fen": 500, "paid_ms": quote.made_s * 1000}
        await lot.put("payments", "p1", row)

        await leaves(lot)

    looks_again = f'data-again="/booth/stay/{stay_id}/phone/code"' in page
    assert ("¥5.00" in page, looks_again, "车场断网" in page) == (True, True, True)


async def test_the_page_behind_the_lanes_code_leads_to_where_the_quote_is_paid(lot: Lot) -> None:
    await lot.enters()
    await lot.waits_to_pay()
    async with visiting(lot, "driver") as phone:
        _, page = await phone.send(f"/lane/{lane_code(7, 'out')}", {"wish": "plate", "text": PLATE})

    found = re.search(r'href="(https://lotgate.example/Q/\w+)"', page)
    assert found is not None, page
    public = lot.edge.office.lot.public_key
    assert fee_quote.read(fee_quote.token_in(found[1]), lot.edge.office.lot.verify, public) == await quoted(lot)


async def test_with_the_line_down_the_booth_takes_the_pass_or_its_digits(lot: Lot) -> None:
    stay_id = await lot.enters()
    await lot.waits_to_pay()
    await lot.put("keys", exit_pass.CODE_ROW, {"secret": SECRET.hex()})
    quote = await quoted(lot)
    digits = exit_pass.code(SECRET, quote.number, stay_id, 500)
    async with visiting(lot, "booth") as booth:
        await booth.sign_in()
        path = f"/booth/stay/{stay_id}/paper"
        refused, page = await booth.send(path, {"scanned": f"{(int(digits) + 1) % 10**8:08}"})
        assert (refused, "数字不对" in page) == (409, True)

        taken, page = await booth.send(path, {"scanned": f"{digits[:4]} {digits[4:]}"})

        assert (taken, "已记手机缴费 ¥5.00" in page) == (200, True)
    await leaves(lot)


async def test_digits_cannot_be_tried_for_ever(lot: Lot) -> None:
    stay_id = await lot.enters()
    await lot.put("keys", exit_pass.CODE_ROW, {"secret": SECRET.hex()})
    desk = lot.edge.phone

    codes = [getattr(await desk.take_digits(stay_id, f"{number:08}"), "code", "") for number in range(6)]

    assert codes == ["pass_code_wrong"] * 5 + ["pass_code_tries"]


async def test_a_pass_before_the_lanes_scanner_opens_once(lot: Lot) -> None:
    stay_id = await lot.enters()
    await lot.waits_to_pay()
    quote = await quoted(lot)
    token = exit_pass.issue(ExitPass("p1", 7, quote.number, stay_id, PLATE, 500, quote.made_s, 15), CLOUD)
    codes = lot.edge.workers["out"].codes

    for _ in range(2):
        await codes.take(link_of("park.example", ScannedKind.EXIT_PASS, token), "scanner lane")

    await leaves(lot)
    acts = await lot.edge.stay(stay_id)
    assert acts is not None
    assert acts.paid_fen == 500


async def test_without_a_line_the_booth_takes_no_payment_code_and_says_what_to_do(lot: Lot) -> None:
    stay_id = await lot.enters()
    await lot.waits_to_pay()
    async with visiting(lot, "booth") as booth:
        await booth.sign_in()
        path = f"/booth/stay/{stay_id}/code"

        page = await booth.get(path)
        refused, answer = await booth.send(path, {"code": "130000000000000001"})
        _, other = await booth.send(path, {"code": "hello"})

    assert re.search(r'<button class="button primary big" disabled>', page) is not None, page
    assert ("车场断网" in page, refused, "130000000000000001" in answer) == (True, 409, False)
    assert "这不是付款码" in other
