"""A Vzenith camera without glass that speaks MQTT: it publishes to a real broker and obeys what it is told there."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import secrets
import time
from contextlib import AsyncExitStack
from typing import Any

from drivers.camera.simulated import PLATE_IDS, Sight, plate_result
from drivers.camera.vzenith_mqtt_codec import (
    INPUT,
    KEEP_ALIVE,
    LIST,
    OUTPUT,
    QUICK_RESULT,
    RESULT,
    SERIAL,
    SET_TIME,
    SNAPSHOT,
    TAKEN,
    TOPICS,
    TRIGGER,
)
from plumbing.mqtt import Message, MqttLink, MqttOptions

PULSE = 2


class SimulatedVzenithMqtt:
    """One camera at a broker on loopback. Use as a context manager; ``unplug`` and ``replug`` are its network cable.

    The real ones speak MQTT 3.1.1; the broker between makes no difference of it.
    """

    def __init__(
        self,
        port: int,
        serial: str = "fe71e106-57263272",
        *,
        user: str = "",
        password: str = "",
        topics: str = TOPICS,
    ) -> None:
        self.serial = serial
        self.pulses: list[tuple[int, int]] = []  # output and milliseconds
        self.outputs = [0, 0, 0, 0]
        self.serial_data: list[bytes] = []
        self.triggered = 0
        self.clock_set_to: dict[str, str] = {}
        self.list: dict[str, dict[str, Any]] = {}
        self.picture = b"\xff\xd8\xff\xe0snapshot"
        self.address = "192.168.55.131"  # its own, as it says
        self.mute = False  # obey, and say nothing
        self.code = TAKEN  # what it answers; anything else obeys nothing
        self._topics = topics.replace("{sn}", serial)
        self._options = MqttOptions(
            "127.0.0.1",
            port,
            serial,
            user or None,
            password or None,
            subscriptions=(f"{self._topics}/down/+",),
        )
        self._stack = AsyncExitStack()
        self._link = MqttLink(self._options)

    async def __aenter__(self) -> SimulatedVzenithMqtt:
        await self.replug()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.unplug()

    async def replug(self) -> None:
        """Connect, and return once orders arrive."""
        self._link = MqttLink(self._options)
        await self._stack.enter_async_context(self._link)
        obeying = asyncio.create_task(self._obey(self._link))
        self._stack.push_async_callback(_ended, obeying)
        await self._link.connected.wait()

    async def unplug(self) -> None:
        """Nothing goes either way until ``replug``."""
        await self._stack.aclose()

    async def see(self, sight: Sight, *, taken_s: float | None = None, retain: bool = False) -> int:
        """Publish a car twice as firmware does, quickly and whole; its plate id."""
        result = self._result(sight, taken_s)
        await self.say(QUICK_RESULT, self._alarm(result | {"full_image_content": "", "small_image_content": ""}))
        await self.say(RESULT, self._alarm(result), retain=retain)
        return int(result["plateid"])

    async def replay(self, sight: Sight) -> None:
        """Publish a record kept while the network was out."""
        await self.say(RESULT, self._alarm(self._result(sight, None) | {"isoffline": 1}))

    async def input_changed(self, source: int, value: int) -> None:
        """Publish a change of dry contact *source*; 2 is closed and opened again."""
        result = {"TriggerResult": {"source": source, "value": value}}
        await self.say(INPUT, {"body": {"AlarmGioIn": {"result": result, "serialno": self.serial}}})

    async def heartbeat(self) -> None:
        """What it says when nothing happens."""
        await self.say(KEEP_ALIVE, {"type": KEEP_ALIVE, "body": {}})

    async def say(self, name: str, payload: dict[str, Any], *, retain: bool = False) -> None:
        """Publish any message of its own."""
        await self.publish(name, self._message(name, secrets.token_hex(8), payload=payload), retain=retain)

    async def publish(self, name: str, body: bytes, *, retain: bool = False) -> None:
        """Publish any bytes under one of its topics."""
        await self._link.publish(f"{self._topics}/up/{name}", body, 1, retain=retain)

    def _result(self, sight: Sight, taken_s: float | None) -> dict[str, Any]:
        result = plate_result(sight, next(PLATE_IDS), int((taken_s or time.time()) * 1_000_000))
        full, small = result.pop("imageFile"), result.pop("imageFragmentFile")
        plate = base64.b64encode(result["license"].encode()).decode()
        return result | {"license": plate, "full_image_content": full, "small_image_content": small}

    def _alarm(self, result: dict[str, Any]) -> dict[str, Any]:
        about = {"channel": 0, "deviceName": "SVZT", "ipaddr": self.address, "serialno": self.serial}
        return {"AlarmInfoPlate": about | {"result": {"PlateResult": result}}}

    def _message(self, name: str, message_id: str, **values: Any) -> bytes:
        whole = {"id": message_id, "sn": self.serial, "name": name, "version": "1.0", "timestamp": int(time.time())}
        return json.dumps(whole | values, ensure_ascii=False).encode()

    async def _obey(self, link: MqttLink) -> None:
        async for message in link.messages():
            await self._do(link, message)

    async def _do(self, link: MqttLink, message: Message) -> None:
        said = json.loads(message.payload)
        name, body = said["name"], said["payload"].get("body", {})
        answer: dict[str, Any] = {}
        if self.code == TAKEN:
            answer = self._carry_out(name, body)
        if self.mute:
            return
        reply = self._message(name, said["id"], code=self.code, payload={"type": name, "body": answer})
        await link.publish(f"{self._topics}/down/{name}/reply", reply, 1)
        if name == SNAPSHOT and self.code == TAKEN:
            image = base64.b64encode(self.picture).decode()
            await self.say(SNAPSHOT, {"state_code": TAKEN, "image_content": image, "image_format": "jpg"})

    def _carry_out(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        if name == OUTPUT and body["value"] == PULSE:
            self.pulses.append((body["io"], body["delay"]))
        elif name == OUTPUT:
            self.outputs[body["io"]] = body["value"]
        elif name == SERIAL:
            self.serial_data += [base64.b64decode(item["data"]) for item in body["serialData"]]
        elif name == TRIGGER:
            self.triggered += 1
        elif name == SET_TIME:
            self.clock_set_to = body
        return self._list(body) if name == LIST else {}

    def _list(self, body: dict[str, Any]) -> dict[str, Any]:
        match body["operator_type"]:
            case "update_or_add":
                self.list[body["dldb_rec"]["plate"]] = body["dldb_rec"]
            case "delete" if body["plate"]:
                self.list.pop(body["plate"], None)
            case "delete":
                self.list.clear()
            case "select":
                found = [self.list[body["plate"]]] if body["plate"] in self.list else []
                return {"operator_type": "select", "dldb_rec": found}
        return {}


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
