"""What is said back to a Vzenith camera, values <-> bytes (HTTP protocol 1.8/1.9). No I/O.

``info: "ok"`` is not politeness: it makes the camera pulse its own barrier relay. Everything else only acknowledges.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

from drivers.base import BadFrameError, ListedCar
from drivers.camera.vzenith_codec import (
    GioIn,
    Heartbeat,
    PlateResult,
    SerialData,
    VzenithPush,
    integer_of,
    object_of,
    serial_data_of,
)


@dataclass(frozen=True, slots=True)
class IoControl:
    """``ivs_ioctrl``: output *io* off (0), on (1) or pulsed (2) for *delay_ms*."""

    io: int
    value: int
    delay_ms: int = 500


LIST_BATCH = 5  # the protocol's limit
ADD, REMOVE = 0, 1


@dataclass(frozen=True, slots=True)
class ListChange:
    """``white_list_operate``: cars to write, or else plates to strike out. The plate "" would strike out all."""

    number: int
    cars: tuple[ListedCar, ...] = ()
    gone: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if bool(self.cars) == bool(self.gone) or len(self.cars or self.gone) > LIST_BATCH:
            raise ValueError(f"a list change writes or strikes out 1 to {LIST_BATCH} plates")
        if not all(self.gone):
            raise ValueError("an empty plate would strike out the whole list")

    def values(self) -> dict[str, Any]:
        """As the camera reads it; its times are wall clock."""
        rows = [listed_row(car) for car in self.cars] or [{"plate": plate} for plate in self.gone]
        return {"operate_type": REMOVE if self.gone else ADD, "msg_id": self.number, "white_list_data": rows}


def listed_row(car: ListedCar) -> dict[str, Any]:
    """One car of a camera's list; its times are wall clock."""
    return {
        "plate": car.plate,
        "enable": 1,
        "need_alarm": 0,
        "enable_time": f"{car.begins:%Y-%m-%d %H:%M:%S}",
        "overdue_time": f"{car.ends:%Y-%m-%d %H:%M:%S}",
    }


@dataclass(frozen=True, slots=True)
class Reply:
    """What we tell the camera. *open_relay* (``info: "ok"``) FIRES its barrier relay; the default never does."""

    open_relay: bool = False
    stop_resending: bool = True
    continue_offline: int | None = None  # plate id of the replayed record the camera may now forget
    serial: tuple[SerialData, ...] = ()
    io: tuple[IoControl, ...] = ()
    trigger: bool = False  # take a picture now
    listed: ListChange | None = None

    @property
    def has_orders(self) -> bool:
        """True when the camera is to do more than take note."""
        return bool(self.serial or self.io or self.trigger or self.listed)

    @property
    def moves_a_relay(self) -> bool:
        """True when a camera receiving this switches any output on."""
        return self.open_relay or any(control.value for control in self.io)


_ORDERS = "Response_AlarmInfoPlate"  # the only object that carries orders, whatever was asked
_ANSWER_NAMES = {
    PlateResult: _ORDERS,
    GioIn: "Response_AlarmGioIn",
    SerialData: "Response_SerialData",
    Heartbeat: "Response_Heartbeat",
}


def answer(push: VzenithPush, reply: Reply | None = None) -> bytes:
    """Reply bytes for *push*. With the default Reply it acknowledges and moves nothing."""
    reply = reply or Reply()
    inner: dict[str, Any] = {
        "info": "ok" if reply.open_relay else "no",
        "content": "retransfer_stop" if reply.stop_resending else "",
        "is_pay": "true" if reply.open_relay else "false",
    }
    if reply.serial:
        inner["serialData"] = [_serial_out(item) for item in reply.serial]
    if reply.io:
        inner["ivs_ioctrl"] = [{"io": c.io, "value": c.value, "delay": c.delay_ms} for c in reply.io]
    if reply.trigger:
        inner["manualTrigger"] = "ok"
    if reply.listed is not None:
        inner["white_list_operate"] = reply.listed.values()
    if reply.continue_offline is not None:
        inner["ContinuePushOffline"] = {"plateid": reply.continue_offline, "continue": 1}
    name = _ORDERS if reply.has_orders else _ANSWER_NAMES[type(push)]
    return json.dumps({name: inner}, ensure_ascii=False).encode()


def _serial_out(item: SerialData) -> dict[str, Any]:
    text = base64.b64encode(item.data).decode("ascii")
    return {"serialChannel": item.channel, "data": text, "dataLen": len(item.data)}


def parse_answer(body: bytes) -> Reply:
    """What a camera makes of a reply (used by the simulated one). Raises BadFrameError."""
    try:
        message = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as exc:
        raise BadFrameError("answer is not JSON") from exc
    names = [name for name in _ANSWER_NAMES.values() if isinstance(message, dict) and name in message]
    if not names:
        raise BadFrameError("answer has no Response object: the camera counts this push as failed")
    inner = object_of(message, names[0])
    controls = inner.get("ivs_ioctrl", [])
    serial = inner.get("serialData", [])
    again = inner.get("ContinuePushOffline")
    return Reply(
        open_relay=inner.get("info") == "ok",
        stop_resending=inner.get("content") == "retransfer_stop",
        continue_offline=integer_of(again, "plateid", None) if isinstance(again, dict) else None,
        serial=tuple(serial_data_of(item) for item in serial if isinstance(item, dict)),
        io=tuple(_io_control(item) for item in (controls if isinstance(controls, list) else [controls])),
        trigger=inner.get("manualTrigger") == "ok",
    )


def _io_control(item: object) -> IoControl:
    if not isinstance(item, dict):
        raise BadFrameError("ivs_ioctrl is not an object")
    io, value, delay = (integer_of(item, key, 0) or 0 for key in ("io", "value", "delay"))
    if io not in range(4) or value not in range(3) or not 0 <= delay <= 600_000:
        raise BadFrameError("ivs_ioctrl is out of range")
    return IoControl(io, value, delay)
