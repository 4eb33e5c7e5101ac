"""Modbus frames, bytes <-> values, RTU and TCP (Modbus application protocol 1.1b3; serial line 1.02). No I/O."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from drivers.base import BadFrameError

READ_COILS = 0x01
READ_INPUTS = 0x02
WRITE_ONE_COIL = 0x05
WRITE_MANY_COILS = 0x0F
EXCEPTION = 0x80

COIL_ON = 0xFF00
COIL_OFF = 0x0000
COIL_TOGGLE = 0x5500  # an extension of relay boards

MAX_PDU = 253
MBAP = struct.Struct(">HHHB")  # transaction, protocol 0, length of unit and body, unit


@dataclass(frozen=True, slots=True)
class TcpFrame:
    """One Modbus TCP message: whose it is and its body (function code and what follows)."""

    transaction: int
    unit: int
    pdu: bytes


def crc16(data: bytes) -> bytes:
    """CRC-16/MODBUS as it goes on the wire, low byte first."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return struct.pack("<H", crc)


def rtu_frame(unit: int, pdu: bytes) -> bytes:
    """*pdu* as it goes over RS-485."""
    body = bytes([unit]) + pdu
    return body + crc16(body)


def rtu_unwrap(frame: bytes) -> tuple[int, bytes]:
    """Unit and body of an RTU frame. Raises BadFrameError on a wrong length or check sum."""
    if not 4 <= len(frame) <= MAX_PDU + 3:
        raise BadFrameError(f"RTU frame of {len(frame)} bytes; 4 to {MAX_PDU + 3} are possible")
    if crc16(frame[:-2]) != frame[-2:]:
        raise BadFrameError("RTU frame with a wrong check sum")
    return frame[0], frame[1:-2]


def tcp_frame(frame: TcpFrame) -> bytes:
    """*frame* as it goes over TCP."""
    return MBAP.pack(frame.transaction, 0, len(frame.pdu) + 1, frame.unit) + frame.pdu


def tcp_header(head: bytes) -> tuple[int, int, int]:
    """Transaction, unit and body length of the seven bytes *head*. Raises BadFrameError."""
    if len(head) != MBAP.size:
        raise BadFrameError("Modbus TCP header is not seven bytes long")
    transaction, protocol, length, unit = MBAP.unpack(head)
    if protocol != 0:
        raise BadFrameError(f"Modbus TCP protocol {protocol}; only 0 exists")
    if not 2 <= length <= MAX_PDU + 1:
        raise BadFrameError(f"Modbus TCP length {length} is out of bounds")
    return transaction, unit, length - 1


def pack_bits(bits: list[bool]) -> bytes:
    """Bits as Modbus packs them: first in the lowest place of the first byte."""
    packed = bytearray((len(bits) + 7) // 8)
    for place, bit in enumerate(bits):
        packed[place // 8] |= bit << place % 8
    return bytes(packed)


def unpack_bits(data: bytes, count: int) -> list[bool]:
    """The first *count* bits of *data*. Raises BadFrameError when there are fewer."""
    if count > len(data) * 8:
        raise BadFrameError(f"{len(data)} bytes cannot hold {count} bits")
    return [bool(data[place // 8] >> place % 8 & 1) for place in range(count)]
