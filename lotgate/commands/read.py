"""``lotgate read``: plates on image files, one row a picture, with the engine a plain camera would use."""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import astuple, dataclass
from pathlib import Path

from domain.plate import PlateColour, PlateVerdict
from drivers.base import BadFrameError, DeviceError, PlateCandidate, Recogniser
from drivers.pictures import PICTURE_ENDINGS, decode
from drivers.recogniser.explain import explained
from drivers.recogniser.reader import LotgateOptions, PlateReader, new_reader
from drivers.recogniser.tesseract import new_tesseract

COLUMNS = ("file", "plate", "verdict", "confidence", "colour", "kind", "ms")
DRAWN = ".read.jpg"  # ends the name of an explaining picture; nothing else is ever written over
NO_PLATE = PlateCandidate("", 0, verdict=PlateVerdict.UNREAD)


@dataclass(frozen=True, slots=True)
class Row:
    """What was read on one picture; *file* as it was given. *confidence* is 0-1, *ms* of this picture alone."""

    file: str
    plate: str
    verdict: str  # accept, ask or unread
    confidence: float
    colour: str
    kind: str
    ms: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """PATH… and how to show what was read."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="image files, or folders of them")
    parser.add_argument(
        "--csv",
        nargs="?",
        const="-",
        metavar="F",
        help="write CSV to F, a .csv file; without F (write --csv last) to standard output, and nothing else",
    )
    parser.add_argument("--all", action="store_true", help="a row for every plate of a picture, the main one first")
    parser.add_argument("--explain", metavar="DIR", type=Path, help="draw how each picture was read into DIR")
    parser.add_argument("--engine", choices=("lotgate", "tesseract"), default="lotgate", help="default: lotgate")
    parser.add_argument(
        "--runtime",
        choices=("onnxruntime", "opencv"),
        default="onnxruntime",
        help="what runs the networks (default: onnxruntime)",
    )


def run(args: argparse.Namespace) -> int:
    """Read every picture. 2 when a path is missing, the engine cannot run, or F or DIR cannot be written."""
    try:
        files = list(_files(args.paths))
        _refuse_to_spoil(args.csv)
        recogniser = _engine(args)
        if args.explain is not None:
            args.explain.mkdir(parents=True, exist_ok=True)
        rows = _rows(recogniser, _with_progress(files), most=None if args.all else 1, drawn=args.explain)
        if args.csv is None:
            _print_table(rows)
        else:
            _write_csv(rows, args.csv)
    except (OSError, DeviceError) as exc:
        print(f"lotgate read: {exc}", file=sys.stderr)
        return 2
    return 0


def _engine(args: argparse.Namespace) -> Recogniser:
    if args.engine == "lotgate":
        return new_reader(LotgateOptions(args.runtime))
    if args.explain is not None:
        raise DeviceError("--explain shows how lotgate's own engine reads; leave --engine out")
    return new_tesseract()


def _refuse_to_spoil(target: str | None) -> None:
    """No picture is ever written over: ``--csv`` before the pictures would take the first of them as F."""
    path = Path(target or "-")
    kept = path.is_dir() or path.suffix.lower() in PICTURE_ENDINGS or (path.is_file() and path.suffix.lower() != ".csv")
    if kept:
        raise FileExistsError(f"--csv {path} would write over it; name a .csv file, or put --csv after the pictures")


def _files(paths: Sequence[str]) -> Iterator[str]:
    for path in paths:
        if Path(path).is_dir():
            found = (file for file in Path(path).rglob("*") if file.suffix.lower() in PICTURE_ENDINGS)
            yield from sorted(str(file) for file in found if not file.name.endswith(DRAWN))
        elif Path(path).is_file():
            yield path
        else:
            raise FileNotFoundError(f"there is no file or folder {path}")


def _rows(recogniser: Recogniser, files: Iterable[str], *, most: int | None, drawn: Path | None) -> Iterator[Row]:
    for file in files:  # one after another, so that each picture's time is its own
        yield from read_file(recogniser, file)[:most]
        if drawn is not None and isinstance(recogniser, PlateReader):
            _draw(recogniser, file, drawn)


def read_file(recogniser: Recogniser, file: str) -> list[Row]:
    """A row for every plate, the main one first, or one that says ``unread``.

    What is no picture is ``unread`` too, and named on standard error.
    """
    started = time.perf_counter()
    try:
        candidates = recogniser.recognise(Path(file).read_bytes())
    except (BadFrameError, OSError) as exc:
        print(f"lotgate read: {file}: {exc}", file=sys.stderr)
        candidates = ()
    ms = round((time.perf_counter() - started) * 1000, 1)
    return [_row(file, found, ms) for found in candidates or (NO_PLATE,)]


def _row(file: str, found: PlateCandidate, ms: float) -> Row:
    colour = "" if found.colour is PlateColour.UNKNOWN else found.colour
    return Row(file, found.text, found.verdict, round(found.confidence / 100, 4), colour, found.kind or "", ms)


def _draw(reader: PlateReader, file: str, folder: Path) -> None:
    """The explaining picture of *file*, named after its whole path so that no two files share one."""
    try:
        pixels = decode(Path(file).read_bytes())
    except (BadFrameError, OSError):
        return  # told already
    name = "_".join(part for part in Path(file).parts if part not in ("/", "..")) + DRAWN
    (folder / name).write_bytes(explained(pixels, reader.look(pixels)))


def _with_progress(files: Sequence[str]) -> Iterator[str]:
    show, total = sys.stderr.isatty() and len(files) > 1, len(files)
    for done, file in enumerate(files, start=1):
        yield file
        if show:
            bar = "#" * (30 * done // total)
            print(f"\r[{bar:<30}] {done}/{total}", end="" if done < total else "\n", file=sys.stderr, flush=True)


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
        sure = f"{row.confidence:.4f}"
        print(f"{row.plate or '-':<12} {row.verdict:<7} {sure} {row.colour:<12} {row.ms:>7.1f} ms  {row.file}")
    print(", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
