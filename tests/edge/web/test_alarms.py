"""Alarms stay on the booth's strip until a person has seen them, and their name is kept."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from pathlib import Path

import pytest

from drivers.camera.simulated import Sight
from edge.db.alarms import AlarmRow
from edge.db.alarms import page as rows
from lotgate.demo.scenes import draw_scene
from tests.edge.web.running import PLATE, WALL, running, visiting


async def every(lot_read: object) -> list[AlarmRow]:
    found: list[AlarmRow] = await lot_read(lambda conn: rows(conn, 10, 0, only_unseen=False))  # type: ignore[operator]
    return found


async def test_an_alarm_counts_on_the_strip_until_somebody_has_seen_it_and_their_name_is_kept(tmp_path: Path) -> None:
    async with running(tmp_path) as lot, visiting(lot, "booth") as booth:
        await booth.sign_in()
        assert "没有未看的警报" in await booth.get("/booth/alarms")
        await lot.cameras["in"].see(Sight(PLATE, image=draw_scene(PLATE, 1)))
        await lot.until(lambda: len(lot.board.pulses) == 1)
        (car,) = await lot.edge.cars_inside()
        stay, decision = car.stay_id, car.decision_in
        while await lot.edge.picture(decision) is None:  # it follows the decision
            await asyncio.sleep(0.01)
        await lot.edge.office.incident("tailgate", "in", f"京A1***5 {decision}")
        await lot.edge.office.incident("paid_more_than_fee", "out", f"京A1***5 {stay} 500")

        text = await booth.get("/booth/alarms")
        assert text.index("付的钱比应收多") < text.index("有车跟车通过")  # the newest first
        assert f"/booth/picture/{decision}/frame" in text
        assert f'href="/booth/stay/{stay}"' in text
        assert "京A1***5 ¥5.00" in text
        assert decision not in re.sub(r'"[^"]*"', "", text)  # no id stands before a person
        newest, oldest = await every(lot.edge.read)
        assert (await lot.edge.standing())["alarms"] == 2

        one = {"oldest": str(oldest.incident_id), "newest": str(oldest.incident_id)}
        _, text = await booth.send("/booth/alarms/seen", one, "/booth/alarms")
        assert "有车跟车通过" not in text
        assert re.search(r'href="/booth/alarms">警报 <b>1</b>', text)
        assert f"{WALL['attendant'][0]}" in await booth.get("/booth/alarms?all=1")

        await booth.send("/booth/alarms/seen", {"oldest": "1", "newest": str(newest.incident_id)}, "/booth/alarms")
        assert [one.seen_by for one in await every(lot.edge.read)] == [WALL["attendant"][0]] * 2
        assert [act.act for act in await lot.edge.acts(2)] == ["alarm.seen", "alarm.seen"]
        assert (await lot.edge.standing())["alarms"] == 0


async def test_a_wrong_clock_is_told_in_seconds(tmp_path: Path) -> None:
    async with running(tmp_path) as lot, visiting(lot, "booth") as booth:
        await booth.sign_in()
        await lot.edge.office.incident("clock_wrong", "", "-94001 ms")

        text = await booth.get("/booth/alarms")

        assert "相差 95 秒" in text
        assert "94001" not in text


async def test_who_has_seen_an_alarm_is_never_rewritten(tmp_path: Path) -> None:
    async with running(tmp_path) as lot:
        await lot.edge.office.incident("tailgate", "in", "")
        (first,) = await every(lot.edge.read)
        assert await lot.edge.see_alarms(1, first.incident_id, "li") == 1
        assert await lot.edge.see_alarms(1, first.incident_id, "wang") == 0
        assert (await every(lot.edge.read))[0].seen_by == "li"
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            await lot.edge.read(lambda conn: conn.execute("UPDATE incident_seen SET by = 'wang'"))
