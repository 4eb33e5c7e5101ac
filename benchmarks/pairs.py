"""Interleaved measurement: baseline and subjects in turn, so that a machine whose speed drifts drifts for all."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """Seconds of one side: median, 10th and 90th percentile, 99th percentile."""

    p50: float
    p10: float
    p90: float
    p99: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Spread:
        """The spread of a sample."""
        ordered = sorted(seconds)

        def at(share: float) -> float:
            return ordered[min(len(ordered) - 1, int(len(ordered) * share))]

        return cls(statistics.median(ordered), at(0.1), at(0.9), at(0.99))

    def __str__(self) -> str:
        return f"p50 {shown(self.p50)} [{shown(self.p10)} … {shown(self.p90)}] p99 {shown(self.p99)}"


@dataclass(frozen=True, slots=True)
class Pair:
    """What was measured: both spreads and the median of the ratios baseline/subject, pair by pair."""

    name: str
    baseline_name: str
    baseline: Spread
    subject: Spread
    ratio: float

    @classmethod
    def of(cls, name: str, baseline_name: str, baseline: Sequence[float], subject: Sequence[float]) -> Pair:
        """Compare two samples taken in turn."""
        ratio = statistics.median(b / s for b, s in zip(baseline, subject, strict=True))
        return cls(name, baseline_name, Spread.of(baseline), Spread.of(subject), ratio)

    def __str__(self) -> str:
        return (
            f"{self.name}\n  baseline {self.baseline_name}: {self.baseline}\n  subject: {self.subject}\n"
            f"  speed relative to baseline: {self.ratio:.2f} × (median of pairs)"
        )


def interleave(works: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Time every work A B C A B C … *rounds* times, after one warm-up of each."""
    for work in works.values():
        work()
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            taken[name].append(timed(work))
    return taken


def measure(
    name: str, baseline_name: str, baseline: Callable[[], object], subject: Callable[[], object], *, pairs: int
) -> Pair:
    """Time *baseline* and *subject* A B A B … *pairs* times, after one warm-up of each."""
    taken = interleave({"baseline": baseline, "subject": subject}, pairs)
    return Pair.of(name, baseline_name, taken["baseline"], taken["subject"])


def timed(work: Callable[[], object]) -> float:
    """Seconds that *work* took."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def shown(seconds: float) -> str:
    """A length as people read it."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} µs"
    return f"{seconds * 1e3:.2f} ms" if seconds < 1 else f"{seconds:.2f} s"
