"""``make plates``: how well plates are read, on photographs that nothing was trained on, beside other engines.

The photographs lie beside the project (``../shared``, or where LOTGATE_PHOTOS says) with their labels and the program
that scores; ``training/validation.csv`` names those that are held back. Figures go into docs/plate-reading.md.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.engines import Answer, Engine, engines
from domain.plate import normalise

ROOT = Path(__file__).parent.parent
VALIDATION = ROOT / "training" / "validation.csv"
DOCUMENT = ROOT / "docs" / "plate-reading.md"
COMMON = ("blue", "green", "yellow")
COLUMNS = ("file", "plate", "verdict", "confidence", "ms")

Label = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Result:
    """One engine's answers, and what the scoring program says of them."""

    engine: str
    answers: Mapping[str, Answer]
    exact: float  # 0-1, of all its pictures


@dataclass(frozen=True, slots=True)
class Group:
    """A row of the table: some of the pictures."""

    name: str
    holds: Callable[[Label], bool]


GROUPS = (
    Group("Chinese scenes", lambda row: row["kind"] == "scene" and is_chinese(row)),
    Group("– blue", lambda row: row["kind"] == "scene" and row["category"] == "blue"),
    Group("– green", lambda row: row["kind"] == "scene" and row["category"] == "green"),
    Group("– yellow", lambda row: row["kind"] == "scene" and row["category"] == "yellow"),
    Group("crops", lambda row: row["kind"] == "crop" and is_chinese(row)),
    Group("– blue", lambda row: row["kind"] == "crop" and row["category"] == "blue"),
    Group("– green", lambda row: row["kind"] == "crop" and row["category"] == "green"),
    Group("– yellow", lambda row: row["kind"] == "crop" and row["category"] == "yellow"),
    Group("foreign scenes", lambda row: not is_chinese(row)),
)


def is_chinese(row: Label) -> bool:
    """Whether the plate on a picture has a form of GA 36."""
    return not row["category"].startswith("foreign")


def photographs() -> Path:
    """Where the labelled photographs are, if they are."""
    return Path(os.environ.get("LOTGATE_PHOTOS", ROOT.parent / "shared")) / "plates"


def held_back(folder: Path) -> list[Label]:
    """The labels of the validation pictures; none where there are no photographs."""
    if not (folder / "labels.csv").exists():
        return []
    named = {row["file"] for row in csv.DictReader(VALIDATION.read_text("utf-8").splitlines())}
    with (folder / "labels.csv").open(encoding="utf-8-sig", newline="") as file:
        return [row for row in csv.DictReader(file) if row["file"] in named]


