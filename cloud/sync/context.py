"""What every applier of an edge's event is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from domain.events import Envelope


@dataclass(frozen=True, slots=True)
class ApplyContext:
    """Whose log is being applied, and when. An applier touches only what belongs to this edge (I19)."""

    edge_id: str
    lot_id: int
    operator_id: int
    epoch: int
    now_ms: int

    def event_id(self, envelope: Envelope) -> str:
        """The name of an event: edge, epoch and seq."""
        return f"{self.edge_id}.{self.epoch}.{envelope.seq}"


Applied = tuple[Envelope, Any]  # an envelope and its decoded event
Projection = Callable[[Connection, ApplyContext, Sequence[Applied]], None]  # all events of one type in a batch
MoneyApplier = Callable[[Connection, ApplyContext, Envelope, Any], None]  # one event, in log order
