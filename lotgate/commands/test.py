"""``lotgate test LANE``: snapshot, inputs, pulse, board, voice, scanner and print, one by one, a person watching."""

from __future__ import annotations

import argparse
import asyncio
import sys
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path

from aiohttp import web

from domain.slip_faces import TestPage
from domain.slip_layouts import lay_out
from drivers.base import BadOptionsError
from edge.asking import ask_daemon
from edge.lanes.devices import open_devices
from edge.lanes.trying import LaneTry, Tried
from edge.settings import EdgeSettings, Lane, load_settings
from edge.web.device import device_app
from plumbing.logs import configure
from plumbing.paper.encode import encode
from plumbing.paper.profile import Profile
from plumbing.paper.shipped import layout_of
from plumbing.settings import SettingsError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``--config F``, the lane, and where snapshots go."""
    parser.add_argument("--config", type=Path, required=True, metavar="F", help="the lot file")
    parser.add_argument("--pictures", type=Path, default=Path(), metavar="DIR", help="where snapshots go (here)")
    parser.add_argument("lane", metavar="LANE", help="name of the lane")


def run(args: argparse.Namespace) -> int:
    """0 all was seen, 1 something was not, 2 when the lot file or the lane cannot be used, or the edge runs."""
    configure(level="ERROR")
    try:
        settings = load_settings(args.config)
        lane = settings.lane(args.lane)
        if lane is None:
            names = ", ".join(one.name for one in settings.lanes)
            print(f"no lane {args.lane!r}; there are {names}", file=sys.stderr)
            return 2
        return asyncio.run(_try(settings, lane, args))
    except (SettingsError, BadOptionsError, OSError) as exc:
        print(exc, file=sys.stderr)
        return 2


async def _try(settings: EdgeSettings, lane: Lane, args: argparse.Namespace) -> int:
    if await ask_daemon(settings, "/standing") is not None:
        print("the edge runs and holds these devices: systemctl stop lotgate-edge, then try again", file=sys.stderr)
        return 2
    results: list[Tried] = []
    async with AsyncExitStack() as stack:
        devices = await open_devices(settings, stack, str(args.config), args.config.parent)
        await _listen(settings, device_app(devices.cameras.values()), stack)
        now = datetime.now(settings.tz).replace(tzinfo=None)
        pages = {name: (one, _test_page(name, devices.profiles[name], now)) for name, one in devices.printers.items()}
        trying = LaneTry(lane, devices.of_lane(lane), pages, Console(), args.pictures)
        async for tried in trying.run():
            results.append(tried)
            print(f"{'ok   ' if tried.well else 'WRONG'} {tried.device}" + (f": {tried.note}" if tried.note else ""))
    print("--- " + ("all was seen" if all(one.well for one in results) else "see WRONG above"))
    return 0 if all(one.well for one in results) else 1


def _test_page(name: str, profile: Profile, now: datetime) -> bytes:
    return encode(lay_out(TestPage(name, now, profile.width), layout_of("test"), profile.width), profile)


async def _listen(settings: EdgeSettings, app: web.Application, stack: AsyncExitStack) -> None:
    """Cameras that push must find the port they are set to."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, settings.listeners.device.host, settings.listeners.device.port).start()


class Console:
    """The person is at this terminal."""

    def say(self, text: str) -> None:
        """Print it."""
        print(text, flush=True)

    async def ask(self, question: str) -> bool:
        """Ask until the answer is yes or no; the end of input is a no."""
        while True:
            try:
                answer = (await asyncio.to_thread(input, f"{question} [y/n] ")).strip().lower()
            except EOFError:
                return False
            if answer in ("y", "yes", "是"):
                return True
            if answer in ("n", "no", "否"):
                return False
