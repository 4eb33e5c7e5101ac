"""Looking for devices: what is found, what is refused, what is not believed."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.barrier.simulated import RelayModel
from drivers.barrier.simulated_rtu import SimulatedRtuBus
from drivers.base import BadFrameError, DeviceUnreachableError
from drivers.finding import dhdiscover, sadp, vzenith
from drivers.finding.datagrams import Call, ask, own_addresses
from drivers.finding.found import Found, is_private, network_of
from drivers.finding.lan import find_on
from drivers.finding.onvif import find_cameras, parse_match
from drivers.finding.serial_ports import find_boards
from drivers.printer.simulated import SimulatedPrinter
from drivers.serial_port import SerialPort

MATCH = """<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:d="x"><s:Body>
<d:ProbeMatches><d:ProbeMatch><d:Scopes>onvif://www.onvif.org/name/HIKVISION%20DS-TCG onvif://www.onvif.org/Profile/G
onvif://www.onvif.org/hardware/DS-TCG225</d:Scopes><d:XAddrs>{address}</d:XAddrs></d:ProbeMatch></d:ProbeMatches>
</s:Body></s:Envelope>"""


LOOPBACK = ("127.0.0.1",)
SADP_MATCH = """<?xml version="1.0" encoding="utf-8"?>
<ProbeMatch><Uuid>1F9B2A6C-4E1D-4F5A-9C3E-7A2B5D8E0C11</Uuid><Types>inquiry</Types><DeviceType>1376537</DeviceType>
<DeviceDescription>DS-TCG406-E</DeviceDescription><DeviceSN>DS-TCG406-E20240101AAWRD12345678</DeviceSN>
<MAC>08-cc-81-00-00-00</MAC><IPv4Address>{host}</IPv4Address><HttpPort>80</HttpPort>
<Activated>{activated}</Activated></ProbeMatch>"""
DAHUA_ABOUT = {
    "DeviceClass": "ITC", "DeviceType": "ITC237-PW6M", "HttpPort": 80, "SerialNo": "3C06520PAN00001",
    "IPv4Address": {"IPAddress": "192.168.0.232", "SubnetMask": "255.255.255.0", "DhcpEnable": False},
    "Vendor": "General", "Version": "3.120.0000.0.R",
}  # fmt: skip


def dahua_answer(about: object, head: bytes = b"\x20\x00\x00\x00DHIP" + bytes(24)) -> bytes:
    message = {"mac": "3c:ef:8c:41:6c:ce", "method": "client.notifyDevInfo", "params": {"deviceInfo": about}}
    return head + json.dumps(message).encode() + b"\x00"


async def asked(make: Callable[[tuple[str, int]], Call], *answers: bytes) -> tuple[list[Found], Camera]:
    """What a search finds where one device gives *answers*, and that device."""
    transport, device = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Camera(*answers), local_addr=("127.0.0.1", 0)
    )
    try:
        call = replace(make(transport.get_extra_info("sockname")), listen=0, join="")
        return await ask(call, 0.3, LOOPBACK), device
    finally:
        transport.close()


class Camera(asyncio.DatagramProtocol):
    """Answers every question with what it was given."""

    def __init__(self, *answers: bytes) -> None:
        self._answers = answers
        self.asked: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.asked.append(data)
        for answer in self._answers:
            self._transport.sendto(answer, addr)  # type: ignore[attr-defined]


async def test_a_camera_that_answers_is_found_once_and_strangers_are_not_believed() -> None:
    ours = MATCH.format(address="http://[fe80::1]/onvif http://192.168.1.64/onvif/device_service").encode()
    theirs = MATCH.format(address="http://8.8.8.8/onvif").encode()
    camera, device = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Camera(b"\x00junk", theirs, ours), local_addr=("127.0.0.1", 0)
    )
    try:
        found = await find_cameras(0.3, camera.get_extra_info("sockname"), LOOPBACK)
    finally:
        camera.close()

    assert all(b"NetworkVideoTransmitter" in question for question in device.asked)
    hint = 'type = "hikvision", host = "192.168.1.64"'
    assert found == [Found("192.168.1.64", "camera: HIKVISION DS-TCG DS-TCG225", hint)]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_answer_is_a_camera_or_nothing(data: bytes) -> None:
    with contextlib.suppress(BadFrameError):
        parse_match(data)


async def test_a_hikvision_says_its_model_and_serial_and_whether_it_has_a_password() -> None:
    own = sadp.inquiry()
    ours, new = (
        SADP_MATCH.format(host=f"192.168.1.{n}", activated=a).encode() for n, a in ((64, "true"), (65, "false"))
    )
    strange = SADP_MATCH.format(host="8.8.8.8", activated="true").encode()

    found, device = await asked(lambda to: sadp.call(to), b"\x21\x02\x01\x42" + ours, own, strange, new, b"\xff")

    assert b"<Types>inquiry</Types>" in device.asked[0]
    assert found == [
        Found(
            "192.168.1.64",
            "Hikvision DS-TCG406-E, serial DS-TCG406-E20240101AAWRD12345678",
            'type = "hikvision", host = "192.168.1.64"',
        ),
        Found(
            "192.168.1.65",
            "Hikvision DS-TCG406-E, serial DS-TCG406-E20240101AAWRD12345678: has no password yet",
            "set one on its page, http://192.168.1.65/, then search again",
        ),
    ]


async def test_a_dahua_answers_only_a_question_with_its_head() -> None:
    question = dhdiscover.search()
    long_head = dahua_answer(DAHUA_ABOUT, b"\x28\x00\x00\x00DHIP" + bytes(32))

    found, device = await asked(lambda to: dhdiscover.call((to,)), question, b"{", dahua_answer("text"), long_head)

    where = 'addresses = ["192.168.0.232"], devices = ["3C06520PAN00001"], clock_host = "192.168.0.232"'
    assert device.asked[0] == question
    assert question[:8] == b"\x20\x00\x00\x00DHIP"
    assert (question.index(b"{"), int.from_bytes(question[16:20], "little")) == (32, len(question) - 32)
    assert found == [Found("192.168.0.232", "Dahua ITC237-PW6M, serial 3C06520PAN00001", f'type = "dahua", {where}')]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=80).map(lambda text: dahua_answer({"SerialNo": text})))
def test_any_answer_to_a_makers_search_is_a_device_or_nothing(data: bytes) -> None:
    for parse in (sadp.parse_match, dhdiscover.parse_answer):
        with contextlib.suppress(BadFrameError):
            parse(data)


@pytest.mark.parametrize(
    ("answers", "serials"),
    [
        ([(1, b""), (0, b'{"cmd":"getsn","state_code":200,"value":"fe71e106-57263272"}')], ["fe71e106-57263272"]),
        ([(0, b'{"state_code":401}')], []),
        ([(0, b"nonsense")], []),
        ([], []),
    ],
)
async def test_a_vzenith_is_known_by_its_command_port(answers: list[tuple[int, bytes]], serials: list[str]) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readexactly(24) == vzenith.question()
        for kind, body in answers:
            writer.write(b"VZ" + bytes([kind, 0]) + len(body).to_bytes(4, "big") + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        found = await vzenith.find_vzenith(IPv4Network("127.0.0.1/32"), server.sockets[0].getsockname()[1])

    assert [one.what for one in found] == [f"Vzenith camera, serial {serial}" for serial in serials]


def test_own_addresses_are_private_ones() -> None:
    assert all(is_private(IPv4Address(address)) for address in own_addresses())


async def test_without_an_interface_there_is_no_network_to_ask() -> None:
    with pytest.raises(OSError, match="no interface"):
        await ask(sadp.call(), 0.1, ())


async def test_printers_on_a_named_network_are_found() -> None:
    async with SimulatedPrinter() as printer:
        found = await find_on(IPv4Network("127.0.0.1/32"), {printer.port: ("printer", "escpos_network")})

    assert [one.where for one in found] == [f"127.0.0.1:{printer.port}"]
    assert await find_on(IPv4Network("127.0.0.1/32"), {printer.port: ("printer", "escpos_network")}) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("8.8.8.0/24", "not a private network"),
        ("10.0.0.0/8", "at most 256"),
        ("0.0.0.0/0", "not a private network"),
        ("192.168.0.0/15", "not a private network"),
        ("printer", "not a network"),
    ],
)
def test_networks_that_are_not_the_lots_own_or_too_large_are_refused(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        network_of(text)


async def test_boards_on_a_bus_are_found_by_their_address_and_nothing_moves(tmp_path: Path) -> None:
    async with SimulatedRtuBus(tmp_path / "ttyUSB0", {2: RelayModel(), 5: RelayModel()}) as bus:
        found = await find_boards(SerialPort(device=bus.path), range(1, 7))

        assert [one.where for one in found] == [f"{bus.path} unit 2", f"{bus.path} unit 5"]
        assert not any(bus.pulses(unit) for unit in (2, 5))
    with pytest.raises(DeviceUnreachableError):
        await find_boards(SerialPort(device=bus.path), (1,))
