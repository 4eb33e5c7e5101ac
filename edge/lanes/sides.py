"""Lanes that share one barrier: who holds it may open, the others wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from domain.lane import Event, OtherHeld


class SharedBarrier:
    """One lane's turn at a barrier; *turn* is the same lock for every lane of it, None for a lane alone."""

    def __init__(self, turn: asyncio.Lock | None, post: Callable[[Event], None]) -> None:
        self._turn, self._post = turn, post
        self._holding: asyncio.Task[None] | None = None

    @property
    def is_shared(self) -> bool:
        """Has the barrier another side?"""
        return self._turn is not None

    def hold(self, decision_id: str) -> None:
        """Ask for the turn; ``OtherHeld`` says when it has come."""
        if self._turn is not None:
            self._holding = asyncio.create_task(self._hold(self._turn, decision_id))

    async def _hold(self, turn: asyncio.Lock, decision_id: str) -> None:
        await turn.acquire()
        self._post(OtherHeld(decision_id))

    def release(self) -> None:
        """Give the barrier free, whether it was held or still waited for."""
        holding, self._holding = self._holding, None
        if holding is None or self._turn is None:
            return
        if holding.done() and not holding.cancelled():
            self._turn.release()
        else:
            holding.cancel()
