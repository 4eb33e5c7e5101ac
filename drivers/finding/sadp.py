"""Hikvision devices by SADP: the inquiry that the maker's own search tool sends, and nothing that changes a device."""

from __future__ import annotations

import uuid

from drivers.base import BadFrameError
from drivers.finding.datagrams import LONGEST_ANSWER, Call, private_host, tidy
from drivers.finding.found import Found
from drivers.xml import element_texts, local_name, parse_xml

GROUP = "239.255.255.250"
PORT = 37020


def inquiry() -> bytes:
    """The question; line ends as the tool writes them."""
    number = str(uuid.uuid4()).upper()
    xml = f'<?xml version="1.0" encoding="utf-8"?>\n<Probe>\n<Uuid>{number}</Uuid>\n<Types>inquiry</Types>\n</Probe>\n'
    return xml.encode()


def parse_match(data: bytes) -> Found | None:
    """The device a ``ProbeMatch`` speaks of; None for our own question come back. Raises BadFrameError."""
    xml = data[max(data.find(b"<"), 0) :]  # some firmware puts a binary head before it
    if local_name(parse_xml(xml, "SADP answer", LONGEST_ANSWER)) != "probematch":
        return None
    texts = element_texts(xml, "SADP answer")
    host = private_host(texts.get("ipv4address", ""))
    if not host:
        raise BadFrameError("SADP answer without an address of the lot's own")
    model, serial = tidy(texts.get("devicedescription", "")), tidy(texts.get("devicesn", ""))
    what = f"Hikvision {model or 'device'}" + (f", serial {serial}" if serial else "")
    if texts.get("activated", "").lower() == "false":
        return Found(host, f"{what}: has no password yet", f"set one on its page, http://{host}/, then search again")
    port = texts.get("httpport", "80")
    also = f", port = {port}" if port.isdecimal() and port != "80" else ""
    return Found(host, what, f'type = "hikvision", host = "{host}"{also}')


def call(to: tuple[str, int] = (GROUP, PORT)) -> Call:
    """Devices answer the asker or the whole group, which listens at the same port."""
    return Call(inquiry, (to,), parse_match, listen=PORT, join=GROUP)
