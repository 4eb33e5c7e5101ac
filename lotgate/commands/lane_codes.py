"""``lotgate lane-codes``: the codes of every lane and of the lot's pay page, as addresses and as pictures to put up."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import segno

from domain.driver_page import lane_code, lane_url
from edge.settings import EdgeSettings, load_settings
from plumbing.settings import SettingsError

PAY = "pay"  # where a phone pays anywhere in the lot: always at the cloud
MODULE_MM = 2  # a code of 60 to 70 mm, read from a car's window


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``--config F``, and a folder where pictures are wanted."""
    parser.add_argument("--config", type=Path, required=True, metavar="F", help="the lot file")
    parser.add_argument("--url", metavar="URL", help="what the addresses begin with, in place of the lot file's")
    parser.add_argument("folder", type=Path, nargs="?", metavar="DIR", help="write one SVG a lane, and pay.svg, here")


def run(args: argparse.Namespace) -> int:
    """0, or 2 when the lot file cannot be used or nothing can be written."""
    try:
        settings = load_settings(args.config)
        for lane, url in _codes(settings, args.url):
            print(f"{lane}\t{url}")
            if args.folder is not None:
                args.folder.mkdir(parents=True, exist_ok=True)
                segno.make_qr(url, error="m").save(args.folder / f"{lane}.svg", scale=MODULE_MM, unit="mm", border=4)
    except (SettingsError, ValueError, OSError) as exc:
        print(exc, file=sys.stderr)
        return 2
    return 0


def _codes(settings: EdgeSettings, url: str | None) -> list[tuple[str, str]]:
    base = url or settings.lanes_url
    lanes = [(lane.name, lane_url(base, lane_code(settings.lot_id, lane.name))) for lane in settings.lanes]
    return [*lanes, (PAY, f"https://{settings.voucher_host.lower()}/pay/{settings.lot_id}")]
