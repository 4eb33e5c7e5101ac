"""What drivers see and hear: pages from decisions, quiet nights, the idle page of a running lot, drawn previews."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from domain.board import EVENTS, Page, Template
from drivers.base import DeviceUnreachableError, Display
from drivers.display.olm import BoardShape
from drivers.display.picture import draw
from drivers.display.simulated import Shown, SimulatedDisplay
from edge.finding import LOCALE
from edge.lanes.board import Board
from edge.lanes.worker import LaneWorker
from edge.services.entering import enter
from edge.services.leaving import leave
from edge.settings import Boards
from plumbing.i18n import LANGUAGES, SHELL_LOCALE, load_catalogue
from tests.edge.lots import START, SmallLot, at, small_lot
from tests.edge.test_daemon import PLATE, lot_settings, running

NOON, NIGHT = datetime(2026, 11, 21, 12), datetime(2026, 11, 21, 23)  # noqa: DTZ001 - lot-local


def board(**changes: object) -> Board:
    return Board(load_catalogue(SHELL_LOCALE, LOCALE).speaking("zh-CN"), Boards(**changes), "示例停车场")  # type: ignore[arg-type]


class Speaker(SimulatedDisplay):
    def __init__(self) -> None:
        super().__init__("exit-1")
        self.volumes: list[int] = []
        self.broken = False

    async def set_volume(self, percent: int) -> None:
        self.volumes.append(percent)

    async def show(self, lines: tuple[str, ...], *, speak: str = "") -> None:
        if self.broken:
            raise DeviceUnreachableError("display exit-1: gone")
        await super().show(lines, speak=speak)


@pytest.fixture
def lot(tmp_path: Path) -> SmallLot:
    return small_lot(tmp_path)


def test_a_decision_is_a_page_with_what_the_driver_needs(lot: SmallLot) -> None:
    entered = enter(lot.db, lot.lot, lot.arrival("in", PLATE), START)
    owing = leave(lot.db, lot.lot, lot.arrival("out", PLATE), at(125))
    unread = leave(lot.db, lot.lot, lot.arrival("out", ""), at(126))
    way_in, way_out = lot.lot.lanes["in"], lot.lot.lanes["out"]

    assert board().decided(way_in, entered, "small", NOON).lines == (PLATE, "欢迎光临", "请入场停车")
    assert board().decided(way_out, owing, "small", NOON) == Page(
        (PLATE, "停车 2小时5分", "请缴费 15 元"), f"{PLATE},请交费15元"
    )
    assert board().decided(way_out, unread, "small", NOON).lines[0] == "未识别到车牌"
    unattended = replace(way_out, attended=False)
    assert board().decided(unattended, unread, "small", NOON, attended=False).lines[1] == "请扫码输入车牌"


def test_every_event_has_a_page_in_both_languages_and_refusals_say_what_to_do(lot: SmallLot) -> None:
    for language in LANGUAGES:
        one = Board(load_catalogue(SHELL_LOCALE, LOCALE).speaking(language), Boards(), "示例停车场")
        pages = {event: one.page(event, lot.lot.lanes["in"], "", {"plate": PLATE}, NOON) for event in EVENTS}
        assert all(page.lines for page in pages.values())
        assert all(len(page.lines) > 1 and page.speak for event, page in pages.items() if event.startswith("refuse"))


def test_the_lots_own_text_comes_before_ours(lot: SmallLot) -> None:
    own = board(texts=(Template("welcome", ("{lot}", "欢迎 {plate}"), "您好"),), notice="不重要")

    page = own.page("welcome", lot.lot.lanes["in"], "", {"plate": PLATE}, NOON)

    assert page == Page(("示例停车场", f"欢迎 {PLATE}"), "您好")


async def test_at_night_the_board_is_silent_and_by_day_as_loud_as_it_should_be() -> None:
    display, one = Speaker(), board()

    await one.show(display, Page(("x",), "请交费"), NIGHT)
    await one.show(display, Page(("y",), "请交费"), NOON)
    await one.show(display, Page(("z",), "请交费"), NOON)

    assert display.shown == [Shown(("x",)), Shown(("y",), "请交费"), Shown(("z",), "请交费")]
    assert display.volumes == [80]


def test_a_volume_that_cannot_be_is_refused() -> None:
    for volume in ({"07:00": 101}, {"7": 50}):
        with pytest.raises(ValueError, match=r"volume at|is not a time"):
            Boards(volume=volume)


async def test_a_running_lot_shows_free_places_then_the_car_then_free_places_again(tmp_path: Path) -> None:
    def settings(folder: Path, port: int):  # type: ignore[no-untyped-def]
        plain = lot_settings(folder, port)
        zone = replace(plain.zones[0], places=3)
        lanes = (replace(plain.lanes[0], display="in"), plain.lanes[1])
        devices = replace(plain.devices, displays={"in": {"type": "simulated"}})
        return replace(plain, zones=(zone,), lanes=lanes, devices=devices, boards=Boards(notice="限高 2.2 米"))

    async with running(tmp_path, settings) as lot:
        display: Display = lot.opened.devices.displays["in"]
        assert isinstance(display, SimulatedDisplay)
        await lot.until(lambda: display.now.lines == ("Example lot", "余位 3", "限高 2.2 米"))

        await lot.passes("in", PLATE, 1)

        await lot.until(lambda: Shown((PLATE, "欢迎光临", "请入场停车")) in [Shown(one.lines) for one in display.shown])
        await lot.until(lambda: display.now.lines == ("Example lot", "余位 2", "限高 2.2 米"))


async def test_a_broken_board_is_told_to_the_booth_and_keeps_no_car_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def settings(folder: Path, port: int):  # type: ignore[no-untyped-def]
        plain = lot_settings(folder, port)
        lanes = (replace(plain.lanes[0], display="in"), plain.lanes[1])
        return replace(plain, lanes=lanes, devices=replace(plain.devices, displays={"in": {"type": "simulated"}}))

    async def gone(self: SimulatedDisplay, lines: tuple[str, ...], *, speak: str = "") -> None:
        raise DeviceUnreachableError("display in: gone")

    monkeypatch.setattr(SimulatedDisplay, "show", gone)
    async with running(tmp_path, settings) as lot:
        await lot.passes("in", PLATE, 1)

        worker: LaneWorker = lot.opened.edge.workers["in"]
        await lot.until(lambda: worker._health.wrong == {"display in": "display in: gone"})
        await asyncio.sleep(0)


def test_a_page_is_drawn_as_lamps() -> None:
    one = draw(("京A12345", "请缴费 15 元"), BoardShape(lines=2, columns=16))

    assert one.startswith(b"\x89PNG")
    assert one != draw(("京A12345", "请缴费 16 元"), BoardShape(lines=2, columns=16))
