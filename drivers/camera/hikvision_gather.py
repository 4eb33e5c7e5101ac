"""One read of what a Hikvision camera sends in pieces: the plate first and its pictures behind, or both twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from drivers.base import PlateRead
from drivers.camera.hikvision_codec import MOST_PICTURES, PlateEvent


@dataclass(slots=True)
class _Pending:
    event: PlateEvent
    timer: asyncio.TimerHandle
    pictures: dict[str, bytes] = field(default_factory=dict)


class Gatherer:
    """Emits a read when its pictures are there, when the next event begins, or after *wait_s*: a car does not wait.

    A complete event that comes after its read was emitted is emitted again under the same id, for its pictures.
    """

    def __init__(self, camera: str, emit: Callable[[PlateRead], None], wait_s: float) -> None:
        self._camera = camera
        self._emit = emit
        self._wait_s = wait_s
        self._pending: _Pending | None = None

    def event(self, event: PlateEvent) -> None:
        """A plate came."""
        if self._pending is not None and self._pending.event.record != event.record:
            self.flush()
        self._drop()
        timer = asyncio.get_running_loop().call_later(self._wait_s, self.flush)
        self._pending = _Pending(event, timer)
        if not event.pictures and not event.more:
            self.flush()

    def picture(self, name: str, data: bytes) -> None:
        """A picture of the plate that came last."""
        pending = self._pending
        if pending is None or len(pending.pictures) >= MOST_PICTURES:
            return
        pending.pictures[name or f"picture {len(pending.pictures)}"] = data
        if len(pending.pictures) >= pending.event.pictures and not pending.event.more:
            self.flush()

    def flush(self) -> None:
        """Emit what there is."""
        pending = self._pending
        self._drop()
        if pending is not None:
            self._emit(pending.event.read(self._camera, pending.pictures))

    def _drop(self) -> None:
        if self._pending is not None:
            self._pending.timer.cancel()
            self._pending = None
