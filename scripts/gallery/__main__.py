"""Photograph every page and slip and look at it as far as a machine can: ``make screenshots``.

    python -m scripts.gallery                      every page, into .gallery/index.html
    python -m scripts.gallery --only admin/shop    pages whose surface/name contains the text
    python -m scripts.gallery --keep               and renew those in docs/images
    python -m scripts.gallery --sheets             also contact sheets: many pages on one picture

Ends with 1 where a page was found wanting; the findings stand below the pictures as well.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from playwright.async_api import async_playwright

from scripts.gallery import cloud_side, edge_side, paper_side
from scripts.gallery.album import contact_sheets, write_index
from scripts.gallery.camera import Camera
from scripts.gallery.cloud_pages import without_picture
from scripts.gallery.kept import keep
from tests.conftest import CHROMIUM_ARGS
from tests.services.needs import needs

FOLDER = Path(".gallery")


def say(text: str) -> None:
    """Something a person reads while it runs."""
    sys.stderr.write(text)
    sys.stderr.flush()


async def photograph(folder: Path, only: str) -> list[Camera]:
    """All pictures, by the cameras that took them."""
    cameras: list[Camera] = []

    began = time.monotonic()

    def tell(what: str) -> None:
        taken = sum(len(one.pictures) for one in cameras)
        say(f"\r\033[K{time.monotonic() - began:4.0f} s  {taken:5d} pictures  {what}")

    def camera_of(known: str) -> Camera:
        cameras.append(Camera(folder, known, tell))
        return cameras[-1]

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=needs("chromium"), args=list(CHROMIUM_ARGS))
        with tempfile.TemporaryDirectory() as scratch:
            for side in (paper_side, edge_side, cloud_side):
                await side.photograph(browser, Path(scratch), camera_of, only)
        await browser.close()
    say("\n")
    return cameras


def main() -> int:
    """As a command."""
    parser = argparse.ArgumentParser(
        prog="scripts.gallery", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", metavar="TEXT", help="pages whose surface/name contains TEXT")
    parser.add_argument(
        "--to", type=Path, default=FOLDER, metavar="DIR", help="where the gallery goes (default: .gallery)"
    )
    parser.add_argument("--sheets", action="store_true", help="contact sheets beside the index")
    parser.add_argument("--keep", action="store_true", help="renew the pictures that the documentation shows")
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)  # a day with a lost camera has much to tell
    os.environ["LOTGATE_STRICT_TEXTS"] = "1"
    missing = without_picture()
    for route in missing:
        say(f"no picture: {route}\n")
    if not asked.only:
        shutil.rmtree(asked.to, ignore_errors=True)
    asked.to.mkdir(parents=True, exist_ok=True)
    cameras = asyncio.run(photograph(asked.to, asked.only))
    pictures = [picture for camera in cameras for picture in camera.pictures]
    findings = [finding for camera in cameras for finding in camera.findings]
    for found in findings:
        say(f"{found.code:9} {found.where:28} {found.shot:20} {found.detail}\n")
    if asked.keep:
        say(f"renewed in docs/images: {', '.join(keep(asked.to))}\n")
    if asked.sheets:
        contact_sheets(asked.to, pictures, 480, 620, 4, 3)
    say(f"{len(pictures)} pictures, {len(findings)} findings: {write_index(asked.to, pictures, findings)}\n")
    return 1 if findings or missing else 0


if __name__ == "__main__":
    sys.exit(main())
