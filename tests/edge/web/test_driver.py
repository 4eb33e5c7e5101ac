"""A driver alone at a lane: scans its code, types a plate, and is let through, told the fee, or told to call."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from domain.driver_page import lane_code
from drivers.camera.simulated import Sight
from edge.daemon import actuators
from edge.db import decisions
from edge.services.checking import check_books, replay
from edge.settings import EdgeSettings, Listener
from plumbing.i18n import differences
from plumbing.lanepage.pages import LOCALE
from tests.drivers import scenes
from tests.edge.web.running import PLATE, Lot, Visitor, running, visiting

OTHER = "粤B98765"
IN, OUT = f"/lane/{lane_code(7, 'in')}", f"/lane/{lane_code(7, 'out')}"


def unattended(settings: EdgeSettings) -> EdgeSettings:
    """Nobody is ever there, and drivers have pages."""
    lanes = tuple(replace(lane, attended=False) for lane in settings.lanes)
    return replace(settings, lanes=lanes, listeners=replace(settings.listeners, driver=Listener()))


@pytest.fixture
async def lot(tmp_path: Path) -> AsyncIterator[Lot]:
    async with running(tmp_path, unattended) as lot:
        yield lot


@pytest.fixture
async def phone(lot: Lot) -> AsyncIterator[Visitor]:
    async with visiting(lot, "driver") as visitor:
        yield visitor


async def stands(lot: Lot, lane: str, *sights: Sight) -> None:
    """A car stands at a lane that does not let it through by itself."""
    for sight in sights or (Sight(""),):
        await lot.cameras[lane].see(sight)
    await lot.until(lambda: lot.view(lane).phase == "Waiting", 10)


async def types(phone: Visitor, path: str, plate: str) -> str:
    """Types a plate; what the page then says."""
    status, page = await phone.send(path, {"wish": "plate", "text": plate})
    assert status in (200, 422, 429), page
    found = re.search(r'data-outcome="(\w+)"', page)
    return found[1] if found else page


def test_both_languages_have_the_same_words() -> None:
    assert differences(LOCALE) == []


async def test_an_unread_car_comes_in_by_its_typed_plate_once(lot: Lot, phone: Visitor) -> None:
    await stands(lot, "in", Sight("", image=scenes.plate_jpeg("A12345")))

    assert await types(phone, IN, PLATE) == "opens"
    assert await types(phone, IN, PLATE) in ("opens", "no_car")

    assert [pulse.channel for pulse in lot.board.pulses] == [0]
    (stay,) = await lot.edge.cars_inside()
    assert stay.plate == PLATE
    assert ("driver:edge", "plate.type", "in") in [(act.by, act.act, act.subject) for act in await lot.edge.acts()]
    assert "frame" in await lot.edge.read(decisions.picture_kinds, stay.decision_in)
    assert (await lot.edge.read(replay, stay.decision_in)).same


async def test_it_is_told_its_fee_with_lines_and_leaves_when_that_is_paid(lot: Lot, phone: Visitor) -> None:
    stay_id = await lot.enters()
    await stands(lot, "out", Sight("京A12346", confidence=30))

    _, page = await phone.send(OUT, {"wish": "plate", "text": PLATE})

    assert 'data-outcome="pay"' in page
    assert "¥5.00" in page
    assert "计时收费" in page
    assert "京A·1***5" in page
    assert PLATE not in re.sub(r'value="[^"]*"', "", page)
    await lot.edge.take_cash("pay-00001", stay_id, 500, "li")
    await lot.until(lambda: len(lot.board.pulses) == 2)
    (gone,) = await lot.edge.recent_stays()
    assert (gone.plate, gone.outcome) == (PLATE, "PAID")
    assert (await lot.edge.read(replay, gone.decision_out)).same
    assert await lot.edge.read(check_books) == []


async def test_a_car_nobody_read_is_told_what_is_due_and_no_more_and_is_not_let_out_free(
    lot: Lot, phone: Visitor
) -> None:
    await lot.enters()
    await stands(lot, "out")

    _, page = await phone.send(OUT, {"wish": "plate", "text": PLATE})

    assert 'data-outcome="pay"' in page
    assert "入场时间" not in page  # when a car came in is told to that car only
    await lot.edge.waive((await lot.edge.cars_inside(PLATE))[0].stay_id, 500, "li", "test")
    assert await types(phone, OUT, PLATE) in ("call", "busy")
    assert len(lot.board.pulses) == 1


async def test_another_plate_than_the_cameras_read_opens_nothing(lot: Lot, phone: Visitor) -> None:
    await lot.enters(minutes_ago=1)
    await lot.enters(OTHER, minutes_ago=90)
    await stands(lot, "out", Sight(OTHER))

    assert lot.view("out").verdict == "PayFirst"
    assert await types(phone, OUT, PLATE) == "call"  # a stay of a minute would be free
    assert lot.view("out").stay_plate == OTHER
    assert await types(phone, OUT, OTHER) == "pay"
    assert len(lot.board.pulses) == 2


async def test_nobody_is_told_anything_while_no_car_stands_there(lot: Lot, phone: Visitor) -> None:
    await lot.enters()

    assert await types(phone, OUT, PLATE) == "no_car"
    assert lot.edge.live.get("out") is None or lot.view("out").phase == "Idle"


async def test_look_alikes_are_shown_masked_and_the_right_one_is_picked(lot: Lot, phone: Visitor) -> None:
    await lot.enters("京A12346")
    await lot.enters(OTHER)  # between the two: seconds apart, a look-alike is the same car read again
    await lot.enters("京A1234Z")
    await stands(lot, "out", Sight("京A12340", confidence=30))

    _, page = await phone.send(OUT, {"wish": "plate", "text": "京A12349"})

    assert 'data-outcome="pick"' in page
    shown = re.findall(r'name="text" value="\d+">([^<]+)</button>', page)
    assert {"京A·1***6", "京A·1***Z"} <= set(shown)
    turn = re.search(r'name="turn" value="([^"]+)"', page)
    assert turn is not None
    form = {"wish": "pick", "turn": turn[1], "text": str(shown.index("京A·1***Z"))}
    _, page = await phone.send(OUT, form, OUT)
    assert 'data-outcome="pay"' in page
    assert lot.view("out").stay_plate == "京A1234Z"


@pytest.mark.parametrize(
    ("typed", "words"),
    [("A12345", "省份简称"), ("京A123", "车牌不完整"), ("京A123456789", "车牌太长"), ("京AX123456", "新能源")],
)
async def test_a_plate_typed_wrong_says_what_to_mend(lot: Lot, phone: Visitor, typed: str, words: str) -> None:
    status, page = await phone.send(OUT, {"wish": "plate", "text": typed})

    assert (status, words in page) == (422, True)


async def test_guessing_ends_after_a_few_tries(lot: Lot, phone: Visitor) -> None:
    await stands(lot, "out")

    said = [await types(phone, OUT, f"京A1234{place}") for place in range(9)]

    assert said == ["call"] * 8 + ["too_many"]


async def test_the_listener_has_these_pages_and_no_others(lot: Lot, phone: Visitor) -> None:
    assert await phone.status("/lane/ABCDEFGH") == 404
    assert await phone.status("/booth") == 404
    assert await phone.status(OUT, "POST", data={"wish": "plate", "text": PLATE}) == 403  # not from our own page
    token = await phone.page_token(OUT)
    headers = {"X-CSRF-Token": token}
    assert await phone.status(OUT, "POST", data={"wish": "sesame"}, headers=headers) == 400
    assert await phone.status(OUT, "POST", data={"wish": "plate", "text": "x" * 20_000}, headers=headers) == 413


async def test_the_page_is_also_in_english(lot: Lot, phone: Visitor) -> None:
    assert "Type your plate" in await phone.get(f"{OUT}?lang=en")


async def test_an_answer_for_the_cloud_is_the_same_and_opens_once(lot: Lot) -> None:
    ask = actuators(lot.edge)["lane.ask"]
    await stands(lot, "in")
    body = {"code": lane_code(7, "in"), "wish": "plate", "text": PLATE}

    said = await ask(body)
    await ask(body)

    assert '"outcome":"opens"' in said
    assert len(lot.board.pulses) == 1
    (stay,) = await lot.edge.cars_inside()
    row = await lot.edge.read(decisions.get, stay.decision_in)
    assert row is not None
    assert '"typed_by":"driver:cloud"' in row.body.decode()
