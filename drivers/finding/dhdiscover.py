"""Dahua devices by DHDiscover: JSON behind a head of 32 bytes, without which no device answers."""

from __future__ import annotations

import json
import struct
from typing import Any

from drivers.base import BadFrameError
from drivers.finding.datagrams import Call, private_host, tidy
from drivers.finding.found import Found

GROUP = "239.255.255.251"
PORT = 37810
HEAD = struct.Struct("<I4s8xI4xI4x")  # its own length, DHIP, the body's length twice


def search() -> bytes:
    """The question."""
    body = json.dumps({"method": "DHDiscover.search", "params": {"mac": "", "uni": 1}}).encode() + b"\n"
    return HEAD.pack(HEAD.size, b"DHIP", len(body), len(body)) + body


def parse_answer(data: bytes) -> Found | None:
    """The device an answer speaks of; None for our own question come back. Raises BadFrameError."""
    begins = data.find(b"{")  # the head is longer in some firmware
    try:
        message = json.loads(data[begins:].rstrip(b"\x00\r\n ").decode("utf-8", "replace")) if begins >= 0 else None
    except (ValueError, RecursionError) as exc:
        raise BadFrameError("DHDiscover answer that is not JSON") from exc
    if not isinstance(message, dict):
        raise BadFrameError("DHDiscover answer without an object")
    if message.get("method") == "DHDiscover.search":
        return None
    about = _inner(_inner(message, "params"), "deviceInfo")
    host = private_host(_text(_inner(about, "IPv4Address"), "IPAddress"))
    if not host:
        raise BadFrameError("DHDiscover answer without an address of the lot's own")
    serial, model = _text(about, "SerialNo"), _text(about, "DeviceType") or _text(about, "DeviceClass")
    what = f"Dahua {model or 'device'}" + (f", serial {serial}" if serial else "")
    also = f', devices = ["{serial}"]' if serial else ""
    return Found(host, what, f'type = "dahua", addresses = ["{host}"]{also}, clock_host = "{host}"')


def _inner(table: dict[str, Any], key: str) -> dict[str, Any]:
    value = table.get(key)
    return value if isinstance(value, dict) else {}


def _text(table: dict[str, Any], key: str) -> str:
    value = table.get(key)
    return tidy(value).replace('"', "") if isinstance(value, str) else ""


def call(to: tuple[tuple[str, int], ...] = ((GROUP, PORT), ("255.255.255.255", PORT))) -> Call:
    """Devices answer the asker alone."""
    return Call(search, to, parse_answer)
