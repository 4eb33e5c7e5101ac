"""Cars without plates: a number on the phone or on paper at the entry, and the way out with it."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from domain.decision import Refuse
from drivers.camera.simulated import Sight
from edge.db import printjobs
from edge.printing import Ended, SlipPrinter
from edge.services import papers, ticketing
from edge.services.checking import check_books, replay
from edge.services.lot import Done
from edge.services.recovering import recover
from edge.settings import EdgeSettings
from tests.edge.web.running import PLATE, Lot, Visitor, running, visiting
from tests.edge.web.test_driver import IN, OUT, stands, unattended


def with_printer(settings: EdgeSettings) -> EdgeSettings:
    """A ticket printer at the entry, which waits for nobody."""
    settings = unattended(settings)
    way_in, way_out = settings.lanes
    rules = replace(settings.rules, ticket_wait_s=0)
    return replace(settings, lanes=(replace(way_in, printer="counter"), way_out), rules=rules)


def attended_with_printer(settings: EdgeSettings) -> EdgeSettings:
    settings = with_printer(settings)
    return replace(settings, lanes=tuple(replace(lane, attended=True) for lane in settings.lanes))


@pytest.fixture
async def lot(tmp_path: Path) -> AsyncIterator[Lot]:
    async with running(tmp_path, unattended) as lot:
        yield lot


@pytest.fixture
async def phone(lot: Lot) -> AsyncIterator[Visitor]:
    async with visiting(lot, "driver") as visitor:
        yield visitor


async def takes_a_number(lot: Lot, phone: Visitor) -> str:
    await stands(lot, "in")
    _, page = await phone.send(IN, {"wish": "ticket"})
    found = re.search(r"data-number>(\w{3}) (\w{4})<", page)
    assert found is not None, page
    return found[1] + found[2]


async def test_a_number_from_the_phone_lets_it_in_and_finds_it_again_at_the_exit(lot: Lot, phone: Visitor) -> None:
    number = await takes_a_number(lot, phone)
    lot.later(30)
    await stands(lot, "out")

    page = await phone.get(OUT)
    assert number in page  # kept in this browser
    _, page = await phone.send(OUT, {"wish": "number", "text": f"{number[:3]} {number[3:].lower()}"})

    assert 'data-outcome="pay"' in page
    assert "¥5.00" in page
    assert "入场时间" in page  # the number proves whose stay it is
    (stay,) = await lot.edge.cars_inside()
    assert stay.plate == f"无{number}"
    await lot.edge.take_cash("pay-00001", stay.stay_id, 500, "li")
    await lot.until(lambda: len(lot.board.pulses) == 2)
    (gone,) = await lot.edge.recent_stays()
    assert (await lot.edge.read(replay, gone.decision_out)).same
    assert await lot.edge.read(check_books) == []


async def test_a_ticket_held_before_the_lanes_scanner_says_which_car_it_is(lot: Lot, phone: Visitor) -> None:
    number = await takes_a_number(lot, phone)
    token = ticketing.token_of(lot.edge.office.lot, number, lot.edge.office.now())
    lot.later(30)
    await stands(lot, "out")
    codes = lot.edge.workers["out"].codes

    await codes.take(f"HTTPS://LOT.EXAMPLE/T/{token[:-1]}{'A' if token[-1] != 'A' else 'B'}", "scanner out")
    assert lot.view("out").verdict == "Ask"
    await codes.take(f"HTTPS://LOT.EXAMPLE/T/{token}", "scanner out")

    await lot.until(lambda: lot.view("out").verdict == "PayFirst")
    assert lot.view("out").stay_plate == f"无{number}"


async def test_a_car_with_a_plate_does_not_leave_on_somebodys_ticket(lot: Lot, phone: Visitor) -> None:
    number = await takes_a_number(lot, phone)  # a minute ago, still free
    await stands(lot, "out", Sight(PLATE, confidence=30))  # read, though not surely

    _, page = await phone.send(OUT, {"wish": "number", "text": number})

    assert 'data-outcome="call"' in page
    assert len(lot.board.pulses) == 1
    assert lot.view("out").code == "typed_unlike_read"


async def test_no_number_is_given_at_an_exit_nor_to_a_car_that_is_let_in_anyway(lot: Lot, phone: Visitor) -> None:
    await stands(lot, "out")

    token = await phone.page_token(OUT)
    status = await phone.status(OUT, "POST", data={"wish": "ticket"}, headers={"X-CSRF-Token": token})

    assert status == 200
    assert lot.board.pulses == []
    assert await lot.edge.cars_inside() == []


async def test_an_entry_that_nobody_attends_prints_one_ticket_by_itself(tmp_path: Path) -> None:
    async with running(tmp_path, with_printer) as lot:
        await lot.cameras["in"].see(Sight(""))
        await lot.until(lambda: len(lot.printer.jobs) == 1, 15)

        (stay,) = await lot.edge.cars_inside()
        assert stay.plate.startswith("无")
        assert len(lot.board.pulses) == 1

        async def ended() -> list[str]:
            return await lot.edge.read(printjobs.states, "ticket", stay.stay_id)

        while await ended() == ["printing"]:
            pass
        assert await ended() == ["confirmed"]
        assert (await lot.edge.read(replay, stay.decision_in)).same


async def test_the_booth_prints_a_ticket_and_prints_it_again_as_a_copy(tmp_path: Path) -> None:
    async with running(tmp_path, attended_with_printer) as lot, visiting(lot, "booth") as booth:
        await booth.sign_in("attendant")
        await stands(lot, "in")
        assert lot.printer.jobs == []  # somebody is there

        status, page = await booth.send("/booth/lane/in/ticket", {}, "/booth/lane/in/plate")
        (stay,) = await lot.edge.cars_inside()
        assert (status, stay.plate[1:] in page) == (200, True)
        at = f"/booth/stay/{stay.stay_id}"
        status, page = await booth.send(f"{at}/ticket", {}, at)

        assert status == 200
        assert await lot.edge.read(printjobs.states, "ticket", stay.stay_id) == ["confirmed", "confirmed"]
        assert len(lot.printer.jobs) == 2
        assert "补打".encode("gb18030") in lot.printer.jobs[1]
        assert [act.by for act in await lot.edge.acts() if act.act == "ticket.print"] == ["王芳", "王芳"]
        assert await lot.edge.tickets.give("out", "li") == Refuse("no_ticket_printer")


async def test_a_print_cut_off_by_a_crash_is_in_doubt_and_not_repeated(tmp_path: Path) -> None:
    async with running(tmp_path, attended_with_printer) as lot:
        await stands(lot, "in")
        given = await lot.edge.tickets.give("in", "li")
        assert isinstance(given, Done)
        (stay,) = await lot.edge.cars_inside()
        office = lot.edge.office
        await office.do(papers.begin, office.lot, papers.TICKET, stay.stay_id, "counter", "li")
        await office.thread.run(recover, office.db, "test", office.now())

        assert await lot.edge.read(printjobs.states, "ticket", stay.stay_id) == ["confirmed", "unknown"]
        assert len(lot.printer.jobs) == 1


@pytest.mark.parametrize(("silent", "told"), [(True, 0), (False, 1)])
async def test_a_printer_that_never_answers_raises_no_alarm_at_every_ticket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, silent: bool, told: int
) -> None:
    async def out(*_: object) -> Ended:
        return Ended("unknown", silent=silent)

    monkeypatch.setattr(SlipPrinter, "put_on_paper", out)
    async with running(tmp_path, attended_with_printer) as lot:
        await stands(lot, "in")
        await lot.edge.tickets.give("in", "li")

        def count(conn: sqlite3.Connection) -> int:
            return int(conn.execute("SELECT count(*) FROM incident WHERE code = 'ticket_in_doubt'").fetchone()[0])

        assert await lot.edge.read(count) == told
