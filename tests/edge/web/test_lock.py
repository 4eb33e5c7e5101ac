"""Locking a car in at the booth: the exit refuses it with the reason, and opens once it is let go."""

from __future__ import annotations

from pathlib import Path

from drivers.camera.simulated import Sight
from tests.edge.web.running import PLATE, running, visiting


async def test_a_locked_car_is_refused_at_the_exit_and_asked_to_pay_once_it_is_let_go(tmp_path: Path) -> None:
    async with running(tmp_path) as lot, visiting(lot, "booth") as booth:
        await booth.sign_in()
        stay = await lot.enters()
        at = f"/booth/stay/{stay}"

        status, page = await booth.send(f"{at}/lock", {"reason": "owner", "other": "钥匙丢了"}, f"{at}/lock")
        assert (status, "已锁" in page) == (200, True)
        await lot.cameras["out"].see(Sight(PLATE))
        await lot.until(lambda: lot.view("out").code == "plate_locked")
        assert "车主要求 · 钥匙丢了" in await booth.get("/booth")

        await booth.send(f"{at}/unlock", {}, f"{at}/lock")
        await lot.until(lambda: lot.view("out").verdict == "PayFirst")
