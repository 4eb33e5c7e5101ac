"""Replay one seed, or try many: ``python -m tests.simulator --seed 123 -v``."""

from __future__ import annotations

import argparse
import sys
import time
import traceback

from tests.simulator.play import play


def main() -> int:
    """Exit 0 when every seed held, 1 at the first that did not."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description=__doc__)
    parser.add_argument("--seed", type=int, help="play this one seed")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=100, help="how many, from --first-seed on")
    parser.add_argument("--steps", type=int, default=None, help="steps before the network heals")
    parser.add_argument("--phones", action="store_true", help="worlds in which fees are paid by phone too")
    parser.add_argument("--minds", action="store_true", help="worlds in which people change their minds")
    parser.add_argument("-v", "--verbose", action="store_true", help="tell the whole story")
    args = parser.parse_args()
    say = print if args.verbose else None
    seeds = [args.seed] if args.seed is not None else range(args.first_seed, args.first_seed + args.seeds)
    began = time.monotonic()
    for done, seed in enumerate(seeds, 1):
        try:
            play(seed, say, args.steps, phones=args.phones, minds=args.minds)
        except Exception:  # noqa: BLE001 - whatever breaks a seed is shown with its number
            traceback.print_exc()
            print(f"seed {seed} does not hold")
            return 1
        if not args.verbose and (done % 25 == 0 or done == len(seeds)):
            print(f"{done} of {len(seeds)} seeds hold, {done / (time.monotonic() - began):.1f} a second", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
