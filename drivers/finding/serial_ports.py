"""Serial ports of this machine, and Modbus boards on one of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from serial.tools.list_ports import comports  # type: ignore[import-untyped]

from drivers.base import BadFrameError
from drivers.finding.found import Found
from drivers.modbus_frames import EXCEPTION, READ_COILS, rtu_frame, rtu_unwrap
from drivers.serial_port import SerialLine, SerialPort

BY_ID = Path("/dev/serial/by-id")
TYPING = Path("/dev/input/by-id")
USUAL_UNITS = (*range(1, 17), 254, 255)
ANSWER_MS = 120
CHIPS = {0x1A86: "CH340: LCUS relays and cheap converters", 0x0403: "FTDI converter", 0x10C4: "CP210x converter",
         0x067B: "PL2303 converter"}  # fmt: skip


def find_ports() -> list[Found]:
    """Every port, under the name that stays the same over unplugging where it has one."""
    stable = {link.resolve(): link for link in BY_ID.iterdir()} if BY_ID.is_dir() else {}
    found = []
    for port in comports():
        device = stable.get(Path(port.device).resolve(), Path(port.device))
        what = CHIPS.get(port.vid or 0) or port.description or "serial port"
        found.append(Found(str(device), what, f'device = "{device}"'))
    return found


def find_typing(folder: Path = TYPING) -> list[Found]:
    """What types like a keyboard: readers of codes, and keyboards."""
    names = sorted(folder.glob("*-event-kbd")) if folder.is_dir() else []
    what = "keyboard, or a reader that types like one"
    return [Found(str(name), what, f'a reader: type = "hid", device = "{name}"') for name in names]


async def find_boards(port: SerialPort, units: Sequence[int] = USUAL_UNITS) -> list[Found]:
    """Modbus boards that answer to the reading of one output. Raises DeviceUnreachableError without the port."""
    line = SerialLine("search", port, ANSWER_MS)
    found = []
    try:
        for unit in units:
            question = rtu_frame(unit, bytes([READ_COILS, 0, 0, 0, 1]))
            if _answers(await line.exchange(question, _size), unit):
                hint = f'type = "modbus_rtu", device = "{port.device}", unit = {unit}, baud = {port.baud}'
                found.append(Found(f"{port.device} unit {unit}", "Modbus board", hint))
    finally:
        await line.aclose()
    return found


def _size(start: bytes) -> int | None:
    if len(start) < 3:
        return None
    return 5 if start[1] & EXCEPTION else 5 + start[2]


def _answers(frame: bytes, unit: int) -> bool:
    try:
        address, pdu = rtu_unwrap(frame)
    except BadFrameError:
        return False
    return address == unit and pdu[0] & ~EXCEPTION == READ_COILS
