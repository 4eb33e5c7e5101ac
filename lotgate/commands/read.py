"""``lotgate read``: plates on image files, one row a picture, with the engine a plain camera would use."""

from __future__ import annotations

import argparse
import csv
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import astuple, dataclass
from pathlib import Path

from domain.plate import PlateVerdict
from drivers.base import BadFrameError, DeviceError, Recogniser
from drivers.pictures import PICTURE_ENDINGS
from drivers.recogniser.tesseract import new_tesseract

COLUMNS = ("file", "plate", "verdict", "confidence", "colour", "kind", "ms")


@dataclass(frozen=True, slots=True)
class Row:
    """What was read on one picture; *file* as it was given."""

    file: str
    plate: str
    verdict: str  # accept, ask or unread
    confidence: float  # 0-1
    colour: str
    kind: str
    ms: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """PATH… and --csv."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="image files, or folders of them")
    parser.add_argument(
        "--csv",
        nargs="?",
        const="-",
        metavar="F",
        help="write CSV to F, a .csv file; without F (write --csv last) to standard output, and nothing else",
    )


def run(args: argparse.Namespace) -> int:
    """Read every picture. 2 when a path is missing, the engine cannot run, or F cannot be written."""
    try:
        files = list(_files(args.paths))
        _refuse_to_spoil(args.csv)
        rows = _with_progress(_rows(new_tesseract(), files), len(files))
        if args.csv is None:
            _print_table(rows)
        else:
            _write_csv(rows, args.csv)
    except (OSError, DeviceError) as exc:
        print(f"lotgate read: {exc}", file=sys.stderr)
        return 2
    return 0


def _refuse_to_spoil(target: str | None) -> None:
    """No picture is ever written over: ``--csv`` before the pictures would take the first of them as F."""
    path = Path(target or "-")
    kept = path.is_dir() or path.suffix.lower() in PICTURE_ENDINGS or (path.is_file() and path.suffix.lower() != ".csv")
    if kept:
        raise FileExistsError(f"--csv {path} would write over it; name a .csv file, or put --csv after the pictures")


def _files(paths: Sequence[str]) -> Iterator[str]:
    for path in paths:
        if Path(path).is_dir():
            yield from sorted(str(file) for file in Path(path).rglob("*") if file.suffix.lower() in PICTURE_ENDINGS)
        elif Path(path).is_file():
            yield path
        else:
            raise FileNotFoundError(f"there is no file or folder {path}")


def _rows(recogniser: Recogniser, files: Sequence[str]) -> Iterator[Row]:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(lambda file: read_file(recogniser, file), files)


def read_file(recogniser: Recogniser, file: str) -> Row:
    """The row of one picture; one that cannot be read as a picture is ``unread`` and named on standard error."""
    started = time.perf_counter()
    try:
        candidates = recogniser.recognise(Path(file).read_bytes())
    except (BadFrameError, OSError) as exc:
        print(f"lotgate read: {file}: {exc}", file=sys.stderr)
        candidates = ()
    ms = round((time.perf_counter() - started) * 1000)
    best = next((found for found in candidates if found.text), None)
    if best is None:
        return Row(file, "", PlateVerdict.UNREAD, 0, "", "", ms)
    return Row(file, best.text, best.verdict, round(best.confidence / 100, 4), best.colour, best.kind or "", ms)


def _with_progress(rows: Iterable[Row], total: int) -> Iterator[Row]:
    show = sys.stderr.isatty() and total > 1
    for done, row in enumerate(rows, start=1):
        if show:
            bar = "#" * (30 * done // total)
            print(f"\r[{bar:<30}] {done}/{total}", end="" if done < total else "\n", file=sys.stderr, flush=True)
        yield row


def _write_csv(rows: Iterable[Row], target: str) -> None:
    with ExitStack() as stack:
        file = sys.stdout
        if target != "-":
            file = stack.enter_context(Path(target).open("w", encoding="utf-8", newline=""))
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in rows:
            writer.writerow(astuple(row))


def _print_table(rows: Iterable[Row]) -> None:
    counts = {"accept": 0, "ask": 0, "unread": 0}
    for row in rows:
        counts[row.verdict] += 1
        print(
            f"{row.plate or '-':<12} {row.verdict:<7} {row.confidence:.4f} {row.colour:<12} {row.ms:>6} ms  {row.file}"
        )
    print(", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
