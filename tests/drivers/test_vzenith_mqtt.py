"""A Vzenith camera over MQTT, at a real broker: what opens, what never does, and what is said when nobody answers."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.plate import PlateColour
from drivers.barrier.vzenith_io import VzenithIoOptions, open_vzenith_io
from drivers.base import BadFrameError, DeviceRefusedError, DeviceUnreachableError, PlateRead
from drivers.camera.simulated import Sight
from drivers.camera.simulated_vzenith_mqtt import SimulatedVzenithMqtt
from drivers.camera.vzenith_codec import PlateResult
from drivers.camera.vzenith_mqtt import VzenithMqttCamera, VzenithMqttOptions, open_vzenith_mqtt
from drivers.camera.vzenith_mqtt_codec import command, parse_reply, parse_up, time_body
from drivers.display.olm import OlmCameraOptions, open_olm_camera
from drivers.wiring import Wiring
from plumbing.broker import EmbeddedBroker, free_port
from plumbing.files import write_private
from tests.fakes.silent_port import SilentPort

SERIAL = "fe71e106-57263272"
JPEG = b"\xff\xd8\xff\xe0 a picture"
USERS = {"lotgate": "edge-secret", "camera": "camera-secret"}

# The example of the maker's page "订阅识别结果", shortened; its plate is 贵GS7Q13 in base64.
PUBLISHED = {
    "id": "iUA4fO7yCGrHZO2C", "bv": 12378, "sn": "265e1040-85e01fb7", "name": "ivs_result", "version": "1.0",
    "timestamp": 1621926595,
    "payload": {"AlarmInfoPlate": {"channel": 0, "deviceName": "0001", "ipaddr": "192.168.6.94", "result": {
        "PlateResult": {
            "colorType": 1, "confidence": 100, "direction": 0, "gioouts": [], "small_image_content": "",
            "full_image_content": "", "imagePath": "xxx", "is_fake_plate": 0, "isoffline": 0,
            "license": "6LS1R1M3UTEz", "location": {"RECT": {"bottom": 555, "left": 954, "right": 1109, "top": 502}},
            "plateid": 594785, "timeStamp": {"Timeval": {"decday": 11, "sec": 1628670619, "usec": 539956}},
            "triggerType": 4, "type": 1}},
        "serialno": "8fcd1c4e-20ca9ecb", "user_data": "5Lit5Zu9"}},
}  # fmt: skip


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[EmbeddedBroker]:
    async with EmbeddedBroker(tmp_path, USERS) as running:
        yield running


@pytest.fixture
async def device(broker: EmbeddedBroker) -> AsyncIterator[SimulatedVzenithMqtt]:
    async with SimulatedVzenithMqtt(broker.port, user="camera", password="camera-secret") as device:
        yield device


@asynccontextmanager
async def connected(port: int, **changes: Any) -> AsyncIterator[VzenithMqttCamera]:
    values: dict[str, Any] = {"serial": SERIAL, "broker_port": port, "user": "lotgate"}
    values |= {"password_file": Path("unread"), **changes}
    camera = VzenithMqttCamera("entry-1", VzenithMqttOptions(**values), "edge-secret")
    await camera.start()
    try:
        async with asyncio.timeout(15):
            await camera._connected()
        yield camera
    finally:
        await camera.aclose()


@pytest.fixture
async def camera(broker: EmbeddedBroker) -> AsyncIterator[VzenithMqttCamera]:
    async with connected(broker.port, reply_within_ms=5000) as camera:
        yield camera


async def next_read(camera: VzenithMqttCamera) -> PlateRead:
    async with asyncio.timeout(15):
        return await anext(camera.reads())


async def test_a_camera_without_a_network_is_gone_at_once_where_it_said_it_is_and_back_by_itself(
    broker: EmbeddedBroker, device: SimulatedVzenithMqtt
) -> None:
    async with SilentPort() as page, connected(broker.port, page_port=page.port) as camera:
        device.address = "127.0.0.1"
        await device.see(Sight("京A12345"))
        await next_read(camera)
        await camera.still_there()

        await page.unplug()
        with pytest.raises(DeviceUnreachableError, match="does not answer"):
            await camera.still_there()
        await page.plug_in()

        async with asyncio.timeout(5):
            while await is_gone(camera):
                await asyncio.sleep(0.02)


async def is_gone(camera: VzenithMqttCamera) -> bool:
    try:
        await camera.still_there()
    except DeviceUnreachableError:
        return True
    return False


def test_the_makers_own_example_is_a_plate() -> None:
    said = parse_up("ivs_result", json.dumps(PUBLISHED).encode(), "265e1040-85e01fb7")

    assert isinstance(said, PlateResult)
    assert (said.plate, said.colour, said.confidence) == ("贵GS7Q13", PlateColour.BLUE, 100)
    assert (said.plate_id, said.taken_wall_ms, said.offline) == (594785, 1628670619539, False)
    assert said.address == "192.168.6.94"


def test_a_message_that_names_another_camera_than_its_topic_is_refused() -> None:
    with pytest.raises(BadFrameError, match="another camera"):
        parse_up("ivs_result", json.dumps(PUBLISHED).encode(), SERIAL)


def test_plates_without_a_chinese_character_are_unwrapped_too_and_bare_ones_left() -> None:
    def plate(text: str) -> str:
        message = json.loads(json.dumps(PUBLISHED))
        message["payload"]["AlarmInfoPlate"]["result"]["PlateResult"]["license"] = text
        said = parse_up("ivs_result", json.dumps(message).encode(), "265e1040-85e01fb7")
        assert isinstance(said, PlateResult)
        return said.plate

    assert plate(base64.b64encode(b"VA12345").decode()) == "VA12345"
    assert plate(base64.b64encode("_无_".encode()).decode()) == ""
    assert plate("京A12345") == "京A12345"


def test_an_order_is_spelled_as_the_maker_spells_it() -> None:
    now = datetime(2026, 1, 2, 23, 4, 5, tzinfo=UTC).astimezone(ZoneInfo("Asia/Shanghai"))
    body = time_body(now)

    assert body == {"year": "2026", "month": "01", "day": "03", "hour": "07", "min": "04", "sec": "05"}
    assert json.loads(command("sn-1", "set_time", body, "m-1", 1767395045)) == {
        "id": "m-1", "sn": "sn-1", "name": "set_time", "version": "1.0", "timestamp": 1767395045,
        "payload": {"type": "set_time", "body": body},
    }  # fmt: skip


ALMOST = st.from_regex(r'\{"sn": ?"s", ?"payload": ?[\[\{"0-9a-zA-Z:,\}\]]{0,60}\}').map(str.encode)


@given(st.binary(max_size=300) | ALMOST)
def test_any_bytes_are_understood_or_refused(data: bytes) -> None:
    for name in ("ivs_result", "gpio_in", "keep_alive", "snapshot", "quick_ivs_result"):
        with contextlib.suppress(BadFrameError):
            parse_up(name, data, "s")
    with contextlib.suppress(BadFrameError):
        parse_reply(data)


async def test_a_car_is_read_once_though_it_is_published_twice(
    camera: VzenithMqttCamera, device: SimulatedVzenithMqtt
) -> None:
    await device.see(Sight("京A12345", image=JPEG, crop=JPEG))
    await device.see(Sight("粤BD12345", PlateColour.GREEN))
    first, second = await next_read(camera), await next_read(camera)

    assert [first.candidates[0].text, second.candidates[0].text] == ["京A12345", "粤BD12345"]
    assert first.live
    assert first.trusted
    assert (first.image, first.crop) == (JPEG, JPEG)


async def test_what_camera_or_broker_kept_is_a_fact_and_opens_nothing(
    broker: EmbeddedBroker, device: SimulatedVzenithMqtt, caplog: pytest.LogCaptureFixture
) -> None:
    await device.see(Sight("京A00001"), retain=True)
    async with connected(broker.port) as camera:
        kept = await next_read(camera)
        await device.replay(Sight("京A00002"))
        replayed = await next_read(camera)
        await device.see(Sight("京A00003"), taken_s=datetime.now(UTC).timestamp() - 300)
        late = await next_read(camera)
        await device.see(Sight("京A00004"))
        fresh = await next_read(camera)

    assert [kept.live, replayed.live, late.live, fresh.live] == [False, False, False, True]
    assert "open nothing" in caplog.text


async def test_an_opening_is_one_pulse_on_the_cameras_output(
    camera: VzenithMqttCamera, device: SimulatedVzenithMqtt
) -> None:
    barrier = await open_vzenith_io(VzenithIoOptions(io=1, pulse_ms=800), Wiring("entry-1", camera=camera))

    await barrier.open()

    assert device.pulses == [(1, 800)]
    await barrier.hold()
    await barrier.open()
    await barrier.release()
    assert device.pulses == [(1, 800)]
    assert device.outputs == [0, 0, 0, 0]


async def test_an_order_without_a_reply_says_that_nobody_knows_and_is_not_sent_again(
    broker: EmbeddedBroker, device: SimulatedVzenithMqtt
) -> None:
    device.mute = True
    async with connected(broker.port, reply_within_ms=500) as camera:
        barrier = await open_vzenith_io(VzenithIoOptions(), Wiring("entry-1", camera=camera))
        with pytest.raises(DeviceUnreachableError, match="nobody knows"):
            await barrier.open()
        device.mute = False
        await camera.trigger()  # whatever was on its way has arrived by now

    assert device.pulses == [(0, 500)]


async def test_an_order_to_a_camera_that_is_away_is_not_kept_for_it(
    broker: EmbeddedBroker, device: SimulatedVzenithMqtt
) -> None:
    async with connected(broker.port, reply_within_ms=300) as camera:
        barrier = await open_vzenith_io(VzenithIoOptions(), Wiring("entry-1", camera=camera))
        await device.unplug()
        with pytest.raises(DeviceUnreachableError):
            await barrier.open()
        await device.replug()
        await device.see(Sight("京A12345"))
        await next_read(camera)

    async with connected(broker.port, reply_within_ms=5000) as camera:
        await camera.trigger()
    assert (device.pulses, device.triggered) == ([], 1)


async def test_a_camera_that_says_no_is_believed(camera: VzenithMqttCamera, device: SimulatedVzenithMqtt) -> None:
    device.code = 405
    with pytest.raises(DeviceRefusedError, match="code 405"):
        await camera.trigger()


async def test_a_broker_that_is_away_is_told_and_a_new_one_is_found(
    broker: EmbeddedBroker, camera: VzenithMqttCamera
) -> None:
    reads = camera.reads()
    waiting = asyncio.ensure_future(anext(reads))
    await asyncio.sleep(0)
    broker.kill()
    with pytest.raises(DeviceUnreachableError, match=f"broker 127.0.0.1:{broker.port}"):
        async with asyncio.timeout(15):
            await waiting
    with pytest.raises(DeviceUnreachableError, match="nothing was sent"):
        await camera.trigger()

    await broker.start()
    async with (
        asyncio.timeout(30),
        SimulatedVzenithMqtt(broker.port, user="camera", password="camera-secret") as device,
    ):
        while not camera._link.connected.is_set():
            await asyncio.sleep(0.05)
        await device.see(Sight("京A12345"))
        assert (await next_read(camera)).candidates[0].text == "京A12345"


async def test_contacts_clock_snapshot_and_board_go_the_same_way(
    camera: VzenithMqttCamera, device: SimulatedVzenithMqtt
) -> None:
    changes = camera.input_changes(0, "approach")
    coming = asyncio.ensure_future(anext(changes))
    await asyncio.sleep(0)
    await device.input_changed(0, 2)
    async with asyncio.timeout(15):
        seen = [await coming, await anext(changes)]
    board = await open_olm_camera(OlmCameraOptions(lines=1), Wiring("board", camera=camera))

    await camera.set_clock(datetime(2026, 5, 1, 8, 0, 0, tzinfo=ZoneInfo("Asia/Shanghai")))
    await board.show(("欢迎光临",), speak="欢迎光临")

    assert [change.occupied for change in seen] == [True, False]
    assert device.clock_set_to["hour"] == "08"
    assert await camera.snapshot() == device.picture
    assert [frame[4] for frame in device.serial_data] == [0x62, 0x31, 0x30]
    await camera.check()


async def test_a_broken_message_costs_only_itself(
    camera: VzenithMqttCamera, device: SimulatedVzenithMqtt, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        await device.publish("ivs_result", b"\xff\x00")
        await device.see(Sight("京A12345"))
        read = await next_read(camera)

    assert read.candidates[0].text == "京A12345"
    assert "not UTF-8" in caplog.text


async def test_the_lot_starts_without_its_broker_and_the_check_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drivers.camera.vzenith_mqtt.CONNECT_S", 0.2)
    write_private(tmp_path / "password", b"edge-secret")
    options = VzenithMqttOptions(
        serial=SERIAL, broker_port=free_port(), user="lotgate", password_file=tmp_path / "password"
    )
    camera = await open_vzenith_mqtt(options, Wiring("entry-1"))
    try:
        with pytest.raises(DeviceUnreachableError, match="no connection to the broker"):
            await camera.check()
    finally:
        await camera.aclose()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"serial": ""}, "serial number"),
        ({"serial": "+"}, "serial number"),
        ({"topics": "device/+/message"}, "{sn}"),
        ({"user": "lotgate"}, "belong together"),
        ({"reply_within_ms": 5}, "100 to 10000"),
    ],
)
def test_options_that_cannot_work_are_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        VzenithMqttOptions(**({"serial": SERIAL} | changes))
