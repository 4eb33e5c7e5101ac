"""``lotgate pay-gateway``: a payment gateway to try things with, in place of WeChat Pay and Alipay."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import time
from pathlib import Path

from aiohttp import web

from lotgate.demo.toml_text import toml_text
from lotgate.gateway.book import Book
from lotgate.gateway.keys import account_settings
from lotgate.gateway.program import Gateway
from plumbing.demo_clock import DemoClock

HOST = "127.0.0.1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``[--port N] [--dir D] [--clock F]``."""
    parser.add_argument("--port", type=int, default=8620, metavar="N", help="where it listens (default 8620)")
    parser.add_argument(
        "--dir", type=Path, default=Path(".pay-gateway"), metavar="D",
        help="its keys and its merchant's, made at the first start (default .pay-gateway)",
    )  # fmt: skip
    parser.add_argument("--clock", type=Path, metavar="F", help="the file that puts a demo's clock forward")


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop; writes what the cloud's settings file needs into the folder."""
    return asyncio.run(_serve(args.port, args.dir.resolve(), args.clock))


async def _serve(port: int, folder: Path, clock: Path | None) -> int:
    ahead = DemoClock(clock or folder / "clock")
    gateway = Gateway(folder, Book(lambda: time.time_ns() // 1_000_000 + ahead.ahead_ms()))
    runner = web.AppRunner(gateway.app(), access_log=None)
    await runner.setup()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        await web.TCPSite(runner, HOST, port).start()
        gateway.url = "http://{}:{}".format(*runner.addresses[0][:2])
        settings = folder / "payments.toml"
        settings.write_text(toml_text({"payments": account_settings(folder, gateway.url)}), encoding="utf-8")
        print(f"pay at {gateway.url}\nfor the cloud's settings file: {settings}", flush=True)
        with contextlib.suppress(asyncio.CancelledError):
            await stop.wait()
    finally:
        await runner.cleanup()
    return 0
