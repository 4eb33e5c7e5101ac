"""The shipped broker files for cameras, with a real Mosquitto and a camera that speaks MQTT 3.1.1 as real ones do."""

from __future__ import annotations

import asyncio
import getpass
import json
import queue
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from drivers.barrier.vzenith_io import VzenithIoOptions, open_vzenith_io
from drivers.base import DeviceUnreachableError
from drivers.camera.simulated import PLATE_IDS, Sight, plate_result
from drivers.camera.vzenith_mqtt import VzenithMqttCamera, VzenithMqttOptions
from drivers.wiring import Wiring
from plumbing.broker import free_port
from tests.services.mosquitto import SHIPPED, mosquitto_running
from tests.services.needs import needs

pytestmark = pytest.mark.broker

OURS, OTHER = "fe71e106-57263272", "0a0b0c0d-11111111"
SECONDS = 15


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """Mosquitto from the shipped files, with this machine's port, paths and user."""
    port, passwords = free_port(), tmp_path / "cameras.passwd"
    passwords.touch(mode=0o600)
    for name in ("lotgate", OURS, OTHER):
        subprocess.run([needs("mosquitto_passwd"), "-b", passwords, name, f"{name}-secret"], check=True)  # noqa: S603
    text = (SHIPPED / "cameras.conf").read_text("utf-8")
    for shipped, here in {
        "listener 1883 192.168.55.1": f"listener {port} 127.0.0.1",
        "/etc/mosquitto/cameras.passwd": str(passwords),
        "/etc/mosquitto/cameras.acl": str(SHIPPED / "cameras.acl"),
        "user mosquitto": f"user {getpass.getuser()}",
    }.items():
        assert shipped in text
        text = text.replace(shipped, here)
    configuration = tmp_path / "cameras.conf"
    configuration.write_text(text, "utf-8")
    with mosquitto_running(configuration, port):
        yield port


class OldCamera:
    """MQTT 3.1.1: takes orders on its own topics and answers them."""

    def __init__(self, port: int, serial: str) -> None:
        self.serial = serial
        self.orders: queue.Queue[dict[str, Any]] = queue.Queue()
        self._listening: queue.Queue[bool] = queue.Queue()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, serial, protocol=MQTTProtocolVersion.MQTTv311)
        self.client.username_pw_set(serial, f"{serial}-secret")
        self.client.on_subscribe = lambda *_: self._listening.put(True)
        self.client.on_message = self._ordered
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.client.subscribe(f"device/{serial}/message/down/+", qos=1)
        self._listening.get(timeout=SECONDS)

    def _ordered(self, client: mqtt.Client, _: object, message: mqtt.MQTTMessage) -> None:
        order = json.loads(message.payload)
        self.orders.put(order)
        client.publish(f"{message.topic}/reply", json.dumps(order | {"code": 200, "payload": {}}), qos=1)

    def say(self, name: str, payload: dict[str, Any], about: str = "") -> None:
        """Publish under the topics of *about*, its own if not said."""
        serial = about or self.serial
        message = {"id": "1", "sn": serial, "name": name, "version": "1.0", "timestamp": 1, "payload": payload}
        self.client.publish(f"device/{serial}/message/up/{name}", json.dumps(message), qos=1).wait_for_publish(SECONDS)

    def see(self, plate: str, about: str = "") -> None:
        """Publish a car."""
        result = plate_result(Sight(plate), next(PLATE_IDS), time.time_ns() // 1000)
        self.say("ivs_result", {"AlarmInfoPlate": {"result": {"PlateResult": result}}}, about)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@asynccontextmanager
async def connected(port: int, reply_within_ms: int) -> AsyncIterator[VzenithMqttCamera]:
    options = VzenithMqttOptions(
        serial=OURS, broker_port=port, user="lotgate", password_file=Path("unread"), reply_within_ms=reply_within_ms
    )
    camera = VzenithMqttCamera("entry-1", options, "lotgate-secret")
    await camera.start()
    try:
        async with asyncio.timeout(SECONDS):
            await camera._connected()
        yield camera
    finally:
        await camera.aclose()


@pytest.fixture
async def camera(port: int) -> AsyncIterator[VzenithMqttCamera]:
    async with connected(port, 5000) as camera:
        yield camera


async def test_a_camera_of_mqtt_3_is_read_and_opens_once(camera: VzenithMqttCamera, port: int) -> None:
    device = await asyncio.to_thread(OldCamera, port, OURS)
    barrier = await open_vzenith_io(VzenithIoOptions(), Wiring("entry-1", camera=camera))

    await asyncio.to_thread(device.see, "京A12345")
    async with asyncio.timeout(SECONDS):
        read = await anext(camera.reads())
        await barrier.open()
    device.close()

    assert (read.candidates[0].text, read.live) == ("京A12345", True)
    order = device.orders.get(timeout=SECONDS)
    assert (order["name"], order["payload"]["body"]) == ("gpio_out", {"io": 0, "value": 2, "delay": 500})
    assert device.orders.empty()


async def test_a_camera_can_neither_speak_for_another_nor_open_its_barrier(
    camera: VzenithMqttCamera, port: int
) -> None:
    ours, other = [await asyncio.to_thread(OldCamera, port, serial) for serial in (OURS, OTHER)]
    await asyncio.to_thread(other.see, "京A00001", OURS)
    await asyncio.to_thread(
        lambda: other.client.publish(f"device/{OURS}/message/down/gpio_out", b"{}", qos=1).wait_for_publish(SECONDS)
    )

    await asyncio.to_thread(ours.see, "京A00002")
    async with asyncio.timeout(SECONDS):
        read = await anext(camera.reads())
    ours.close()
    other.close()

    assert read.candidates[0].text == "京A00002"
    assert ours.orders.empty()


async def test_a_camera_that_went_gets_no_order_when_it_comes_back(camera: VzenithMqttCamera, port: int) -> None:
    gone = await asyncio.to_thread(OldCamera, port, OURS)
    gone.close()
    async with connected(port, 300) as hasty:
        barrier = await open_vzenith_io(VzenithIoOptions(), Wiring("entry-1", camera=hasty))
        with pytest.raises(DeviceUnreachableError, match="nobody knows"):
            await barrier.open()

    back = await asyncio.to_thread(OldCamera, port, OURS)
    await camera.trigger()
    back.close()

    assert back.orders.get(timeout=SECONDS)["name"] == "ivs_trigger"
    assert back.orders.empty()
