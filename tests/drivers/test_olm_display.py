"""Frames of the LED and voice board to the byte, and the driver against a simulated board on both its wires."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.base import BadFrameError, BadOptionsError, DeviceRefusedError, DeviceUnreachableError
from drivers.camera.listener import device_routes
from drivers.camera.simulated import SimulatedVzenith
from drivers.camera.vzenith import VzenithCamera, VzenithOptions
from drivers.display.olm import BoardShape, OlmCameraOptions, OlmDisplay, OlmOptions, open_olm, open_olm_camera
from drivers.display.olm_codec import (
    BRIGHTNESS,
    CONNECT,
    HUSH,
    PAGE,
    RELAY,
    VOLUME,
    Frame,
    Line,
    decode,
    encode,
    is_done,
    level_frame,
    line_frame,
    line_of,
    page_frame,
    page_of,
    say_frame,
    text_bytes,
)
from drivers.display.simulated_olm import BoardFault, OlmModel, SimulatedOlm
from drivers.wiring import Wiring

SECRET = "s3cret-path-of-entry-1"


@pytest.mark.parametrize(
    ("frame", "wire"),
    [
        (Frame(CONNECT, b"159753"), "00 64 FF FF 00 06 31 35 39 37 35 33 FB 06"),
        (
            say_frame("欢迎光临，请入场停车"),
            "00 64 FF FF 30 14 01 BB B6 D3 AD B9 E2 C1 D9 2C C7 EB C8 EB B3 A1 CD A3 B3 B5 A9 36",
        ),
        (say_frame("请交费10元"), "00 64 FF FF 30 0B 01 C7 EB BD BB B7 D1 31 30 D4 AA 43 1E"),
        (Frame(HUSH), "00 64 FF FF 31 00 64 67"),
        (Frame(0x30, b"\x00"), "00 64 FF FF 30 01 00 36 BB"),
        (Frame(RELAY, bytes.fromhex("00 01 00 00 00 05")), "00 64 FF FF 0F 06 00 01 00 00 00 05 24 B7"),
        (level_frame(BRIGHTNESS, 50), "00 64 FF FF 0C 01 32 77 62"),
    ],
)
def test_frames_are_the_manuals_bytes(frame: Frame, wire: str) -> None:
    assert encode(frame).hex(" ").upper() == wire
    assert decode(bytes.fromhex(wire)) == frame


def test_a_line_is_the_manuals_but_for_its_reserved_byte() -> None:
    manual = bytes.fromhex(
        "00 64 FF FF 62 1B 00 00 01 00 05 00 01 03 00 FF 00 00 00 00 00 00 00 08 00 BB B6 D3 AD B9 E2 C1 D9 58 96"
    )
    ours = encode(line_frame(Line(0, "欢迎光临")))

    assert line_of(decode(manual)) == Line(0, "欢迎光临") == line_of(decode(ours))
    assert [place for place in range(len(ours) - 2) if ours[place] != manual[place]] == [12]


def test_a_page_is_the_manuals_to_the_byte() -> None:
    manual = (
        "00 64 FF FF 6F 5C 00 00 04"
        " 00 15 01 05 00 03 00 FF 00 00 00 06 B5 DA D2 BB D0 D0 0D"
        " 01 01 01 05 00 03 00 00 FF 00 00 06 B5 DA B6 FE D0 D0 0D"
        " 02 01 01 05 00 03 00 FF 00 00 00 06 B5 DA C8 FD D0 D0 0D"
        " 03 01 01 05 00 03 00 00 FF 00 00 08 BB B6 D3 AD B9 E2 C1 D9 00"
        " 0A 08 BB B6 D3 AD B9 E2 C1 D9 00 06 34"
    )
    red, green = (255, 0, 0), (0, 255, 0)
    lines = [
        Line(0, "第一行", red),
        Line(1, "第二行", green, scrolls=True),
        Line(2, "第三行", red, scrolls=True),
        Line(3, "欢迎光临", green, scrolls=True),
    ]
    frame = page_frame(lines, "欢迎光临", stands_s=0)

    assert encode(frame).hex(" ").upper() == manual
    assert page_of(decode(bytes.fromhex(manual))) == (lines, "欢迎光临")
    assert is_done(decode(bytes.fromhex("00 64 FF FF 6F 01 00 06 A9")), frame)


def test_a_page_that_does_not_fit_one_message_is_refused() -> None:
    for lines, speak in (
        ([Line(place, "x") for place in range(5)], ""),
        ([Line(0, "停" * 17)], ""),
        ([Line(place, "停" * 16) for place in range(4)], "停" * 40),
    ):
        with pytest.raises(BadFrameError):
            page_frame(lines, speak)


async def test_a_card_that_knows_pages_gets_one_message_and_longer_ones_line_by_line(board: SimulatedOlm) -> None:
    options = OlmOptions(device=board.path, one_message=True, timeout_ms=1000)
    display = await open_olm(options, Wiring("exit-1"))

    await display.show(("京A12345", "请缴费 15 元"), speak="请交费15元")
    one = [frame[4] for frame in board.model.frames]
    await display.show(("停" * 20,), speak="一路平安")
    many = [frame[4] for frame in board.model.frames][len(one) :]
    await display.aclose()

    assert one == [HUSH, PAGE]
    assert many == [0x62, 0x62, 0x62, 0x62, HUSH, 0x30]
    assert board.model.said == ["请交费15元", "一路平安"]
    assert board.model.texts == ("停" * 20, "", "", "")


def test_text_is_never_cut_inside_a_character() -> None:
    assert text_bytes("京A12345", 2).decode("gb2312") == "京"
    assert text_bytes("停车", 3).decode("gb2312") == "停"
    assert text_bytes("龘x\n") == b"?x "


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_a_frame_or_a_sentence_and_the_board_lives_on(data: bytes) -> None:
    for way in (decode, lambda raw: line_of(decode(raw)), lambda raw: page_of(Frame(PAGE, raw)), OlmModel().feed):
        with contextlib.suppress(BadFrameError):
            way(data)


@pytest.fixture
async def board(tmp_path: Path) -> AsyncIterator[SimulatedOlm]:
    async with SimulatedOlm(tmp_path / "ttyUSB0") as board:
        yield board


@pytest.fixture
async def display(board: SimulatedOlm) -> AsyncIterator[OlmDisplay]:
    display = await open_olm(OlmOptions(device=board.path, colours=("red", "green"), timeout_ms=150), Wiring("exit-1"))
    yield display
    await display.aclose()


async def test_a_page_replaces_every_line_and_is_spoken(board: SimulatedOlm, display: OlmDisplay) -> None:
    await display.show(("京A12345", "停车 2小时5分", "请缴费 15 元"), speak="请交费15元")
    await display.show(("一路平安",))
    await display.set_volume(60)

    assert board.model.texts == ("一路平安", "", "", "")
    assert board.model.said == ["请交费15元"]
    assert board.model.levels == {VOLUME: 60}


def test_what_does_not_fit_moves_and_each_line_has_its_colour() -> None:
    page = BoardShape(lines=2, colours=("red", "green")).page(("京A12345", "无入场记录请按铃", "left out"))

    assert [(line.scrolls, line.colour) for line in page] == [(False, (255, 0, 0)), (True, (0, 255, 0))]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (BoardFault.SILENCE, DeviceUnreachableError),
        (BoardFault.BAD_CRC, DeviceUnreachableError),
        (BoardFault.HALF_FRAME, DeviceUnreachableError),
        (BoardFault.REFUSES, DeviceRefusedError),
    ],
)
async def test_a_board_in_trouble_is_an_error_and_the_next_page_is_shown(
    board: SimulatedOlm, display: OlmDisplay, fault: BoardFault, error: type[Exception]
) -> None:
    board.model.faults.append(fault)
    with pytest.raises(error, match="exit-1"):
        await display.show(("一路平安",))

    await display.show(("欢迎光临",))

    assert board.model.texts[0] == "欢迎光临"


async def test_unplugged_and_plugged_in_again_it_works_and_says_so_once_each(
    board: SimulatedOlm, display: OlmDisplay, caplog: pytest.LogCaptureFixture
) -> None:
    await display.show(("一",))
    with caplog.at_level(logging.INFO, logger="drivers"):
        board.unplug()
        for _ in range(2):
            with pytest.raises(DeviceUnreachableError):
                await display.show(("二",))
        board.plug_in()
        await display.show(("三",))

    assert board.model.texts[0] == "三"
    assert len(caplog.records) == 2


async def test_a_card_in_simplex_mode_is_not_waited_for(tmp_path: Path) -> None:
    async with SimulatedOlm(tmp_path / "ttyUSB1", answers=False) as board:
        display = await open_olm(OlmOptions(device=board.path, answers=False), Wiring("exit-1"))
        await display.show(("一路平安",))
        await asyncio.sleep(0.05)
        await display.aclose()

    assert board.model.texts[0] == "一路平安"


async def test_behind_a_polling_camera_the_same_frames_go_through_its_serial_port() -> None:
    camera = VzenithCamera("exit-1", VzenithOptions(Path("unread"), comet=True, comet_hold_ms=200), SECRET)
    display = await open_olm_camera(OlmCameraOptions(lines=2), Wiring("exit-1", camera=camera))
    board = OlmModel()

    def take(data: bytes) -> None:
        board.feed(data)

    app = web.Application()
    app.add_routes(device_routes([camera]))
    async with TestServer(app) as server, SimulatedVzenith(str(server.make_url(f"/device/{SECRET}"))) as device:
        device.on_serial = take
        polling = asyncio.create_task(device.poll())

        await asyncio.wait_for(display.show(("京A12345", "欢迎光临"), speak="欢迎光临"), 3)
        await asyncio.sleep(0.05)
        polling.cancel()

    assert board.texts == ("京A12345", "欢迎光临")
    assert board.said == ["欢迎光临"]


async def test_a_board_behind_a_camera_that_does_not_poll_is_refused() -> None:
    silent = VzenithCamera("exit-1", VzenithOptions(Path("unread")), SECRET)
    for camera in (silent, None):
        with pytest.raises(BadOptionsError, match="comet = true"):
            await open_olm_camera(OlmCameraOptions(), Wiring("exit-1", camera=camera))
