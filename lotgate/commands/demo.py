"""``lotgate demo``: the whole system on one machine, with simulated devices; ``--once`` plays a scripted day."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from lotgate.demo.attendant import PATIENCE_S
from lotgate.demo.folder import FIRST_PORT, DemoError, Folder, Ports, held, ports_from, refuse_taken
from lotgate.demo.lots import FOUR, LOTS
from lotgate.demo.photos import Photo, find_photos
from lotgate.demo.show import run_demo

DEFAULT_FOLDER = Path(".lotgate-demo")  # followed by -LOT for another lot than the first
STOPPED = 130  # by Ctrl-C or SIGTERM before a scripted day was over


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``[--once | --attendant] [--patience S] [--port N] [--dir D] [--photos P]``."""
    plays = parser.add_mutually_exclusive_group()
    plays.add_argument("--once", action="store_true", help="play a scripted day, check everything, and end")
    plays.add_argument(
        "--attendant", action="store_true",
        help="you sit at the booth: things go wrong one after another, and it says what to do about each",
    )  # fmt: skip
    parser.add_argument(
        "--patience", type=float, default=PATIENCE_S, metavar="S",
        help=f"with --attendant: seconds until the script sees to something itself (default {PATIENCE_S:.0f})",
    )  # fmt: skip
    parser.add_argument(
        "--port", type=int, default=FIRST_PORT, metavar="N",
        help=f"cloud on N, booth on N+1, broker on N+2, devices after them; 0: free ports (default {FIRST_PORT})",
    )  # fmt: skip
    parser.add_argument(
        "--lot", choices=LOTS, default=FOUR.name,
        help=f"which lot: {', '.join(LOTS)} with every make of device (default {FOUR.name})",
    )  # fmt: skip
    parser.add_argument(
        "--dir", type=Path, metavar="D",
        help=f"where everything is kept, and found again the next time (default {DEFAULT_FOLDER})",
    )  # fmt: skip
    parser.add_argument(
        "--photos", type=Path, metavar="P",
        help="photographs of cars for the plain cameras; left out: ../shared/plates if there, else drawn scenes",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """0 when stopped, or when every check of the day held; 1 when one did not; 2 for bad input."""
    if args.port and not 1024 <= args.port <= 65_526:
        print("--port must be 0 or from 1024 to 65526", file=sys.stderr)
        return 2
    if args.photos is not None and not args.photos.is_dir():
        print(f"--photos {args.photos}: no such folder", file=sys.stderr)
        return 2
    photos = find_photos(args.photos)
    if args.photos is not None and not photos:
        print(f"--photos {args.photos}: no pictures of plain blue plates in it", file=sys.stderr)
        return 2
    lot = LOTS[args.lot]
    if (args.once or args.attendant) and not lot.scripted:
        print(f"both scripts are played at {FOUR.name}; {lot.name} runs until Ctrl-C", file=sys.stderr)
        return 2
    default = DEFAULT_FOLDER if lot is FOUR else Path(f"{DEFAULT_FOLDER}-{lot.name}")
    folder = Folder((args.dir or default).resolve(), lot)
    try:
        folder.make()
    except OSError as exc:
        print(f"--dir {folder.root}: {exc.strerror} ({exc.filename}); choose a folder you may write", file=sys.stderr)
        return 2
    except DemoError as exc:
        print(exc, file=sys.stderr)
        return 1
    try:
        with held(folder):
            ports = ports_from(args.port)
            refuse_taken(ports)
            return asyncio.run(_run(folder, ports, photos, args))
    except DemoError as exc:
        print(f"\n{exc}", file=sys.stderr)
        return 1


async def _run(folder: Folder, ports: Ports, photos: Sequence[Photo], args: argparse.Namespace) -> int:
    """The show as a task that Ctrl-C and SIGTERM cancel, so that everything is stopped in order."""
    once, patience_s = args.once, args.patience if args.attendant else None
    show = asyncio.create_task(run_demo(folder, ports, photos, once=once, patience_s=patience_s))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, show.cancel)
    try:
        return await show
    except asyncio.CancelledError:
        print("\nstopped before the day was over" if once else "\nstopped")
        return STOPPED if once else 0
