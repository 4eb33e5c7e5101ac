"""The demo itself: bring everything up, say where it is, and play the day or let cars come and go."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

from lotgate.demo.acts import NO, YES, table
from lotgate.demo.attendant import attend
from lotgate.demo.folder import Folder, Ports
from lotgate.demo.photos import Photo
from lotgate.demo.progress import Progress
from lotgate.demo.system import System, running
from lotgate.demo.traffic import drive
from lotgate.demo.trying import addresses

START_STEPS, FIRST_STEPS = 2, 8  # what is told while everything comes up, again and for the first time


async def run_demo(
    folder: Folder, ports: Ports, photos: Sequence[Photo], *, once: bool, patience_s: float | None = None
) -> int:
    """Run until cancelled, or with *once* to the end of the day; 0 when all its checks held, else 1.

    With *patience_s* the cars are those of an attendant's day, each waiting so long for somebody at the booth.
    """
    began = time.monotonic()
    progress = Progress(START_STEPS if folder.known.exists() else FIRST_STEPS)
    async with running(folder, ports, progress.step) as system:
        progress.done(f"up after {time.monotonic() - began:.1f} s")
        report = system.report()
        folder.write_report(report)
        _announce(system, [] if once else await addresses(system))
        if once:
            return await _play(system, photos, report)
        if patience_s is not None:
            await attend(system, patience_s)
        await drive(system, photos)
    return 0


def _announce(system: System, more: Sequence[tuple[str, str]]) -> None:
    rows = (
        ("cloud, administrator", system.cloud_url + "/admin", system.known["admin"]),
        ("cloud, merchant", system.cloud_url + "/m", system.known["merchant"]),
        ("booth, attendant", system.edge_url + "/booth", system.known["attendant"]),
        ("counter, for vouchers", system.counter_url + "/counter", system.known["attendant"]),
    )
    print("READY")
    for what, url, login in rows:
        print(f"  {what:<23}{url:<36}{login['account']}  {login['password']}")
    if system.slips_url:
        print(f"  {'printed slips':<23}{system.slips_url}")
    for what, url in (*more, ("payers, simulated", system.gateway_url)):
        print(f"  {what:<23}{url}")
    print(f"  {'broker':<23}127.0.0.1:{system.ports.broker}")
    print(f"  {'everything else':<23}{system.folder.report}", flush=True)


async def _play(system: System, photos: Sequence[Photo], report: dict[str, Any]) -> int:
    from lotgate.demo.day import Day  # it brings both daemons' databases along, which the start must not wait for

    began, day = time.monotonic(), Day(system, photos)
    progress = Progress(len(day.scenes) + 1)
    acts = await day.play(progress.step)
    progress.step("both sides are laid side by side")
    invariants = await day.settle()
    progress.done(f"played in {time.monotonic() - began:.1f} s")
    held = all(act.held for act in acts) and not any(invariants.values())
    system.folder.write_report(
        {
            **report,
            "acts": [act.values() for act in acts],
            "invariants": {name: {"held": not wrong, "wrong": wrong} for name, wrong in invariants.items()},
            "held": held,
        }
    )
    print()
    for line in table(acts):
        print(line)
    for name, wrong in invariants.items():
        print(f"  {NO if wrong else YES} {name}" + "".join(f"\n      {NO} {one}" for one in wrong))
    print(f"\n  slips and report in {system.folder.root}")
    print(
        "  every check held" if held else "  NOT everything held", flush=True, file=sys.stdout if held else sys.stderr
    )
    return 0 if held else 1
