"""Who is signed in stays so when the daemon starts again, and no longer than before."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import aiohttp

from edge.db import signed_in
from tests.edge.web.running import PIN, WALL, Visitor, running

ATTENDANT = WALL["attendant"][0]


def rows(conn: sqlite3.Connection) -> list[tuple[str, str, str]]:
    return [tuple(row) for row in conn.execute("SELECT name, role, data FROM signed_in ORDER BY name")]


async def test_a_restart_signs_nobody_out_and_who_was_dismissed_meanwhile_is(tmp_path: Path) -> None:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar, cookies={"lg_lang": "zh-CN"}) as browser:
        async with running(tmp_path) as lot:
            await lot.opens_shop()
            booth, counter = (Visitor(lot.url(name), browser) for name in ("booth", "counter"))
            await booth.sign_in()
            await counter.sign_in()
            await counter.send("/counter/merchant", {"merchant": "3"}, "/counter")
            kept = await lot.edge.read(rows)

        async with running(tmp_path) as lot:
            booth, counter = (Visitor(lot.url(name), browser) for name in ("booth", "counter"))
            at_the_booth, at_the_counter = await booth.get("/booth"), await counter.get("/counter")
            stay = await lot.enters()
            status, _ = await booth.send(f"/booth/stay/{stay}/cash", {})
            await lot.edge.staff.dismiss(ATTENDANT, "王主管")
            after = await booth.status("/booth"), await counter.status("/counter")

    assert [name for name, *_ in kept] == [ATTENDANT, ATTENDANT]
    assert PIN not in str(kept)
    assert "data-lanes" in at_the_booth
    assert "咖啡店" in at_the_counter, "whom it stands for is kept as well"
    assert status == 200
    assert after == (303, 303)


async def test_a_session_is_worth_nothing_at_another_device_and_ends_by_time_and_by_lock(tmp_path: Path) -> None:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as browser, running(tmp_path) as lot:
        booth = Visitor(lot.url("booth"), browser)
        await booth.sign_in()
        token = await booth.page_token("/booth")
        await booth.status("/booth/lock", "POST", data={"csrf_token": token})
        assert await lot.edge.read(rows) == []

        await booth.sign_in()
        ((key,),) = await lot.edge.read(lambda conn: conn.execute("SELECT key FROM signed_in").fetchall())
        row = await lot.edge.read(signed_in.get, key)
        assert row is not None

    cookies = {cookie.value for cookie in jar}
    assert key not in cookies
    async with aiohttp.ClientSession(cookie_jar=jar) as browser:
        for change in ("device = 'another'", f"device = '{row.device}', seen_ms = seen_ms - 31 * 60000"):
            with sqlite3.connect(next((tmp_path / "data").glob("*.db"))) as conn:
                conn.execute(f"UPDATE signed_in SET {change}")  # noqa: S608
            conn.close()
            async with running(tmp_path) as lot:
                assert await Visitor(lot.url("booth"), browser).status("/booth") == 303
