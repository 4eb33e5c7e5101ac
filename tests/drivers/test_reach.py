"""A camera's address is knocked at: what answered once and does not any more is gone, and what is back is there."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest

from drivers.base import DeviceUnreachableError
from drivers.camera.pushed import InboxOptions
from drivers.camera.reach import Reach
from tests.fakes.silent_port import SilentPort

HERE = "127.0.0.1"


async def is_there(reach: Reach) -> bool:
    try:
        await reach.check()
    except DeviceUnreachableError:
        return False
    return True


async def test_a_camera_that_answered_where_it_was_heard_from_is_gone_once_nothing_does_and_then_back() -> None:
    async with SilentPort() as camera:
        reach = Reach("gate", "", camera.port)
        before = await is_there(reach)
        reach.learn(HERE)
        plugged = await is_there(reach)

        await camera.unplug()
        began = time.monotonic()
        unplugged = await is_there(reach)
        took = time.monotonic() - began
        await camera.plug_in()

        async with asyncio.timeout(5):
            while not await is_there(reach):
                await asyncio.sleep(0.02)
    assert (before, plugged, unplugged) == (True, True, False)
    assert took < 1.0


async def test_a_port_that_never_answered_proves_nothing_unless_the_lot_file_names_it() -> None:
    async with SilentPort() as camera:
        await camera.unplug()
        learned, given = Reach("gate", "", camera.port), Reach("gate", f"{HERE}:{camera.port}")
        learned.learn(HERE)

        assert (await is_there(learned), await is_there(given)) == (True, False)


async def test_a_refusal_is_an_answer_of_an_address_that_was_learned() -> None:
    with socket.create_server((HERE, 0)) as taken:
        port = taken.getsockname()[1]
    learned, given, off = Reach("gate", "", port), Reach("gate", f"{HERE}:{port}"), Reach("gate", "off", port)
    for reach in (learned, given, off):
        reach.learn(HERE)

    assert [await is_there(reach) for reach in (learned, given, off)] == [True, False, True]


async def test_what_is_no_address_is_not_knocked_at() -> None:
    reach = Reach("gate", "")
    for nonsense in ("", "camera.example", "127.0.0.1; rm"):
        reach.learn(nonsense)

    assert await is_there(reach)


@pytest.mark.parametrize("options", [{"reach": "192.168.1.64"}, {"page_port": 0}, {"page_port": 70_000}])
def test_options_that_make_no_sense_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"reach is|page_port is"):
        InboxOptions(**options)  # type: ignore[arg-type]
