"""``lotgate find``: what cameras, boards, printers and serial ports are there. Moves and changes nothing."""

from __future__ import annotations

import argparse
import asyncio
import sys
from ipaddress import IPv4Network
from pathlib import Path

from drivers.base import DeviceError
from drivers.finding import dhdiscover, sadp
from drivers.finding.datagrams import ask
from drivers.finding.found import Found, network_of
from drivers.finding.lan import find_on
from drivers.finding.onvif import find_cameras
from drivers.finding.serial_ports import find_boards, find_ports, find_typing
from drivers.finding.vzenith import find_vzenith
from drivers.serial_port import SerialPort

SECONDS = 4.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to search beside the cameras that answer a call and this machine's serial ports."""
    parser.add_argument(
        "--network", action="append", default=[], type=_network, metavar="NET",
        help="look for printers, relay boards and Vzenith cameras on this private network, as in 192.168.1.0/24; "
        "may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--modbus", action="append", default=[], type=_port, metavar="DEVICE[:BAUD]",
        help="ask the usual Modbus addresses on this serial port; nothing else may use it meanwhile",
    )  # fmt: skip
    parser.add_argument("--seconds", type=float, default=SECONDS, metavar="S", help="how long cameras may take (4)")


def run(args: argparse.Namespace) -> int:
    """0, also when nothing was found; 1 when a search could not be made."""
    found, failed = asyncio.run(_search(args))
    for one in found:
        print(f"{one.where}\n    {one.what}" + (f"\n    {one.hint}" if one.hint else ""))
    if not found:
        print("nothing found")
    for what in dict.fromkeys(failed):
        print(what, file=sys.stderr)
    return 1 if failed else 0


async def _search(args: argparse.Namespace) -> tuple[list[Found], list[str]]:
    found, failed = [*find_ports(), *find_typing()], []
    cameras: dict[str, Found] = {}  # by address; what the maker's own search tells comes first
    seconds = min(max(args.seconds, 0.2), 30.0)
    searches = (ask(sadp.call(), seconds), ask(dhdiscover.call(), seconds), find_cameras(seconds))
    for answers in await asyncio.gather(*searches, return_exceptions=True):
        if isinstance(answers, OSError):
            failed.append(f"cameras: no network to ask ({answers.strerror or answers})")
        elif isinstance(answers, BaseException):
            raise answers
        else:
            cameras = {one.where: one for one in answers} | cameras
    for network in args.network:
        cameras |= {one.where: one for one in await find_vzenith(network)}
        found += await find_on(network)
    found += cameras.values()
    for port in args.modbus:
        try:
            found += await find_boards(port)
        except DeviceError as exc:
            failed.append(str(exc))
    return found, failed


def _network(text: str) -> IPv4Network:
    try:
        return network_of(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(str(exc)) from exc


def _port(text: str) -> SerialPort:
    device, colon, baud = text.rpartition(":")
    try:
        return SerialPort(device=Path(device), baud=int(baud)) if colon and baud.isdecimal() else _plain(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(str(exc)) from exc


def _plain(text: str) -> SerialPort:
    return SerialPort(device=Path(text))
