"""A fee set at the booth, with a supervisor's PIN where it goes beyond the attendant's limit."""

from __future__ import annotations

from pathlib import Path

from edge.services.checking import check_books
from tests.edge.web.running import PIN, WALL, running, visiting


async def test_a_fee_is_set_with_a_reason_and_the_car_pays_it(tmp_path: Path) -> None:
    async with running(tmp_path) as lot, visiting(lot, "booth") as booth:
        await booth.sign_in("attendant")
        stay = await lot.enters()
        await lot.waits_to_pay()
        at = f"/booth/stay/{stay}/fee"
        assert f'href="{at}"' in await booth.get(f"/booth/stay/{stay}")

        status, page = await booth.send(at, {"amount": "15.00"})
        assert (status, "请选择或填写原因" in page or "原因" in page) == (409, True)
        status, page = await booth.send(at, {"amount": "60.00", "reason": "lost_ticket"})
        assert (status, "班长授权" in page) == (409, True)
        approval = {"approver": WALL["manager"][0], "approver_pin": PIN}
        status, page = await booth.send(at, {"amount": "60.00", "reason": "lost_ticket", **approval})
        assert (status, "已改为 ¥60.00" in page) == (200, True)

        await lot.until(lambda: lot.view("out").due_fen == 6000)
        assert "人工改价" in await booth.get("/booth")
        told = f"¥5.00 → ¥60.00：丢失入场凭证（{WALL['attendant'][0]} / {WALL['manager'][0]}）"
        assert told in await booth.get(f"/booth/stay/{stay}")
        await booth.send(f"/booth/stay/{stay}/cash", {"received": "60.00"})
        await lot.until(lambda: len(lot.board.pulses) == 2)
        assert await lot.edge.read(check_books) == []
