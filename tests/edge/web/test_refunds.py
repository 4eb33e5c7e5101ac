"""Cash given back at the booth, the drawer that opens for it, and paper for a debt paid without a visit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.services.checking import check_books
from edge.settings import EdgeSettings
from edge.workstations import Receipts, Shifts, Workstation
from tests.edge.web.running import PIN, PLATE, WALL, Lot, Visitor, running, visiting

ATTENDANT, MANAGER = WALL["attendant"][0], WALL["manager"][0]
PLACE = "东岗亭"


def with_a_drawer(settings: EdgeSettings) -> EdgeSettings:
    rules = replace(settings.rules, shifts=Shifts.NEEDED, refund_limits_fen={"attendant": 300})
    printers = {"counter": {**settings.devices.printers["counter"], "drawer": "pin_5"}}
    return replace(
        settings, rules=rules, devices=replace(settings.devices, printers=printers),
        workstations=(Workstation(PLACE, ("in", "out"), "counter", Receipts.ALWAYS),),
    )  # fmt: skip


@pytest.fixture
async def lot(tmp_path: Path) -> AsyncIterator[Lot]:
    async with running(tmp_path, with_a_drawer) as lot:
        yield lot


@pytest.fixture
async def booth(lot: Lot) -> AsyncIterator[Visitor]:
    async with visiting(lot, "booth") as visitor:
        await visitor.sign_in()
        await visitor.send("/booth/shift", {"float": "100.00"})
        yield visitor


def slips(lot: Lot, words: str) -> list[str]:
    printed = [" ".join(job.decode("gb18030", "replace").split()) for job in lot.printer.jobs]
    return [text for text in printed if words in text]


async def test_a_refund_opens_the_drawer_is_signed_for_and_stands_in_the_shift(lot: Lot, booth: Visitor) -> None:
    stay = await lot.enters()
    await booth.send(f"/booth/stay/{stay}/cash", {"received": "5.00"})
    await lot.until(lambda: len(lot.printer.drawer_pulses) == 1)
    at = f"/booth/stay/{stay}/refund"
    assert f'href="{at}"' in await booth.get(f"/booth/stay/{stay}")

    form = {"amount": "4.00", "reason": "coupon_late"}
    status, page = await booth.send(at, form)
    assert (status, "班长授权" in page) == (409, True)
    status, page = await booth.send(at, {**form, "approver": MANAGER, "approver_pin": PIN})

    assert (status, "退给" in page, "-¥4.00" in page or "−¥4.00" in page) == (200, True, True)
    await lot.until(lambda: len(lot.printer.drawer_pulses) == 2 and len(slips(lot, "退款凭证")) == 1)
    assert lot.printer.drawer_pulses[0] == bytes([1, 25, 250])
    (slip,) = slips(lot, "退款凭证")
    assert all(words in slip for words in ("补出示优惠券", "4.00", ATTENDANT, MANAGER, "000001"))
    shift = await lot.edge.tills.at(PLACE)
    assert shift is not None
    assert (shift.sums.refund_fen, shift.sums.expected_fen) == (400, 10_000 + 500 - 400)
    assert await lot.edge.read(check_books) == []


async def test_a_second_print_of_a_refund_says_so(lot: Lot, booth: Visitor) -> None:
    stay = await lot.enters()
    await booth.send(f"/booth/stay/{stay}/cash", {"received": "5.00"})
    await booth.send(f"/booth/stay/{stay}/refund", {"amount": "1", "reason": "overpaid"})
    await lot.until(lambda: len(slips(lot, "退款凭证")) == 1)
    refund = (await lot.edge.tills.receipts_of(stay))[-1]

    await booth.send(f"/booth/stay/{stay}/receipt", {"payment_id": refund.payment_id}, f"/booth/stay/{stay}")

    await lot.until(lambda: len(slips(lot, "退款凭证")) == 2)
    assert ["补打" in slip for slip in slips(lot, "退款凭证")] == [False, True]


async def test_the_drawer_opens_by_hand_for_a_reason_that_is_kept(lot: Lot, booth: Visitor) -> None:
    _, page = await booth.send("/booth/drawer", {}, "/booth/shift")
    assert "原因" in page
    assert lot.printer.drawer_pulses == []

    _, page = await booth.send("/booth/drawer", {"reason": "change"}, "/booth/shift")
    assert "钱箱已打开" in page
    await lot.printer.stop()
    _, page = await booth.send("/booth/drawer", {"reason": "count", "other": "金库盘点"}, "/booth/shift")

    assert "钱箱没有打开" in page
    assert len(lot.printer.drawer_pulses) == 1
    acts = [(act.by, act.subject, act.reason) for act in await lot.edge.acts() if act.act == "drawer.open"]
    assert sorted(acts) == [(ATTENDANT, PLACE, "换零钱"), (ATTENDANT, PLACE, "清点 · 金库盘点")]


async def test_a_debt_paid_without_a_visit_has_a_receipt(lot: Lot, booth: Visitor) -> None:
    stay = await lot.enters()
    await lot.waits_to_pay()
    await booth.send("/booth/lane/out/open", {"reason": "", "other": "道闸坏了"})
    await lot.until(lambda: len(lot.board.pulses) == 2)
    (debt,) = (await lot.edge.debts())[:1]

    await booth.send(f"/booth/debt/{debt.debt_id}/cash", {"amount": "3.00"})

    await lot.until(lambda: len(slips(lot, "补缴欠费凭证")) == 1)
    (slip,) = slips(lot, "补缴欠费凭证")
    assert all(words in slip for words in ("京A12345", "5.00", "3.00", "还欠", "2.00", ATTENDANT))
    assert [one.body.get("kind") for one in await lot.edge.tills.receipts_of(stay)] == ["debts"]


async def test_a_coupon_that_came_after_the_cash_is_named_with_its_difference(lot: Lot, booth: Visitor) -> None:
    stay = await lot.enters()
    at = f"/booth/stay/{stay}"
    await booth.send(f"{at}/cash", {"received": "5.00"})
    lot_id = lot.edge.office.lot.lot_id
    ways = {"late": "refund", "back_most_fen": 2_000, "cash_back": True}
    await lot.put("rules", f"limits:lot:{lot_id}", ways)
    row = {"coupon_id": "c1", "plate": PLATE, "stay_id": stay, "kind": "AMOUNT", "value": 200, "merchant_id": 3}
    await lot.put("coupons", "c1", row)

    said, form = await booth.get(at), await booth.get(f"{at}/refund")
    await booth.send(f"{at}/refund", {"amount": "2.00", "reason": "coupon_late"})

    assert "差额 2.00 元" in said
    assert 'value="2.00"' in form
    assert "差额" not in await booth.get(at)
    assert await lot.edge.read(check_books) == []
