"""An exit decision (stay, coupon, tariff, ledger, log, pulse in one FULL transaction) against a bare FULL commit.

The bare commit, an exit of an empty lot and an exit of a lot with three years behind it take turns.
"""

from __future__ import annotations

import itertools
import sqlite3
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import crowd
from benchmarks.figures import Figure, Options, figure_of, progress
from benchmarks.pairs import Pair, Spread, interleave, shown
from edge.services.entering import enter
from edge.services.leaving import leave
from tests.edge.lots import SmallLot, at, small_lot

STAYED_MIN = 47  # past the free minutes: there is a fee, and the coupon covers it
BARE, EMPTY, CROWDED = "bare one-row FULL commit", "empty lot", "crowded lot"
SLOW_S, FAST_S = 1e-3, 0.3e-3  # a commit at or above the one, below the other: each has its target
CROWDED_MOST = 1.2


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured, and what lies behind the crowded lot."""

    cars: int = 400
    past_stays: int = 1_000_000
    plates: int = 100_000
    rules: int = 5_000


SMOKE = Size(20, 200, 100, 50)


def bare(path: Path) -> sqlite3.Connection:
    """A database that commits as durably as the lot's."""
    conn = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    conn.execute("PRAGMA journal_mode=WAL")
    conn.execute("PRAGMA synchronous=FULL")
    conn.execute("CREATE TABLE row (n INTEGER PRIMARY KEY, text TEXT)")
    return conn


def commit_one(conn: sqlite3.Connection) -> None:
    """One row, one durable transaction."""
    conn.execute("BEGIN IMMEDIATE")
    conn.execute("INSERT INTO row (text) VALUES ('x')")
    conn.execute("COMMIT")


def lot_with_cars(folder: Path, cars: int) -> SmallLot:
    """Cars inside, each with a coupon that covers its fee."""
    folder.mkdir()
    lot = small_lot(folder)
    for number in range(cars):
        enter(lot.db, lot.lot, lot.arrival("in", crowd.plate(number)), at(0))
    coupon = {"kind": "AMOUNT", "value": 500, "cap_fen": 0, "meaning": "end", "remainder": "lost", "merchant_id": 3}
    coupons = [(f"c{number}", {**coupon, "plate": crowd.plate(number)}) for number in range(cars)]
    crowd.listed(lot, "coupons", coupons)
    return lot


def make_crowded(lot: SmallLot, size: Size) -> None:
    """Put three years behind the lot."""
    crowd.past_stays(lot, size.past_stays)
    crowd.listed(lot, "people", [(f"m{n}", {"plate": f"沪C{n:05d}", "list": "entitled"}) for n in range(size.plates)])
    crowd.listed(lot, "rules", [(f"template:{n}", {"kind": "AMOUNT", "value": n}) for n in range(size.rules)])
    crowd.checkpoint(lot.db.conn)


def exits(lot: SmallLot) -> Callable[[], None]:
    """A call that lets the next car out."""
    numbers = itertools.count()

    def one_leaves() -> None:
        number = next(numbers)
        left = leave(lot.db, lot.lot, lot.arrival("out", crowd.plate(number)), at(STAYED_MIN))
        if not left.opens:
            raise SystemExit(f"{crowd.plate(number)} was not let out: {left.decision.verdict}")

    return one_leaves


def run(options: Options) -> list[Figure]:
    """Exits on the lot's disk beside bare commits, empty and crowded; empty once more without a disk."""
    size = SMOKE if options.smoke else Size()
    conn = bare(options.folder / "bare.db")
    empty, crowded = (lot_with_cars(options.folder / name, size.cars + 2) for name in ("empty", "crowded"))
    empty_exit, crowded_exit = exits(empty), exits(crowded)
    crowded_exit()  # the past is made of copies of this stay
    make_crowded(crowded, size)
    progress(f"{size.past_stays:,} past stays, {size.plates:,} listed plates, {size.rules:,} rules are there")
    taken = interleave({BARE: lambda: commit_one(conn), EMPTY: empty_exit, CROWDED: crowded_exit}, size.cars)
    pair = Pair.of("exit decision, empty lot", BARE, taken[BARE], taken[EMPTY])
    figures = [against_commit(pair), against_empty(taken[EMPTY], taken[CROWDED])]
    if options.fast is not None:
        figures.append(on_fast_disk(options.fast, size))
    return figures


def on_fast_disk(folder: Path, size: Size) -> Figure:
    """The same where a commit costs next to nothing: what is left is our own work."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        conn, one_leaves = bare(Path(name) / "bare.db"), exits(lot_with_cars(Path(name) / "lot", size.cars + 2))
        taken = interleave({BARE: lambda: commit_one(conn), EMPTY: one_leaves}, size.cars)
    return against_commit(Pair.of(f"exit decision, {folder}", BARE, taken[BARE], taken[EMPTY]))


def against_commit(pair: Pair) -> Figure:
    """The target depends on what a commit costs at this moment."""
    bare_p50 = pair.baseline.p50
    if bare_p50 >= SLOW_S:
        return figure_of(pair, 0.95)
    if bare_p50 < FAST_S:
        return figure_of(pair, 0.5)
    between = f"none: a bare commit between {shown(FAST_S)} and {shown(SLOW_S)}"
    return replace(figure_of(pair, None), target=between)


def against_empty(empty: list[float], crowded: list[float]) -> Figure:
    """Medians of exits that took turns."""
    ratio = Spread.of(crowded).p50 / Spread.of(empty).p50
    measured = f"{ratio:.2f} × (empty {Spread.of(empty)}; crowded {Spread.of(crowded)})"
    return Figure("exit decision, crowded lot", f"≤ {CROWDED_MOST:g} × empty lot", measured, ratio <= CROWDED_MOST)
