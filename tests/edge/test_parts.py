"""The daemon's small parts: supervision, clocks, timers, live views, forgetting, price lists."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from domain.lane import Idle, LaneTimer
from domain.moment import Anchor, Quality
from domain.plate import PlateColour, PlateKind, PlateVerdict
from domain.plate_reading import Reading
from domain.stay import Direction
from domain.vehicle import class_of
from drivers.base import DeviceUnreachableError, PlateCandidate, PlateRead
from edge.clock import Clock
from edge.db import decisions
from edge.finding import LOCALE
from edge.jobs import DAY_MS, forget
from edge.lanes.board import Board
from edge.lanes.live import Inputs, LaneView, LiveLanes
from edge.lanes.reads import best_read, plate_of
from edge.lanes.screen import Screen
from edge.lanes.timers import LaneTimers
from edge.pricelists import load_prices
from edge.services.entering import enter
from edge.settings import Boards, Lane
from edge.supervise import keep_running
from plumbing.i18n import SHELL_LOCALE, load_catalogue
from plumbing.settings import SettingsError
from tests.edge.lots import START, at, settings, small_lot


async def test_a_device_that_fails_is_tried_again_and_its_state_told() -> None:
    tries, states = list[int](), list[str]()

    async def work() -> None:
        tries.append(1)
        if len(tries) < 3:
            raise DeviceUnreachableError("no answer")

    await keep_running("camera", work, on_state=states.append, first_delay_s=0.001)

    assert (len(tries), states) == (3, ["no answer", "no answer"])


async def test_a_bug_is_not_taken_for_a_device_failure() -> None:
    async def work() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await keep_running("camera", work)


def test_a_wall_clock_that_jumps_is_noticed_once() -> None:
    wall = [1_000_000]
    clock = Clock("b", boot_ms=lambda: 5_000, wall_ms=lambda: wall[0])

    wall[0] += 3_600_000

    assert (clock.stepped(), clock.stepped()) == (3_600_000, 0)


def test_the_clouds_time_corrects_the_wall_reading_of_this_boot_only() -> None:
    clock = Clock("b", boot_ms=lambda: 5_000, wall_ms=lambda: START.wall_ms, synchronised=Path("/nowhere"))
    assert clock.now().quality is Quality.RTC

    clock.keep([Anchor("other", 5_000, 9_000_000, 10), Anchor("b", 4_000, START.wall_ms + 2_000_000, 20)])

    now = clock.now()
    assert (now.wall_ms, now.quality, now.uncertainty_ms) == (START.wall_ms + 2_001_000, Quality.CLOUD, 20)


async def test_a_timer_that_was_stopped_or_started_anew_does_not_count() -> None:
    rung: list[tuple[LaneTimer, int]] = []
    timers = LaneTimers(lambda timer, run: rung.append((timer, run)))

    timers.start(LaneTimer.WINDOW, 0)
    await asyncio.sleep(0.01)
    timers.start(LaneTimer.WINDOW, 5)

    assert not timers.is_current(*rung[0])
    timers.hasten(LaneTimer.WINDOW, 0)
    await asyncio.sleep(0.01)
    assert timers.is_current(*rung[1])
    assert not timers.is_current(*rung[1])


async def test_a_slow_screen_gets_the_latest_view_only() -> None:
    live = LiveLanes()
    live.publish(LaneView("in", "entry"))
    views = live.subscribe()
    first = await anext(views)

    for number in range(5):
        live.publish(LaneView("in", "entry", due_fen=number))
    second = await anext(views)
    await views.aclose()  # type: ignore[attr-defined]

    assert (first[0].due_fen, second[0].due_fen) == (0, 4)


def read(text: str, confidence: int, camera: str, *, trusted: bool = True) -> PlateRead:
    candidate = PlateCandidate(text, confidence, verdict=PlateVerdict.ACCEPT if trusted else PlateVerdict.ASK)
    return PlateRead(f"{camera}-{text}-{confidence}", camera, (candidate,))


def test_the_plate_most_surely_read_counts_and_an_untrusted_reader_never_outvotes_a_camera() -> None:
    camera, aux = read("京A12345", 80, "main"), read("京A1234S", 90, "aux", trusted=False)
    twice = read("京A12345", 70, "aux")

    assert best_read([camera, aux, twice]) is camera
    assert best_read([aux]) is aux
    assert best_read([]) is None
    assert plate_of(PlateRead("r", "main", ())) == ""


@pytest.mark.parametrize(
    ("verdict", "offered"),
    [(PlateVerdict.ASK, (("京A12345", 62), ("京A12346", 31))), (PlateVerdict.UNREAD, ())],
)
def test_the_booth_is_offered_what_a_plate_may_be_unless_it_counts_as_unread(
    verdict: PlateVerdict, offered: tuple[tuple[str, int], ...]
) -> None:
    found = tuple(
        Reading(text, PlateKind.NORMAL, PlateColour.BLUE, probability, (0.9,) * 7)
        for text, probability in (("京A12345", 0.62), ("京A12346", 0.31), ("京A1234S", 0.001))
    )
    text = "" if verdict is PlateVerdict.UNREAD else "京A12345"
    candidate = PlateCandidate(text, 62, verdict=verdict, readings=found)
    lane = Lane("in", Direction.ENTRY, "outside", "main")

    read = PlateRead("r", "cam", (candidate,))

    board = Board(load_catalogue(SHELL_LOCALE, LOCALE).speaking("en"), Boards(), "lot")

    view = Screen(board).view(
        lane,
        Idle(),
        read,
        None,
        wrong={},
        call="",
        incident="",
        now=START,
        chosen="",
        held="",
        attended=True,
        inputs=Inputs(),
    )

    assert (view.camera, view.readings) == ("cam", offered)


@pytest.mark.parametrize(
    ("plate", "colour", "expected"),
    [
        ("京AD12345", PlateColour.GREEN, "nev"),
        ("京A12345", PlateColour.YELLOW, "large"),
        ("京A12345", PlateColour.BLUE, "small"),
        ("", PlateColour.UNKNOWN, "small"),
    ],
)
def test_a_plate_points_to_a_vehicle_class(plate: str, colour: PlateColour, expected: str) -> None:
    assert class_of(plate, colour) == expected


def test_pictures_and_read_names_are_forgotten_and_decisions_never(tmp_path: Path) -> None:
    lot = small_lot(tmp_path)
    arrival = replace(lot.arrival("in", "京A12345"), frame=b"jpeg")
    entered = enter(lot.db, lot.lot, arrival, START)
    lot.db.execute("UPDATE stay SET passed = 1, state = 'closed'")  # it is long gone

    forget(lot.db, 90, at(91 * DAY_MS / 60_000))

    assert decisions.picture_time(lot.db.conn, entered.decision_id, "frame") is None
    assert decisions.acted_on(lot.db.conn, arrival.seen[0].read_id) is None
    assert decisions.get(lot.db.conn, entered.decision_id) is not None
    assert lot.types() == ["stay.opened", "barrier.opened"]  # the cloud does not hold them yet


def test_price_lists_that_cannot_be_are_refused_by_name(tmp_path: Path) -> None:
    lot = settings(tmp_path)
    twice = replace(lot.zones[0], tariffs=(*lot.zones[0].tariffs, tmp_path / "again.toml"))

    with pytest.raises(SettingsError, match=r"again\.toml"):
        load_prices(replace(lot, zones=(twice,)))
    text = (tmp_path / "hourly.toml").read_text(encoding="utf-8")
    (tmp_path / "again.toml").write_text(f"# another\n{text}", encoding="utf-8")
    with pytest.raises(SettingsError, match="zone main"):
        load_prices(replace(lot, zones=(twice,)))


def test_lanes_are_busy_for_a_few_seconds_after_a_change() -> None:
    live = LiveLanes()
    assert not live.is_busy(10_000)

    live.publish(LaneView("in", "entry", updated_wall_ms=10_000))

    assert live.is_busy(14_999)
    assert not live.is_busy(15_000)
