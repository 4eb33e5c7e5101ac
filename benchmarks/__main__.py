"""``python -m benchmarks [PART …]``: run the benchmarks, or the named parts, and hold them to their targets."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.figures import Figure, Options

PARTS = {
    "decision": "an exit decision against a bare durable commit",
    "lane": "camera push to relay command against a bare POST and a bare commit",
    "busy": "eight lanes at once for an hour: plate to arm, and memory, against a bare commit",
    "print": "fifty vouchers with their journal against bare jobs; a camera push to pixels at the booth",
    "unplug": "a device unplugged, and plugged in again, until the booth says so",
    "tariff": "pricing a stay against a formula written by hand",
    "voucher": "checking a voucher against a bare signature check",
    "coupons": "one coupon through the machine interface against a bare POST with a commit; lists of many",
    "sync": "a backlog through a broker into the cloud against a plain loop",
    "reading": "a camera frame to a verdict on its plate against decoding the frame alone",
    "edge": "start, memory and growth of an edge against its bare imports",
}


def main(argv: Sequence[str] | None = None) -> int:
    """0 however the figures come out: a benchmark tells, a person judges."""
    args = _parser().parse_args(argv)
    figures = []
    with tempfile.TemporaryDirectory(dir=args.disk, prefix=".benchmark-") as folder:
        options = Options(Path(folder), args.smoke, args.fast_disk)
        for name in args.parts or PARTS:
            print(f"{name}: {PARTS[name]}", flush=True)
            began = time.monotonic()
            figures += importlib.import_module(f"benchmarks.{name}").run(options)
            print(f"  ({time.monotonic() - began:.0f} s)", flush=True)
    print(f"\n{circumstances()}\n{table(figures)}")
    if args.json:
        told = {"machine": circumstances(), "figures": [asdict(figure) for figure in figures]}
        args.json.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--smoke", action="store_true", help="only see that everything runs: seconds, no real figures")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    parser.add_argument("--disk", type=Path, default=Path.cwd(), metavar="DIR", help="where databases go (default: .)")
    parser.add_argument(
        "--fast-disk", type=Path, metavar="DIR", help="measure decisions there too, for instance /dev/shm"
    )
    return parser


def circumstances() -> str:
    """What the figures were taken on."""
    cores, load = os.cpu_count(), ", ".join(f"{load:.1f}" for load in os.getloadavg())
    when = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
    return f"{when} UTC, {cores} cores {platform.machine()}, Python {platform.python_version()}, load {load}"


def table(figures: Sequence[Figure]) -> str:
    """Every figure beside its target."""
    rows = [("figure", "target", "met", "measured")]
    rows += [(figure.name, figure.target, figure.verdict, figure.measured) for figure in figures]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]) for row in rows
    )


if __name__ == "__main__":
    raise SystemExit(main())
