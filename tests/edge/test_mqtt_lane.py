"""A whole entry on one camera over MQTT: it reads, it is told to open once, and what it kept opens nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from drivers.camera.simulated import Sight
from drivers.camera.simulated_vzenith_mqtt import SimulatedVzenithMqtt
from edge.db import stays
from edge.settings import EdgeSettings
from plumbing.broker import EmbeddedBroker
from tests.edge.test_daemon import PLATE, Running, lot_settings, running

SERIAL = "fe71e106-57263272"


def settings(folder: Path, board_port: int, broker_port: int) -> EdgeSettings:
    plain = lot_settings(folder, board_port)
    camera = {"type": "vzenith_mqtt", "serial": SERIAL, "broker_port": broker_port, "reply_within_ms": 5000}
    devices = replace(
        plain.devices,
        cameras=plain.devices.cameras | {"in": camera},
        barriers=plain.devices.barriers | {"in": {"type": "vzenith_io", "camera": "in"}},
    )
    return replace(plain, devices=devices)


async def cars_inside(lot: Running) -> int:
    office = lot.opened.edge.office
    return await office.thread.run(stays.count_open, office.db.conn)


async def test_a_car_comes_in_with_one_pulse_and_a_kept_record_with_none(tmp_path: Path) -> None:
    async with (
        EmbeddedBroker(tmp_path, {}) as broker,
        SimulatedVzenithMqtt(broker.port, SERIAL) as device,
        running(tmp_path, lambda folder, port: settings(folder, port, broker.port)) as lot,
    ):
        camera = lot.opened.devices.cameras["in"]
        await lot.until(camera._link.connected.is_set)  # type: ignore[attr-defined]
        await device.see(Sight(PLATE))
        await lot.until(lambda: len(device.pulses) == 1)
        await device.replay(Sight("京A00009"))
        await device.see(Sight("京B12345"))
        await lot.until(lambda: len(device.pulses) == 2)

        assert device.pulses == [(0, 500), (0, 500)]
        assert await cars_inside(lot) == 2
