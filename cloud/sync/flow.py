"""How fast edges may send: one worker's rate shared by those that are sending now (sync §3)."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

ACTIVE_MS: Final = 10_000
LEAST: Final = 50  # events a second each edge may send however many there are


class Flow:
    """*total* is what this worker takes a second from all edges together; 0: no limit."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._sending: OrderedDict[str, int] = OrderedDict()  # edge -> when it last sent a batch

    def share(self, edge: str, now_ms: int) -> int:
        """Events a second *edge*, which sends now, may go on with; 0: as many as it can."""
        self._sending.pop(edge, None)
        self._sending[edge] = now_ms
        while now_ms - next(iter(self._sending.values())) > ACTIVE_MS:
            self._sending.popitem(last=False)
        return max(LEAST, self._total // len(self._sending)) if self._total else 0