def sample(labels: Sequence[Label], most: int | None) -> Sequence[Label]:
    """At most *most* of the labels, evenly spread."""
    step = 1 if most is None else max(1, -(-len(labels) // most))
    return labels[::step]


def run(engine: Engine, labels: Sequence[Label], folder: Path, out: Path) -> Result:
    """Have *engine* read the pictures, and the photographs' own program score what it read."""
    answers = {}
    for done, row in enumerate(chosen := sample(labels, engine.most), start=1):
        answers[row["file"]] = engine.read(folder / row["file"])
        if sys.stderr.isatty():
            print(f"\r{engine.name}: {done}/{len(chosen)}", end="", file=sys.stderr, flush=True)
    predictions, truth = out / "predictions.csv", out / "labels.csv"
    write(predictions, COLUMNS, [{"file": file, **fields(answer)} for file, answer in answers.items()])
    write(truth, list(labels[0]), chosen)
    command = [sys.executable, str(folder / "score.py"), str(predictions), "--labels", str(truth), "--json"]
    scored = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    return Result(engine.name, answers, json.loads(scored.stdout)["total"]["exact"])


def fields(answer: Answer) -> dict[str, object]:
    """An answer as the scoring program wants it."""
    return {name: getattr(answer, name) for name in COLUMNS[1:]}


def write(path: Path, names: Sequence[str], rows: Sequence[Mapping[str, object]]) -> None:
    """A CSV file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)


def is_right(row: Label, answer: Answer) -> bool:
    """As the scoring program compares: separators do not count."""
    return bool(answer.plate) and normalise(answer.plate) == normalise(row["plate"])


def share(part: int, whole: int) -> str:
    """*part* of *whole* as people read it."""
    return f"{part} of {whole} ({100 * part / whole:.1f} %)" if whole else "–"


def accuracy(results: Sequence[Result], labels: Sequence[Label]) -> list[str]:
    """The table: every group of pictures by every engine."""
    lines = [f"| pictures | {' | '.join(result.engine for result in results)} |", "|---" * (len(results) + 1) + "|"]
    for group in GROUPS:
        cells = []
        for result in results:
            rows = [row for row in labels if row["file"] in result.answers and group.holds(row)]
            cells.append(share(sum(is_right(row, result.answers[row["file"]]) for row in rows), len(rows)))
        lines.append(f"| {group.name} | {' | '.join(cells)} |")
    lines.append(f"| all, by `score.py` | {' | '.join(f'{100 * result.exact:.1f} %' for result in results)} |")
    times = (statistics.median(answer.ms for answer in result.answers.values()) for result in results)
    return [*lines, f"| median time a picture | {' | '.join(f'{ms:.0f} ms' for ms in times)} |"]


def knowing(result: Result, labels: Sequence[Label]) -> list[str]:
    """What was accepted, and how much of that was wrong."""
    lines = ["| pictures | accepted | wrong among accepted | asked, of these right | unread |", "|---|---|---|---|---|"]
    for group in (
        GROUPS[0],
        GROUPS[4],
        Group("all Chinese", is_chinese),
        Group("– common kinds", lambda row: row["category"] in COMMON),
        GROUPS[-1],
    ):
        rows = [row for row in labels if group.holds(row)]
        accepted, asked = ([row for row in rows if result.answers[row["file"]].verdict == v] for v in ("accept", "ask"))
        wrong = sum(not is_right(row, result.answers[row["file"]]) for row in accepted)
        right = sum(is_right(row, result.answers[row["file"]]) for row in asked)
        lines.append(
            f"| {group.name} | {share(len(accepted), len(rows))} | {share(wrong, len(accepted))} "
            f"| {len(asked)}, {right} | {len(rows) - len(accepted) - len(asked)} |"
        )
    return lines


def rare(result: Result, labels: Sequence[Label]) -> list[str]:
    """Kinds of which there are few pictures: k of n, and whether a wrong read was ever accepted."""
    lines = ["| kind | read | accepted, of these wrong | asked | unread |", "|---|---|---|---|---|"]
    kinds = sorted({row["category"] for row in labels if is_chinese(row) and row["category"] not in COMMON})
    for kind in kinds:
        rows = [row for row in labels if row["category"] == kind]
        answers = [result.answers[row["file"]] for row in rows]
        right = [is_right(row, answer) for row, answer in zip(rows, answers, strict=True)]
        accepted, asked, unread = (sum(answer.verdict == v for answer in answers) for v in ("accept", "ask", "unread"))
        wrong = sum(not ok and answer.verdict == "accept" for ok, answer in zip(right, answers, strict=True))
        lines.append(f"| {kind} | {sum(right)} of {len(rows)} | {accepted}, {wrong} | {asked} | {unread} |")
    return lines


def put(document: Path, mark: str, lines: Sequence[str]) -> None:
    """Replace what stands between the marks of *mark* in *document*. Raises LookupError when they are gone."""
    text, count = re.subn(
        rf"(<!-- {mark} -->\n).*?(<!-- end -->)",
        lambda found: found[1] + "\n".join(lines) + "\n" + found[2],
        document.read_text("utf-8"),
        flags=re.DOTALL,
    )
    if count != 1:
        raise LookupError(f"{document}: the marks of {mark!r} are gone")
    document.write_text(text, "utf-8")


def main(argv: Sequence[str] | None = None) -> int:
    """0 however the figures come out, 2 without photographs."""
    parser = argparse.ArgumentParser(prog="make plates", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", metavar="NAME", help="run engines whose name contains NAME; writes no document")
    parser.add_argument("--tesseract", type=int, default=40, metavar="N", help="pictures given to Tesseract (40)")
    parser.add_argument("--wrong", action="store_true", help="name what the first engine misread")
    args = parser.parse_args(argv)
    folder = photographs()
    labels = held_back(folder)
    if not labels:
        print(f"no photographs in {folder}: set LOTGATE_PHOTOS to the folder that holds plates/", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as out:
        chosen = (engine for engine in engines(args.tesseract) if (args.only or "") in engine.name)
        results = [run(engine, labels, folder, Path(out)) for engine in chosen]
    tables = {
        "accuracy": accuracy(results, labels),
        "knowing": knowing(results[0], labels),
        "rare kinds": rare(results[0], labels),
    }
    for mark, lines in tables.items():
        print(f"\n{mark}\n" + "\n".join(lines))
        if not args.only:
            put(DOCUMENT, mark, lines)
    if args.wrong:
        tell_wrong(results[0], labels)
    return 0


def tell_wrong(result: Result, labels: Sequence[Label]) -> None:
    """Every misread plate."""
    for row in labels:
        answer = result.answers[row["file"]]
        if not is_right(row, answer):
            print(f"{row['file']}: {row['plate']} read {answer.plate or '-'} {answer.verdict} {answer.confidence:.3f}")


if __name__ == "__main__":
    raise SystemExit(main())
