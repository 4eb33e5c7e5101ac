"""``python -m benchmarks.week``: play a week, check every car, write a report with pictures."""

from __future__ import annotations

import argparse
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.week.checks import Check, check_week
from benchmarks.week.plan import plan_week
from benchmarks.week.report import WORDS, write_report
from benchmarks.week.virtual_time import virtual_loop
from benchmarks.week.week import Week


def main(argv: Sequence[str] | None = None) -> int:
    """0 when every check held, 1 when one did not."""
    args = _parser().parse_args(argv)
    logging.basicConfig(level=logging.CRITICAL)  # what breaks on purpose is in the report
    with tempfile.TemporaryDirectory(dir=args.dir, prefix=".week-") as folder, virtual_loop() as loop:
        week = Week(
            plan_week(args.seed, args.days, args.cars), Path(folder), loop, lambda said: print(said, flush=True)
        )
        loop.run_until_complete(week.play())
        checks = check_week(week)
        print(f"\n{len(week.truth.visits)} cars in {week.took_s:.0f} s\n{table(checks)}")
        if args.report:
            write_report(week, checks, args.report)
            print(f"\nreport: {args.report}")
    return 0 if all(check.held for check in checks) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.week", description=__doc__)
    parser.add_argument("--days", type=float, default=7, metavar="N", help="days to play (default 7)")
    parser.add_argument("--cars", type=int, default=3000, metavar="N", help="cars a day (default 3000)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="another seed is another week (default 1)")
    parser.add_argument(
        "--dir", type=Path, metavar="DIR", help="where the databases go (default: the temporary folder)"
    )
    parser.add_argument(
        "--report", type=Path, default=Path("week.html"), metavar="F", help="the page (default week.html)"
    )
    return parser


def table(checks: Sequence[Check]) -> str:
    """Every check with both figures."""
    lines = []
    for check in checks:
        lines.append(
            f"  {'ok' if check.held else 'NO'}  {WORDS['en']['checks'][check.name]}: {check.expected} | {check.seen}"
        )
        lines += [f"        {one}" for one in check.wrong]
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
