"""A barrier on the camera's own output: orders ride on answers, once, in time, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from drivers.barrier.vzenith_io import VzenithIoBarrier, VzenithIoOptions, open_vzenith_io
from drivers.base import BadOptionsError, DeviceUnreachableError
from drivers.camera import vzenith
from drivers.camera.listener import device_routes
from drivers.camera.simulated import Sight, SimulatedVzenith
from drivers.camera.vzenith import VzenithCamera, VzenithOptions
from drivers.camera.vzenith_reply import IoControl
from drivers.wiring import Wiring

SECRET = "s3cret-path-of-entry-1"
PULSE = (IoControl(0, 2, 500),)


@pytest.fixture
def camera() -> VzenithCamera:
    return VzenithCamera("entry-1", VzenithOptions(Path("unread"), comet=True, comet_hold_ms=200), SECRET)


@pytest.fixture
async def barrier(camera: VzenithCamera) -> VzenithIoBarrier:
    return await open_vzenith_io(VzenithIoOptions(), Wiring("entry-1", camera=camera))


@pytest.fixture
async def device(camera: VzenithCamera) -> AsyncIterator[SimulatedVzenith]:
    app = web.Application()
    app.add_routes(device_routes([camera]))
    async with (
        TestServer(app) as server,
        SimulatedVzenith(str(server.make_url(f"/device/{SECRET}")), resend_after_s=0.01) as device,
    ):
        yield device


def pulses(device: SimulatedVzenith) -> list[tuple[IoControl, ...]]:
    return [each.reply.io for each in device.deliveries if each.reply and each.reply.io]


async def test_the_pulse_rides_on_the_answer_to_the_plate_that_was_decided(
    camera: VzenithCamera, barrier: VzenithIoBarrier, device: SimulatedVzenith
) -> None:
    async def lane() -> None:
        await anext(camera.reads())
        await barrier.open()

    async with asyncio.timeout(3):
        delivery, _ = await asyncio.gather(device.see(Sight("京A12345")), lane())

    assert delivery.reply is not None
    assert delivery.reply.io == PULSE
    assert not delivery.reply.open_relay
    assert pulses(device) == [PULSE]


async def test_a_plate_nobody_opens_for_is_answered_within_a_second_without_orders(
    barrier: VzenithIoBarrier, device: SimulatedVzenith
) -> None:
    delivery = await asyncio.wait_for(device.see(Sight("京A12345")), 2)

    assert not delivery.fired_relay


async def test_a_repeated_or_offline_record_never_carries_an_order(
    barrier: VzenithIoBarrier, device: SimulatedVzenith, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vzenith, "ORDER_WAIT_S", 0.3)
    await device.see_without_network(Sight("京A12345"))
    opening = asyncio.create_task(barrier.open())
    await asyncio.sleep(0)

    assert await device.replay() == 1

    with pytest.raises(DeviceUnreachableError, match="nothing was sent"):
        await opening
    assert pulses(device) == []


async def test_an_opening_later_on_goes_with_the_cameras_poll(
    barrier: VzenithIoBarrier, device: SimulatedVzenith
) -> None:
    polling = asyncio.create_task(device.poll())
    await asyncio.sleep(0.05)

    await asyncio.wait_for(barrier.open(), 2)
    await asyncio.sleep(0.05)

    polling.cancel()
    assert pulses(device) == [PULSE]


async def test_an_order_nobody_fetched_is_withdrawn_and_never_opens_late(
    barrier: VzenithIoBarrier, device: SimulatedVzenith, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vzenith, "ORDER_WAIT_S", 0.05)
    with pytest.raises(DeviceUnreachableError, match=r"nothing was sent\. Switch its comet polling on"):
        await barrier.open()

    await device.heartbeat()

    assert pulses(device) == []


async def test_held_open_it_stays_on_and_no_pulse_ends_that(
    barrier: VzenithIoBarrier, device: SimulatedVzenith
) -> None:
    polling = asyncio.create_task(device.poll())

    async with asyncio.timeout(5):
        await barrier.hold()
        await barrier.open()
        await barrier.release()
        await asyncio.sleep(0.05)

    polling.cancel()
    assert [control[0].value for control in pulses(device)] == [1, 0]


async def test_a_polling_camera_can_be_asked_to_read_now(camera: VzenithCamera, device: SimulatedVzenith) -> None:
    polling = asyncio.create_task(device.poll())

    await asyncio.wait_for(camera.trigger(), 2)
    await asyncio.sleep(0.05)

    polling.cancel()
    assert device.triggered == 1


async def test_only_a_vzenith_camera_has_such_an_output() -> None:
    with pytest.raises(BadOptionsError, match="vzenith_io needs camera"):
        await open_vzenith_io(VzenithIoOptions(), Wiring("entry-1"))


@pytest.mark.parametrize("changes", [{"gate_input": "toggle"}, {"io": 4}, {"pulse_ms": 100}, {"pulse_ms": 60_000}])
def test_wirings_that_could_hurt_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"gate_input|io is|pulse_ms is"):
        VzenithIoOptions(**changes)  # type: ignore[arg-type]
