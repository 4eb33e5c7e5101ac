"""Looking for devices: what is found, what is refused, what is not believed."""

from __future__ import annotations

import asyncio
import contextlib
from ipaddress import IPv4Network
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.barrier.simulated import RelayModel
from drivers.barrier.simulated_rtu import SimulatedRtuBus
from drivers.base import BadFrameError, DeviceUnreachableError
from drivers.finding.found import Found, network_of
from drivers.finding.lan import find_on
from drivers.finding.onvif import find_cameras, parse_match
from drivers.finding.serial_ports import find_boards
from drivers.printer.simulated import SimulatedPrinter
from drivers.serial_port import SerialPort

MATCH = """<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:d="x"><s:Body>
<d:ProbeMatches><d:ProbeMatch><d:Scopes>onvif://www.onvif.org/name/HIKVISION%20DS-TCG onvif://www.onvif.org/Profile/G
onvif://www.onvif.org/hardware/DS-TCG225</d:Scopes><d:XAddrs>{address}</d:XAddrs></d:ProbeMatch></d:ProbeMatches>
</s:Body></s:Envelope>"""


class Camera(asyncio.DatagramProtocol):
    """Answers every question with what it was given."""

    def __init__(self, *answers: bytes) -> None:
        self._answers = answers

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert b"NetworkVideoTransmitter" in data
        for answer in self._answers:
            self._transport.sendto(answer, addr)  # type: ignore[attr-defined]


async def test_a_camera_that_answers_is_found_once_and_strangers_are_not_believed() -> None:
    ours = MATCH.format(address="http://[fe80::1]/onvif http://192.168.1.64/onvif/device_service").encode()
    theirs = MATCH.format(address="http://8.8.8.8/onvif").encode()
    camera, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Camera(b"\x00junk", theirs, ours), local_addr=("127.0.0.1", 0)
    )
    try:
        found = await find_cameras(0.3, camera.get_extra_info("sockname"))
    finally:
        camera.close()

    hint = 'type = "hikvision", host = "192.168.1.64"'
    assert found == [Found("192.168.1.64", "camera: HIKVISION DS-TCG DS-TCG225", hint)]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_answer_is_a_camera_or_nothing(data: bytes) -> None:
    with contextlib.suppress(BadFrameError):
        parse_match(data)


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
