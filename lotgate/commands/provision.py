"""``lotgate provision``: make a bare machine the edge of its lot."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from edge.db.database import DatabaseDamagedError, DatabaseInUseError
from edge.provisioning import FIRST_ATTENDANT, ClaimError, claim, prepare
from edge.replacing import Replaced, replace_device
from edge.settings import EdgeSettings, load_settings
from plumbing.backup import BackupError
from plumbing.settings import SettingsError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``--config F [--attendant NAME] [--claim TEXT [--ca FILE] [--replace [--copy PATH]]]``."""
    parser.add_argument("--config", type=Path, required=True, metavar="F", help="the lot file")
    parser.add_argument("--attendant", default=FIRST_ATTENDANT, metavar="NAME", help="name of the first attendant")
    parser.add_argument("--claim", metavar="TEXT", help="the claim shown once on the cloud's page for this edge")
    parser.add_argument("--replace", action="store_true", help="take the place of the lot's dead device")
    parser.add_argument(
        "--copy", type=Path, metavar="PATH", help="with --replace: a copy of its database, or their folder"
    )
    parser.add_argument("--ca", type=Path, metavar="FILE", help="certificate of the cloud's own authority")


def run(args: argparse.Namespace) -> int:
    """0 when done, 1 when the claim was refused or a daemon runs, 2 when the lot file cannot be used."""
    if args.replace and not args.claim:
        print('--replace wants --claim TEXT: the cloud\'s page of edges shows it after "Replace"', file=sys.stderr)
        return 2
    try:
        if args.replace:
            settings, done = asyncio.run(replace_device(args.config, args.claim, args.ca, args.copy))
            _tell(settings, done)
        settings = load_settings(args.config)
        made = prepare(settings, args.attendant)
        print(f"device key   {made.fingerprint}")
        print(f"data         {settings.data}")
        if made.pin:
            print(f"attendant    {made.attendant}\nPIN          {made.pin}   (shown this once; change it at the booth)")
        if args.claim and not args.replace:
            asyncio.run(claim(settings, args.claim, args.ca))
            print(f"claimed      edge {settings.edge} belongs to lot {settings.lot_id}")
    except SettingsError as exc:
        print(exc, file=sys.stderr)
        return 2
    except (ClaimError, BackupError, DatabaseDamagedError, DatabaseInUseError) as exc:
        print(exc, file=sys.stderr)
        return 1
    except OSError as exc:
        print(
            f"{exc.filename or args.config}: {exc.strerror or exc}; the setting data names the folder",
            file=sys.stderr,
        )
        return 1
    return 0


def _tell(settings: EdgeSettings, done: Replaced) -> None:
    """What this device begins with, what may be lost, and what is left to do."""
    counts, before = done.counts, done.taken.before
    heard = (
        f"{datetime.fromtimestamp(before.heard_ms / 1000, settings.tz):%Y-%m-%d %H:%M}" if before.heard_ms else "never"
    )
    print(f"replaces     {before.edge}, last heard {heard}, known up to event {before.seq} of epoch {before.epoch}")
    print(f"epoch        {done.taken.epoch} of edge {done.edge}; the lot file names it now")
    print(f"database     {f'the copy of {done.copy.made}' if done.copy else 'what the cloud knew'}")
    print(f"inside       {counts.inside} cars, {counts.paid_fen} fen paid for them")
    print(f"known too    {counts.debts} debts, {counts.used} used vouchers, {counts.people} people of the booth")
    if counts.unsent:
        print(f"unsent       {counts.unsent} events of {before.edge}: they go to the cloud with the first connection")
    for line in _losses(done):
        print(f"may be lost  {line}")
    for path in done.left:
        print(f"missing      {path}: put it back, it is in no copy")
    print("then         lotgate doctor, start the service, walk the lot: each car inside against the booth's list")


def _losses(done: Replaced) -> Iterator[str]:
    before = done.taken.before
    if done.copy is not None:
        yield f"what happened after the copy of {done.copy.made}"
        return
    if before.missing:
        yield f"events {before.seq + 1} to {before.told_seq}, of which the old device told"
    yield "what happened there after it was last heard: entries, payments, waivers and vouchers nobody else knows of"
