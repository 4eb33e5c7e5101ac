"""A Vzenith camera without glass: an HTTP client that pushes what the real one pushes and obeys what it obeys."""

from __future__ import annotations

import asyncio
import base64
import io
import itertools
import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from domain.plate import PlateColour
from drivers.base import BadFrameError, DeviceUnreachableError
from drivers.camera.vzenith_codec import COLOURS, NO_PLATE
from drivers.camera.vzenith_reply import ADD, Reply, parse_answer

OFFLINE_RECORDS = 9000
SENDS = 5  # the first and up to 4 resends
# a real camera needs longer than a second to start again; one of ours does not, so its ids never do
PLATE_IDS = itertools.count(1)
COLOUR_NUMBERS = {colour: number for number, colour in COLOURS.items()}
TYPE_NUMBERS = {PlateColour.BLUE: 1, PlateColour.YELLOW: 3, PlateColour.GREEN: 19, PlateColour.YELLOW_GREEN: 20}


@dataclass(frozen=True, slots=True)
class Sight:
    """A car as this camera reads it: the engine inside a smart camera is simulated by being told."""

    plate: str  # "" for a car without a plate
    colour: PlateColour = PlateColour.BLUE
    confidence: int = 96
    image: bytes = field(default=b"", repr=False)
    crop: bytes = field(default=b"", repr=False)
    trigger: int = 1
    plate_base64: bool = False  # firmware that wraps the licence


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one push: *reply* is None when nobody answered in time, however often it was sent."""

    sends: int
    reply: Reply | None

    @property
    def fired_relay(self) -> bool:
        """True when a real camera would have opened its barrier on this answer."""
        return self.reply is not None and self.reply.moves_a_relay


class SimulatedVzenith:
    """Pushes to *url* (``…/device/SECRET``). Use as a context manager; ``deliveries`` keeps every answer."""

    def __init__(
        self, url: str, serial: str = "fe71e106-57263272", *, timeout_s: float = 3.0, resend_after_s: float = 0.05
    ) -> None:
        self.url = url
        self.serial = serial
        self.deliveries: list[Delivery] = []
        self.on_serial: Callable[[bytes], None] = lambda data: None  # what hangs on its RS-485 port
        self.triggered = 0  # how often it was asked to read now
        self.list: dict[str, dict[str, Any]] = {}  # what it may let in by itself while nobody answers
        self.stored: deque[dict[str, Any]] = deque(maxlen=OFFLINE_RECORDS)
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._resend_after_s = resend_after_s
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> SimulatedVzenith:
        self._session = aiohttp.ClientSession(timeout=self._timeout)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    @property
    def relay_pulses(self) -> int:
        """How often the answers so far would have opened the camera's own barrier."""
        return sum(delivery.fired_relay for delivery in self.deliveries)

    async def see(self, sight: Sight) -> Delivery:
        """Push one live result, resend until answered, and store it for replay when nobody does."""
        result = plate_result(sight, next(PLATE_IDS), time.time_ns() // 1000)
        delivery = await self._deliver(result)
        if delivery.reply is None:
            self.stored.append(result)
        return delivery

    async def see_without_network(self, sight: Sight) -> None:
        """Recognise a car while the cable is out: the record is stored for ``replay``."""
        self.stored.append(plate_result(sight, next(PLATE_IDS), time.time_ns() // 1000))

    async def replay(self) -> int:
        """Push stored records with ``isoffline`` 1 until one is not confirmed; the number confirmed."""
        confirmed = 0
        while self.stored:
            result = self.stored[0] | {"isoffline": 1}
            delivery = await self._deliver(result)
            if delivery.reply is None or delivery.reply.continue_offline != result["plateid"]:
                break
            self.stored.popleft()
            confirmed += 1
        return confirmed

    async def input_changed(self, source: int, value: int) -> Delivery:
        """Push a change of dry contact *source*."""
        return await self._post_json({"AlarmGioIn": self._about() | {"result": _trigger(source, value)}})

    async def heartbeat(self, *, user: str = "admin", password: str = "") -> Delivery:
        """Post the form of the plain heartbeat, login in clear as the real one does."""
        form = aiohttp.MultipartWriter("form-data")
        fields = {"device_name": "R5-V1.0", "ipaddr": "192.168.55.131", "port": "80", "user_name": user}
        fields |= {"pass_wd": password, "serialno": self.serial, "channel_num": "0"}
        for name, value in fields.items():
            form.append(value).set_content_disposition("form-data", name=name)
        return await self._post(form, {})

    async def poll(self) -> None:
        """Comet polling: ask for orders, and again at once after each answer, until cancelled."""
        while True:
            if (await self.heartbeat()).reply is None:
                await asyncio.sleep(self._resend_after_s)

    async def _deliver(self, result: dict[str, Any]) -> Delivery:
        return await self._post_json({"AlarmInfoPlate": self._about() | {"result": {"PlateResult": result}}})

    async def _post_json(self, message: dict[str, Any]) -> Delivery:
        body = json.dumps(message, ensure_ascii=False).encode()
        sends = 0
        reply: Reply | None = None
        while reply is None and sends < SENDS:
            if sends:
                await asyncio.sleep(self._resend_after_s)
            sends += 1
            reply = await self._exchange(body, {"Content-Type": "application/json; charset=utf-8"})
        return self._keep(Delivery(sends, reply))

    async def _post(self, body: aiohttp.MultipartWriter, headers: dict[str, str]) -> Delivery:
        return self._keep(Delivery(1, await self._exchange(body, headers)))

    def _keep(self, delivery: Delivery) -> Delivery:
        self.deliveries.append(delivery)
        if delivery.reply is not None:
            self.triggered += delivery.reply.trigger
            for item in delivery.reply.serial:
                self.on_serial(item.data)
        return delivery

    async def _exchange(self, body: bytes | aiohttp.MultipartWriter, headers: dict[str, str]) -> Reply | None:
        if self._session is None:
            raise DeviceUnreachableError("simulated camera: use it as a context manager")
        try:
            data = io.BytesIO(body) if isinstance(body, bytes) else body
            async with self._session.post(self.url, data=data, headers=headers) as response:
                if response.status != 200:
                    return None
                body = await response.read()
                self._change_list(body)
                return parse_answer(body)
        except (aiohttp.ClientError, TimeoutError, BadFrameError):
            return None

    def _change_list(self, body: bytes) -> None:
        for inner in json.loads(body).values():
            change = inner.get("white_list_operate", {"white_list_data": []})
            for row in change["white_list_data"]:
                if change["operate_type"] == ADD:
                    self.list[row["plate"]] = row
                elif row["plate"]:
                    self.list.pop(row["plate"], None)
                else:
                    self.list.clear()

    def _about(self) -> dict[str, Any]:
        return {"channel": 0, "deviceName": "R5-V1.0", "ipaddr": "192.168.55.131", "serialno": self.serial}


def _trigger(source: int, value: int) -> dict[str, Any]:
    return {"TriggerResult": {"source": source, "value": value}}


def plate_result(sight: Sight, plate_id: int, micros: int) -> dict[str, Any]:
    """``PlateResult`` of a car seen at *micros* since 1970."""
    plate = sight.plate or NO_PLATE
    seconds, micros = divmod(micros, 1_000_000)
    return {
        "license": base64.b64encode(plate.encode()).decode() if sight.plate_base64 else plate,
        "colorType": COLOUR_NUMBERS[sight.colour],
        "type": TYPE_NUMBERS.get(sight.colour, 0) if sight.plate else 31,
        "confidence": sight.confidence,
        "direction": 4,
        "plateid": plate_id,
        "isoffline": 0,
        "is_fake_plate": 0,
        "triggerType": sight.trigger,
        "location": {"RECT": {"left": 1002, "top": 565, "right": 1263, "bottom": 674}},
        "imageFile": base64.b64encode(sight.image).decode(),
        "imageFileLen": len(sight.image),
        "imageFragmentFile": base64.b64encode(sight.crop).decode(),
        "imageFragmentFileLen": len(sight.crop),
        "gioouts": [{"ionum": 0, "ctrltype": 0}],
        "timeStamp": {"Timeval": {"sec": seconds, "usec": micros}},
    }
