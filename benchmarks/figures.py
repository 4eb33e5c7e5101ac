"""What a benchmark hands back: figures with their targets, and how it was asked to run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.pairs import Pair


@dataclass(frozen=True, slots=True)
class Options:
    """*smoke*: seconds instead of minutes, to see that everything runs. Databases go below *folder*.

    *fast* is a folder without a disk behind it (tmpfs), for durable figures where a commit costs next to nothing.
    """

    folder: Path
    smoke: bool = False
    fast: Path | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure beside its target. *met* None: there is no target for it, or none under these circumstances."""

    name: str
    target: str
    measured: str
    met: bool | None
    detail: dict[str, object] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """Met or not, in a word."""
        return {True: "yes", False: "NO", None: "-"}[self.met]


def figure_of(pair: Pair, least: float | None) -> Figure:
    """A pair whose subject must reach *least* × the baseline's speed."""
    return Figure(
        pair.name,
        f"≥ {least:g} × {pair.baseline_name}" if least else "",
        f"{pair.ratio:.2f} × (baseline {pair.baseline}; subject {pair.subject})",
        pair.ratio >= least if least else None,
    )


def progress(text: str) -> None:
    """Tell whoever waits what is going on."""
    print(f"  {text}", flush=True)
