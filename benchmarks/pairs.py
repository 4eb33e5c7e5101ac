"""Paired measurement: baseline and subject in turn, so that a machine whose speed drifts drifts for both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
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
        ordered = sorted(seconds)

        def at(share: float) -> float:
            return ordered[min(len(ordered) - 1, int(len(ordered) * share))]

        return cls(statistics.median(ordered), at(0.1), at(0.9), at(0.99))

    def __str__(self) -> str:
        return f"p50 {_time(self.p50)} [{_time(self.p10)} … {_time(self.p90)}] p99 {_time(self.p99)}"


@dataclass(frozen=True, slots=True)
class Pair:
    """What was measured: both spreads and the median of the ratios baseline/subject, pair by pair."""

    name: str
    baseline_name: str
    baseline: Spread
    subject: Spread
    ratio: float

    def __str__(self) -> str:
        return (
            f"{self.name}\n  baseline {self.baseline_name}: {self.baseline}\n  subject: {self.subject}\n"
            f"  speed relative to baseline: {self.ratio:.2f} × (median of pairs)"
        )


def measure(
    name: str, baseline_name: str, baseline: Callable[[], object], subject: Callable[[], object], *, pairs: int
) -> Pair:
    """Time *baseline* and *subject* A B A B … *pairs* times, after one warm-up of each."""
    baseline()
    subject()
    base, ours = [], []
    for _ in range(pairs):
        base.append(timed(baseline))
        ours.append(timed(subject))
    ratio = statistics.median(b / s for b, s in zip(base, ours, strict=True))
    return Pair(name, baseline_name, Spread.of(base), Spread.of(ours), ratio)


def timed(work: Callable[[], object]) -> float:
    """Seconds that *work* took."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _time(seconds: float) -> str:
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} µs"
    return f"{seconds * 1e3:.2f} ms" if seconds < 1 else f"{seconds:.2f} s"
